// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <getopt.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/container.h"
#include "cmd/output.h"
#include "launch/join.h"

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

static int parse(const struct up_cmd *cmd, int argc, char **argv, struct up_env *env,
		 const char **ret_workdir)
{
	static const struct option options[] = {
		{"env", required_argument, NULL, 'e'},
		{"workdir", required_argument, NULL, 'w'},
		{"help", no_argument, NULL, 'h'},
		{},
	};
	struct up_err err = {};
	int opt;

	while ((opt = getopt_long(argc, argv, "+:e:w:h", options, NULL)) != -1) {
		if (opt == 'h')
			return up_cmd_help(cmd);
		if (opt == '?' || opt == ':')
			return up_cmd_bad_option(cmd, opt, argv);
		if (opt == 'w')
			*ret_workdir = optarg;
		else if (up_env_set(env, optarg, &err))
			return up_cmd_usage(cmd, "%s", err.msg);
	}
	if (argc - optind < 2)
		return up_cmd_usage(cmd, "want the name of a container and a command");
	return -1;
}

static int run(const struct up_cmd *cmd, int argc, char **argv)
{
	__up_cleanup(up_env_free) struct up_env env = {};
	struct up_command command = {.workdir = "/"};
	struct up_err err = {};
	int code = UP_EXIT_RUN_FAILED, ret = parse(cmd, argc, argv, &env, &command.workdir);

	if (ret >= 0)
		return ret;
	argv += optind;
	up_env_default(&env, argv[0]);
	command.argv = argv + 1;
	command.env = env.at;
	ret = exec_in(argv[0], &command, &code, &err);
	if (ret)
		up_cmd_error(&err);
	return code;
}

const struct up_cmd cmd_exec = {
	.name = "exec",
	.args = "[OPTIONS] NAME CMD [ARG]...",
	.summary = "run a command in a running container",
	.help = "  -e, --env NAME=VALUE  set a variable; NAME alone takes the caller's value\n"
		"  -w, --workdir DIR     directory to start in (default: /)\n" UP_HELP_HELP
		"\nExit statuses are those of 'run'.\n",
	.run = run,
};
