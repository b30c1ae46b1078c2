// SPDX-License-Identifier: GPL-2.0-only
#include "launch/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "launch/inroot.h"

/* ---- options ----------------------------------------------------------------------------------
 */

static const struct {
	const char *name;
	uint64_t set, clear, propagation;
} attributes[] = {
	{"ro", MOUNT_ATTR_RDONLY, 0, 0},
	{"rw", 0, MOUNT_ATTR_RDONLY, 0},
	{"nosuid", MOUNT_ATTR_NOSUID, 0, 0},
	{"suid", 0, MOUNT_ATTR_NOSUID, 0},
	{"nodev", MOUNT_ATTR_NODEV, 0, 0},
	{"dev", 0, MOUNT_ATTR_NODEV, 0},
	{"noexec", MOUNT_ATTR_NOEXEC, 0, 0},
	{"exec", 0, MOUNT_ATTR_NOEXEC, 0},
	{"noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME, 0},
	{"relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME, 0},
	{"strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME, 0},
	{"nodiratime", MOUNT_ATTR_NODIRATIME, 0, 0},
	{"private", 0, 0, MS_PRIVATE},
	{"rprivate", 0, 0, MS_PRIVATE},
	{"slave", 0, 0, MS_SLAVE},
	{"rslave", 0, 0, MS_SLAVE},
	{"shared", 0, 0, MS_SHARED},
	{"rshared", 0, 0, MS_SHARED},
	{"z", 0, 0, 0}, /* SELinux labels */
	{"Z", 0, 0, 0},
};

int up_volume_option(struct up_volume *v, const char *option)
{
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
		if (!strcmp(attributes[i].name, option)) {
			v->change.set = (v->change.set & ~attributes[i].clear) | attributes[i].set;
			v->change.clear =
				(v->change.clear & ~attributes[i].set) | attributes[i].clear;
			if (attributes[i].propagation)
				v->change.propagation = attributes[i].propagation;
			return 0;
		}
	if (strcmp(option, "idmap"))
		return -EINVAL;
	v->idmap = true;
	return 0;
}

/* ---- the list ---------------------------------------------------------------------------------
 */

static void free_volume(struct up_volume *v)
{
	up_close_fd(&v->fd);
	free(v->type);
	free(v->source);
	free(v->target);
	free(v->options);
}

static bool absolute(const char *path)
{
	return path && *path == '/';
}

struct up_volume *up_volume_add(struct up_volumes *to, const char *type, const char *source,
				const char *target, struct up_err *err)
{
	bool bind = !strcmp(type, "bind");
	struct up_volume *v;

	if (!absolute(target) || !target[strspn(target, "/")])
		up_fail_msg(err, EINVAL, "target '%s': want an absolute path below /",
			    target ?: "");
	else if (bind && !absolute(source))
		up_fail_msg(err, EINVAL,
			    "source '%s': want an absolute path; named volumes are not implemented",
			    source ?: "");
	else if (!(v = reallocarray(to->at, to->n + 1, sizeof(*v))))
		up_fail(err, ENOMEM, "mount");
	else {
		to->at = v;
		v += to->n++;
		*v = (struct up_volume){
			.type = strdup(type),
			.source = bind ? strdup(source) : NULL,
			.target = strdup(target),
			.change = {.propagation = bind ? MS_PRIVATE : 0, .recursive = bind},
			.fd = -1,
		};
		return v;
	}
	return NULL;
}

static void drop_last(struct up_volumes *list)
{
	free_volume(&list->at[--list->n]);
}

bool up_volumes_has(const struct up_volumes *list, const char *target)
{
	for (size_t i = 0; i < list->n; i++)
		if (!strcmp(list->at[i].target, target))
			return true;
	return false;
}

void up_volumes_close(struct up_volumes *list)
{
	while (list->n)
		drop_last(list);
	free(list->at);
	list->at = NULL;
}

/* ---- what the user types ----------------------------------------------------------------------
 */

/* Split in place at a separator. Return: the part; *rest is what follows, or NULL */
static char *part(char **rest, char separator)
{
	char *start = *rest, *end = start ? strchr(start, separator) : NULL;

	if (end)
		*end++ = '\0';
	*rest = end;
	return start;
}

static int add_options(struct up_volume *v, char *options, struct up_err *err)
{
	for (char *o; (o = part(&options, ','));)
		if (up_volume_option(v, o))
			return up_fail_msg(err, EINVAL, "option '%s' is not known", o);
	return 0;
}

static int volume(char *text, struct up_volumes *to, struct up_err *err)
{
	char *source = part(&text, ':'), *target = part(&text, ':'), *options = part(&text, ':');
	struct up_volume *v;

	if (!target || text)
		return up_fail_msg(err, EINVAL, "want SOURCE:TARGET[:OPTION,...]");
	v = up_volume_add(to, "bind", source, target, err);
	return v ? add_options(v, options, err) : -EINVAL;
}

/* What a tmpfs takes itself; everything else is a mount's attribute. */
static bool for_tmpfs(const char *option)
{
	static const char *const keys[] = {"size=", "mode=", "uid=", "gid=", "nr_inodes="};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!strncmp(option, keys[i], strlen(keys[i])))
			return true;
	return false;
}

static int add_fs_option(struct up_volume *v, const char *option, struct up_err *err)
{
	char *joined = NULL;

	if (asprintf(&joined, "%s%s%s", v->options ?: "", v->options ? "," : "", option) < 0)
		return up_fail(err, ENOMEM, "option '%s'", option);
	free(v->options);
	v->options = joined;
	return 0;
}

static struct up_volume *add_tmpfs(struct up_volumes *to, const char *target, struct up_err *err)
{
	struct up_volume *v = up_volume_add(to, "tmpfs", NULL, target, err);

	if (v)
		v->change.set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	return v;
}

static int tmpfs(char *text, struct up_volumes *to, struct up_err *err)
{
	char *target = part(&text, ':'), *options = text, *o;
	struct up_volume *v = add_tmpfs(to, target, err);
	int ret = v ? 0 : -EINVAL;

	while (!ret && (o = part(&options, ',')))
		if (for_tmpfs(o))
			ret = add_fs_option(v, o, err);
		else if (up_volume_option(v, o))
			ret = up_fail_msg(err, EINVAL, "option '%s' is not known", o);
	return ret;
}

static int device(char *text, struct up_volumes *to, struct up_err *err)
{
	char *source = part(&text, ':'), *target = part(&text, ':'), *access = part(&text, ':');
	struct up_volume *v;

	if (target && *target != '/' && !access) {
		access = target;
		target = NULL;
	}
	if (text || (access && (!*access || access[strspn(access, "rwm")])))
		return up_fail_msg(err, EINVAL, "want SOURCE[:TARGET[:rwm]]");
	v = up_volume_add(to, "bind", source, target ?: source, err);
	if (!v)
		return -EINVAL;
	v->device = true;
	v->change.recursive = false;
	v->options = strdup(access ?: "rwm");
	return 0;
}

/* --mount: "key=value" or "key", in any order. */
struct wish {
	const char *type, *source, *target;
	const char *options[16];
	size_t n;
};

static const struct {
	const char *key, *option; /* option: what a key without a value of its own stands for */
	size_t at;
} keys[] = {
	{"type", NULL, offsetof(struct wish, type)},
	{"source", NULL, offsetof(struct wish, source)},
	{"src", NULL, offsetof(struct wish, source)},
	{"target", NULL, offsetof(struct wish, target)},
	{"destination", NULL, offsetof(struct wish, target)},
	{"dst", NULL, offsetof(struct wish, target)},
	{"readonly", "ro", 0},
	{"ro", "ro", 0},
	{"idmap", "idmap", 0},
	{"bind-nonrecursive", "bind-nonrecursive", 0},
	{"bind-propagation", NULL, 0},
	{"tmpfs-size", NULL, 0},
	{"tmpfs-mode", NULL, 0},
};

static int wish_add(struct wish *w, const char *option, struct up_err *err)
{
	if (w->n == sizeof(w->options) / sizeof(w->options[0]))
		return up_fail_msg(err, EINVAL, "too many options");
	w->options[w->n++] = option;
	return 0;
}

static int wish_take(struct wish *w, char *pair, struct up_err *err)
{
	char *value = pair, *key = part(&value, '=');

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(keys[i].key, key))
			continue;
		if (keys[i].option && value && !strcmp(value, "false"))
			return 0;
		if (keys[i].option && (!value || !strcmp(value, "true")))
			return wish_add(w, keys[i].option, err);
		if (keys[i].option || !value)
			break;
		if (!strncmp(key, "tmpfs-", 6)) {
			value[-1] = '='; /* "size=...": as the file system spells it */
			return wish_add(w, key + 6, err);
		}
		if (!strcmp(key, "bind-propagation"))
			return wish_add(w, value, err);
		*(const char **)((char *)w + keys[i].at) = value;
		return 0;
	}
	return up_fail_msg(err, EINVAL, "'%s%s%s' is not known", key, value ? "=" : "",
			   value ?: "");
}

static int grant(const struct wish *w, struct up_volumes *to, struct up_err *err)
{
	bool bind = w->type && !strcmp(w->type, "bind");
	struct up_volume *v;
	int ret = 0;

	if (!bind && (!w->type || strcmp(w->type, "tmpfs")))
		return up_fail_msg(err, EINVAL, "type '%s': want bind or tmpfs", w->type ?: "");
	v = bind ? up_volume_add(to, "bind", w->source, w->target, err)
		 : add_tmpfs(to, w->target, err);
	for (size_t i = 0; v && i < w->n && !ret; i++)
		if (bind && !strcmp(w->options[i], "bind-nonrecursive"))
			v->change.recursive = false;
		else if (!bind && for_tmpfs(w->options[i]))
			ret = add_fs_option(v, w->options[i], err);
		else if (up_volume_option(v, w->options[i]))
			ret = up_fail_msg(err, EINVAL, "option '%s' is not known", w->options[i]);
	return v ? ret : -EINVAL;
}

static int mount_pairs(char *text, struct up_volumes *to, struct up_err *err)
{
	struct wish w = {};
	int ret = 0;

	for (char *pair; !ret && (pair = part(&text, ','));)
		ret = wish_take(&w, pair, err);
	return ret ? ret : grant(&w, to, err);
}

/* Hand a copy, which may be cut up, to a parser; on failure, nothing is added. */
static int parse(const char *what, const char *text, struct up_volumes *to,
		 int (*parser)(char *, struct up_volumes *, struct up_err *), struct up_err *err)
{
	cleanup_free char *copy = strdup(text);
	size_t before = to->n;
	int ret = copy ? parser(copy, to, err) : up_fail(err, ENOMEM, "parse");

	if (!ret)
		return 0;
	while (to->n > before)
		drop_last(to);
	return up_wrap(err, "%s '%s'", what, text);
}

int up_volume_parse(const char *text, struct up_volumes *to, struct up_err *err)
{
	return parse("volume", text, to, volume, err);
}

int up_volume_parse_mount(const char *text, struct up_volumes *to, struct up_err *err)
{
	return parse("mount", text, to, mount_pairs, err);
}

int up_volume_parse_tmpfs(const char *text, struct up_volumes *to, struct up_err *err)
{
	return parse("tmpfs", text, to, tmpfs, err);
}

int up_volume_parse_device(const char *text, struct up_volumes *to, struct up_err *err)
{
	return parse("device", text, to, device, err);
}

/* ---- mounting ---------------------------------------------------------------------------------
 */

static int open_bind(struct up_volume *v, struct up_err *err)
{
	struct stat st;
	int ret;

	v->fd = up_mount_copy(AT_FDCWD, v->source, v->change.recursive, err);
	if (v->fd < 0)
		return v->fd;
	if (v->device && (fstat(v->fd, &st) || (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))))
		return up_fail_msg(err, ENODEV, "%s is not a device", v->source);
	ret = up_mount_change(v->fd, &v->change, err);
	return ret ? up_wrap(err, "volume %s", v->source) : 0;
}

int up_volumes_open(struct up_volumes *list, struct up_err *err)
{
	int ret = 0;

	for (size_t i = 0; i < list->n && !ret; i++)
		if (!strcmp(list->at[i].type, "bind"))
			ret = open_bind(&list->at[i], err);
	return ret;
}

int up_volumes_idmap(const struct up_volumes *list, int userns, struct up_err *err)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct up_volume *v = &list->at[i];

		if (v->idmap && v->fd >= 0 &&
		    up_mount_idmap(v->fd, userns, v->change.recursive, err))
			return up_wrap(err, "volume %s", v->source);
	}
	return 0;
}

static int mount_one(const struct up_volume *v, int root, struct up_err *err)
{
	cleanup_fd int fs = -1, target = -1;
	struct stat st = {.st_mode = S_IFDIR};
	int fd = v->fd;

	if (fd < 0)
		fd = fs = up_mount_new(v->type, v->options, v->change.set, err);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st))
		return up_fail(err, errno, "look at the source");
	target = up_inroot_make(root, v->target, S_ISDIR(st.st_mode));
	return target < 0 ? up_fail(err, target, "mount point") : up_mount_move(fd, target, err);
}

int up_volumes_mount(const struct up_volumes *list, int root, struct up_err *err)
{
	for (size_t i = 0; i < list->n; i++)
		if (mount_one(&list->at[i], root, err))
			return up_wrap(err, "mount %s", list->at[i].target);
	return 0;
}
