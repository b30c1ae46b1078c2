// SPDX-License-Identifier: GPL-2.0-only
#include "launch/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"

#define HELPER_STACK 65536

/* A file system's own words are read from its context: "e overlay: ..." (fsopen(2)). */
static int fs_failed(int fs, int error, const char *type, struct up_err *err)
{
	char text[256];
	ssize_t n = read(fs, text, sizeof(text) - 1);

	while (n > 0 && text[n - 1] == '\n')
		n--;
	if (n <= 2)
		return up_fail(err, error, "mount a %s", type);
	text[n] = '\0';
	return up_fail(err, error, "mount a %s: %s", type, text + 2);
}

/* "key=value" or "flag" */
static int set_option(int fs, char *option)
{
	char *value = strchr(option, '=');

	if (!value)
		return fsconfig(fs, FSCONFIG_SET_FLAG, option, NULL, 0);
	*value = '\0';
	return fsconfig(fs, FSCONFIG_SET_STRING, option, value + 1, 0);
}

static int set_options(int fs, const char *options)
{
	cleanup_free char *copy = options ? strdup(options) : NULL;
	char *rest = NULL;

	for (char *o = copy ? strtok_r(copy, ",", &rest) : NULL; o; o = strtok_r(NULL, ",", &rest))
		if (set_option(fs, o))
			return -1;
	return 0;
}

int up_mount_new(const char *type, const char *options, uint64_t attrs, struct up_err *err)
{
	cleanup_fd int fs = fsopen(type, FSOPEN_CLOEXEC);
	int fd;

	if (fs < 0)
		return up_fail(err, errno, "mount a %s", type);
	if (fsconfig(fs, FSCONFIG_SET_STRING, "source", type, 0) || set_options(fs, options) ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return fs_failed(fs, errno, type, err);
	fd = fsmount(fs, FSMOUNT_CLOEXEC, (unsigned int)attrs);
	return fd < 0 ? fs_failed(fs, errno, type, err) : fd;
}

int up_mount_copy(int dir, const char *path, bool recursive, struct up_err *err)
{
	int fd = open_tree(dir, path,
			   OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (*path ? 0 : AT_EMPTY_PATH) |
				   (recursive ? AT_RECURSIVE : 0));

	return fd < 0 ? up_fail(err, errno, "bind %s", *path ? path : "mount") : fd;
}

static int set_attributes(int fd, struct mount_attr *attr, bool recursive)
{
	return mount_setattr(fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), attr,
			     sizeof(*attr));
}

int up_mount_change(int fd, const struct up_mount_change *change, struct up_err *err)
{
	struct mount_attr attr = {
		.attr_set = change->set,
		.attr_clr = change->clear,
		.propagation = change->propagation,
	};

	return set_attributes(fd, &attr, change->recursive)
		       ? up_fail(err, errno, "change a mount's attributes")
		       : 0;
}

int up_mount_idmap(int fd, int userns, bool recursive, struct up_err *err)
{
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_IDMAP,
		.userns_fd = (uint64_t)userns,
	};

	if (!set_attributes(fd, &attr, recursive))
		return 0;
	if (errno == EINVAL || errno == EOPNOTSUPP)
		return up_fail_msg(err, errno, "this file system has no idmapped mounts");
	return up_fail(err, errno, "map the owners of a mount");
}

int up_mount_move(int fd, int target, struct up_err *err)
{
	return move_mount(fd, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)
		       ? up_fail(err, errno, "mount")
		       : 0;
}

struct copy {
	int pidfd;
	const char *path;
	int fd, error;
};

/* A child enters the other namespace, and its copy of the descriptor table is ours, too. */
static int copy_elsewhere(void *arg)
{
	struct copy *job = arg;

	if (!setns(job->pidfd, CLONE_NEWNS))
		job->fd = open_tree(AT_FDCWD, job->path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	job->error = job->fd < 0 ? errno : 0;
	return 0;
}

int up_mount_of(int pidfd, const char *path, struct up_err *err)
{
	struct copy job = {pidfd, path, -1, ENOMEM};
	cleanup_free char *stack = malloc(HELPER_STACK);
	pid_t pid = stack ? clone(copy_elsewhere, stack + HELPER_STACK,
				  CLONE_VM | CLONE_FILES | SIGCHLD, &job)
			  : -1;

	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return job.fd < 0 ? up_fail(err, job.error, "%s of the other container", path) : job.fd;
}
