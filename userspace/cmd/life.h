/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The life of a container: joins the launcher and the datapath. The process that waits for it is
 * its monitor: this one in the foreground, a child of it where detached. Only the monitor cleans
 * up; what a killed one leaves, gc removes.
 */
#ifndef UP_CMD_LIFE_H
#define UP_CMD_LIFE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/container.h"
#include "cmd/options.h"
#include "core/devices.h"
#include "core/endpoint.h"
#include "core/limit.h"
#include "core/portspec.h"
#include "launch/cgroup.h"
#include "launch/etcfiles.h"
#include "launch/record.h"
#include "launch/sandbox.h"
#include "launch/stdio.h"

struct up_bundle;
struct up_datapath;

/**
 * struct up_run - one "run"
 * @record:  the container's record, kept up to date
 * @sandbox: what is asked of the launcher
 * @sb:      the sandbox
 * @stdio:   standard streams of the command
 * @dp:      the datapath; only with the fast network, and opened after the sandbox was made, so
 * that it inherits nothing of it
 * @cgroup, @cgroup_limits: its control groups
 * @devices, @n_devices: what it may access besides docker's default ones
 * @env:     variables of the command
 * @etc:     what its files below /etc say
 * @ports:   to be published
 * @exposed: what -P publishes
 * @addr:    wanted addresses, by enum up_family
 * @mac:     wanted MAC address; all 0 for one that follows from the address
 * @netdev:  what is to connect it
 * @mtu:     wanted MTU
 * @limits:  what it may use of the network
 * @networks: further networks, besides @record.net
 * @groups, @sysctls: words of the user that the sandbox refers to
 * @options: as they were given, for the record
 * @bundle_dir, @bundle: --bundle, and what it says; the sandbox refers to it
 * @cap_add, @cap_drop: masks of capabilities
 * @code: exit status of a start that failed
 * @gateway, @cgroup_names: what @etc and @sandbox refer to
 * @join: for each kind of namespace, the container whose one is to be joined, or NULL
 * @net_path: the network namespace that is to be joined, or NULL
 * @shm_size: of /dev/shm, or NULL
 * @detach, @remove: -d, --rm
 * @rw: it writes to the root directory itself
 * @shareable: other containers may join its ipc namespace
 * @no_seccomp, @no_masks: switched off by --security-opt
 * @endpoint: it has one: @first
 * @net_given: --network
 * @publish_all: -P
 */
struct up_run {
	struct up_container record;
	struct up_sandbox_spec sandbox;
	struct up_sandbox sb;
	struct up_stdio stdio;
	struct up_datapath *dp;
	struct up_cgroup cgroup;
	struct up_cgroup_limits cgroup_limits;
	struct up_device_rule devices[UP_DEVICE_RULES];
	size_t n_devices;
	struct up_env env;
	struct up_etcfiles etc;
	struct up_publish_list ports, exposed;
	struct up_addr addr[UP_FAMILIES];
	uint8_t mac[6];
	enum up_netdev_mode netdev;
	uint32_t mtu;
	struct up_limits limits;
	struct up_words networks, groups, sysctls;
	json_t *options;
	const char *bundle_dir;
	struct up_bundle *bundle;
	uint64_t cap_add, cap_drop;
	struct up_endpoint_info first;
	int code;
	char gateway[46];
	const char *cgroup_names[UP_CGROUP_V1_MAX];
	const char *join[UP_NS_COUNT], *net_path, *shm_size;
	bool detach, remove, rw, shareable, no_seccomp, no_masks, endpoint, net_given, publish_all;
};

/** up_run_new() - with everything at its default */
struct up_run *up_run_new(void);

/** up_run_free() - close and free; the container, if there is one, goes on */
void up_run_free(struct up_run **r);
#define cleanup_run __up_cleanup(up_run_free)

/** up_run_options - what "run" takes; each row sets something in a struct up_run */
extern const struct up_option up_run_options[];

/** up_exec_options - what "exec" takes of it */
extern const struct up_option up_exec_options[];

/** up_run_note() - keep an option for the record */
void up_run_note(void *run, const struct up_option *option, const char *text);

/**
 * up_run_adopt() - take what the bundle at @bundle_dir says, where no option was given
 * @file: its configuration; NULL for its own config.json
 * Return: 0 or -errno
 */
int up_run_adopt(struct up_run *r, const char *file, struct up_err *err);

/**
 * up_run_recall() - take what a container was started with: its options, and what its bundle said
 * Return: 0 or -errno
 */
int up_run_recall(const char *name, struct up_run *was, struct up_err *err);

/**
 * up_run_admit() - may the command, as up_run_secure() left it, get into this network namespace?
 * Return: 0; -EPERM, see up_members_admit(); or another -errno
 */
int up_run_admit(const struct up_run *r, int netns, struct up_err *err);

/**
 * up_run_publish_all() - with -P, add what is exposed and not published yet to what is published
 * Return: 0 or -errno
 */
int up_run_publish_all(struct up_run *r, struct up_err *err);

/** up_run_is_fast() - does the container get an endpoint? */
bool up_run_is_fast(const struct up_run *r);

/**
 * up_run_secure() - capabilities and filter of a command, from the options
 * Return: 0 or -errno
 */
int up_run_secure(struct up_run *r, struct up_err *err);

/** up_run_foreground() - run it and wait. Return: the exit status of the command, or of the failure
 */
int up_run_foreground(struct up_run *r);

/** up_run_detached() - run it under a monitor of its own. Return: an exit status */
int up_run_detached(struct up_run *r);

#endif
