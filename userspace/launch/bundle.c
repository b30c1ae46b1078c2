// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each object of the specification is a table of its members. A member that is not in its table
 * ends the reading with its name; one whose row has no function says nothing about the container.
 */
#include "launch/bundle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"

#define CONFIG_MAX    (4 << 20)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

typedef int taker(struct up_bundle *b, json_t *value, struct up_err *err);

struct member {
	const char *name;
	taker *take;
};

/* ---- values -----------------------------------------------------------------------------------
 */

static int unlike(const char *what, struct up_err *err)
{
	return up_fail_msg(err, EINVAL, "want %s", what);
}

static int take_text(const json_t *value, const char **ret, struct up_err *err)
{
	*ret = json_string_value(value);
	return *ret ? 0 : unlike("a string", err);
}

static int take_bool(const json_t *value, bool *ret, struct up_err *err)
{
	*ret = json_is_true(value);
	return json_is_boolean(value) ? 0 : unlike("true or false", err);
}

static int take_number(const json_t *value, json_int_t min, json_int_t max, json_int_t *ret,
		       struct up_err *err)
{
	*ret = json_integer_value(value);
	return json_is_integer(value) && *ret >= min && *ret <= max
		       ? 0
		       : unlike("an integer within bounds", err);
}

static int take_words(const json_t *value, struct up_words *to, struct up_err *err)
{
	int ret = json_is_array(value) ? 0 : unlike("an array", err);
	const json_t *item;
	size_t i;

	json_array_foreach (value, i, item) {
		const char *text = json_string_value(item);

		if (!ret)
			ret = text ? up_words_add(to, text, err) : unlike("strings", err);
	}
	return ret;
}

/* Nothing in it is fine; anything is not. */
static int take_empty(struct up_bundle *b, json_t *value, struct up_err *err)
{
	const char *text = json_string_value(value);

	(void)b;
	if (json_is_null(value) || (text && !*text) ||
	    (json_is_array(value) && !json_array_size(value)) ||
	    (json_is_object(value) && !json_object_size(value)))
		return 0;
	return up_fail_msg(err, EOPNOTSUPP, "not implemented");
}

static int take_object(struct up_bundle *b, json_t *object, const struct member *members, size_t n,
		       struct up_err *err)
{
	const char *key;
	json_t *value;

	if (!json_is_object(object))
		return unlike("an object", err);
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

static int take_each(struct up_bundle *b, json_t *array, taker *take, struct up_err *err)
{
	json_t *item;
	size_t i;

	if (!json_is_array(array))
		return unlike("an array", err);
	json_array_foreach (array, i, item) {
		if (take(b, item, err))
			return up_wrap(err, "%zu", i);
	}
	return 0;
}

/* ---- process ----------------------------------------------------------------------------------
 */

static int take_terminal(struct up_bundle *b, json_t *value, struct up_err *err)
{
	return take_bool(value, &b->terminal, err);
}

static int take_groups(struct up_bundle *b, json_t *value, struct up_err *err)
{
	int ret = json_is_array(value) ? 0 : unlike("an array", err);
	const json_t *item;
	json_int_t gid;
	char text[16];
	size_t i;

	json_array_foreach (value, i, item) {
		if (!ret)
			ret = take_number(item, 0, INT32_MAX, &gid, err);
		snprintf(text, sizeof(text), "%d", ret ? 0 : (int)gid);
		if (!ret)
			ret = up_words_add(&b->groups, text, err);
	}
	return ret;
}

static int take_umask(struct up_bundle *b, json_t *value, struct up_err *err)
{
	json_int_t n;
	int ret = take_number(value, 0, 0777, &n, err);

	if (!ret)
		b->umask = (unsigned int)n;
	return ret;
}

static int take_user(struct up_bundle *b, json_t *value, struct up_err *err)
{
	static const struct member members[] = {
		{"uid", NULL},
		{"gid", NULL},
		{"username", take_empty},
		{"umask", take_umask},
		{"additionalGids", take_groups},
	};
	json_int_t uid, gid;
	int ret = take_object(b, value, members, ARRAY_SIZE(members), err);

	if (!ret)
		ret = take_number(json_object_get(value, "uid"), 0, INT32_MAX, &uid, err);
	if (!ret)
		ret = take_number(json_object_get(value, "gid"), 0, INT32_MAX, &gid, err);
	if (!ret)
		snprintf(b->user, sizeof(b->user), "%d:%d", (int)uid, (int)gid);
	return ret;
}

static int take_args(struct up_bundle *b, json_t *value, struct up_err *err)
{
	return take_words(value, &b->args, err);
}

static int take_env(struct up_bundle *b, json_t *value, struct up_err *err)
{
	return take_words(value, &b->env, err);
}

static int take_cwd(struct up_bundle *b, json_t *value, struct up_err *err)
{
	int ret = take_text(value, &b->cwd, err);

	return !ret && *b->cwd != '/' ? unlike("an absolute path", err) : ret;
}

static int take_caps(const json_t *value, uint64_t *set, struct up_err *err)
{
	int ret = json_is_array(value) ? 0 : unlike("an array", err);
	const json_t *item;
	size_t i;

	json_array_foreach (value, i, item) {
		const char *name = json_string_value(item);
		uint64_t mask = 0;

		if (!ret)
			ret = name ? up_caps_parse(name, &mask, err) : unlike("strings", err);
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
	static const struct member members[] = {
		{"bounding", take_bounding},   {"effective", take_effective},
		{"permitted", take_permitted}, {"inheritable", take_inheritable},
		{"ambient", take_ambient},
	};
	int ret = take_object(b, value, members, ARRAY_SIZE(members), err);

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
	return take_each(b, value, take_rlimit, err);
}

static int take_no_new_privs(struct up_bundle *b, json_t *value, struct up_err *err)
{
	return take_bool(value, &b->no_new_privs, err);
}

static int take_process(struct up_bundle *b, json_t *value, struct up_err *err)
{
	static const struct member members[] = {
		{"terminal", take_terminal},
		{"consoleSize", NULL}, /* the terminal's own */
		{"user", take_user},
		{"args", take_args},
		{"env", take_env},
		{"cwd", take_cwd},
		{"capabilities", take_capabilities},
		{"rlimits", take_rlimits},
		{"noNewPrivileges", take_no_new_privs},
		{"apparmorProfile", take_empty},
		{"selinuxLabel", take_empty},
	};

	return take_object(b, value, members, ARRAY_SIZE(members), err);
}

/* ---- root and mounts --------------------------------------------------------------------------
 */

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
	int ret = take_text(value, &path, err);

	return ret ? ret : path_in_bundle(b, path, b->rootfs, err);
}

static int take_readonly(struct up_bundle *b, json_t *value, struct up_err *err)
{
	return take_bool(value, &b->readonly, err);
}

static int take_root(struct up_bundle *b, json_t *value, struct up_err *err)
{
	static const struct member members[] = {
		{"path", take_root_path},
		{"readonly", take_readonly},
	};

	return take_object(b, value, members, ARRAY_SIZE(members), err);
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

		if (text ? take_option(v, text, err) : unlike("strings", err))
			return up_wrap(err, "%s", target);
	}
	return 0;
}

static int take_mounts(struct up_bundle *b, json_t *value, struct up_err *err)
{
	return take_each(b, value, take_mount, err);
}

/* ---- linux ------------------------------------------------------------------------------------
 */

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
	return take_each(b, value, take_namespace, err);
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
	int ret = json_is_object(value) ? 0 : unlike("an object", err);
	const char *key;
	json_t *item;

	json_object_foreach (value, key, item) {
		cleanup_free char *text = NULL;

		if (ret || !json_is_string(item))
			return ret ? ret : unlike("strings", err);
		if (asprintf(&text, "%s=%s", key, json_string_value(item)) < 0)
			text = NULL;
		ret = text ? up_words_add(&b->sysctls, text, err) : up_fail(err, ENOMEM, "%s", key);
	}
	return ret;
}

static int take_masked(struct up_bundle *b, json_t *value, struct up_err *err)
{
	return take_words(value, &b->masked, err);
}

static int take_guarded(struct up_bundle *b, json_t *value, struct up_err *err)
{
	return take_words(value, &b->guarded, err);
}

static uint32_t device_number(json_int_t n)
{
	return n < 0 ? UINT32_MAX : (uint32_t)n;
}

/* "Nothing but the default ones" comes first in every bundle, and is how it is here anyway. */
static int take_device(struct up_bundle *b, json_t *value, struct up_err *err)
{
	const char *type = "a", *access = "rwm";
	json_int_t major = -1, minor = -1;
	json_error_t je;
	int allow;

	if (json_unpack_ex(value, &je, JSON_STRICT, "{s:b, s?s, s?I, s?I, s?s}", "allow", &allow,
			   "type", &type, "major", &major, "minor", &minor, "access", &access))
		return up_fail_msg(err, EINVAL, "%s", je.text);
	if (!allow && *type == 'a' && major < 0 && minor < 0)
		return 0;
	if (!allow || (strcmp(type, "c") && strcmp(type, "b")))
		return up_fail_msg(err, EOPNOTSUPP,
				   "other than allowing a c or b: not implemented");
	if (b->n_devices == UP_BUNDLE_DEVICES)
		return up_fail_msg(err, E2BIG, "more than %d", UP_BUNDLE_DEVICES);
	b->devices[b->n_devices].type = *type;
	b->devices[b->n_devices].major = device_number(major);
	b->devices[b->n_devices].minor = device_number(minor);
	b->devices[b->n_devices++].access = access;
	return 0;
}

static int take_devices(struct up_bundle *b, json_t *value, struct up_err *err)
{
	return take_each(b, value, take_device, err);
}

static int take_memory_limit(struct up_bundle *b, json_t *value, struct up_err *err)
{
	json_int_t n;
	int ret = take_number(value, -1, INT64_MAX, &n, err);

	if (!ret && n > 0)
		b->cgroup.memory = (uint64_t)n;
	return ret;
}

static int take_memory(struct up_bundle *b, json_t *value, struct up_err *err)
{
	static const struct member members[] = {{"limit", take_memory_limit}};

	return take_object(b, value, members, ARRAY_SIZE(members), err);
}

static int take_cpu(struct up_bundle *b, json_t *value, struct up_err *err)
{
	static const struct member members[] = {{"quota", NULL}, {"period", NULL}};
	const json_t *quota = json_object_get(value, "quota"),
		     *period = json_object_get(value, "period");
	json_int_t q = -1, p = 100000;
	int ret = take_object(b, value, members, ARRAY_SIZE(members), err);

	if (!ret && quota)
		ret = take_number(quota, -1, INT32_MAX, &q, err);
	if (!ret && period)
		ret = take_number(period, 1000, 1000000, &p, err);
	if (!ret && q > 0)
		b->cgroup.cpus = (uint64_t)(q * 1000 / p);
	return ret;
}

static int take_pids_limit(struct up_bundle *b, json_t *value, struct up_err *err)
{
	json_int_t n;
	int ret = take_number(value, -1, INT32_MAX, &n, err);

	if (!ret && n > 0)
		b->cgroup.pids = (uint64_t)n;
	return ret;
}

static int take_pids(struct up_bundle *b, json_t *value, struct up_err *err)
{
	static const struct member members[] = {{"limit", take_pids_limit}};

	return take_object(b, value, members, ARRAY_SIZE(members), err);
}

static int take_resources(struct up_bundle *b, json_t *value, struct up_err *err)
{
	static const struct member members[] = {
		{"devices", take_devices},
		{"memory", take_memory},
		{"cpu", take_cpu},
		{"pids", take_pids},
	};

	return take_object(b, value, members, ARRAY_SIZE(members), err);
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

static int take_linux(struct up_bundle *b, json_t *value, struct up_err *err)
{
	static const struct member members[] = {
		{"namespaces", take_namespaces}, {"uidMappings", take_uids},
		{"gidMappings", take_gids},      {"sysctl", take_sysctls},
		{"maskedPaths", take_masked},    {"readonlyPaths", take_guarded},
		{"resources", take_resources},   {"rootfsPropagation", take_propagation},
		{"cgroupsPath", take_empty},     {"devices", take_empty},
		{"mountLabel", take_empty},      {"seccomp", take_empty},
	};

	return take_object(b, value, members, ARRAY_SIZE(members), err);
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static int take_version(struct up_bundle *b, json_t *value, struct up_err *err)
{
	const char *text = json_string_value(value);

	(void)b;
	return text && !strncmp(text, "1.", 2)
		       ? 0
		       : up_fail_msg(err, EOPNOTSUPP, "other than 1.x: not implemented");
}

static int take_hostname(struct up_bundle *b, json_t *value, struct up_err *err)
{
	return take_text(value, &b->hostname, err);
}

static int take_domainname(struct up_bundle *b, json_t *value, struct up_err *err)
{
	return take_text(value, &b->domainname, err);
}

static const struct member config[] = {
	{"ociVersion", take_version}, {"process", take_process}, {"root", take_root},
	{"hostname", take_hostname},  {"mounts", take_mounts},   {"domainname", take_domainname},
	{"linux", take_linux},        {"annotations", NULL},     {"hooks", take_empty},
};

/* What must be there. */
static int check(const struct up_bundle *b, struct up_err *err)
{
	const json_t *mounts = json_object_get(json_object_get(b->json, "linux"), "namespaces");
	bool own = false;
	const json_t *item;
	size_t i;

	json_array_foreach (mounts, i, item) {
		const char *type = json_string_value(json_object_get(item, "type"));

		own |= type && !strcmp(type, "mount");
	}
	if (!own)
		return up_fail_msg(err, EOPNOTSUPP,
				   "linux.namespaces: without mount: not implemented");
	if (!*b->rootfs)
		return up_fail_msg(err, EINVAL, "root.path: missing");
	if (!b->args.n)
		return up_fail_msg(err, EINVAL, "process.args: missing");
	if (b->ns[UP_NS_USER] == UP_NS_PRIVATE && (!b->idmap.uid || !b->idmap.gid))
		return up_fail_msg(err, EINVAL, "linux.uidMappings, linux.gidMappings: missing");
	return 0;
}

static int load(struct up_bundle *b, const char *file, struct up_err *err)
{
	cleanup_free char *text = NULL;
	json_error_t je;
	int ret = (int)up_file_read(file, CONFIG_MAX, &text, err);

	if (ret < 0)
		return ret;
	b->json = json_loads(text, JSON_REJECT_DUPLICATES, &je);
	if (!b->json)
		return up_fail_msg(err, EINVAL, "config.json: line %d: %s", je.line, je.text);
	ret = take_object(b, b->json, config, ARRAY_SIZE(config), err);
	if (!ret)
		ret = check(b, err);
	return ret ? up_wrap(err, "config.json") : 0;
}

struct up_bundle *up_bundle_load(const char *dir, const char *file, struct up_err *err)
{
	struct up_bundle *b = calloc(1, sizeof(*b));
	char path[PATH_MAX];

	if (!b) {
		up_fail(err, ENOMEM, "bundle");
		return NULL;
	}
	b->umask = 022;
	for (int i = 0; i < UP_NS_COUNT; i++)
		b->ns[i] = UP_NS_HOST;
	if (!realpath(dir, b->dir))
		up_fail(err, errno, "bundle %s", dir);
	else if (!file && snprintf(path, sizeof(path), "%s/config.json", b->dir) >= PATH_MAX)
		up_fail(err, ENAMETOOLONG, "bundle %s", dir);
	else if (!load(b, file ? file : path, err))
		return b;
	up_bundle_free(b);
	return NULL;
}

void up_bundle_free(struct up_bundle *b)
{
	if (!b)
		return;
	up_words_free(&b->args);
	up_words_free(&b->env);
	up_words_free(&b->groups);
	up_words_free(&b->masked);
	up_words_free(&b->guarded);
	up_words_free(&b->sysctls);
	up_volumes_close(&b->mounts);
	json_decref(b->json);
	free(b);
}
