/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A command's standard streams. Theory of operation
 * =================================================
 * The user's terminal never reaches a container: who holds it may push keystrokes into it
 * (TIOCSTI) or change its modes. So the command gets, for each stream,
 *
 *	-t		a pseudo-terminal of the container's own; the monitor relays, and the
 *			user's terminal is raw meanwhile, so that every key is the container's
 *	a terminal	a pipe, relayed by the monitor
 *	anything else	the very descriptor: a file or a pipe costs nothing to hand on
 *	detached	the log for the output
 *
 * and /dev/null as its input without -i.
 */
#ifndef UP_LAUNCH_STDIO_H
#define UP_LAUNCH_STDIO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/ioctl.h>

#include "launch/terminal.h"

struct up_err;

/**
 * struct up_stream - one direction of the relay
 * @from, @to: -1 once it has ended
 * @own:       @to is closed at the end of @from, so that the reader sees it
 * @len, @buf: what has been read and is yet to be written
 */
struct up_stream {
	int from, to;
	bool own;
	size_t len;
	char buf[4096];
};

#define UP_STREAMS 3

/**
 * struct up_stdio - the streams of one command
 * @interactive, @terminal: -i, -t: by the caller
 * @log:     by the caller: where output goes while detached; -1 in the foreground
 * @end:     what become the command's 0 to 2, without a terminal
 * @owned:   those of them that are closed once the command has them; the write end of a pipe that
 *           nobody writes to
 * @master:  the other side of the command's terminal
 * @size:    of the user's terminal
 * @raw:     the user's terminal
 * @streams: the relay's
 * @n:       how many
 */
struct up_stdio {
	bool interactive, terminal;
	int log;
	int end[3], owned[4];
	int master;
	struct winsize size;
	struct up_terminal raw;
	struct up_stream streams[UP_STREAMS];
	size_t n;
};

/** up_stdio_none() - nothing opened yet */
void up_stdio_none(struct up_stdio *s);

/**
 * up_stdio_open() - make what the command will get, and put the user's terminal in raw mode
 * Return: 0, -ENOTTY where -t and -i are wanted and standard input is no terminal, or -errno
 */
int up_stdio_open(struct up_stdio *s, struct up_err *err);

/**
 * up_stdio_started() - the command runs: let go of its ends, and relay its terminal
 * @master: the other side of its terminal, taken over; -1 for none
 */
void up_stdio_started(struct up_stdio *s, int master);

/** up_stdio_close() - close everything and restore the user's terminal */
void up_stdio_close(struct up_stdio *s);
#define cleanup_stdio __up_cleanup(up_stdio_close)

/**
 * up_stdio_take() - in the command's process: make a session, and the streams its 0 to 2
 * @slave: its terminal, which becomes the controlling one; -1 for none
 *
 * Return: 0 or -errno
 */
int up_stdio_take(const struct up_stdio *s, int slave, struct up_err *err);

#endif
