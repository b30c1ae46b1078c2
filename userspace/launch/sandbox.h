/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sandboxes: a process in namespaces of its own. Theory of operation
 * ==================================================================
 *	monitor (the caller)			init (pid 1 of the sandbox)
 *	up_sandbox_start(): opens the
 *	volumes, clone3(), id maps	--->	dies with the monitor (PDEATHSIG); enters cgroups
 *	up_sandbox_furnish():
 *			the root	--->	joins namespaces, mounts, pivot_root
 *	gives its network namespace
 *	an interface (not our business)
 *				<---	a terminal's other side
 *	up_sandbox_go():	"go"	--->	forks the command
 *				<---	an error, or end of file when exec() closed the channel
 *	up_relay_run()		<---	command's exit status as its own
 *
 * The channel is the only one. A monitor that dies closes it, and an init that waits for "go" ends;
 * later the death signal ends it. So nothing of a sandbox survives its monitor, except processes
 * that share a pid namespace with others: those are found by their cgroup.
 *
 * What needs the host's privileges (opening sources, overlays, translating owners) the monitor does
 * and hands over by descriptor; what concerns the container's own tree, init does, which in a user
 * namespace has no privilege outside of it.
 */
#ifndef UP_LAUNCH_SANDBOX_H
#define UP_LAUNCH_SANDBOX_H

#include <stdint.h>
#include <sys/types.h>

#include "launch/cgroup.h"
#include "launch/command.h"
#include "launch/namespaces.h"
#include "launch/root.h"
#include "launch/rootfs.h"

/** struct up_idmap - ids 0 to @count - 1 of a user namespace are @uid and @gid on of the host */
struct up_idmap {
	uint32_t uid, gid, count;
};

/**
 * struct up_sandbox_spec - what is wanted
 * @root:     becomes "/"
 * @fs:       what is mounted into it
 * @ns:       namespaces
 * @idmap:    with a private user namespace
 * @hostname: its host name, with a private uts namespace; NULL to leave it
 * @domainname: likewise
 * @cgroup:   fd of the version 2 cgroup that it is born into; -1 for the caller's
 * @cgroup_procs: fds of the cgroup.procs of version 1 groups that it enters by itself
 * @n_cgroup_procs: how many
 * @command:  what to execute in it
 */
struct up_sandbox_spec {
	struct up_root root;
	struct up_rootfs fs;
	struct up_ns_wish ns[UP_NS_COUNT];
	struct up_idmap idmap;
	const char *hostname, *domainname;
	int cgroup;
	int cgroup_procs[UP_CGROUP_V1_MAX];
	size_t n_cgroup_procs;
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

/** up_sandbox_spec_init() - every namespace private but that of users, nothing opened */
void up_sandbox_spec_init(struct up_sandbox_spec *spec);

/** up_sandbox_spec_close() - close and free what the volumes and namespaces hold */
void up_sandbox_spec_close(struct up_sandbox_spec *spec);

/**
 * up_sandbox_start() - create the namespaces and their pid 1, which waits
 * @spec: what is wanted; must live until up_sandbox_go() returned
 * @ret:  the sandbox, to be given to up_sandbox_end()
 * @err:  why it failed, and what to change where the kernel's limits forbid it
 *
 * Return: 0 or -errno
 */
int up_sandbox_start(struct up_sandbox_spec *spec, struct up_sandbox *ret, struct up_err *err);

/**
 * up_sandbox_furnish() - make its root, and have it put its file system together
 * @sb:   a started sandbox, which goes on by itself; a failure is told by up_sandbox_go()
 * @spec: the same as before
 * @err:  why the root could not be made
 *
 * Return: 0 or -errno
 */
int up_sandbox_furnish(const struct up_sandbox *sb, const struct up_sandbox_spec *spec,
		       struct up_err *err);

/**
 * up_sandbox_go() - have it execute its command
 * @sb:         a furnished sandbox
 * @ret_master: the other side of the command's terminal, -1 where it has none
 * @ret_code:   where it failed: one of UP_COMMAND_*
 * @err:        why it failed, in the words of the process that failed
 *
 * Return: 0 once the command was executed; or -errno
 */
int up_sandbox_go(struct up_sandbox *sb, int *ret_master, int *ret_code, struct up_err *err);

/** up_sandbox_end() - kill what is left of it, and reap; for up_sandbox_go() that failed or never
 * came */
void up_sandbox_end(struct up_sandbox *sb);
#define cleanup_sandbox __up_cleanup(up_sandbox_end)

#endif
