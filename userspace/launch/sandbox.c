// SPDX-License-Identifier: GPL-2.0-only
#include "launch/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
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
#include "launch/init.h"
#include "launch/rootfs.h"
#include "net/link.h"

#define GO 'g'

/* ---- in the sandbox ---------------------------------------------------------------------------
 */

static int redirect_output(const struct up_sandbox_spec *spec, struct up_err *err)
{
	cleanup_fd int null = -1;

	if (spec->output < 0)
		return 0;
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0 || dup2(null, 0) < 0 || dup2(spec->output, 1) < 0 || dup2(spec->output, 2) < 0)
		return up_fail(err, errno, "redirect the output");
	return 0;
}

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
	int ret = redirect_output(spec, err);

	if (!ret && spec->new_net)
		ret = loopback_up(err);
	if (!ret)
		ret = up_rootfs_enter(spec->rootfs, err);
	if (!ret && sethostname(spec->hostname, strlen(spec->hostname)))
		ret = up_fail(err, errno, "host name %s", spec->hostname);
	return ret;
}

/* Init lives as long as the container: it keeps nothing of the monitor's, and nobody looks inside.
 */
static int shut_off(int sock, int output)
{
	prctl(PR_SET_DUMPABLE, 0);
	for (int fd = 3; fd < sock || fd < output; fd++)
		if (fd != sock && fd != output)
			close(fd);
	return (int)syscall(SYS_close_range, (sock > output ? sock : output) + 1, ~0U, 0);
}

static int init_main(const struct up_sandbox_spec *spec, int sock)
{
	struct up_err err = {};
	pid_t command;
	char go;

	up_init_block();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (shut_off(sock, spec->output))
		return UP_COMMAND_FAILED;
	/* A monitor that died before that closed the socket: no message, and we end. */
	if (recv(sock, &go, 1, 0) != 1 || go != GO)
		return UP_COMMAND_FAILED;
	if (settle(spec, &err)) {
		up_command_report(sock, UP_COMMAND_FAILED, &err);
		return UP_COMMAND_FAILED;
	}
	command = fork();
	if (command < 0) {
		up_fail(&err, errno, "fork");
		up_command_report(sock, UP_COMMAND_FAILED, &err);
		return UP_COMMAND_FAILED;
	}
	if (!command)
		up_command_child(&spec->command, sock);
	close(sock);
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
	int pidfd = -1, pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return up_fail(err, errno, "socket pair");
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

int up_sandbox_go(struct up_sandbox *sb, int *ret_code, struct up_err *err)
{
	cleanup_fd int sock = take_fd(&sb->sock);
	const char go = GO;

	if (send(sock, &go, 1, MSG_NOSIGNAL) != 1)
		return up_fail(err, errno, "start the command");
	return up_command_await(sock, ret_code, err);
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
