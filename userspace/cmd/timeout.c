// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/output.h"
#include "core/datapath.h"
#include "core/timeouts.h"

/* NAME=SECONDS. Return: 0 or -1 */
static int parse(const char *text, uint32_t seconds[UP_TMO_MAX])
{
	const char *value = strchr(text, '=');
	char name[32], *end;
	enum up_timeout which;
	unsigned long n;

	if (!value || (size_t)(value - text) >= sizeof(name))
		return -1;
	memcpy(name, text, (size_t)(value - text));
	name[value - text] = '\0';
	which = up_timeout_find(name);
	n = strtoul(++value, &end, 10);
	if (which == UP_TMO_MAX || *value < '0' || *value > '9' || *end || !n ||
	    n > UP_TIMEOUT_SECONDS_MAX)
		return -1;
	seconds[which] = (uint32_t)n;
	return 0;
}

static int show(struct up_datapath *dp, bool json)
{
	uint32_t seconds[UP_TMO_MAX];
	struct up_err err = {};
	json_t *all;

	if (up_timeouts_get(dp, seconds, &err))
		return up_cmd_error(&err);
	all = json_object();
	for (enum up_timeout which = 0; which < UP_TMO_MAX; which++) {
		json_object_set_new(all, up_timeout_name(which), json_integer(seconds[which]));
		if (!json)
			printf("%-16s %" PRIu32 "\n", up_timeout_name(which), seconds[which]);
	}
	if (json)
		return up_print_json(all);
	json_decref(all);
	return UP_EXIT_OK;
}

static int run(const struct up_cmd *cmd, int argc, char **argv)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	uint32_t seconds[UP_TMO_MAX] = {0};
	struct up_err err = {};
	bool json = false;
	int i, ret;

	for (i = 1; i < argc && argv[i][0] != '-'; i++)
		if (parse(argv[i], seconds))
			return up_cmd_usage(cmd, "'%s': want NAME=SECONDS, 1 to %d", argv[i],
					    UP_TIMEOUT_SECONDS_MAX);
	argv[i - 1] = argv[0];
	ret = up_cmd_only_json(cmd, argc - i + 1, argv + i - 1, &json);
	if (ret >= 0)
		return ret;
	if (up_datapath_open(&dp, &err))
		return up_cmd_error(&err);
	if (i == 1)
		return show(dp, json);
	return up_timeouts_set(dp, seconds, &err) ? up_cmd_error(&err) : UP_EXIT_OK;
}

const struct up_cmd cmd_timeout = {
	.name = "timeout",
	.args = "[NAME=SECONDS]... | [--json]",
	.summary = "show or change how long flows may be idle",
	.help = UP_HELP_JSON UP_HELP_HELP
	"\nNames and defaults are those of nf_conntrack, and without arguments they are listed. A\n"
	"change counts at once, also for flows that exist.\n",
	.run = run,
};
