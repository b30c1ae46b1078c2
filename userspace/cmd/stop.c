// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/container.h"
#include "cmd/output.h"

#define GRACE_DEFAULT 10
#define CLEANUP_MS    10000

static int send_signal(int pidfd, int sig)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0);
}

/* SIGTERM, then after the grace period SIGKILL; over when the monitor has cleaned up. */
static int stop_one(const char *name, int grace_ms, struct up_err *err)
{
	cleanup_fd int init = -1;
	struct up_container c;
	int ret = up_container_load(name, &c, err);

	if (ret)
		return ret;
	init = up_process_open(&c.init);
	if (init < 0)
		return up_container_wait_end(&c, CLEANUP_MS);
	if (send_signal(init, SIGTERM) && errno != ESRCH)
		return up_fail(err, errno, "container %s: signal", name);
	ret = up_container_wait_end(&c, grace_ms);
	if (ret != -ETIMEDOUT)
		return ret;
	if (send_signal(init, SIGKILL) && errno != ESRCH)
		return up_fail(err, errno, "container %s: signal", name);
	ret = up_container_wait_end(&c, CLEANUP_MS);
	return ret ? up_fail(err, ret, "container %s: stop", name) : 0;
}

static int run(const struct up_cmd *cmd, int argc, char **argv)
{
	static const struct option options[] = {
		{"time", required_argument, NULL, 't'},
		{"help", no_argument, NULL, 'h'},
		{},
	};
	int opt, status = UP_EXIT_OK;
	long grace = GRACE_DEFAULT;
	char *end;

	while ((opt = getopt_long(argc, argv, "+:t:h", options, NULL)) != -1) {
		if (opt == 'h')
			return up_cmd_help(cmd);
		if (opt != 't')
			return up_cmd_bad_option(cmd, opt, argv);
		grace = strtol(optarg, &end, 10);
		if (end == optarg || *end || grace < 0 || grace > 86400)
			return up_cmd_usage(cmd, "time '%s': want 0 to 86400 seconds", optarg);
	}
	if (optind == argc)
		return up_cmd_usage(cmd, "want the name of a container");
	for (; optind < argc; optind++) {
		struct up_err err = {};

		if (stop_one(argv[optind], (int)grace * 1000, &err))
			status = up_cmd_error(&err);
		else
			puts(argv[optind]);
	}
	return status;
}

const struct up_cmd cmd_stop = {
	.name = "stop",
	.args = "[-t SECONDS] NAME...",
	.summary = "stop containers: SIGTERM, then SIGKILL",
	.help = "  -t, --time SECONDS   before SIGKILL (default: 10)\n" UP_HELP_HELP,
	.run = run,
};
