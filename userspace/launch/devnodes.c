// SPDX-License-Identifier: GPL-2.0-only
#include "launch/devnodes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "launch/inroot.h"
#include "launch/mount.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *name;
	unsigned int major, minor;
} nodes[] = {
	{"null", 1, 3},   {"zero", 1, 5},    {"full", 1, 7},
	{"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0},
};

static const struct {
	const char *target, *name;
} links[] = {
	{"pts/ptmx", "ptmx"},          {"/proc/self/fd", "fd"},       {"/proc/self/fd/0", "stdin"},
	{"/proc/self/fd/1", "stdout"}, {"/proc/self/fd/2", "stderr"},
};

/* The host's node over an empty file. The root is not changed yet: paths are the host's. */
static int bind_node(int root, const char *path, struct up_err *err)
{
	cleanup_fd int fd = -1, target = -1;

	target = up_inroot_make(root, path, false);
	if (target < 0)
		return up_fail(err, target, "make %s", path);
	fd = up_mount_copy(AT_FDCWD, path, false, err);
	return fd < 0 ? fd : up_mount_move(fd, target, err);
}

/* What the root has there already, as a bundle's may, is left. */
static int make_nodes(int root, int dir, bool userns, struct up_err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
		dev_t number = makedev(nodes[i].major, nodes[i].minor);
		char path[32];

		snprintf(path, sizeof(path), "/dev/%s", nodes[i].name);
		if (userns && bind_node(root, path, err))
			return up_wrap(err, "%s", path);
		if (!userns && mknodat(dir, nodes[i].name, S_IFCHR | 0666, number) &&
		    errno != EEXIST)
			return up_fail(err, errno, "make /dev/%s", nodes[i].name);
	}
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (symlinkat(links[i].target, dir, links[i].name) && errno != EEXIST)
			return up_fail(err, errno, "make /dev/%s", links[i].name);
	return 0;
}

/* --privileged: the nodes right below /dev, and in its directories those of one level more. */
static int copy_nodes(int from, int to, int depth)
{
	DIR *dir = fdopendir(openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	const struct dirent *e;

	while (dir && (e = readdir(dir))) {
		cleanup_fd int sub = -1, sub_to = -1;
		struct stat st;

		if (e->d_name[0] == '.' || fstatat(from, e->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
			mknodat(to, e->d_name, st.st_mode, st.st_rdev);
		if (!S_ISDIR(st.st_mode) || !depth)
			continue;
		sub = openat(from, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub >= 0 && !mkdirat(to, e->d_name, 0755))
			sub_to = openat(to, e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (sub_to >= 0)
			copy_nodes(sub, sub_to, depth - 1);
	}
	if (dir)
		closedir(dir);
	return 0;
}

int up_devnodes_make(int root, bool all, bool userns, struct up_err *err)
{
	cleanup_fd int dev = up_inroot_open(root, "/dev", O_RDONLY | O_DIRECTORY);
	cleanup_fd int host = -1;
	mode_t old = umask(0);
	int ret;

	if (dev < 0)
		return up_fail(err, dev, "open /dev");
	ret = make_nodes(root, dev, userns, err);
	if (!ret && all) {
		host = open("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		copy_nodes(host, dev, 1);
	}
	umask(old);
	return ret;
}

/* ---- those that somebody asks for -------------------------------------------------------------
 */

int up_device_nodes_add(struct up_device_nodes *list, const struct up_device_node *node,
			struct up_err *err)
{
	const char *name = strrchr(node->path, '/');
	struct up_device_node *at;

	if (*node->path != '/' || !name[1] || !strcmp(name, "/.") || !strcmp(name, "/.."))
		return up_fail_msg(err, EINVAL, "path '%.100s': want an absolute path of a node",
				   node->path);
	at = reallocarray(list->at, list->n + 1, sizeof(*at));
	if (!at)
		return up_fail(err, ENOMEM, "device %s", node->path);
	list->at = at;
	at[list->n++] = *node;
	return 0;
}

static mode_t type_of(const struct up_device_node *node)
{
	return node->type == 'c' ? S_IFCHR : node->type == 'b' ? S_IFBLK : S_IFIFO;
}

static bool is_same(const struct stat *st, const struct up_device_node *node)
{
	return (st->st_mode & S_IFMT) == type_of(node) &&
	       (node->type == 'p' || st->st_rdev == makedev(node->major, node->minor));
}

static int bind_same(int root, const struct up_device_node *node, struct up_err *err)
{
	struct stat st;

	if (lstat(node->path, &st) || !is_same(&st, node))
		return up_fail_msg(err, EPERM,
				   "a user namespace makes no devices, and the host's is another "
				   "one");
	return bind_node(root, node->path, err);
}

static int make_node(int dir, const char *name, const struct up_device_node *node,
		     struct up_err *err)
{
	struct stat st;

	if (!mknodat(dir, name, type_of(node) | node->mode, makedev(node->major, node->minor)))
		return fchownat(dir, name, node->uid, node->gid, AT_SYMLINK_NOFOLLOW)
			       ? up_fail(err, errno, "owner")
			       : 0;
	if (errno != EEXIST || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return up_fail(err, errno, "make the node");
	return is_same(&st, node) ? 0 : up_fail_msg(err, EEXIST, "something else is there");
}

static int make_one(int root, const struct up_device_node *node, bool userns, struct up_err *err)
{
	const char *name = strrchr(node->path, '/') + 1;
	cleanup_fd int dir = -1;
	char parent[PATH_MAX];

	if (userns && node->type != 'p')
		return bind_same(root, node, err);
	if (name - node->path >= PATH_MAX)
		return up_fail(err, ENAMETOOLONG, "path");
	snprintf(parent, sizeof(parent), "%.*s", (int)(name - node->path), node->path);
	dir = up_inroot_make(root, parent, true);
	return dir < 0 ? up_fail(err, dir, "directory") : make_node(dir, name, node, err);
}

int up_device_nodes_make(int root, const struct up_device_nodes *list, bool userns,
			 struct up_err *err)
{
	mode_t old = umask(0);
	int ret = 0;

	for (size_t i = 0; i < list->n && !ret; i++) {
		ret = make_one(root, &list->at[i], userns, err);
		if (ret)
			up_wrap(err, "device %s", list->at[i].path);
	}
	umask(old);
	return ret;
}
