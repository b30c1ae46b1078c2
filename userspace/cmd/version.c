// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>

#include "cmd/cmd.h"
#include "cmd/output.h"
#include "underpass/limits.h"

#ifndef UP_VERSION
#define UP_VERSION "unknown"
#endif

static int run(const struct up_cmd *cmd, int argc, char **argv)
{
	bool json = false;
	int ret = up_cmd_only_json(cmd, argc, argv, &json);

	if (ret >= 0)
		return ret;
	if (json)
		return up_print_json(
			json_pack("{s:s, s:i}", "version", UP_VERSION, "abi", UP_ABI_VERSION));
	printf("underpass %s (datapath ABI %d)\n", UP_VERSION, UP_ABI_VERSION);
	return UP_EXIT_OK;
}

const struct up_cmd cmd_version = {
	.name = "version",
	.args = "[--json]",
	.summary = "print the version",
	.help = UP_HELP_JSON UP_HELP_HELP,
	.run = run,
};
