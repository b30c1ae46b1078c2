// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>

#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/output.h"
#include "core/ride.h"

static int run(const struct up_cmd *cmd, int argc, char **argv)
{
	static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {}};
	struct up_err err = {};
	int opt;

	while ((opt = getopt_long(argc, argv, "+:h", options, NULL)) != -1)
		return opt == 'h' ? up_cmd_help(cmd) : up_cmd_bad_option(cmd, opt, argv);
	if (optind < argc)
		return up_cmd_usage(cmd, "unexpected argument '%s'", argv[optind]);
	return up_ride_flush(&err) ? up_cmd_error(&err) : UP_EXIT_OK;
}

const struct up_cmd cmd_flush = {
	.name = "flush",
	.args = "",
	.summary = "have changed rules decide over attached containers' flows at once",
	.help = UP_HELP_HELP,
	.run = run,
};
