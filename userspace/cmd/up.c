// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/output.h"
#include "core/datapath.h"
#include "underpass/limits.h"

/* CIDR notation; host bits must be 0, so that a typing error is seen. */
static int parse_subnet(const char *text, struct up_datapath_opts *opts)
{
	char buf[INET_ADDRSTRLEN + 4], *slash, *end;
	unsigned long plen;

	snprintf(buf, sizeof(buf), "%s", text);
	slash = strchr(buf, '/');
	if (!slash)
		return -1;
	*slash = '\0';
	plen = strtoul(slash + 1, &end, 10);
	if (inet_pton(AF_INET, buf, &opts->subnet) != 1 || end == slash + 1 || *end || plen < 8 ||
	    plen > 29 || ntohl(opts->subnet.s_addr) & (0xffffffffU >> plen))
		return -1;
	opts->plen = (uint8_t)plen;
	return 0;
}

static int parse_flows(const char *text, struct up_datapath_opts *opts)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || n < 16 || n > 1UL << 24)
		return -1;
	opts->flow_max = (uint32_t)n;
	return 0;
}

static int run(const struct up_cmd *cmd, int argc, char **argv)
{
	static const struct option options[] = {
		{"uplink", required_argument, NULL, 'u'},
		{"subnet", required_argument, NULL, 's'},
		{"flows", required_argument, NULL, 'f'},
		{"help", no_argument, NULL, 'h'},
		{},
	};
	const char *uplinks[UP_UPLINK_MAX];
	struct up_datapath_opts opts = {.uplinks = uplinks};
	struct up_err err = {};
	int opt;

	while ((opt = getopt_long(argc, argv, "+:u:s:f:h", options, NULL)) != -1) {
		if (opt == 'h')
			return up_cmd_help(cmd);
		if (opt == 'u' && opts.n_uplinks < UP_UPLINK_MAX)
			uplinks[opts.n_uplinks++] = optarg;
		else if (opt == 'u')
			return up_cmd_usage(cmd, "more than %d uplinks", UP_UPLINK_MAX);
		else if (opt == 's' && parse_subnet(optarg, &opts))
			return up_cmd_usage(cmd,
					    "subnet '%s': want ADDRESS/LENGTH, length 8 to 29, "
					    "no bits beyond it",
					    optarg);
		else if (opt == 'f' && parse_flows(optarg, &opts))
			return up_cmd_usage(cmd, "flows '%s': want a number from 16 to 16777216",
					    optarg);
		else if (opt != 's' && opt != 'f')
			return up_cmd_bad_option(cmd, opt, argv);
	}
	if (optind < argc)
		return up_cmd_usage(cmd, "unexpected argument '%s'", argv[optind]);
	return up_datapath_up(&opts, &err) ? up_cmd_error(&err) : UP_EXIT_OK;
}

const struct up_cmd cmd_up = {
	.name = "up",
	.args = "[--uplink IF]... [--subnet CIDR] [--flows N]",
	.summary = "load the datapath and attach it; upgrade it where it is up",
	.help = "  -u, --uplink IF     interface towards the network; may be repeated\n"
		"                      (default: that of the default route)\n"
		"  -s, --subnet CIDR   network of the containers (default: 10.215.0.0/16)\n"
		"  -f, --flows N       size of the flow table (default: 262144)\n"
		"  -h, --help          print this help\n\n"
		"Where the datapath is up already, its programs are replaced under the live "
		"links:\n"
		"no packet is lost, no flow and no published port forgotten.\n",
	.run = run,
};
