// SPDX-License-Identifier: GPL-2.0-only
/* Values of a config.json, and tables of members. */
#include "launch/bundle_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"

int up_json_unlike(const char *what, struct up_err *err)
{
	return up_fail_msg(err, EINVAL, "want %s", what);
}

int up_json_text(const json_t *value, const char **ret, struct up_err *err)
{
	*ret = json_string_value(value);
	return *ret ? 0 : up_json_unlike("a string", err);
}

int up_json_bool(const json_t *value, bool *ret, struct up_err *err)
{
	*ret = json_is_true(value);
	return json_is_boolean(value) ? 0 : up_json_unlike("true or false", err);
}

int up_json_number(const json_t *value, json_int_t min, json_int_t max, json_int_t *ret,
		   struct up_err *err)
{
	*ret = json_integer_value(value);
	return json_is_integer(value) && *ret >= min && *ret <= max
		       ? 0
		       : up_json_unlike("an integer within bounds", err);
}

int up_json_words(const json_t *value, struct up_words *to, struct up_err *err)
{
	int ret = json_is_array(value) ? 0 : up_json_unlike("an array", err);
	const json_t *item;
	size_t i;

	json_array_foreach (value, i, item) {
		const char *text = json_string_value(item);

		if (!ret)
			ret = text ? up_words_add(to, text, err) : up_json_unlike("strings", err);
	}
	return ret;
}

/* Nothing in it is fine; anything is not. */
int up_bundle_empty(struct up_bundle *b, json_t *value, struct up_err *err)
{
	const char *text = json_string_value(value);

	(void)b;
	if (json_is_null(value) || (text && !*text) ||
	    (json_is_array(value) && !json_array_size(value)) ||
	    (json_is_object(value) && !json_object_size(value)))
		return 0;
	return up_fail_msg(err, EOPNOTSUPP, "not implemented");
}

int up_bundle_object(struct up_bundle *b, json_t *object, const struct up_bundle_member *members,
		     size_t n, struct up_err *err)
{
	const char *key;
	json_t *value;

	if (!json_is_object(object))
		return up_json_unlike("an object", err);
	json_object_foreach (object, key, value) {
		size_t i = 0;

		while (i < n && strcmp(members[i].name, key))
			i++;
		if (i == n)
			up_fail_msg(err, EOPNOTSUPP, "not implemented");
		if (i == n || (members[i].take && members[i].take(b, value, err)))
			return up_wrap(err, "%s", key);
	}
	return 0;
}

int up_bundle_each(struct up_bundle *b, json_t *array, up_bundle_taker *take, struct up_err *err)
{
	json_t *item;
	size_t i;

	if (!json_is_array(array))
		return up_json_unlike("an array", err);
	json_array_foreach (array, i, item) {
		if (take(b, item, err))
			return up_wrap(err, "%zu", i);
	}
	return 0;
}
