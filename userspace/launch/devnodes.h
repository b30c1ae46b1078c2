/* SPDX-License-Identifier: GPL-2.0-only */
/* The devices that every container has. Which ones it may open is the device policy's business. */
#ifndef UP_LAUNCH_DEVNODES_H
#define UP_LAUNCH_DEVNODES_H

#include <stdbool.h>

struct up_err;

/**
 * up_devnodes_make() - fill /dev below a root
 * @root:   the root, with a tmpfs at /dev
 * @all:    also every device that the host's /dev has
 * @userns: in a user namespace: the host's nodes are bound, since none can be made
 * @err:    why it failed
 *
 * Return: 0 or -errno
 */
int up_devnodes_make(int root, bool all, bool userns, struct up_err *err);

#endif
