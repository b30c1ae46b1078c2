/* SPDX-License-Identifier: GPL-2.0-only */
/* The command of a container: the last steps before it is executed, shared by "run" and "exec". */
#ifndef UP_LAUNCH_COMMAND_H
#define UP_LAUNCH_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "launch/caps.h"
#include "launch/rlimit.h"
#include "launch/seccomp.h"

struct up_err;
struct up_stdio;

/**
 * struct up_command - what is executed, and how
 * @argv:    NULL-terminated; argv[0] is looked up in the PATH of @env
 * @env:     NULL-terminated "NAME=VALUE"
 * @workdir: directory to start in, as seen in the container
 * @stdio:   its standard streams
 * @user:    "NAME|UID[:GROUP|GID]", NULL for root
 * @groups:  more groups, by name or id
 * @n_groups: how many
 * @caps:    @caps.bounding is what the command, and whatever it executes, may have: all of it as
 *           root, none as another user
 * @umask:   mask of new files' modes
 * @all_sets: the other sets of @caps count, too
 * @no_new_privs: no execve() gives it more
 * @seccomp: filter of system calls
 * @limits:  resource limits
 */
struct up_command {
	char *const *argv;
	char *const *env;
	const char *workdir;
	struct up_stdio *stdio;
	const char *user;
	char **groups;
	size_t n_groups;
	struct up_caps caps;
	unsigned int umask;
	bool all_sets, no_new_privs;
	struct up_seccomp seccomp;
	struct up_rlimits limits;
};

/* Docker's exit statuses for a command that did not come to run. */
#define UP_COMMAND_FAILED         125 /* not its fault */
#define UP_COMMAND_NOT_EXECUTABLE 126
#define UP_COMMAND_NOT_FOUND      127

/**
 * up_command_exec() - drop privileges and execute; in the container already
 * @cmd:      what
 * @slave:    its terminal; -1 for none
 * @sock:     the channel, close-on-exec; every other descriptor but 0 to 2 is closed
 * @ret_code: one of UP_COMMAND_*
 * @err:      why it failed
 *
 * Starts a session, closes descriptors, gives up privileges, and puts signals and umask to their
 * defaults. Return: -errno; does not return on success
 */
int up_command_exec(const struct up_command *cmd, int slave, int sock, int *ret_code,
		    struct up_err *err);

/**
 * up_command_child() - up_command_exec() in a child that reports by a channel
 * @cmd:   what
 * @slave: its terminal; -1 for none
 * @sock:  an end of the channel; up_command_await() reads the other
 */
void up_command_child(const struct up_command *cmd, int slave, int sock) __attribute__((noreturn));

/** up_command_report() - tell the monitor what failed, and what the exit status is */
void up_command_report(int sock, int code, const struct up_err *err);

/**
 * up_command_await() - wait until a child has executed its command
 * @sock:       the other end; end of file means that it has
 * @ret_master: the other side of its terminal, where it has sent that; else -1
 * @ret_code:   where it has not: one of UP_COMMAND_*
 * @err:        why it has not, in the child's words
 *
 * Return: 0 or -errno
 */
int up_command_await(int sock, int *ret_master, int *ret_code, struct up_err *err);

#endif
