// SPDX-License-Identifier: GPL-2.0-only
/* "exec": what was said to "run" holds, unless something else is said here. */
#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/life.h"
#include "cmd/options.h"
#include "launch/join.h"
#include "net/netns.h"

/* What this command says takes the place of what the other one said. */
static int merge(struct up_run *was, const struct up_run *is, struct up_err *err)
{
	int ret = 0;

	was->stdio.interactive = is->stdio.interactive;
	was->stdio.terminal = is->stdio.terminal;
	was->sandbox.fs.privileged |= is->sandbox.fs.privileged;
	if (is->sandbox.command.user)
		was->sandbox.command.user = is->sandbox.command.user;
	if (is->sandbox.command.workdir)
		was->sandbox.command.workdir = is->sandbox.command.workdir;
	for (size_t i = 0; i < is->env.n && !ret; i++)
		ret = up_env_set(&was->env, is->env.at[i], err);
	return ret;
}

static int check_network(const struct up_run *was, pid_t init, struct up_err *err)
{
	cleanup_fd int netns = up_netns_open_pid(init, err);

	return netns < 0 ? netns : up_run_admit(was, netns, err);
}

static int exec_in(const struct up_run *is, char **argv, int *ret_code, struct up_err *err)
{
	cleanup_run struct up_run *was = up_run_new();
	struct up_command *cmd = &was->sandbox.command;
	const char *name = argv[0];
	cleanup_fd int init = -1;
	struct up_container c;
	int ret = up_container_load(name, &c, err);

	if (ret)
		return ret;
	init = up_process_open(&c.init);
	if (init < 0)
		return up_fail_msg(err, ESRCH, "container %s: it is not running", name);
	ret = up_run_recall(name, was, err);
	if (!ret)
		ret = merge(was, is, err);
	if (!ret)
		ret = up_run_secure(was, err);
	if (!ret)
		ret = check_network(was, c.init.pid, err);
	if (!ret)
		ret = up_cgroup_open(c.id, UP_CGROUP_EXISTING, &was->cgroup, err);
	if (ret)
		return ret;
	up_env_default(&was->env, c.hostname, was->stdio.terminal);
	cmd->argv = argv + 1;
	cmd->env = was->env.at;
	ret = up_join_exec(init, c.init.pid, &was->cgroup, cmd, ret_code, err);
	return ret ? up_wrap(err, "container %s", name) : 0;
}

static int run(const struct up_cmd *cmd, int argc, char **argv)
{
	cleanup_run struct up_run *is = up_run_new();
	int code = UP_EXIT_RUN_FAILED, status;
	struct up_err err = {};

	status = up_options_parse(cmd, is, argc, argv, NULL);
	if (status >= 0)
		return status;
	if (argc - optind < 2)
		return up_cmd_usage(cmd, "want the name of a container and a command");
	if (exec_in(is, argv + optind, &code, &err))
		up_cmd_error(&err);
	return code;
}

const struct up_cmd cmd_exec = {
	.name = "exec",
	.args = "[OPTIONS] NAME CMD [ARG]...",
	.summary = "run a command in a running container",
	.options = up_exec_options,
	.contains = true,
	.help = "\nUser, variables, capabilities and limits are those of 'run', and so are exit "
		"statuses.\n",
	.run = run,
};
