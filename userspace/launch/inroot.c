// SPDX-License-Identifier: GPL-2.0-only
#include "launch/inroot.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

static int open_how(int dir, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = resolve};
	int fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

int up_inroot_open(int root, const char *path, uint64_t flags)
{
	return open_how(root, *path ? path : ".", flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

/* One component that is missing below @parent; what someone puts there first is not followed. */
static int make_one(int parent, const char *name, bool dir)
{
	if (dir ? mkdirat(parent, name, 0755) : mknodat(parent, name, S_IFREG | 0644, 0))
		return -errno;
	return open_how(parent, name, O_PATH, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

static int check_kind(int fd, bool dir)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISDIR(st.st_mode) == !dir)
		return 0;
	return dir ? -ENOTDIR : -EISDIR;
}

/*
 * "PREFIX/NAME/REST" where NAME is a link to something missing: the same path with the link's text
 * in the place of NAME, still below the root. Return: 0, or -errno
 */
static int follow_dangling(int parent, char path[PATH_MAX], const char *name, size_t len)
{
	char link[PATH_MAX], longer[PATH_MAX], component[NAME_MAX + 1];
	ssize_t n;
	int used;

	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	snprintf(component, sizeof(component), "%.*s", (int)len, name);
	n = readlinkat(parent, component, link, sizeof(link));
	if (n < 0)
		return errno == EINVAL ? -EEXIST : -errno;
	used = snprintf(longer, sizeof(longer), "%.*s%.*s%s", *link == '/' ? 0 : (int)(name - path),
			path, (int)n, link, name + len);
	if (used >= (int)sizeof(longer))
		return -ENAMETOOLONG;
	strcpy(path, longer);
	return 0;
}

#define LINKS_MAX 40 /* as path_resolution(7) */

/* Component by component, so that the parent of a missing one is at hand. */
static int walk(int root, char path[PATH_MAX], bool dir)
{
	cleanup_fd int at = up_inroot_open(root, ".", O_PATH | O_DIRECTORY);
	char *end = path;
	int links = 0;

	while (at >= 0) {
		char *name = end + strspn(end, "/"), after;
		int next;

		if (!*name)
			return take_fd(&at);
		end = name + strcspn(name, "/");
		after = *end;
		*end = '\0';
		next = up_inroot_open(root, path, O_PATH);
		if (next == -ENOENT)
			next = make_one(at, name, after ? true : dir);
		*end = after;
		if (next == -EEXIST && links++ < LINKS_MAX) {
			next = follow_dangling(at, path, name, (size_t)(end - name));
			if (!next)
				next = up_inroot_open(root, ".", O_PATH | O_DIRECTORY);
			end = path;
		}
		up_close_fd(&at);
		at = next;
	}
	return at;
}

int up_inroot_make(int root, const char *path, bool dir)
{
	cleanup_fd int fd = -1;
	char copy[PATH_MAX];
	int ret;

	if ((size_t)snprintf(copy, sizeof(copy), "%s", path) >= sizeof(copy))
		return -ENAMETOOLONG;
	fd = walk(root, copy, dir);
	ret = fd < 0 ? fd : check_kind(fd, dir);
	return ret ? ret : take_fd(&fd);
}
