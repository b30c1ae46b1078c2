// SPDX-License-Identifier: GPL-2.0-only
#include "launch/join.h"

#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "launch/cgroup.h"
#include "launch/channel.h"
#include "launch/namespaces.h"
#include "launch/pty.h"
#include "launch/relay.h"
#include "launch/stdio.h"

static void __attribute__((noreturn))
child_main(const struct up_command *cmd, const int *procs, size_t n_procs, int slave, int sock)
{
	struct up_err err = {};

	if (!up_cgroup_enter(procs, n_procs, &err))
		up_command_child(cmd, slave, sock);
	up_command_report(sock, UP_COMMAND_FAILED, &err);
	_exit(UP_COMMAND_FAILED);
}

/* In the container, but for the cgroup: that is the child's only. Return: its pidfd, or -errno */
static int start(const struct up_command *cmd, const struct up_cgroup *cgroup, const int *procs,
		 const struct up_pty *pty, int *ret_code, struct up_err *err)
{
	int pair[2], pidfd = -1, none, ret = up_channel_open(pair, err);
	struct clone_args args = {
		.flags = CLONE_PIDFD | CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
		.cgroup = (uint64_t)cgroup->v2,
	};
	pid_t pid;

	if (ret)
		return ret;
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (!pid)
		child_main(cmd, procs, cgroup->n_v1, pty->slave, pair[1]);
	close(pair[1]);
	ret = pid < 0 ? up_fail(err, errno, "fork")
		      : up_command_await(pair[0], &none, ret_code, err);
	close(pair[0]);
	if (ret && pid > 0) {
		waitpid(pid, NULL, 0);
		close(pidfd);
	}
	return ret ? ret : pidfd;
}

int up_join_exec(int pidfd, pid_t pid, const struct up_cgroup *cgroup, const struct up_command *cmd,
		 int *ret_code, struct up_err *err)
{
	cleanup_pty struct up_pty pty = UP_PTY_NONE;
	int procs[UP_CGROUP_V1_MAX], ret = up_stdio_open(cmd->stdio, err);
	cleanup_fd int child = -1;

	if (!ret)
		ret = up_cgroup_procs(cgroup, procs, err);

	if (ret)
		return ret;
	/* The child is about to have no more privileges than those in there, who could then look at
	 * its descriptors, which are the host's (CVE-2016-9962). The exec ends this. */
	prctl(PR_SET_DUMPABLE, 0);
	ret = up_ns_enter(pidfd, pid, err);
	if (ret)
		return ret;
	if (cmd->stdio->terminal)
		ret = up_pty_open(&cmd->stdio->size, &pty, err);
	if (ret)
		return ret;
	up_signals_block();
	child = start(cmd, cgroup, procs, &pty, ret_code, err);
	if (child < 0)
		return child;
	/* The slave stays open here, so that the master never answers "hung up" too early. */
	up_stdio_started(cmd->stdio, take_fd(&pty.master));
	return up_relay_run(child, cmd->stdio, ret_code, err);
}
