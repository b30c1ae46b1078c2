/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sandboxes: a process in namespaces of its own. Theory of operation
 * ==================================================================
 *	monitor (the caller)			init (pid 1 of the sandbox)
 *	up_sandbox_start(): clone3()	--->	dies with the monitor (PDEATHSIG); waits
 *	gives its network namespace
 *	an interface (not our business)
 *	up_sandbox_go():	"go"	--->	mounts, pivot_root, host name; forks the command
 *				<---	an error, or end of file when exec() closed the socket
 *	up_relay_run()			<---	command's exit status as its own
 *
 * The socket is the only channel. A monitor that dies closes it, and an init that waits for "go"
 * ends; later the death signal ends it. So nothing of a sandbox survives its monitor.
 */
#ifndef UP_LAUNCH_SANDBOX_H
#define UP_LAUNCH_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

#include "launch/command.h"

/**
 * struct up_sandbox_spec - what is wanted
 * @rootfs:   directory that becomes "/"
 * @hostname: its host name
 * @new_net:  a network namespace of its own; else the caller's
 * @command:  what to execute in it
 */
struct up_sandbox_spec {
	const char *rootfs;
	const char *hostname;
	bool new_net;
	struct up_command command;
};

/**
 * struct up_sandbox - a started sandbox
 * @pid:   of its init, in the caller's pid namespace
 * @pidfd: the same
 * @sock:  channel to it, -1 once the command runs
 */
struct up_sandbox {
	pid_t pid;
	int pidfd;
	int sock;
};

#define UP_SANDBOX_NONE ((struct up_sandbox){0, -1, -1})

/**
 * up_sandbox_start() - create the namespaces and their pid 1, which waits
 * @spec: what is wanted; must live until up_sandbox_go() returned
 * @ret:  the sandbox, to be given to up_sandbox_end()
 * @err:  why it failed, and what to change where the kernel's limits forbid it
 *
 * Return: 0 or -errno
 */
int up_sandbox_start(const struct up_sandbox_spec *spec, struct up_sandbox *ret,
		     struct up_err *err);

/**
 * up_sandbox_go() - have it execute its command
 * @sb:       a sandbox that waits
 * @ret_master: the other side of the command's terminal, -1 where it has none
 * @ret_code:   where it failed: one of UP_COMMAND_*
 * @err:      why it failed, in the words of the process that failed
 *
 * Return: 0 once the command was executed; or -errno
 */
int up_sandbox_go(struct up_sandbox *sb, int *ret_master, int *ret_code, struct up_err *err);

/** up_sandbox_end() - kill what is left of it, and reap; for up_sandbox_go() that failed or never
 * came */
void up_sandbox_end(struct up_sandbox *sb);
#define cleanup_sandbox __up_cleanup(up_sandbox_end)

#endif
