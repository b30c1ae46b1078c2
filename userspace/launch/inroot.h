/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Paths below a root that is hostile: "etc" may be a symbolic link to anywhere, and ".." lead out.
 * The kernel takes the root for "/" while it resolves (openat2(2), RESOLVE_IN_ROOT).
 */
#ifndef UP_LAUNCH_INROOT_H
#define UP_LAUNCH_INROOT_H

#include <stdbool.h>
#include <stdint.h>

/**
 * up_inroot_open() - open a path below a root
 * @root:  fd of the root directory
 * @path:  absolute or not, links in it are followed below @root
 * @flags: of open(2); close-on-exec is added
 *
 * Return: an fd, or -errno
 */
int up_inroot_open(int root, const char *path, uint64_t flags);

/**
 * up_inroot_make() - find or make a mount point below a root
 * @root: fd of the root directory
 * @path: what is missing of it is made, parents 0755
 * @dir:  its last component is to be a directory; else an empty file
 *
 * Return: an O_PATH fd, or -errno: -ENOTDIR or -EISDIR where it is there, but of the other kind
 */
int up_inroot_make(int root, const char *path, bool dir);

#endif
