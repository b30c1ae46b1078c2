// SPDX-License-Identifier: GPL-2.0-only
#include "launch/command.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "launch/channel.h"
#include "launch/fds.h"
#include "launch/stdio.h"
#include "launch/user.h"

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

static int no_new_privs(struct up_err *err)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? up_fail(err, errno, "no new privileges")
						      : 0;
}

/* As a user who is not root, a process has what it may inherit, and docker's may nothing. */
static struct up_caps caps_of(const struct up_command *cmd, const struct up_user *user)
{
	uint64_t set = user->uid ? 0 : cmd->caps.bounding;

	if (cmd->all_sets)
		return cmd->caps;
	return (struct up_caps){cmd->caps.bounding, set, set, 0, 0};
}

/*
 * The order matters: the bounding set while CAP_SETPCAP is there; a filter, where new privileges
 * are allowed, while CAP_SYS_ADMIN is; ids while CAP_SETUID is; then the other sets.
 */
static int give_up_privileges(const struct up_command *cmd, const struct up_user *user,
			      struct up_err *err)
{
	const struct up_caps caps = caps_of(cmd, user);
	int ret = up_caps_bound(caps.bounding, err);

	if (!ret && !cmd->no_new_privs)
		ret = up_seccomp_load(&cmd->seccomp, err);
	if (!ret)
		ret = up_user_become(user, err);
	if (!ret)
		ret = up_caps_apply(&caps, err);
	if (!ret && cmd->no_new_privs)
		ret = no_new_privs(err);
	if (!ret && cmd->no_new_privs)
		ret = up_seccomp_load(&cmd->seccomp, err);
	return ret;
}

static int prepare(const struct up_command *cmd, int slave, int sock, struct up_user *ret_user,
		   struct up_err *err)
{
	int ret = up_stdio_take(cmd->stdio, slave, err);

	/* Before the directory is changed: it may be "/proc/self/fd/9", and that a directory of the
	 * host's (CVE-2024-21626). */
	if (!ret)
		ret = up_fds_close_but(&sock, 1, err);
	if (!ret)
		ret = up_rlimits_set(&cmd->limits, err);
	if (!ret)
		ret = up_user_resolve(cmd->user, cmd->groups, cmd->n_groups, ret_user, err);
	if (ret)
		return ret;
	if (slave >= 0 && fchown(0, ret_user->uid, (gid_t)-1))
		return up_fail(err, errno, "hand over the terminal");
	if (chdir(cmd->workdir))
		return up_fail(err, errno, "working directory %s", cmd->workdir);
	/* Not the caller's keys. A kernel without keyrings has none to leak. */
	syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
	umask(cmd->umask);
	ret = give_up_privileges(cmd, ret_user, err);
	if (!ret)
		default_signals();
	return ret;
}

int up_command_exec(const struct up_command *cmd, int slave, int sock, int *ret_code,
		    struct up_err *err)
{
	struct up_user user;
	int ret = prepare(cmd, slave, sock, &user, err);

	*ret_code = UP_COMMAND_FAILED;
	if (ret)
		return ret;
	environ = (char **)cmd->env;
	setenv("HOME", user.home, 0);
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

	up_command_exec(cmd, slave, sock, &code, &err);
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
