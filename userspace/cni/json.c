// SPDX-License-Identifier: GPL-2.0-only
#include "cni/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cni/error.h"

json_t *up_cni_get(const json_t *obj, const char *key)
{
	json_t *value = json_object_get(obj, key), *other;
	const char *name;

	if (!value)
		json_object_foreach ((json_t *)obj, name, other)
			if (!strcasecmp(name, key))
				value = other;
	return json_is_null(value) ? NULL : value;
}

static int wrong_type(const char *key, const char *want, struct up_err *err)
{
	return up_cni_fail(err, UP_CNI_DECODE, "%s: want %s", key, want);
}

int up_cni_get_string(const json_t *obj, const char *key, const char **ret, struct up_err *err)
{
	json_t *value = up_cni_get(obj, key);

	if (!value)
		return 0;
	/* What names a file or an interface further on must not end early. */
	if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
		return wrong_type(key, "a string", err);
	*ret = json_string_value(value);
	return 0;
}

int up_cni_get_bool(const json_t *obj, const char *key, bool *ret, struct up_err *err)
{
	json_t *value = up_cni_get(obj, key);

	if (!value)
		return 0;
	if (!json_is_boolean(value))
		return wrong_type(key, "true or false", err);
	*ret = json_is_true(value);
	return 0;
}

int up_cni_get_object(const json_t *obj, const char *key, json_t **ret, struct up_err *err)
{
	json_t *value = up_cni_get(obj, key);

	if (!value)
		return 0;
	if (!json_is_object(value))
		return wrong_type(key, "an object", err);
	*ret = value;
	return 0;
}

int up_cni_get_array(const json_t *obj, const char *key, json_t **ret, struct up_err *err)
{
	json_t *value = up_cni_get(obj, key);

	if (!value)
		return 0;
	if (!json_is_array(value))
		return wrong_type(key, "an array", err);
	*ret = value;
	return 0;
}

int up_cni_get_uint(const json_t *obj, const char *key, uint64_t max, uint64_t *ret,
		    struct up_err *err)
{
	json_t *value = up_cni_get(obj, key);

	if (!value)
		return 0;
	if (!json_is_integer(value))
		return wrong_type(key, "a whole number", err);
	if (json_integer_value(value) < 0 || (uint64_t)json_integer_value(value) > max)
		return up_cni_fail(err, UP_CNI_BAD_CONFIG, "%s: %lld is not from 0 to %llu", key,
				   (long long)json_integer_value(value), (unsigned long long)max);
	*ret = (uint64_t)json_integer_value(value);
	return 0;
}

int up_cni_get_addr(const json_t *obj, const char *key, struct up_addr *ret, struct up_err *err)
{
	const char *text = "";
	int retval = up_cni_get_string(obj, key, &text, err);

	if (retval || !*text)
		return retval;
	if (up_addr_parse(text, ret))
		return up_cni_fail(err, UP_CNI_BAD_CONFIG, "%s: '%.60s' is not an address", key,
				   text);
	return 0;
}

int up_cni_parse_ip(const char *text, struct up_addr *ret_addr, uint8_t *ret_plen)
{
	char buf[UP_ADDR_TEXT + 4], *slash;
	struct up_addr addr;
	unsigned int plen, max;
	int n = 0;

	if ((size_t)snprintf(buf, sizeof(buf), "%s", text) >= sizeof(buf))
		return -EINVAL;
	slash = strchr(buf, '/');
	if (slash)
		*slash = '\0';
	if (up_addr_parse(buf, &addr))
		return -EINVAL;
	plen = max = up_addr_is_v4(&addr) ? 32 : 128;
	if (slash && (slash[1] < '0' || slash[1] > '9' ||
		      sscanf(slash + 1, "%3u%n", &plen, &n) != 1 || slash[1 + n] || plen > max))
		return -EINVAL;
	*ret_addr = addr;
	*ret_plen = (uint8_t)plen;
	return 0;
}
