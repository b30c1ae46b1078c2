// SPDX-License-Identifier: GPL-2.0-only
#include "launch/root.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "launch/mount.h"

static bool is_host_root(const struct stat *st)
{
	struct stat host;

	return !stat("/", &host) && st->st_dev == host.st_dev && st->st_ino == host.st_ino;
}

int up_root_check(const char *path, struct up_err *err)
{
	struct stat st;

	if (stat(path, &st))
		return up_fail(err, errno, "root filesystem %s", path);
	if (S_ISREG(st.st_mode))
		return 1;
	if (!S_ISDIR(st.st_mode))
		return up_fail_msg(err, ENOTDIR,
				   "root filesystem %s: want a directory or a tar file", path);
	if (is_host_root(&st))
		return up_fail_msg(err, EINVAL,
				   "root filesystem %s: that is the host's own root; give a copy "
				   "or another directory",
				   path);
	return 0;
}

static void below(const struct up_root *root, const char *name, char buf[PATH_MAX + 16])
{
	snprintf(buf, PATH_MAX + 16, "%s/%s", root->scratch, name);
}

/* ---- a tar file -------------------------------------------------------------------------------
 */

/* Its first complaint, without "tar: " and the rest. */
static void read_complaint(int fd, char buf[128])
{
	char sink[4096];
	size_t len = 0;
	ssize_t n;

	while (len < 127 && (n = read(fd, buf + len, 127 - len)) > 0)
		len += (size_t)n;
	buf[len] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	while (read(fd, sink, sizeof(sink)) > 0)
		;
}

/* Return: a wait status, or -errno */
static int spawn_and_wait(char *const *argv, char complaint[128])
{
	posix_spawn_file_actions_t actions;
	int ends[2], status, error;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
	error = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	if (!error)
		read_complaint(ends[0], complaint);
	close(ends[0]);
	while (!error && waitpid(pid, &status, 0) < 0)
		error = errno == EINTR ? 0 : errno;
	return error ? -error : status;
}

static int run_tar(const char *file, const char *dir, struct up_err *err)
{
	char *argv[] = {"tar",
			"--extract",
			"--numeric-owner",
			"--same-permissions",
			"--same-owner",
			"--xattrs",
			"--xattrs-include=*",
			"--delay-directory-restore",
			"--file",
			(char *)file,
			"--directory",
			(char *)dir,
			NULL};
	char complaint[128] = "";
	int status = spawn_and_wait(argv, complaint);

	if (status < 0)
		return up_fail(err, status, "run tar");
	if (status)
		return up_fail_msg(err, EINVAL, "root filesystem %s: not a directory, and %s", file,
				   *complaint ? complaint : "tar could not unpack it");
	return 0;
}

int up_root_prepare(const struct up_root *root, struct up_err *err)
{
	char dir[PATH_MAX + 16];
	int kind = up_root_check(root->path, err);

	if (kind <= 0)
		return kind;
	if (!*root->scratch)
		return up_fail_msg(err, EINVAL, "root filesystem %s: a tar file cannot be written",
				   root->path);
	below(root, "root", dir);
	if (mkdir(dir, 0755))
		return up_fail(err, errno, "make %s", dir);
	return run_tar(root->path, dir, err);
}

/* ---- mounting ---------------------------------------------------------------------------------
 */

/* A directory by descriptor, with its owners translated where there is a user namespace. */
static int open_layer(const char *path, int userns, struct up_err *err)
{
	cleanup_fd int fd = -1;

	if (userns < 0) {
		fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		return fd < 0 ? up_fail(err, errno, "open %s", path) : take_fd(&fd);
	}
	fd = up_mount_copy(AT_FDCWD, path, false, err);
	if (fd < 0)
		return fd;
	if (up_mount_idmap(fd, userns, false, err))
		return up_wrap(err, "%s", path);
	return take_fd(&fd);
}

/* What is written itself: no overlay. */
static int open_direct(const char *path, int userns, struct up_err *err)
{
	cleanup_fd int fd = up_mount_copy(AT_FDCWD, path, userns < 0, err);

	if (fd >= 0 && userns >= 0 && up_mount_idmap(fd, userns, false, err))
		return up_wrap(err, "%s", path);
	return take_fd(&fd);
}

/* The root of an overlay is like that of its upper layer. The overlay itself works in there as the
 * host's root, who has no id in a user namespace: so the upper layer is not translated, but has the
 * ids of the host. */
static int make_upper(const struct up_root *root, int lower, const char *path, struct up_err *err)
{
	struct stat st;

	if (fstat(lower, &st) || mkdir(path, 0755) ||
	    chown(path, root->uid + st.st_uid, root->gid + st.st_gid) ||
	    chmod(path, st.st_mode & 07777))
		return up_fail(err, errno, "make %s", path);
	return 0;
}

/*
 * Layers are named by descriptor: whatever characters are in a path, it needs no escaping. Nothing
 * of the changes outlives the container, so they need not reach the disk ("volatile").
 */
static int open_overlay(const struct up_root *root, int userns, struct up_err *err)
{
	cleanup_fd int plain = -1, lower = -1, scratch = -1;
	char path[PATH_MAX + 16], options[256];
	int ret;

	plain = open_layer(root->path, -1, err);
	if (plain < 0)
		return plain;
	lower = open_layer(root->path, userns, err);
	if (lower < 0)
		return lower;
	scratch = open_layer(root->scratch, -1, err);
	if (scratch < 0)
		return scratch;
	below(root, "work", path);
	if (mkdir(path, 0700))
		return up_fail(err, errno, "make %s", path);
	below(root, "upper", path);
	ret = make_upper(root, plain, path, err);
	if (ret)
		return ret;
	snprintf(options, sizeof(options),
		 "lowerdir=/proc/self/fd/%d,upperdir=/proc/self/fd/%d/upper,"
		 "workdir=/proc/self/fd/%d/work,volatile",
		 lower, scratch, scratch);
	return up_mount_new("overlay", options, 0, err);
}

int up_root_open(const struct up_root *root, int userns, struct up_err *err)
{
	char path[PATH_MAX + 16];
	int kind = up_root_check(root->path, err), fd;

	if (kind < 0)
		return kind;
	below(root, "root", path);
	if (kind)
		fd = open_direct(path, userns, err);
	else if (*root->scratch)
		fd = open_overlay(root, userns, err);
	else
		fd = open_direct(root->path, userns, err);
	return fd < 0 ? up_wrap(err, "root filesystem") : fd;
}
