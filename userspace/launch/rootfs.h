/* SPDX-License-Identifier: GPL-2.0-only */
/* The file system of a container. */
#ifndef UP_LAUNCH_ROOTFS_H
#define UP_LAUNCH_ROOTFS_H

struct up_err;

/**
 * up_rootfs_check() - may this directory be a container's root?
 * @path: as the user gave it
 * @err:  says what is wrong with it
 *
 * Return: 0 or -errno
 */
int up_rootfs_check(const char *path, struct up_err *err);

/**
 * up_rootfs_enter() - make a directory the root of the caller's mount namespace
 * @path: the directory; must be in a mount namespace of its own already
 * @err:  why it failed
 *
 * Return: 0 or -errno
 */
int up_rootfs_enter(const char *path, struct up_err *err);

#endif
