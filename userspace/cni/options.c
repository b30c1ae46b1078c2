// SPDX-License-Identifier: GPL-2.0-only
#include "cni/options.h"

#include "base/cleanup.h"
#include "cni/error.h"
#include "cni/json.h"

static bool is_set(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return json_object_size(value);
	case JSON_ARRAY:
		return json_array_size(value);
	case JSON_STRING:
		return json_string_length(value);
	case JSON_INTEGER:
		return json_integer_value(value);
	case JSON_REAL:
	case JSON_TRUE:
		return true;
	default:
		return false;
	}
}

static int refuse(const struct up_cni_option *o, const json_t *value, struct up_err *err)
{
	cleanup_free char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

	return up_cni_fail(err, UP_CNI_UNSUPPORTED, "%s: %.100s: %s", o->key, text ? text : "?",
			   o->why);
}

int up_cni_options_check(const struct up_cni *c, const struct up_cni_option *table,
			 struct up_err *err)
{
	for (const struct up_cni_option *o = table; o->key; o++) {
		const json_t *value = up_cni_get(c->conf, o->key);

		if (!value || !is_set(value))
			continue;
		if (o->refuse)
			return refuse(o, value, err);
		up_cni_note(c, "%s is ignored: %s", o->key, o->why);
	}
	return 0;
}
