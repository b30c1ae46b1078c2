/* SPDX-License-Identifier: GPL-2.0-only */
/* The devices that every container has. Which ones it may open is the device policy's business. */
#ifndef UP_LAUNCH_DEVNODES_H
#define UP_LAUNCH_DEVNODES_H

#include <stdbool.h>
#include <stddef.h>

struct up_err;

/* What the kernel's numbers of devices have bits for. */
#define UP_DEVICE_MAJOR_MAX 0xfff
#define UP_DEVICE_MINOR_MAX 0xfffff

/**
 * struct up_device_node - a node that somebody asks for
 * @path:  absolute; in the container
 * @type:  'c', 'b', or 'p' for a FIFO
 * @major, @minor: of the device
 * @mode:  permissions
 * @uid, @gid: owner, as the container numbers them
 */
struct up_device_node {
	const char *path;
	char type;
	unsigned int major, minor, mode, uid, gid;
};

/** struct up_device_nodes - a list of them, allocated */
struct up_device_nodes {
	size_t n;
	struct up_device_node *at;
};

/** up_device_nodes_add() - append one; -EINVAL where @path is no place below the root */
int up_device_nodes_add(struct up_device_nodes *list, const struct up_device_node *node,
			struct up_err *err);

/**
 * up_device_nodes_make() - make them below a root
 * @root:   the root; links in it are followed below it only
 * @userns: in a user namespace, which makes FIFOs only: the host's node of the same path and
 *          numbers is bound
 * @err:    names the path
 *
 * One that is there already is left where it is the same. Return: 0; -EEXIST where something else
 * is there; or another -errno
 */
int up_device_nodes_make(int root, const struct up_device_nodes *list, bool userns,
			 struct up_err *err);

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
