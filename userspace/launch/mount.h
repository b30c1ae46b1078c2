/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mounts by descriptor (fsopen(2), open_tree(2), move_mount(2)): a mount is made detached, changed
 * while nobody sees it, and put in its place by descriptors, never by a path that someone could
 * redirect. What is never put in place vanishes with its descriptor.
 */
#ifndef UP_LAUNCH_MOUNT_H
#define UP_LAUNCH_MOUNT_H

#include <stdbool.h>
#include <stdint.h>

struct up_err;

/**
 * up_mount_new() - a new file system, detached
 * @type:    "tmpfs", "proc", ...
 * @options: "mode=755,size=64k"; NULL for none
 * @attrs:   MOUNT_ATTR_*
 * @err:     why it failed, in the kernel's words where it has some
 *
 * Return: a close-on-exec fd, or -errno
 */
int up_mount_new(const char *type, const char *options, uint64_t attrs, struct up_err *err);

/**
 * up_mount_copy() - a detached copy of what is mounted at a path: what "bind" means
 * @dir:       @path is relative to it; AT_FDCWD
 * @path:      empty for @dir itself, or for the file that @dir is
 * @recursive: with what is mounted below it
 * @err:       why it failed
 *
 * Return: a close-on-exec fd, or -errno
 */
int up_mount_copy(int dir, const char *path, bool recursive, struct up_err *err);

/**
 * struct up_mount_change - what is changed about a mount
 * @set, @clear:  MOUNT_ATTR_*
 * @propagation:  MS_PRIVATE, MS_SLAVE, MS_SHARED, or 0 to leave it
 * @recursive:    also of what is mounted below
 */
struct up_mount_change {
	uint64_t set, clear, propagation;
	bool recursive;
};

/** up_mount_change() - change a mount, attached or not. Return: 0 or -errno */
int up_mount_change(int fd, const struct up_mount_change *change, struct up_err *err);

/**
 * up_mount_idmap() - have the owners of a detached mount's files translated by a user namespace
 * Return: 0 or -errno
 */
int up_mount_idmap(int fd, int userns, bool recursive, struct up_err *err);

/** up_mount_move() - put a detached mount over a file or directory. Return: 0 or -errno */
int up_mount_move(int fd, int target, struct up_err *err);

/**
 * up_mount_of() - a detached copy of what another process has mounted at a path
 * @pidfd: the process
 * @path:  in its mount namespace
 *
 * Return: a close-on-exec fd, or -errno
 */
int up_mount_of(int pidfd, const char *path, struct up_err *err);

#endif
