// SPDX-License-Identifier: GPL-2.0-only
#include "launch/join.h"

#include <errno.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "launch/channel.h"
#include "launch/namespaces.h"
#include "launch/pty.h"
#include "launch/relay.h"
#include "launch/stdio.h"

/* In the container. Return: a pidfd of the child, or -errno */
static int start(const struct up_command *cmd, struct up_pty *pty, int *ret_code,
		 struct up_err *err)
{
	cleanup_fd int pidfd = -1;
	int pair[2], ret, none;
	pid_t pid;

	ret = up_channel_open(pair, err);
	if (ret)
		return ret;
	pid = fork();
	if (!pid)
		up_command_child(cmd, pty->slave, pair[1]);
	close(pair[1]);
	if (pid > 0)
		pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	ret = pidfd < 0 ? up_fail(err, errno, "fork")
			: up_command_await(pair[0], &none, ret_code, err);
	close(pair[0]);
	if (ret && pid > 0)
		waitpid(pid, NULL, 0);
	return ret ? ret : take_fd(&pidfd);
}

int up_join_exec(int pidfd, pid_t pid, const struct up_command *cmd, int *ret_code,
		 struct up_err *err)
{
	cleanup_pty struct up_pty pty = UP_PTY_NONE;
	cleanup_fd int child = -1;
	int ret = up_stdio_open(cmd->stdio, err);

	if (ret)
		return ret;
	ret = up_ns_enter(pidfd, pid, err);
	if (ret)
		return ret;
	if (cmd->stdio->terminal)
		ret = up_pty_open(&cmd->stdio->size, &pty, err);
	if (ret)
		return ret;
	up_signals_block();
	child = start(cmd, &pty, ret_code, err);
	if (child < 0)
		return child;
	/* The slave stays open here, so that the master never answers "hung up" too early. */
	up_stdio_started(cmd->stdio, take_fd(&pty.master));
	return up_relay_run(child, cmd->stdio, ret_code, err);
}
