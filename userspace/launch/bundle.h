/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * OCI bundles: a directory with a config.json, as umoci and "runc spec" make it. What is read is
 * what the runtime specification calls it; a member that is not implemented is refused by its name,
 * rather than a container started that is other than what was asked for.
 */
#ifndef UP_LAUNCH_BUNDLE_H
#define UP_LAUNCH_BUNDLE_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "launch/caps.h"
#include "launch/cgroup.h"
#include "launch/devnodes.h"
#include "launch/etcfiles.h"
#include "launch/rlimit.h"
#include "launch/namespaces.h"
#include "launch/sandbox.h"
#include "launch/seccomp.h"
#include "launch/volume.h"

#define UP_BUNDLE_DEVICES 64

/**
 * struct up_bundle - what a config.json says
 * @json:     keeps the strings
 * @dir:      the bundle's directory, absolute
 * @rootfs:   root.path, absolute
 * @user:     process.user as "UID:GID"
 * @cwd, @hostname, @domainname: empty where not given
 * @args, @env, @groups: of the process
 * @masked, @guarded, @sysctls: of linux.maskedPaths, linux.readonlyPaths, linux.sysctl
 * @caps:     process.capabilities; none where not given
 * @limits:   process.rlimits
 * @cgroup:   linux.resources
 * @mounts:   in order, without those of cgroups
 * @ns:       what is not named is the host's
 * @ns_path:  with UP_NS_JOIN, where it is
 * @idmap:    linux.uidMappings and linux.gidMappings
 * @devices:  linux.resources.devices that are allowed; numbers are UINT32_MAX for any
 * @n_devices: how many
 * @nodes:    linux.devices
 * @seccomp:  linux.seccomp, compiled; none where not given
 * @umask:    process.user.umask, or 022
 * @readonly, @terminal, @no_new_privs: root.readonly, process.terminal, process.noNewPrivileges
 * @cgroups:  there is a mount of cgroups
 */
struct up_bundle {
	json_t *json;
	char dir[PATH_MAX], rootfs[PATH_MAX];
	char user[32];
	const char *cwd, *hostname, *domainname;
	struct up_words args, env, groups, masked, guarded, sysctls;
	struct up_caps caps;
	struct up_rlimits limits;
	struct up_cgroup_limits cgroup;
	struct up_volumes mounts;
	enum up_ns_mode ns[UP_NS_COUNT];
	const char *ns_path[UP_NS_COUNT];
	struct up_idmap idmap;
	struct {
		char type;
		uint32_t major, minor;
		const char *access;
	} devices[UP_BUNDLE_DEVICES];
	size_t n_devices;
	struct up_device_nodes nodes;
	struct up_seccomp seccomp;
	unsigned int umask;
	bool readonly, terminal, no_new_privs, cgroups;
};

/**
 * up_bundle_load() - read a bundle
 * @dir:  its directory, to which paths in it are relative
 * @file: the configuration; NULL for config.json in @dir
 * @err:  names the member that is wrong or not implemented: "config.json: linux.seccomp: ..."
 *
 * Return: the bundle, for up_bundle_free(), or NULL
 */
struct up_bundle *up_bundle_load(const char *dir, const char *file, struct up_err *err);

/** up_bundle_free() - free; NULL is fine */
void up_bundle_free(struct up_bundle *b);

#endif
