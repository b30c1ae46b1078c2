// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/limit.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/output.h"
#include "core/datapath.h"
#include "core/rate.h"

static int parse_rate(const char *text, uint64_t *ret_rate, uint32_t *ret_burst, struct up_err *err)
{
	cleanup_free char *copy = strdup(text);
	uint64_t rate, burst = 0;
	char *colon;

	if (!copy)
		return up_fail(err, ENOMEM, "limit");
	colon = strchr(copy, ':');
	if (colon)
		*colon++ = '\0';
	if (up_rate_parse(copy, &rate) || rate < UP_RATE_MIN || rate > INT64_MAX ||
	    (colon && (up_rate_parse(colon, &burst) || !burst || burst > UINT32_MAX)))
		return up_fail_msg(err, EINVAL,
				   "limit '%.60s': want RATE or RATE:BURST such as 100mbit:4mbit, "
				   "or none",
				   text);
	*ret_rate = rate;
	*ret_burst = (uint32_t)burst;
	return 0;
}

static int parse_count(const char *text, uint32_t *ret, struct up_err *err)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || !n || n > UINT32_MAX)
		return up_fail_msg(err, EINVAL, "limit '%.60s': want a number above 0, or none",
				   text);
	*ret = (uint32_t)n;
	return 0;
}

int up_cmd_limit(struct up_limits *limits, enum up_limit which, const char *text,
		 struct up_err *err)
{
	bool none = !strcmp(text, "none");
	struct up_limits l = *limits;
	int ret = 0;

	if (which == UP_LIMIT_IN) {
		l.rate_in = l.burst_in = 0;
		ret = none ? 0 : parse_rate(text, &l.rate_in, &l.burst_in, err);
	} else if (which == UP_LIMIT_OUT) {
		l.rate_out = l.burst_out = 0;
		ret = none ? 0 : parse_rate(text, &l.rate_out, &l.burst_out, err);
	} else {
		uint32_t *count = which == UP_LIMIT_FLOWS ? &l.flow_max : &l.new_rate;

		*count = 0;
		ret = none ? 0 : parse_count(text, count, err);
	}
	if (ret)
		return ret;
	l.set |= which;
	*limits = l;
	return 0;
}

json_t *up_json_limits(const struct up_endpoint_info *info)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "in", (json_int_t)info->rate_in,
			 "in_burst", (json_int_t)info->burst_in, "out", (json_int_t)info->rate_out,
			 "out_burst", (json_int_t)info->burst_out, "flows",
			 (json_int_t)info->flow_max, "new", (json_int_t)info->new_rate);
}

static void print_rate(const char *what, uint64_t rate, uint32_t burst)
{
	char text[UP_RATE_TEXT], more[UP_RATE_TEXT];

	printf("%-6s %s", what, rate ? up_rate_format(rate, text) : "none");
	if (rate && burst)
		printf(":%s", up_rate_format(burst, more));
	putchar('\n');
}

static void print_text(const struct up_endpoint_info *info)
{
	print_rate("in", info->rate_in, info->burst_in);
	print_rate("out", info->rate_out, info->burst_out);
	printf("%-6s %" PRIu32 "\n", "flows", info->flow_max);
	if (info->new_rate)
		printf("%-6s %" PRIu32 "\n", "new", info->new_rate);
	else
		printf("%-6s none\n", "new");
}

static int show(struct up_datapath *dp, const char *name, bool json)
{
	struct up_endpoint_info info;
	struct up_err err = {};

	if (up_endpoint_get(dp, name, &info, &err))
		return up_cmd_error(&err);
	if (json)
		return up_print_json(up_json_limits(&info));
	print_text(&info);
	return UP_EXIT_OK;
}

enum { OPT_FIRST = 256 }; /* and the bit numbers of enum up_limit above it */

static const struct option options[] = {
	{"in", required_argument, NULL, OPT_FIRST},
	{"out", required_argument, NULL, OPT_FIRST + 1},
	{"flows", required_argument, NULL, OPT_FIRST + 2},
	{"new", required_argument, NULL, OPT_FIRST + 3},
	{"json", no_argument, NULL, 'j'},
	{"help", no_argument, NULL, 'h'},
	{},
};

static int run(const struct up_cmd *cmd, int argc, char **argv)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	struct up_limits limits = {};
	struct up_err err = {};
	bool json = false;
	int opt;

	while ((opt = getopt_long(argc, argv, ":jh", options, NULL)) != -1) {
		if (opt == 'h')
			return up_cmd_help(cmd);
		if (opt == 'j')
			json = true;
		else if (opt < OPT_FIRST)
			return up_cmd_bad_option(cmd, opt, argv);
		else if (up_cmd_limit(&limits, 1U << (opt - OPT_FIRST), optarg, &err))
			return up_cmd_usage(cmd, "%s", err.msg);
	}
	if (optind + 1 != argc)
		return up_cmd_usage(cmd, "want the name of an endpoint");
	if (up_datapath_open(&dp, &err))
		return up_cmd_error(&err);
	if (!limits.set)
		return show(dp, argv[optind], json);
	return up_endpoint_limit(dp, argv[optind], &limits, &err) ? up_cmd_error(&err) : UP_EXIT_OK;
}

const struct up_cmd cmd_limit = {
	.name = "limit",
	.args = "NAME [--in RATE] [--out RATE] [--flows N] [--new N] | NAME [--json]",
	.summary = "show or change what a running container may use",
	.help = "      --in RATE   bits in a second that it may receive: RATE[:BURST], or none\n"
		"      --out RATE  the same for what it sends\n"
		"      --flows N   live flows, or none for half of the flow table\n"
		"      --new N     new flows in a second, or none\n"
		"  -j, --json      print JSON\n"
		"  -h, --help      print this help\n\n"
		"RATE and BURST are tc's: 100mbit, 1.5gbit, 500kibit, or bits alone; a burst is "
		"what may "
		"pass\n"
		"at once (default: what the rate brings in 50 ms). IP packets count. "
		"Connections "
		"go on.\n",
	.run = run,
};
