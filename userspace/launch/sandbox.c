// SPDX-License-Identifier: GPL-2.0-only
#include "launch/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "launch/channel.h"
#include "launch/fds.h"
#include "launch/init.h"
#include "launch/pty.h"
#include "launch/rootfs.h"
#include "launch/stdio.h"
#include "net/link.h"

/* ---- in the sandbox ---------------------------------------------------------------------------
 */

/* A network namespace is born with its loopback down, and programs expect it. */
static int loopback_up(struct up_err *err)
{
	cleanup_nl struct up_nl *nl = NULL;
	struct up_link lo;
	int ret = up_nl_open(NETLINK_ROUTE, &nl, err);

	if (!ret)
		ret = up_link_get(nl, "lo", 0, &lo, err);
	return ret ? ret : up_link_set_up(nl, lo.ifindex, err);
}

static int settle(const struct up_sandbox_spec *spec, struct up_err *err)
{
	int ret = spec->new_net ? loopback_up(err) : 0;

	if (!ret)
		ret = up_rootfs_enter(spec->rootfs, err);
	if (!ret && sethostname(spec->hostname, strlen(spec->hostname)))
		ret = up_fail(err, errno, "host name %s", spec->hostname);
	return ret;
}

/* Init lives as long as the container: it keeps nothing of the monitor's, and nobody looks inside.
 */
static int shut_off(const struct up_sandbox_spec *spec, int sock, struct up_err *err)
{
	const struct up_stdio *s = spec->command.stdio;
	const int keep[] = {sock, s->end[0], s->end[1], s->end[2]};

	prctl(PR_SET_DUMPABLE, 0);
	return up_fds_close_but(keep, sizeof(keep) / sizeof(keep[0]), err);
}

/* The monitor gets the terminal's other side; the slave stays open as long as we live, so that the
 * terminal is never "hung up" before its command has ended. */
static int open_terminal(const struct up_stdio *stdio, int sock, int *ret_slave, struct up_err *err)
{
	const struct up_message m = {.kind = UP_MESSAGE_TERMINAL};
	cleanup_pty struct up_pty pty = UP_PTY_NONE;
	int ret;

	if (!stdio->terminal)
		return 0;
	ret = up_pty_open(&stdio->size, &pty, err);
	if (ret)
		return ret;
	ret = up_channel_send(sock, &m, pty.master);
	if (ret)
		return up_fail(err, ret, "hand over the terminal");
	*ret_slave = take_fd(&pty.slave);
	return 0;
}

/* Return: the command's process id, or -errno */
static pid_t start_command(const struct up_sandbox_spec *spec, int sock, struct up_err *err)
{
	int slave = -1, ret = settle(spec, err);
	pid_t pid;

	if (!ret)
		ret = open_terminal(spec->command.stdio, sock, &slave, err);
	if (ret)
		return ret;
	pid = fork();
	if (!pid)
		up_command_child(&spec->command, slave, sock);
	return pid < 0 ? up_fail(err, errno, "fork") : pid;
}

/* The command has the standard streams now; a pipe must not stay open because of us. */
static void let_go_of_streams(const struct up_stdio *stdio)
{
	cleanup_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd < 3; fd++) {
		if (stdio->end[fd] > 2)
			close(stdio->end[fd]);
		if (null < 0 || dup2(null, fd) < 0)
			close(fd);
	}
}

static int init_main(const struct up_sandbox_spec *spec, int sock)
{
	struct up_message m;
	struct up_err err = {};
	pid_t command = -1;
	int fd;

	up_init_block();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (shut_off(spec, sock, &err))
		return UP_COMMAND_FAILED;
	/* A monitor that died before that closed the channel: no message, and we end. */
	if (up_channel_receive(sock, &m, &fd) != 1 || m.kind != UP_MESSAGE_GO)
		return UP_COMMAND_FAILED;
	command = start_command(spec, sock, &err);
	if (command < 0) {
		up_command_report(sock, UP_COMMAND_FAILED, &err);
		return UP_COMMAND_FAILED;
	}
	close(sock);
	let_go_of_streams(spec->command.stdio);
	up_init_title(spec->command.argv);
	return up_init_loop(command);
}

/* ---- in the monitor ---------------------------------------------------------------------------
 */

static const struct {
	int error;
	const char *hint;
} hints[] = {
	{EPERM, "root is needed (CAP_SYS_ADMIN)"},
	{ENOSPC, "a limit on namespaces is reached: see user.max_*_namespaces in sysctl(8)"},
	{EINVAL, "the kernel lacks a namespace type"},
	{EAGAIN, "a limit on processes is reached"},
};

static int clone_failed(int error, struct up_err *err)
{
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (hints[i].error == error)
			return up_fail(err, error, "create namespaces: %s", hints[i].hint);
	return up_fail(err, error, "create namespaces");
}

int up_sandbox_start(const struct up_sandbox_spec *spec, struct up_sandbox *ret, struct up_err *err)
{
	struct clone_args args = {
		.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_PIDFD |
			 (spec->new_net ? CLONE_NEWNET : 0),
		.exit_signal = SIGCHLD,
	};
	int pidfd = -1, pair[2], failed;
	pid_t pid;

	failed = up_channel_open(pair, err);
	if (failed)
		return failed;
	args.pidfd = (uint64_t)(uintptr_t)&pidfd;
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (!pid) {
		close(pair[0]);
		_exit(init_main(spec, pair[1]));
	}
	close(pair[1]);
	if (pid < 0) {
		int error = errno;

		close(pair[0]);
		return clone_failed(error, err);
	}
	*ret = (struct up_sandbox){pid, pidfd, pair[0]};
	return 0;
}

int up_sandbox_go(struct up_sandbox *sb, int *ret_master, int *ret_code, struct up_err *err)
{
	cleanup_fd int sock = take_fd(&sb->sock);
	const struct up_message go = {.kind = UP_MESSAGE_GO};
	int ret = up_channel_send(sock, &go, -1);

	return ret ? up_fail(err, ret, "start the command")
		   : up_command_await(sock, ret_master, ret_code, err);
}

void up_sandbox_end(struct up_sandbox *sb)
{
	if (sb->pid > 0 && sb->pidfd >= 0) {
		syscall(SYS_pidfd_send_signal, sb->pidfd, SIGKILL, NULL, 0);
		while (waitpid(sb->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	up_close_fd(&sb->pidfd);
	up_close_fd(&sb->sock);
	*sb = UP_SANDBOX_NONE;
}
