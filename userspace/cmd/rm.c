// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/container.h"
#include "cmd/output.h"

#define CLEANUP_MS 10000

static int kill_one(const struct up_container *c, struct up_err *err)
{
	cleanup_fd int init = up_process_open(&c->init);
	int ret;

	if (init >= 0 && syscall(SYS_pidfd_send_signal, init, SIGKILL, NULL, 0) && errno != ESRCH)
		return up_fail(err, errno, "container %s: kill", c->name);
	ret = up_container_wait_end(c, CLEANUP_MS);
	return ret ? up_fail(err, ret, "container %s: wait for its end", c->name) : 0;
}

/* A record that cannot be read has no process that could be found: it just goes. */
static int remove_one(const char *name, bool force, struct up_err *err)
{
	struct up_container c;
	int ret = up_container_load(name, &c, err);

	if (ret && ret != -EINVAL)
		return ret;
	if (ret)
		return up_name_check("container name", name, err) ? -EINVAL
								  : up_container_purge(name, err);
	if (up_container_alive(&c)) {
		if (!force)
			return up_fail_msg(err, EBUSY,
					   "container %s: it is running; stop it first, or use -f",
					   name);
		ret = kill_one(&c, err);
	} else {
		ret = up_container_wait_end(&c, CLEANUP_MS);
	}
	return ret ? ret : up_container_purge(name, err);
}

static int run(const struct up_cmd *cmd, int argc, char **argv)
{
	static const struct option options[] = {
		{"force", no_argument, NULL, 'f'},
		{"help", no_argument, NULL, 'h'},
		{},
	};
	int opt, status = UP_EXIT_OK;
	bool force = false;

	while ((opt = getopt_long(argc, argv, "+:fh", options, NULL)) != -1) {
		if (opt == 'h')
			return up_cmd_help(cmd);
		if (opt != 'f')
			return up_cmd_bad_option(cmd, opt, argv);
		force = true;
	}
	if (optind == argc)
		return up_cmd_usage(cmd, "want the name of a container");
	for (; optind < argc; optind++) {
		struct up_err err = {};

		if (remove_one(argv[optind], force, &err))
			status = up_cmd_error(&err);
		else
			puts(argv[optind]);
	}
	return status;
}

const struct up_cmd cmd_rm = {
	.name = "rm",
	.args = "[-f] NAME...",
	.summary = "remove containers that have ended",
	.help = "  -f, --force      kill them first\n" UP_HELP_HELP,
	.run = run,
};
