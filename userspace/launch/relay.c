// SPDX-License-Identifier: GPL-2.0-only
#include "launch/relay.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "launch/stdio.h"

static const int forwarded[] = {SIGTERM, SIGINT,  SIGHUP,   SIGQUIT, SIGUSR1,
				SIGUSR2, SIGCONT, SIGWINCH, SIGALRM};

void up_forwarded_signals(sigset_t *ret_set)
{
	sigemptyset(ret_set);
	for (size_t i = 0; i < sizeof(forwarded) / sizeof(forwarded[0]); i++)
		sigaddset(ret_set, forwarded[i]);
}

void up_signals_block(void)
{
	sigset_t set;

	up_forwarded_signals(&set);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

int up_status_code(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void resize(const struct up_stdio *stdio)
{
	struct winsize size;

	if (!ioctl(isatty(0) ? 0 : 1, TIOCGWINSZ, &size))
		ioctl(stdio->master, TIOCSWINSZ, &size);
}

static void take_signal(int signals, int pidfd, const struct up_stdio *stdio)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGWINCH && stdio->master >= 0)
		resize(stdio);
	else
		syscall(SYS_pidfd_send_signal, pidfd, (int)info.ssi_signo, NULL, 0);
}

/* ---- streams ----------------------------------------------------------------------------------
 */

static bool for_later(void)
{
	return errno == EAGAIN || errno == EINTR;
}

/* Nothing more can come, or nobody wants it. The command's side is told by closing what is ours. */
static void end_stream(struct up_stream *s, const struct up_stdio *stdio)
{
	if (s->from > 2 && s->from != stdio->master)
		close(s->from);
	if (s->own)
		close(s->to);
	s->from = s->to = -1;
	s->own = false;
	s->len = 0;
}

static void flush_stream(struct up_stream *s, const struct up_stdio *stdio)
{
	ssize_t n = write(s->to, s->buf, s->len);

	if (n < 0 && for_later())
		return;
	if (n < 0) {
		end_stream(s, stdio);
		return;
	}
	s->len -= (size_t)n;
	memmove(s->buf, s->buf + n, s->len);
}

/* Return: false where there is nothing to read for now, or for ever */
static bool fill_stream(struct up_stream *s, const struct up_stdio *stdio)
{
	ssize_t n = read(s->from, s->buf, sizeof(s->buf));

	if (n > 0) {
		s->len = (size_t)n;
		return true;
	}
	if (!n || !for_later())
		end_stream(s, stdio);
	return false;
}

static void write_out(struct up_stream *s, const struct up_stdio *stdio)
{
	while (s->len) {
		struct pollfd p = {s->to, POLLOUT, 0};

		poll(&p, 1, -1);
		flush_stream(s, stdio);
	}
}

/* What the command wrote last. */
static void drain(struct up_stdio *stdio)
{
	for (size_t i = 0; i < stdio->n; i++) {
		struct up_stream *s = &stdio->streams[i];

		if (s->from <= 2)
			continue;
		do {
			write_out(s, stdio);
		} while (s->from >= 0 && fill_stream(s, stdio));
	}
}

/* ---- the loop ---------------------------------------------------------------------------------
 */

static void serve_stream(struct up_stream *s, const struct pollfd *p, const struct up_stdio *stdio)
{
	if (!p->revents || s->from < 0)
		return;
	if (s->len || fill_stream(s, stdio))
		flush_stream(s, stdio);
}

static int wait_once(int pidfd, int signals, struct up_stdio *stdio, struct up_err *err)
{
	struct pollfd fds[2 + UP_STREAMS] = {{pidfd, POLLIN, 0}, {signals, POLLIN, 0}};

	for (size_t i = 0; i < stdio->n; i++) {
		const struct up_stream *s = &stdio->streams[i];

		fds[2 + i] = s->len ? (struct pollfd){s->to, POLLOUT, 0}
				    : (struct pollfd){s->from, POLLIN, 0};
	}
	if (poll(fds, 2 + stdio->n, -1) < 0)
		return errno == EINTR ? 0 : up_fail(err, errno, "wait for the command");
	if (fds[1].revents)
		take_signal(signals, pidfd, stdio);
	for (size_t i = 0; i < stdio->n; i++)
		serve_stream(&stdio->streams[i], &fds[2 + i], stdio);
	return fds[0].revents ? 1 : 0;
}

int up_relay_run(int pidfd, struct up_stdio *stdio, int *ret_code, struct up_err *err)
{
	cleanup_fd int signals = -1;
	siginfo_t info = {};
	sigset_t set;
	int ret;

	up_signals_block();
	up_forwarded_signals(&set);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0)
		return up_fail(err, errno, "signalfd");
	do {
		ret = wait_once(pidfd, signals, stdio, err);
	} while (!ret);
	if (ret < 0)
		return ret;
	drain(stdio);
	if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED))
		return up_fail(err, errno, "wait for the command");
	*ret_code = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
	return 0;
}
