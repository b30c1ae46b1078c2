/* SPDX-License-Identifier: GPL-2.0-only */
/* Executing a second command in a running container. */
#ifndef UP_LAUNCH_JOIN_H
#define UP_LAUNCH_JOIN_H

#include <sys/types.h>

#include "launch/command.h"

struct up_cgroup;

/**
 * up_join_exec() - run a command in the namespaces of another process, and wait for it
 * @pidfd:    the container's pid 1
 * @pid:      the same
 * @cgroup:   the container's
 * @cmd:      what to execute
 * @ret_code: its exit status, 128 + n where signal n ended it; one of UP_COMMAND_* where it failed
 * @err:      why it failed
 *
 * The calling process stays in those namespaces: it is good for nothing else afterwards.
 * Return: 0 or -errno
 */
int up_join_exec(int pidfd, pid_t pid, const struct up_cgroup *cgroup, const struct up_command *cmd,
		 int *ret_code, struct up_err *err);

#endif
