// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <getopt.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/container.h"
#include "cmd/options.h"
#include "launch/join.h"
#include "launch/stdio.h"

/* One "exec". */
struct exec {
	struct up_command command;
	struct up_stdio stdio;
	struct up_env env;
};

static int exec_in(const char *name, const struct up_command *cmd, int *ret_code,
		   struct up_err *err)
{
	cleanup_fd int init = -1;
	struct up_container c;
	int ret = up_container_load(name, &c, err);

	if (ret)
		return ret;
	init = up_process_open(&c.init);
	if (init < 0)
		return up_fail_msg(err, ESRCH, "container %s: it is not running", name);
	ret = up_join_exec(init, cmd, ret_code, err);
	return ret ? up_wrap(err, "container %s", name) : 0;
}

static int add_env(void *to, const char *text, struct up_err *err)
{
	return up_env_set(&((struct exec *)to)->env, text, err);
}

static int set_workdir(void *to, const char *text, struct up_err *err)
{
	(void)err;
	((struct exec *)to)->command.workdir = text;
	return 0;
}

static const struct up_option options[] = {
	{"interactive", 'i', NULL, "hand standard input on",
	 .flag = offsetof(struct exec, stdio.interactive)},
	{"tty", 't', NULL, "a terminal of its own", .flag = offsetof(struct exec, stdio.terminal)},
	{"env", 'e', "NAME=VALUE", "set a variable; NAME alone takes the caller's value",
	 .set = add_env},
	{"workdir", 'w', "DIR", "directory to start in (default: /)", .set = set_workdir},
	{},
};

static void end(struct exec *e)
{
	up_stdio_close(&e->stdio);
	up_env_free(&e->env);
}

static int run(const struct up_cmd *cmd, int argc, char **argv)
{
	__up_cleanup(end) struct exec e = {.command = {.workdir = "/"}};
	int code = UP_EXIT_RUN_FAILED, status;
	struct up_err err = {};

	up_stdio_none(&e.stdio);
	status = up_options_parse(cmd, &e, argc, argv, NULL);
	if (status >= 0)
		return status;
	if (argc - optind < 2)
		return up_cmd_usage(cmd, "want the name of a container and a command");
	argv += optind;
	up_env_default(&e.env, argv[0], e.stdio.terminal);
	e.command.argv = argv + 1;
	e.command.env = e.env.at;
	e.command.stdio = &e.stdio;
	status = exec_in(argv[0], &e.command, &code, &err);
	up_stdio_close(&e.stdio);
	if (status)
		up_cmd_error(&err);
	return code;
}

const struct up_cmd cmd_exec = {
	.name = "exec",
	.args = "[OPTIONS] NAME CMD [ARG]...",
	.summary = "run a command in a running container",
	.options = options,
	.help = "\nExit statuses are those of 'run'.\n",
	.run = run,
};
