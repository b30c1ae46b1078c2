/* SPDX-License-Identifier: GPL-2.0-only */
/* Waiting for a command: its streams, its terminal's size, the signals that come for it. */
#ifndef UP_LAUNCH_RELAY_H
#define UP_LAUNCH_RELAY_H

#include <signal.h>

struct up_err;
struct up_stdio;

/** up_forwarded_signals() - the set that is handed on to a command, SIGCHLD not included */
void up_forwarded_signals(sigset_t *ret_set);

/** up_signals_block() - block the signals that up_relay_run() hands on, and SIGPIPE */
void up_signals_block(void);

/** up_status_code() - exit status of a wait status: the code, or 128 + n for signal n */
int up_status_code(int status);

/**
 * up_relay_run() - copy streams and hand on signals until a child ends
 * @pidfd:    the child
 * @stdio:    its streams; what it has written last is copied before this returns
 * @ret_code: its exit status, 128 + n where signal n ended it
 * @err:      why it failed
 *
 * A signal of the set that is handed on goes to the child; SIGWINCH changes the size of its
 * terminal instead, where it has one. Return: 0 or -errno
 */
int up_relay_run(int pidfd, struct up_stdio *stdio, int *ret_code, struct up_err *err);

#endif
