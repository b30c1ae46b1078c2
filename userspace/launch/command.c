// SPDX-License-Identifier: GPL-2.0-only
#include "launch/command.h"

#include <errno.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "launch/caps.h"
#include "launch/channel.h"
#include "launch/stdio.h"

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

static int prepare(const struct up_command *cmd, int slave, struct up_err *err)
{
	int ret = up_stdio_take(cmd->stdio, slave, err);

	if (ret)
		return ret;
	if (chdir(cmd->workdir))
		return up_fail(err, errno, "working directory %s", cmd->workdir);
	ret = up_caps_reduce(err);
	if (ret)
		return ret;
	if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC))
		return up_fail(err, errno, "close descriptors");
	umask(022);
	default_signals();
	return 0;
}

int up_command_exec(const struct up_command *cmd, int slave, int *ret_code, struct up_err *err)
{
	int ret = prepare(cmd, slave, err);

	*ret_code = UP_COMMAND_FAILED;
	if (ret)
		return ret;
	environ = (char **)cmd->env;
	execvp(cmd->argv[0], cmd->argv);
	*ret_code = exec_code(errno);
	return up_fail(err, errno, "exec %s", cmd->argv[0]);
}

void up_command_report(int sock, int code, const struct up_err *err)
{
	const struct up_message m = {UP_MESSAGE_FAILED, code, *err};

	if (up_channel_send(sock, &m, -1))
		_exit(UP_COMMAND_FAILED);
}

void up_command_child(const struct up_command *cmd, int slave, int sock)
{
	struct up_err err = {};
	int code;

	up_command_exec(cmd, slave, &code, &err);
	up_command_report(sock, code, &err);
	_exit(code);
}

int up_command_await(int sock, int *ret_master, int *ret_code, struct up_err *err)
{
	cleanup_fd int master = -1;
	struct up_message m = {};
	int n, fd;

	while ((n = up_channel_receive(sock, &m, &fd)) == 1 && m.kind == UP_MESSAGE_TERMINAL) {
		up_close_fd(&master);
		master = fd;
	}
	if (!n) {
		*ret_master = take_fd(&master);
		return 0;
	}
	*ret_code = UP_COMMAND_FAILED;
	if (n < 0 || m.kind != UP_MESSAGE_FAILED)
		return up_fail(err, n < 0 ? n : EPROTO, "start the command");
	*ret_code = m.code;
	return up_fail_msg(err, m.err.code, "%s", m.err.msg);
}
