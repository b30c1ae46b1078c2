/* SPDX-License-Identifier: GPL-2.0-only */
/* The file system of a container, put together by its init. */
#ifndef UP_LAUNCH_ROOTFS_H
#define UP_LAUNCH_ROOTFS_H

#include <stdbool.h>
#include <stddef.h>

#include "launch/cgroup.h"
#include "launch/devnodes.h"
#include "launch/volume.h"

struct up_err;

/**
 * struct up_rootfs - what is mounted into the root, and how it is protected
 * @volumes:     the user's
 * @sysctls:     "net.ipv4.ip_forward=1", of the container's namespaces
 * @n_sysctls:   how many
 * @readonly:    the root cannot be written; volumes and tmpfs can
 * @privileged:  as @unmasked; /sys can be written, every device of the host is in /dev
 * @unmasked:    nothing below /proc and /sys is masked or made read-only
 * @userns:      in a user namespace, where devices cannot be made
 * @show_cgroups: @cgroups are to be seen at /sys/fs/cgroup
 * @cgroups:     version 1 hierarchies, such as "memory"; NULL for version 2
 * @n_cgroups:   how many
 * @cgroup_mounts: of them, or else of version 2 alone: detached mounts, -1 where init is to mount
 *               the tree
 * @bundle:      the mounts, the masks and the read-only paths are the bundle's: none by default
 * @nodes:       devices besides the default ones
 * @masked, @n_masked, @guarded, @n_guarded: those of the bundle
 */
struct up_rootfs {
	struct up_volumes volumes;
	char **sysctls;
	size_t n_sysctls;
	bool readonly, privileged, unmasked, userns, show_cgroups, bundle;
	const char *const *cgroups;
	size_t n_cgroups;
	int cgroup_mounts[UP_CGROUP_V1_MAX];
	struct up_device_nodes nodes;
	char **masked, **guarded;
	size_t n_masked, n_guarded;
};

/**
 * up_rootfs_enter() - fill a root and make it that of the caller's mount namespace
 * @root: the detached mount; in a mount namespace of one's own already
 * @err:  why it failed
 *
 * Return: 0 or -errno
 */
int up_rootfs_enter(const struct up_rootfs *fs, int root, struct up_err *err);

/** up_rootfs_console() - put the command's terminal at /dev/console. Return: 0 or -errno */
int up_rootfs_console(int slave, struct up_err *err);

/**
 * up_sysctl_check() - may a container set this?
 * @text:     "NAME=VALUE"
 * @net, @ipc: it has such a namespace of its own
 * @err:      says why not
 *
 * Only what belongs to a namespace of the container's. Return: 0 or -EINVAL
 */
int up_sysctl_check(const char *text, bool net, bool ipc, struct up_err *err);

#endif
