// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "attach/target.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/output.h"

static bool matches(const struct up_ride_if *row, void *arg)
{
	return up_target_matches(row, arg);
}

static int detach_one(char *word)
{
	struct up_err err = {};
	size_t n = 0;

	if (up_ride_detach(matches, word, &n, &err))
		return up_cmd_error(&err);
	if (n)
		return UP_EXIT_OK;
	up_fail_msg(&err, ENOENT, "%s is not attached", word);
	return up_cmd_error(&err);
}

static int run(const struct up_cmd *cmd, int argc, char **argv)
{
	static const struct option options[] = {
		{"all", no_argument, NULL, 'a'},
		{"help", no_argument, NULL, 'h'},
		{},
	};
	int opt, status = UP_EXIT_OK;
	struct up_err err = {};
	bool all = false;

	while ((opt = getopt_long(argc, argv, "+:ah", options, NULL)) != -1) {
		if (opt == 'h')
			return up_cmd_help(cmd);
		if (opt != 'a')
			return up_cmd_bad_option(cmd, opt, argv);
		all = true;
	}
	if (all && optind < argc)
		return up_cmd_usage(cmd, "unexpected argument '%s'", argv[optind]);
	if (!all && optind == argc)
		return up_cmd_usage(cmd, "want a container");
	if (all)
		return up_ride_detach(NULL, NULL, NULL, &err) ? up_cmd_error(&err) : UP_EXIT_OK;
	for (int i = optind; i < argc; i++)
		status = detach_one(argv[i]) ? UP_EXIT_FAIL : status;
	return status;
}

const struct up_cmd cmd_detach = {
	.name = "detach",
	.args = "CONTAINER... | --all",
	.summary = "leave attached containers to the kernel again",
	.help = "  -a, --all        every one\n" UP_HELP_HELP
		"\nCONTAINER as in 'underpass attach'. No connection is broken. With the last one, "
		"what\nattaching loaded is removed, and conntrack's window tracking is put back; "
		"TCP\nconnections that live then stay exempt from it.\n",
	.run = run,
};
