// SPDX-License-Identifier: GPL-2.0-only
/* "linux": namespaces, ids, sysctls, what is hidden. */
#include "launch/bundle_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"

static const struct {
	const char *type;
	enum up_ns kind;
} namespaces[] = {
	{"pid", UP_NS_PID}, {"network", UP_NS_NET}, {"ipc", UP_NS_IPC},
	{"uts", UP_NS_UTS}, {"user", UP_NS_USER},   {"cgroup", UP_NS_CGROUP},
};

static int take_namespace(struct up_bundle *b, json_t *value, struct up_err *err)
{
	const char *type, *path = NULL;
	json_error_t je;

	if (json_unpack_ex(value, &je, JSON_STRICT, "{s:s, s?s}", "type", &type, "path", &path))
		return up_fail_msg(err, EINVAL, "%s", je.text);
	path = path && *path ? path : NULL;
	if (!strcmp(type, "mount") && !path)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++)
		if (!strcmp(namespaces[i].type, type) &&
		    !(path && namespaces[i].kind == UP_NS_USER)) {
			b->ns[namespaces[i].kind] = path ? UP_NS_JOIN : UP_NS_PRIVATE;
			b->ns_path[namespaces[i].kind] = path;
			return 0;
		}
	return up_fail_msg(err, EOPNOTSUPP, "%s%s: not implemented", type, path ? " by path" : "");
}

static int take_namespaces(struct up_bundle *b, json_t *value, struct up_err *err)
{
	return up_bundle_each(b, value, take_namespace, err);
}

/* One range that starts at 0. */
static int take_mapping(const json_t *value, uint32_t *ret_first, uint32_t *ret_count,
			struct up_err *err)
{
	json_int_t inside, outside, count;
	json_error_t je;

	if (json_array_size(value) != 1)
		return up_fail_msg(err, EOPNOTSUPP, "other than one range: not implemented");
	if (json_unpack_ex(json_array_get(value, 0), &je, JSON_STRICT, "{s:I, s:I, s:I}",
			   "containerID", &inside, "hostID", &outside, "size", &count))
		return up_fail_msg(err, EINVAL, "%s", je.text);
	if (inside || outside <= 0 || outside > INT32_MAX || count <= 0 || count > INT32_MAX)
		return up_fail_msg(err, EINVAL,
				   "want containerID 0, and a hostID that is not the host's root");
	*ret_first = (uint32_t)outside;
	*ret_count = (uint32_t)count;
	return 0;
}

static int take_uids(struct up_bundle *b, json_t *value, struct up_err *err)
{
	return take_mapping(value, &b->idmap.uid, &b->idmap.count, err);
}

static int take_gids(struct up_bundle *b, json_t *value, struct up_err *err)
{
	uint32_t count;
	int ret = take_mapping(value, &b->idmap.gid, &count, err);

	if (!ret && b->idmap.count && b->idmap.count != count)
		return up_fail_msg(err, EOPNOTSUPP,
				   "another size than uidMappings: not implemented");
	return ret;
}

static int take_sysctls(struct up_bundle *b, json_t *value, struct up_err *err)
{
	int ret = json_is_object(value) ? 0 : up_json_unlike("an object", err);
	const char *key;
	json_t *item;

	json_object_foreach (value, key, item) {
		cleanup_free char *text = NULL;

		if (ret || !json_is_string(item))
			return ret ? ret : up_json_unlike("strings", err);
		if (asprintf(&text, "%s=%s", key, json_string_value(item)) < 0)
			text = NULL;
		ret = text ? up_words_add(&b->sysctls, text, err) : up_fail(err, ENOMEM, "%s", key);
	}
	return ret;
}

static int take_masked(struct up_bundle *b, json_t *value, struct up_err *err)
{
	return up_json_words(value, &b->masked, err);
}

static int take_guarded(struct up_bundle *b, json_t *value, struct up_err *err)
{
	return up_json_words(value, &b->guarded, err);
}

/* The root's mounts are private to the container. */
static int take_propagation(struct up_bundle *b, json_t *value, struct up_err *err)
{
	const char *text = json_string_value(value);

	(void)b;
	return text && (!*text || !strcmp(text, "private") || !strcmp(text, "rprivate"))
		       ? 0
		       : up_fail_msg(err, EOPNOTSUPP, "other than private: not implemented");
}

int up_bundle_linux(struct up_bundle *b, json_t *value, struct up_err *err)
{
	static const struct up_bundle_member members[] = {
		{"namespaces", take_namespaces},
		{"uidMappings", take_uids},
		{"gidMappings", take_gids},
		{"sysctl", take_sysctls},
		{"maskedPaths", take_masked},
		{"readonlyPaths", take_guarded},
		{"resources", up_bundle_resources},
		{"rootfsPropagation", take_propagation},
		{"cgroupsPath", NULL},
		{"devices", up_bundle_devices},
		{"mountLabel", up_bundle_empty},
		{"seccomp", up_bundle_seccomp},
	};

	return up_bundle_object(b, value, members, ARRAY_SIZE(members), err);
}
