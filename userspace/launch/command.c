// SPDX-License-Identifier: GPL-2.0-only
#include "launch/command.h"

#include <errno.h>
#include <linux/close_range.h>
#include <poll.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "launch/caps.h"

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
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void default_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int up_command_exec(const struct up_command *cmd, struct up_err *err)
{
	int ret;

	if (chdir(cmd->workdir))
		return up_fail(err, errno, "working directory %s", cmd->workdir);
	if (cmd->session)
		setsid();
	ret = up_caps_reduce(err);
	if (ret)
		return ret;
	if (syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC))
		return up_fail(err, errno, "close descriptors");
	umask(022);
	default_signals();
	environ = (char **)cmd->env;
	execvp(cmd->argv[0], cmd->argv);
	return up_fail(err, errno, "exec %s", cmd->argv[0]);
}

void up_command_report(int sock, const struct up_err *err)
{
	if (send(sock, err, sizeof(*err), MSG_NOSIGNAL) < 0)
		_exit(125);
}

void up_command_child(const struct up_command *cmd, int sock)
{
	struct up_err err = {};

	up_command_exec(cmd, &err);
	up_command_report(sock, &err);
	_exit(up_command_exit_code(err.code));
}

int up_command_await(int sock, struct up_err *err)
{
	struct up_err theirs;
	ssize_t n;

	do {
		n = recv(sock, &theirs, sizeof(theirs), 0);
	} while (n < 0 && errno == EINTR);
	if (!n)
		return 0;
	if (n != sizeof(theirs))
		return up_fail(err, n < 0 ? errno : EIO, "start the command");
	theirs.msg[sizeof(theirs.msg) - 1] = '\0';
	return up_fail_msg(err, theirs.code, "%s", theirs.msg);
}

int up_command_exit_code(int error)
{
	switch (error < 0 ? -error : error) {
	case ENOENT:
		return 127;
	case EACCES:
	case ENOEXEC:
	case EISDIR:
	case ENOTDIR:
		return 126;
	default:
		return 125;
	}
}

int up_status_code(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void forward(int signals, int pidfd)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof(info)) == sizeof(info) && info.ssi_code != SI_KERNEL)
		syscall(SYS_pidfd_send_signal, pidfd, (int)info.ssi_signo, NULL, 0);
}

int up_wait_forwarding(int pidfd, int *ret_code, struct up_err *err)
{
	cleanup_fd int signals = -1;
	siginfo_t info = {};
	sigset_t set;

	up_signals_block();
	up_forwarded_signals(&set);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (signals < 0)
		return up_fail(err, errno, "signalfd");
	for (;;) {
		struct pollfd fds[] = {{pidfd, POLLIN, 0}, {signals, POLLIN, 0}};

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return up_fail(err, errno, "wait for the container");
		if (fds[1].revents)
			forward(signals, pidfd);
		if (fds[0].revents)
			break;
	}
	if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED))
		return up_fail(err, errno, "wait for the container");
	*ret_code = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
	return 0;
}
