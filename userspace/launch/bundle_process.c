// SPDX-License-Identifier: GPL-2.0-only
/* "process": what is executed, and as whom. */
#include "launch/bundle_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"

static int take_terminal(struct up_bundle *b, json_t *value, struct up_err *err)
{
	return up_json_bool(value, &b->terminal, err);
}

static int take_groups(struct up_bundle *b, json_t *value, struct up_err *err)
{
	int ret = json_is_array(value) ? 0 : up_json_unlike("an array", err);
	const json_t *item;
	json_int_t gid;
	char text[16];
	size_t i;

	json_array_foreach (value, i, item) {
		if (!ret)
			ret = up_json_number(item, 0, INT32_MAX, &gid, err);
		snprintf(text, sizeof(text), "%d", ret ? 0 : (int)gid);
		if (!ret)
			ret = up_words_add(&b->groups, text, err);
	}
	return ret;
}

static int take_umask(struct up_bundle *b, json_t *value, struct up_err *err)
{
	json_int_t n;
	int ret = up_json_number(value, 0, 0777, &n, err);

	if (!ret)
		b->umask = (unsigned int)n;
	return ret;
}

static int take_user(struct up_bundle *b, json_t *value, struct up_err *err)
{
	static const struct up_bundle_member members[] = {
		{"uid", NULL},
		{"gid", NULL},
		{"username", up_bundle_empty},
		{"umask", take_umask},
		{"additionalGids", take_groups},
	};
	json_int_t uid, gid;
	int ret = up_bundle_object(b, value, members, ARRAY_SIZE(members), err);

	if (!ret)
		ret = up_json_number(json_object_get(value, "uid"), 0, INT32_MAX, &uid, err);
	if (!ret)
		ret = up_json_number(json_object_get(value, "gid"), 0, INT32_MAX, &gid, err);
	if (!ret)
		snprintf(b->user, sizeof(b->user), "%d:%d", (int)uid, (int)gid);
	return ret;
}

static int take_args(struct up_bundle *b, json_t *value, struct up_err *err)
{
	return up_json_words(value, &b->args, err);
}

static int take_env(struct up_bundle *b, json_t *value, struct up_err *err)
{
	return up_json_words(value, &b->env, err);
}

static int take_cwd(struct up_bundle *b, json_t *value, struct up_err *err)
{
	int ret = up_json_text(value, &b->cwd, err);

	return !ret && *b->cwd != '/' ? up_json_unlike("an absolute path", err) : ret;
}

static int take_caps(const json_t *value, uint64_t *set, struct up_err *err)
{
	int ret = json_is_array(value) ? 0 : up_json_unlike("an array", err);
	const json_t *item;
	size_t i;

	json_array_foreach (value, i, item) {
		const char *name = json_string_value(item);
		uint64_t mask = 0;

		if (!ret)
			ret = name ? up_caps_parse(name, &mask, err)
				   : up_json_unlike("strings", err);
		*set |= mask;
	}
	return ret;
}

static int take_bounding(struct up_bundle *b, json_t *value, struct up_err *err)
{
	return take_caps(value, &b->caps.bounding, err);
}

static int take_effective(struct up_bundle *b, json_t *value, struct up_err *err)
{
	return take_caps(value, &b->caps.effective, err);
}

static int take_permitted(struct up_bundle *b, json_t *value, struct up_err *err)
{
	return take_caps(value, &b->caps.permitted, err);
}

static int take_inheritable(struct up_bundle *b, json_t *value, struct up_err *err)
{
	return take_caps(value, &b->caps.inheritable, err);
}

static int take_ambient(struct up_bundle *b, json_t *value, struct up_err *err)
{
	return take_caps(value, &b->caps.ambient, err);
}

static int take_capabilities(struct up_bundle *b, json_t *value, struct up_err *err)
{
	static const struct up_bundle_member members[] = {
		{"bounding", take_bounding},   {"effective", take_effective},
		{"permitted", take_permitted}, {"inheritable", take_inheritable},
		{"ambient", take_ambient},
	};
	int ret = up_bundle_object(b, value, members, ARRAY_SIZE(members), err);

	/* What cannot be ambient is left out, as runc does: its own template has such. */
	b->caps.ambient &= b->caps.permitted & b->caps.inheritable;
	return ret;
}

static int take_rlimit(struct up_bundle *b, json_t *value, struct up_err *err)
{
	json_int_t soft, hard;
	const char *type;
	json_error_t je;

	if (json_unpack_ex(value, &je, JSON_STRICT, "{s:s, s:I, s:I}", "type", &type, "soft", &soft,
			   "hard", &hard))
		return up_fail_msg(err, EINVAL, "%s", je.text);
	return up_rlimit_add(type, (rlim_t)soft, (rlim_t)hard, &b->limits, err);
}

static int take_rlimits(struct up_bundle *b, json_t *value, struct up_err *err)
{
	return up_bundle_each(b, value, take_rlimit, err);
}

static int take_no_new_privs(struct up_bundle *b, json_t *value, struct up_err *err)
{
	return up_json_bool(value, &b->no_new_privs, err);
}

int up_bundle_process(struct up_bundle *b, json_t *value, struct up_err *err)
{
	static const struct up_bundle_member members[] = {
		{"terminal", take_terminal},
		{"consoleSize", NULL}, /* the terminal's own */
		{"user", take_user},
		{"args", take_args},
		{"env", take_env},
		{"cwd", take_cwd},
		{"capabilities", take_capabilities},
		{"rlimits", take_rlimits},
		{"noNewPrivileges", take_no_new_privs},
		{"apparmorProfile", up_bundle_empty},
		{"selinuxLabel", up_bundle_empty},
	};

	return up_bundle_object(b, value, members, ARRAY_SIZE(members), err);
}
