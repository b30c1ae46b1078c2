/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The user's terminal, in raw mode while a command has one of its own. A guard process puts it back
 * as it was, whatever becomes of the monitor: it holds one end of a pipe, and acts when the other
 * end is closed, by the monitor or by the kernel.
 */
#ifndef UP_LAUNCH_TERMINAL_H
#define UP_LAUNCH_TERMINAL_H

#include <sys/types.h>

struct up_err;

/** struct up_terminal - a terminal in raw mode; guard is 0 where there is none */
struct up_terminal {
	pid_t guard;
	int alive;
};

#define UP_TERMINAL_NONE ((struct up_terminal){0, -1})

/**
 * up_terminal_raw() - put a terminal in raw mode
 * @fd: the terminal
 * @err: why it failed
 *
 * The guard is a child of the caller; call it before setns() changes where children live.
 * Return: 0 or -errno
 */
int up_terminal_raw(int fd, struct up_terminal *ret, struct up_err *err);

/** up_terminal_restore() - have it put back, and wait until it is */
void up_terminal_restore(struct up_terminal *t);

#endif
