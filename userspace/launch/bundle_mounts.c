// SPDX-License-Identifier: GPL-2.0-only
/* "root" and "mounts". */
#include "launch/bundle_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"

/* Relative paths are the bundle's. */
static int path_in_bundle(const struct up_bundle *b, const char *path, char buf[PATH_MAX],
			  struct up_err *err)
{
	bool absolute = *path == '/';

	if (snprintf(buf, PATH_MAX, "%s%s%s", absolute ? "" : b->dir, absolute ? "" : "/", path) >=
	    PATH_MAX)
		return up_fail(err, ENAMETOOLONG, "%.100s", path);
	return 0;
}

static int take_root_path(struct up_bundle *b, json_t *value, struct up_err *err)
{
	const char *path;
	int ret = up_json_text(value, &path, err);

	return ret ? ret : path_in_bundle(b, path, b->rootfs, err);
}

static int take_readonly(struct up_bundle *b, json_t *value, struct up_err *err)
{
	return up_json_bool(value, &b->readonly, err);
}

int up_bundle_root(struct up_bundle *b, json_t *value, struct up_err *err)
{
	static const struct up_bundle_member members[] = {
		{"path", take_root_path},
		{"readonly", take_readonly},
	};

	return up_bundle_object(b, value, members, ARRAY_SIZE(members), err);
}

static bool has_option(const json_t *options, const char *name)
{
	const json_t *item;
	size_t i;

	json_array_foreach (options, i, item) {
		if (json_is_string(item) && !strcmp(json_string_value(item), name))
			return true;
	}
	return false;
}

/* An attribute of the mount, or else for the file system, which refuses what it does not know. */
static int take_option(struct up_volume *v, const char *option, struct up_err *err)
{
	char *joined = NULL;

	if (!strcmp(option, "bind") || !strcmp(option, "rbind")) {
		v->change.recursive = *option == 'r';
		return 0;
	}
	if (!up_volume_option(v, option))
		return 0;
	if (v->source)
		return up_fail_msg(err, EOPNOTSUPP, "options: %s: not implemented", option);
	if (asprintf(&joined, "%s%s%s", v->options ? v->options : "", v->options ? "," : "",
		     option) < 0)
		return up_fail(err, ENOMEM, "options");
	free(v->options);
	v->options = joined;
	return 0;
}

static int take_mount(struct up_bundle *b, json_t *value, struct up_err *err)
{
	const char *target, *type = "none", *source = "";
	json_t *options = NULL, *item;
	char path[PATH_MAX] = "";
	struct up_volume *v;
	json_error_t je;
	size_t i;
	bool bind;
	int ret;

	if (json_unpack_ex(value, &je, JSON_STRICT, "{s:s, s?s, s?s, s?o}", "destination", &target,
			   "type", &type, "source", &source, "options", &options))
		return up_fail_msg(err, EINVAL, "%s", je.text);
	if (!strncmp(type, "cgroup", 6)) {
		b->cgroups = true; /* as they are here, below the other mounts */
		return 0;
	}
	bind = !strcmp(type, "bind") || has_option(options, "bind") || has_option(options, "rbind");
	ret = bind ? path_in_bundle(b, source, path, err) : 0;
	if (ret)
		return ret;
	v = up_volume_add(&b->mounts, bind ? "bind" : type, path, target, err);
	if (!v)
		return -EINVAL;
	json_array_foreach (options, i, item) {
		const char *text = json_string_value(item);

		if (text ? take_option(v, text, err) : up_json_unlike("strings", err))
			return up_wrap(err, "%s", target);
	}
	return 0;
}

int up_bundle_mounts(struct up_bundle *b, json_t *value, struct up_err *err)
{
	return up_bundle_each(b, value, take_mount, err);
}
