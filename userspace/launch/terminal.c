// SPDX-License-Identifier: GPL-2.0-only
#include "launch/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "launch/fds.h"

/* In a session of its own, with no signal that could reach it, so that nothing ends it early. */
static void __attribute__((noreturn)) guard(int fd, int alive, const struct termios *before)
{
	const int keep[] = {fd, alive};
	sigset_t all;
	char none;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setsid();
	up_fds_close_but(keep, 2, NULL);
	while (read(alive, &none, 1) < 0 && errno == EINTR)
		;
	tcsetattr(fd, TCSADRAIN, before);
	_exit(0);
}

int up_terminal_raw(int fd, struct up_terminal *ret, struct up_err *err)
{
	struct termios before, raw;
	struct up_terminal t;
	int pipe_ends[2];

	if (tcgetattr(fd, &before) || pipe2(pipe_ends, O_CLOEXEC))
		return up_fail(err, errno, "terminal");
	t = (struct up_terminal){fork(), pipe_ends[1]};
	if (!t.guard)
		guard(fd, pipe_ends[0], &before);
	close(pipe_ends[0]);
	raw = before;
	cfmakeraw(&raw);
	if (t.guard < 0 || tcsetattr(fd, TCSADRAIN, &raw)) {
		int error = errno;

		up_terminal_restore(&t);
		return up_fail(err, error, "put the terminal in raw mode");
	}
	*ret = t;
	return 0;
}

void up_terminal_restore(struct up_terminal *t)
{
	up_close_fd(&t->alive);
	while (t->guard > 0 && waitpid(t->guard, NULL, 0) < 0 && errno == EINTR)
		;
	*t = UP_TERMINAL_NONE;
}
