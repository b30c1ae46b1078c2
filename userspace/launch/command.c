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

static int exec_code(int error)
{
	static const int not_executable[] = {EACCES, ENOEXEC, EISDIR, ENOTDIR};

	if (error == ENOENT)
		return UP_COMMAND_NOT_FOUND;
	for (size_t i = 0; i < sizeof(not_executable) / sizeof(not_executable[0]); i++)
		if (error == not_executable[i])
			return UP_COMMAND_NOT_EXECUTABLE;
	return UP_COMMAND_FAILED;
}

int up_command_exec(const struct up_command *cmd, int *ret_code, struct up_err *err)
{
	int ret;

	*ret_code = UP_COMMAND_FAILED;
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
	*ret_code = exec_code(errno);
	return up_fail(err, errno, "exec %s", cmd->argv[0]);
}

struct report {
	int code;
	struct up_err err;
};

void up_command_report(int sock, int code, const struct up_err *err)
{
	const struct report report = {code, *err};

	if (send(sock, &report, sizeof(report), MSG_NOSIGNAL) < 0)
		_exit(UP_COMMAND_FAILED);
}

void up_command_child(const struct up_command *cmd, int sock)
{
	struct up_err err = {};
	int code;

	up_command_exec(cmd, &code, &err);
	up_command_report(sock, code, &err);
	_exit(code);
}

int up_command_await(int sock, int *ret_code, struct up_err *err)
{
	struct report report;
	ssize_t n;

	do {
		n = recv(sock, &report, sizeof(report), 0);
	} while (n < 0 && errno == EINTR);
	if (!n)
		return 0;
	*ret_code = UP_COMMAND_FAILED;
	if (n != sizeof(report))
		return up_fail(err, n < 0 ? errno : EIO, "start the command");
	report.err.msg[sizeof(report.err.msg) - 1] = '\0';
	*ret_code = report.code;
	return up_fail_msg(err, report.err.code, "%s", report.err.msg);
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
