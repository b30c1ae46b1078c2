/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The root of a container, as the monitor makes it: a detached mount. A directory is shared by any
 * number of containers: each sees it through an overlay whose changes are its own.
 */
#ifndef UP_LAUNCH_ROOT_H
#define UP_LAUNCH_ROOT_H

#include <limits.h>
#include <stdint.h>

struct up_err;

/**
 * struct up_root - where it comes from
 * @path:    a directory, or a tar file
 * @scratch: an existing directory of the container's own, for its changes; empty: it writes to
 *           @path itself
 * @uid, @gid: ids of the host that the container's root has; 0 without a user namespace
 */
struct up_root {
	char path[PATH_MAX];
	char scratch[PATH_MAX];
	uint32_t uid, gid;
};

/**
 * up_root_check() - may this be a container's root?
 * Return: 0 for a directory, 1 for a tar file, or -errno
 */
int up_root_check(const char *path, struct up_err *err);

/**
 * up_root_prepare() - what can be done before anything is started: unpack a tar file
 * Return: 0 or -errno
 */
int up_root_prepare(const struct up_root *root, struct up_err *err);

/**
 * up_root_open() - make the mount
 * @root:   after up_root_prepare()
 * @userns: user namespace that translates the owners; -1 for none
 * @err:    why it failed
 *
 * Return: a close-on-exec fd of a detached mount, or -errno
 */
int up_root_open(const struct up_root *root, int userns, struct up_err *err);

#endif
