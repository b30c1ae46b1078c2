// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/output.h"
#include "core/datapath.h"
#include "core/settings.h"

static int add_json(const char *key, const char *value, const char *help, void *arg)
{
	char *end;
	long long n = strtoll(value, &end, 10);

	(void)help;
	return json_object_set_new(arg, key, *end ? json_string(value) : json_integer(n));
}

static int print_row(const char *key, const char *value, const char *help, void *arg)
{
	(void)arg;
	return printf("%-24s %-12s %s\n", key, value, help) < 0 ? -1 : 0;
}

static int show(struct up_datapath *dp, bool json)
{
	json_t *all = json ? json_object() : NULL;
	struct up_err err = {};

	if (up_settings_foreach(dp, json ? add_json : print_row, all, &err)) {
		json_decref(all);
		return up_cmd_error(&err);
	}
	return json ? up_print_json(all) : UP_EXIT_OK;
}

static int run(const struct up_cmd *cmd, int argc, char **argv)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	struct up_err err = {};
	bool json = false;
	int status = up_cmd_json(cmd, argc, argv, &json);

	if (status >= 0)
		return status;
	if (up_datapath_open(&dp, &err))
		return up_cmd_error(&err);
	if (optind == argc)
		return show(dp, json);
	return up_settings_change(dp, argv + optind, (size_t)(argc - optind), &err)
		       ? up_cmd_error(&err)
		       : UP_EXIT_OK;
}

const struct up_cmd cmd_config = {
	.name = "config",
	.args = "[--json] | KEY=VALUE...",
	.summary = "show or change the datapath's settings while it runs",
	.help = UP_HELP_JSON UP_HELP_HELP "\nWithout an argument, all settings. Several are "
					  "changed all or none. They hold until 'down'.\n",
	.run = run,
};
