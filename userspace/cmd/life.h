/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The life of a container: joins the launcher and the datapath. The process that waits for it is
 * its monitor: this one in the foreground, a child of it where detached. Only the monitor cleans
 * up; what a killed one leaves, gc removes.
 */
#ifndef UP_CMD_LIFE_H
#define UP_CMD_LIFE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/container.h"
#include "core/limit.h"
#include "core/portspec.h"
#include "launch/record.h"
#include "launch/sandbox.h"
#include "launch/stdio.h"

struct up_datapath;

/**
 * struct up_run - one "run"
 * @record:  the container's record, kept up to date
 * @sandbox: what is asked of the launcher
 * @sb:      the sandbox
 * @stdio:   standard streams of the command
 * @dp:      the datapath; only with the fast network, and opened after the sandbox was made, so
 * that it inherits nothing of it
 * @ports:   to be published
 * @addr:    wanted addresses, by enum up_family
 * @mtu:     wanted MTU
 * @limits:  what it may use
 * @code: exit status of a start that failed
 * @detach, @remove: -d, --rm
 * @endpoint: it has one
 */
struct up_run {
	struct up_container record;
	struct up_sandbox_spec sandbox;
	struct up_sandbox sb;
	struct up_stdio stdio;
	struct up_datapath *dp;
	struct up_env env;
	struct up_publish_list ports;
	struct up_addr addr[UP_FAMILIES];
	uint32_t mtu;
	struct up_limits limits;
	int code;
	char hostname[UP_NAME_MAX + 1];
	bool detach, remove, endpoint;
};

/** up_run_is_fast() - does the container get an endpoint? */
bool up_run_is_fast(const struct up_run *r);

/** up_run_foreground() - run it and wait. Return: the exit status of the command, or of the failure
 */
int up_run_foreground(struct up_run *r);

/** up_run_detached() - run it under a monitor of its own. Return: an exit status */
int up_run_detached(struct up_run *r);

#endif
