// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>

#include "base/err.h"
#include "cmd/cmd.h"
#include "core/datapath.h"

static int run(const struct up_cmd *cmd, int argc, char **argv)
{
	static const struct option options[] = {
		{"force", no_argument, NULL, 'f'},
		{"help", no_argument, NULL, 'h'},
		{},
	};
	struct up_err err = {};
	bool force = false;
	int opt;

	while ((opt = getopt_long(argc, argv, "+:fh", options, NULL)) != -1) {
		if (opt == 'h')
			return up_cmd_help(cmd);
		if (opt != 'f')
			return up_cmd_bad_option(cmd, opt, argv);
		force = true;
	}
	if (optind < argc)
		return up_cmd_usage(cmd, "unexpected argument '%s'", argv[optind]);
	return up_datapath_down(force, &err) ? up_cmd_error(&err) : UP_EXIT_OK;
}

const struct up_cmd cmd_down = {
	.name = "down",
	.args = "[--force]",
	.summary = "detach the datapath and remove everything that it keeps",
	.help = "  -f, --force      also where endpoints live: they lose their network\n"
		"  -h, --help       print this help\n",
	.run = run,
};
