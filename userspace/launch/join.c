// SPDX-License-Identifier: GPL-2.0-only
#include "launch/join.h"

#include <errno.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"

int up_join_exec(int pidfd, const struct up_command *cmd, int *ret_code, struct up_err *err)
{
	cleanup_fd int child_fd = -1;
	int pair[2], ret;
	pid_t pid;

	if (setns(pidfd, CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET))
		return up_fail(err, errno, "enter the container");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return up_fail(err, errno, "socket pair");
	up_signals_block();
	pid = fork();
	if (!pid)
		up_command_child(cmd, pair[1]);
	close(pair[1]);
	if (pid > 0)
		child_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	ret = child_fd < 0 ? up_fail(err, errno, "fork") : up_command_await(pair[0], ret_code, err);
	close(pair[0]);
	if (ret && pid > 0)
		waitpid(pid, NULL, 0);
	return ret ? ret : up_wait_forwarding(child_fd, ret_code, err);
}
