// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/container.h"
#include "cmd/options.h"

/* The record tells the status; a container that removes itself (--rm) takes it along. */
static int wait_one(const char *name, struct up_err *err)
{
	struct up_container c;
	int ret = up_container_load(name, &c, err);

	if (ret)
		return ret;
	ret = up_container_wait_end(&c, -1);
	if (ret)
		return up_fail(err, ret, "container %s: wait", name);
	ret = up_container_load(name, &c, err);
	if (ret == -ENOENT)
		return up_fail_msg(err, ENOENT, "container %s: it has ended and removed itself",
				   name);
	if (!ret && c.state != UP_CONTAINER_EXITED)
		ret = up_fail_msg(err, EIO, "container %s: its monitor died; run 'underpass gc'",
				  name);
	if (!ret)
		printf("%d\n", c.exit_code);
	return ret;
}

static const struct up_option options[] = {{}};

static int run(const struct up_cmd *cmd, int argc, char **argv)
{
	int status = up_options_parse(cmd, NULL, argc, argv, NULL);

	if (status >= 0)
		return status;
	if (optind == argc)
		return up_cmd_usage(cmd, "want the name of a container");
	status = UP_EXIT_OK;
	for (; optind < argc; optind++) {
		struct up_err err = {};

		if (wait_one(argv[optind], &err))
			status = up_cmd_error(&err);
	}
	return status;
}

const struct up_cmd cmd_wait = {
	.name = "wait",
	.args = "NAME...",
	.summary = "wait until containers have ended; print their exit statuses",
	.options = options,
	.run = run,
};
