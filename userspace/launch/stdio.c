// SPDX-License-Identifier: GPL-2.0-only
#include "launch/stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"

void up_stdio_none(struct up_stdio *s)
{
	*s = (struct up_stdio){
		.log = -1,
		.end = {-1, -1, -1},
		.owned = {-1, -1, -1, -1},
		.master = -1,
		.raw = UP_TERMINAL_NONE,
	};
}

/* Ours only: the flag of a stream of the caller's would outlive us. */
static void not_to_block(int fd)
{
	if (fd > 2)
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static void add_stream(struct up_stdio *s, int from, int to, bool own)
{
	struct up_stream *stream = &s->streams[s->n++];

	not_to_block(from);
	not_to_block(to);
	*stream = (struct up_stream){.from = from, .to = to, .own = own};
}

/* A pipe between the command and one of the caller's streams. */
static int relay(struct up_stdio *s, int fd, struct up_err *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return up_fail(err, errno, "pipe");
	s->end[fd] = s->owned[fd] = ends[fd ? 1 : 0];
	if (fd)
		add_stream(s, ends[0], fd, false);
	else
		add_stream(s, fd, ends[1], true);
	return 0;
}

/* -d -i: an input that never ends, so that a shell stays. */
static int endless_input(struct up_stdio *s, struct up_err *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return up_fail(err, errno, "pipe");
	s->end[0] = s->owned[0] = ends[0];
	s->owned[3] = ends[1];
	return 0;
}

static int open_input(struct up_stdio *s, struct up_err *err)
{
	if (s->interactive && s->log >= 0)
		return endless_input(s, err);
	if (s->interactive && isatty(0))
		return relay(s, 0, err);
	if (s->interactive)
		return s->end[0] = 0;
	s->end[0] = s->owned[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return s->end[0] < 0 ? up_fail(err, errno, "open /dev/null") : 0;
}

static int open_output(struct up_stdio *s, int fd, struct up_err *err)
{
	if (s->log < 0 && isatty(fd))
		return relay(s, fd, err);
	s->end[fd] = s->log < 0 ? fd : s->log;
	return 0;
}

static int prepare_terminal(struct up_stdio *s, struct up_err *err)
{
	if (s->log >= 0)
		return 0;
	if (s->interactive && !isatty(0))
		return up_fail_msg(err, ENOTTY, "-i -t: standard input is not a terminal");
	ioctl(isatty(0) ? 0 : 1, TIOCGWINSZ, &s->size);
	return s->interactive ? up_terminal_raw(0, &s->raw, err) : 0;
}

int up_stdio_open(struct up_stdio *s, struct up_err *err)
{
	int ret;

	if (s->terminal)
		return prepare_terminal(s, err);
	ret = open_input(s, err);
	for (int fd = 1; fd < 3 && !ret; fd++)
		ret = open_output(s, fd, err);
	return ret;
}

void up_stdio_started(struct up_stdio *s, int master)
{
	for (int fd = 0; fd < 3; fd++) {
		up_close_fd(&s->owned[fd]);
		s->end[fd] = s->owned[fd] = -1;
	}
	s->master = master;
	if (master < 0)
		return;
	add_stream(s, master, s->log < 0 ? 1 : s->log, false);
	if (s->log < 0 && s->interactive)
		add_stream(s, 0, master, false);
}

void up_stdio_close(struct up_stdio *s)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->streams[i].from > 2 && s->streams[i].from != s->master)
			up_close_fd(&s->streams[i].from);
		if (s->streams[i].own)
			up_close_fd(&s->streams[i].to);
	}
	for (size_t i = 0; i < sizeof(s->owned) / sizeof(s->owned[0]); i++)
		up_close_fd(&s->owned[i]);
	up_close_fd(&s->master);
	up_close_fd(&s->log);
	up_terminal_restore(&s->raw);
	up_stdio_none(s);
}

int up_stdio_take(const struct up_stdio *s, int slave, struct up_err *err)
{
	setsid();
	for (int fd = 0; fd < 3; fd++)
		if (dup2(slave < 0 ? s->end[fd] : slave, fd) < 0)
			return up_fail(err, errno, "take the standard streams");
	if (slave >= 0 && ioctl(0, TIOCSCTTY, 0))
		return up_fail(err, errno, "take the terminal");
	return 0;
}
