// SPDX-License-Identifier: GPL-2.0-only
#include "launch/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "launch/caps.h"
#include "launch/cgroup.h"
#include "launch/channel.h"
#include "launch/fds.h"
#include "launch/init.h"
#include "launch/pty.h"
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

static int set_names(const struct up_sandbox_spec *spec, struct up_err *err)
{
	if (spec->ns[UP_NS_UTS].mode != UP_NS_PRIVATE)
		return 0;
	if (spec->hostname && sethostname(spec->hostname, strlen(spec->hostname)))
		return up_fail(err, errno, "host name %s", spec->hostname);
	if (spec->domainname && setdomainname(spec->domainname, strlen(spec->domainname)))
		return up_fail(err, errno, "domain name %s", spec->domainname);
	return 0;
}

/* Root of the user namespace. The change of ids ends the death signal: it is asked for again, and
 * a monitor that died in between is noticed by the channel (see init_main()). */
static int become_root(struct up_err *err)
{
	if (setgroups(0, NULL) || setresgid(0, 0, 0) || setresuid(0, 0, 0))
		return up_fail(err, errno, "become root of the user namespace");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_DUMPABLE, 0);
	return 0;
}

static int settle(const struct up_sandbox_spec *spec, int root, struct up_err *err)
{
	int ret = up_ns_join(spec->ns, err);

	if (!ret && spec->ns[UP_NS_USER].mode == UP_NS_PRIVATE)
		ret = become_root(err);
	if (!ret && spec->ns[UP_NS_NET].mode == UP_NS_PRIVATE)
		ret = loopback_up(err);
	if (!ret && spec->ns[UP_NS_CGROUP].mode == UP_NS_PRIVATE && unshare(CLONE_NEWCGROUP))
		ret = up_fail(err, errno, "create a cgroup namespace");
	if (!ret)
		ret = set_names(spec, err);
	return ret ? ret : up_rootfs_enter(&spec->fs, root, err);
}

/* Init lives as long as the container: it keeps nothing of the monitor's, and nobody looks inside.
 */
static int shut_off(const struct up_sandbox_spec *spec, int sock, struct up_err *err)
{
	const struct up_stdio *s = spec->command.stdio;
	int keep[UP_FDS_KEPT] = {sock, s->end[0], s->end[1], s->end[2]};
	size_t n = 4;

	if (n + UP_NS_COUNT + 2 * UP_CGROUP_V1_MAX + spec->fs.volumes.n > UP_FDS_KEPT)
		return up_fail_msg(err, E2BIG, "too many volumes");
	for (size_t i = 0; i < UP_NS_COUNT; i++)
		keep[n++] = spec->ns[i].fd;
	for (size_t i = 0; i < spec->n_cgroup_procs; i++)
		keep[n++] = spec->cgroup_procs[i];
	for (size_t i = 0; i < UP_CGROUP_V1_MAX; i++)
		keep[n++] = spec->fs.cgroup_mounts[i];
	for (size_t i = 0; i < spec->fs.volumes.n; i++)
		keep[n++] = spec->fs.volumes.at[i].fd;
	prctl(PR_SET_DUMPABLE, 0);
	return up_fds_close_but(keep, n, err);
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
	if (!ret)
		ret = up_rootfs_console(pty.slave, err);
	if (ret)
		return ret;
	ret = up_channel_send(sock, &m, pty.master);
	if (ret)
		return up_fail(err, ret, "hand over the terminal");
	*ret_slave = take_fd(&pty.slave);
	return 0;
}

/* A monitor that died has closed the channel: no message, and we end. */
static int await_message(int sock, enum up_message_kind kind, int *ret_fd, struct up_err *err)
{
	struct up_message m;
	int fd = -1, n = up_channel_receive(sock, &m, &fd);

	if (n != 1 || m.kind != kind)
		return up_fail(err, n < 0 ? n : EPROTO, "wait for the monitor");
	if (ret_fd)
		*ret_fd = fd;
	return 0;
}

/* The command is not executed before init has let go of everything: it closes the other end then.
 */
static void pass_gate(const int gate[2])
{
	char none;

	close(gate[1]);
	while (read(gate[0], &none, 1) < 0 && errno == EINTR)
		;
}

/* Return: the command's process id, or -errno */
static pid_t start_command(const struct up_sandbox_spec *spec, int sock, int *ret_slave,
			   struct up_err *err)
{
	int gate[2];
	int root = -1, ret = up_cgroup_enter(spec->cgroup_procs, spec->n_cgroup_procs, err);

	if (!ret)
		ret = await_message(sock, UP_MESSAGE_ROOT, &root, err);
	if (!ret)
		ret = settle(spec, root, err);
	pid_t pid;

	if (!ret)
		ret = open_terminal(spec->command.stdio, sock, ret_slave, err);
	if (!ret)
		ret = await_message(sock, UP_MESSAGE_GO, NULL, err);
	if (!ret && pipe2(gate, O_CLOEXEC))
		ret = up_fail(err, errno, "pipe");
	if (ret)
		return ret;
	pid = fork();
	if (!pid) {
		pass_gate(gate);
		up_command_child(&spec->command, *ret_slave, sock);
	}
	return pid < 0 ? up_fail(err, errno, "fork") : pid;
}

/* The command has the standard streams now; a pipe must not stay open because of us. */
static void let_go_of_streams(void)
{
	cleanup_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd < 3; fd++)
		if (null < 0 || dup2(null, fd) < 0)
			close(fd);
}

/* All that is left to do is to signal the command, whoever it has become. The last step opens the
 * gate for it. */
static void let_go_of_everything(const struct up_sandbox_spec *spec, int slave)
{
	up_init_title(spec->command.argv);
	up_caps_only(1ULL << CAP_KILL);
	let_go_of_streams();
	up_fds_close_but(&slave, 1, NULL);
}

static int init_main(const struct up_sandbox_spec *spec, int sock)
{
	struct up_err err = {};
	pid_t command;
	int slave = -1;

	up_init_block();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_CHILD_SUBREAPER, 1); /* for where it is not pid 1 */
	command = shut_off(spec, sock, &err) ? -1 : start_command(spec, sock, &slave, &err);
	if (command < 0) {
		up_command_report(sock, UP_COMMAND_FAILED, &err);
		return UP_COMMAND_FAILED;
	}
	let_go_of_everything(spec, slave);
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

/* A pid namespace is entered by children only: for the one clone, then we go back. */
static int enter_pids(const struct up_ns_wish *wish, int *ret_own, struct up_err *err)
{
	if (wish->mode != UP_NS_JOIN)
		return 0;
	*ret_own = up_ns_open(getpid(), UP_NS_PID, err);
	if (*ret_own < 0)
		return *ret_own;
	return setns(wish->fd, CLONE_NEWPID) ? up_fail(err, errno, "join the pid namespace") : 0;
}

/* Return: the init's process id, or -errno */
static pid_t clone_init(const struct up_sandbox_spec *spec, int sock, int other_end, int *ret_pidfd,
			struct up_err *err)
{
	int pidfd = -1;
	struct clone_args args = {
		.flags = up_ns_clone_flags(spec->ns) | CLONE_PIDFD |
			 (spec->cgroup >= 0 ? CLONE_INTO_CGROUP : 0),
		.exit_signal = SIGCHLD,
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
		.cgroup = spec->cgroup >= 0 ? (uint64_t)spec->cgroup : 0,
	};
	cleanup_fd int own = -1;
	int ret = enter_pids(&spec->ns[UP_NS_PID], &own, err);
	pid_t pid;

	if (ret)
		return ret;
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (!pid) {
		close(other_end);
		_exit(init_main(spec, sock));
	}
	ret = errno;
	if (own >= 0 && setns(own, CLONE_NEWPID))
		ret = errno;
	if (pid < 0)
		return clone_failed(ret, err);
	*ret_pidfd = pidfd;
	return pid;
}

static int write_map(pid_t pid, const char *file, uint32_t first, uint32_t count,
		     struct up_err *err)
{
	char path[64], text[64];
	int len = snprintf(text, sizeof(text), "0 %u %u\n", first, count);
	cleanup_fd int fd = -1;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, (size_t)len) != len)
		return up_fail(err, errno, "write %s '%u %u'", file, first, count);
	return 0;
}

static int map_ids(const struct up_sandbox_spec *spec, pid_t pid, struct up_err *err)
{
	const struct up_idmap *m = &spec->idmap;
	int ret;

	if (spec->ns[UP_NS_USER].mode != UP_NS_PRIVATE)
		return 0;
	ret = write_map(pid, "uid_map", m->uid, m->count, err);
	return ret ? ret : write_map(pid, "gid_map", m->gid, m->count, err);
}

int up_sandbox_start(struct up_sandbox_spec *spec, struct up_sandbox *ret, struct up_err *err)
{
	struct up_sandbox sb = UP_SANDBOX_NONE;
	int pair[2], failed = up_volumes_open(&spec->fs.volumes, err);

	if (!failed)
		failed = up_channel_open(pair, err);
	if (failed)
		return failed;
	sb.sock = pair[0];
	sb.pid = clone_init(spec, pair[1], pair[0], &sb.pidfd, err);
	close(pair[1]);
	failed = sb.pid < 0 ? sb.pid : map_ids(spec, sb.pid, err);
	if (failed) {
		up_sandbox_end(&sb);
		return failed;
	}
	*ret = sb;
	return 0;
}

int up_sandbox_furnish(const struct up_sandbox *sb, const struct up_sandbox_spec *spec,
		       struct up_err *err)
{
	const struct up_message m = {.kind = UP_MESSAGE_ROOT};
	cleanup_fd int userns = -1, root = -1;
	int ret = 0;

	if (spec->ns[UP_NS_USER].mode == UP_NS_PRIVATE) {
		userns = up_ns_open(sb->pid, UP_NS_USER, err);
		if (userns < 0)
			return userns;
	}
	root = up_root_open(&spec->root, userns, err);
	if (root < 0)
		return root;
	if (userns >= 0)
		ret = up_volumes_idmap(&spec->fs.volumes, userns, err);
	if (ret)
		return ret;
	ret = up_channel_send(sb->sock, &m, root);
	return ret ? up_fail(err, ret, "furnish the container") : 0;
}

/* An init that failed has ended: the word cannot be sent then, but its reason can be read. */
int up_sandbox_go(struct up_sandbox *sb, int *ret_master, int *ret_code, struct up_err *err)
{
	const struct up_message go = {.kind = UP_MESSAGE_GO};
	cleanup_fd int sock = take_fd(&sb->sock);
	int ret = up_channel_send(sock, &go, -1);

	return ret && ret != -EPIPE ? up_fail(err, ret, "start the command")
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

void up_sandbox_spec_init(struct up_sandbox_spec *spec)
{
	*spec = (struct up_sandbox_spec){.cgroup = -1};
	for (int i = 0; i < UP_NS_COUNT; i++)
		spec->ns[i] = (struct up_ns_wish){i == UP_NS_USER ? UP_NS_HOST : UP_NS_PRIVATE, -1};
	for (int i = 0; i < UP_CGROUP_V1_MAX; i++)
		spec->fs.cgroup_mounts[i] = -1;
}

void up_sandbox_spec_close(struct up_sandbox_spec *spec)
{
	up_volumes_close(&spec->fs.volumes);
	for (int i = 0; i < UP_NS_COUNT; i++)
		up_close_fd(&spec->ns[i].fd);
	up_close_fd(&spec->cgroup);
	for (size_t i = 0; i < spec->n_cgroup_procs; i++)
		up_close_fd(&spec->cgroup_procs[i]);
	for (size_t i = 0; i < UP_CGROUP_V1_MAX; i++)
		up_close_fd(&spec->fs.cgroup_mounts[i]);
}
