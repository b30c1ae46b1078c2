// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/output.h"
#include "core/datapath.h"
#include "core/ride.h"
#include "core/xdp.h"
#include "underpass/limits.h"

/* The first and the last address of a network are no container's, nor is the gateway's. */
static int parse_subnet(const char *text, enum up_family family, struct up_datapath_opts *opts)
{
	static const struct {
		uint8_t min, max;
	} plen[UP_FAMILIES] = {{8, 29}, {16, 120}};
	struct up_cidr net;

	if (up_cidr_parse(text, &net) || up_addr_family(&net.addr) != family ||
	    net.plen < plen[family].min || net.plen > plen[family].max)
		return -1;
	opts->subnet[family] = net;
	return 0;
}

static int parse_subnet6(const char *text, struct up_datapath_opts *opts)
{
	opts->no_ipv6 = !strcmp(text, "none");
	return opts->no_ipv6 ? 0 : parse_subnet(text, UP_V6, opts);
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
		{"subnet6", required_argument, NULL, '6'},
		{"flows", required_argument, NULL, 'f'},
		{"xdp", required_argument, NULL, 'x'},
		{"help", no_argument, NULL, 'h'},
		{},
	};
	const char *uplinks[UP_UPLINK_MAX];
	struct up_datapath_opts opts = {.uplinks = uplinks};
	struct up_err err = {};
	enum up_xdp_mode xdp;
	int opt;

	while ((opt = getopt_long(argc, argv, "+:u:s:6:f:h", options, NULL)) != -1) {
		if (opt == 'h')
			return up_cmd_help(cmd);
		if (opt == 'u' && opts.n_uplinks < UP_UPLINK_MAX)
			uplinks[opts.n_uplinks++] = optarg;
		else if (opt == 'u')
			return up_cmd_usage(cmd, "more than %d uplinks", UP_UPLINK_MAX);
		else if (opt == 's' && parse_subnet(optarg, UP_V4, &opts))
			return up_cmd_usage(cmd,
					    "subnet '%s': want ADDRESS/LENGTH, length 8 to 29, "
					    "no bits beyond it",
					    optarg);
		else if (opt == '6' && parse_subnet6(optarg, &opts))
			return up_cmd_usage(cmd,
					    "subnet6 '%s': want ADDRESS/LENGTH, length 16 to 120, "
					    "no bits beyond it, or none",
					    optarg);
		else if (opt == 'f' && parse_flows(optarg, &opts))
			return up_cmd_usage(cmd, "flows '%s': want a number from 16 to 16777216",
					    optarg);
		else if (opt == 'x' && up_xdp_mode_parse(optarg, &xdp))
			return up_cmd_usage(cmd, "xdp '%s': want auto, native, generic or off",
					    optarg);
		else if (opt == 'x')
			opts.xdp = &xdp;
		else if (!strchr("s6f", opt))
			return up_cmd_bad_option(cmd, opt, argv);
	}
	if (optind < argc)
		return up_cmd_usage(cmd, "unexpected argument '%s'", argv[optind]);
	if (up_datapath_up(&opts, &err) || up_ride_upgrade(&err))
		return up_cmd_error(&err);
	return UP_EXIT_OK;
}

const struct up_cmd cmd_up = {
	.name = "up",
	.args = "[--uplink IF]... [--subnet CIDR] [--subnet6 CIDR|none] [--flows N] [--xdp MODE]",
	.summary = "load the datapath and attach it; upgrade it where it is up",
	.help = "  -u, --uplink IF     interface towards the network; may be repeated\n"
		"                      (default: that of the default route)\n"
		"  -s, --subnet CIDR   network of the containers (default: 10.215.0.0/16)\n"
		"      --subnet6 CIDR  the same for IPv6 (default: a unique local /64, made up), "
		"or "
		"none\n"
		"  -f, --flows N       size of the flow table (default: 262144)\n"
		"      --xdp MODE      auto (default): drop by XDP while sources are denied, "
		"limited or "
		"listed,\n"
		"                      natively where the driver can; native, generic: force it; "
		"off\n"
		"  -h, --help          print this help\n\n"
		"Where the datapath is up already, its programs are replaced under the live "
		"links:\n"
		"no packet is lost, no flow and no published port forgotten. The same is done to "
		"the\n"
		"programs of 'underpass attach'.\n",
	.run = run,
};
