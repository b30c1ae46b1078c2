/* SPDX-License-Identifier: GPL-2.0-only */
/* A pseudo-terminal for the command: the other side of it is relayed by the monitor. */
#ifndef UP_LAUNCH_PTY_H
#define UP_LAUNCH_PTY_H

#include <sys/ioctl.h>

struct up_err;

/** struct up_pty - both ends, close-on-exec; -1 for none */
struct up_pty {
	int master, slave;
};

#define UP_PTY_NONE ((struct up_pty){-1, -1})

/**
 * up_pty_open() - a new pseudo-terminal of the devpts at /dev/pts
 * @size: its size; NULL leaves it 0 by 0
 * @ret:  both ends
 * @err:  why it failed
 *
 * Called inside a container, where /dev may be anything by now: what is opened is verified to be
 * a pseudo-terminal, and its other end is had from it, not by a path. Return: 0 or -errno
 */
int up_pty_open(const struct winsize *size, struct up_pty *ret, struct up_err *err);

/** up_pty_close() - close both ends */
void up_pty_close(struct up_pty *pty);
#define cleanup_pty __up_cleanup(up_pty_close)

#endif
