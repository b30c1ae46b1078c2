/* SPDX-License-Identifier: GPL-2.0-only */
/* The command of a container: the last steps before it is executed, shared by "run" and "exec". */
#ifndef UP_LAUNCH_COMMAND_H
#define UP_LAUNCH_COMMAND_H

#include <signal.h>
#include <stdbool.h>

struct up_err;

/**
 * struct up_command - what is executed, and how
 * @argv:    NULL-terminated; argv[0] is looked up in the PATH of @env
 * @env:     NULL-terminated "NAME=VALUE"
 * @workdir: directory to start in, as seen in the container
 * @session: start a session of its own (detached from the caller's terminal)
 */
struct up_command {
	char *const *argv;
	char *const *env;
	const char *workdir;
	bool session;
};

/* Docker's exit statuses for a command that did not come to run. */
#define UP_COMMAND_FAILED         125 /* not its fault */
#define UP_COMMAND_NOT_EXECUTABLE 126
#define UP_COMMAND_NOT_FOUND      127

/**
 * up_command_exec() - drop privileges and execute; in the container already
 * @cmd:      what
 * @ret_code: one of UP_COMMAND_*
 * @err:      why it failed
 *
 * Reduces capabilities to docker's default set, closes every descriptor but 0 to 2 on exec, and
 * puts signals and umask to their defaults. Return: -errno; does not return on success
 */
int up_command_exec(const struct up_command *cmd, int *ret_code, struct up_err *err);

/**
 * up_command_child() - up_command_exec() in a child that reports by a socket
 * @cmd:  what
 * @sock: close-on-exec end of a SOCK_SEQPACKET pair; up_command_await() reads the other end
 */
void up_command_child(const struct up_command *cmd, int sock) __attribute__((noreturn));

/** up_command_report() - tell the other end of that socket what failed, and what the exit status is
 */
void up_command_report(int sock, int code, const struct up_err *err);

/**
 * up_command_await() - wait until a child has executed its command
 * @sock:     the other end; end of file means that it has
 * @ret_code: where it has not: one of UP_COMMAND_*
 * @err:      why it has not, in the child's words
 *
 * Return: 0 or -errno
 */
int up_command_await(int sock, int *ret_code, struct up_err *err);

/**
 * up_wait_forwarding() - wait for a child, handing it the signals that come for us meanwhile
 * @pidfd:   the child
 * @ret_code: its exit status, 128 + n where signal n ended it
 * @err:     why it failed
 *
 * Signals that the kernel sends to the whole foreground group of a terminal (ctrl-C) are not handed
 * on: the child has got them itself. Return: 0 or -errno
 */
int up_wait_forwarding(int pidfd, int *ret_code, struct up_err *err);

/** up_signals_block() - block the signals that up_wait_forwarding() hands on */
void up_signals_block(void);

/** up_status_code() - exit status of a wait status: the code, or 128 + n for signal n */
int up_status_code(int status);

/** up_forwarded_signals() - the set that is handed on, SIGCHLD not included */
void up_forwarded_signals(sigset_t *ret_set);

#endif
