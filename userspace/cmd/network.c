// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/connect.h"
#include "cmd/output.h"
#include "core/datapath.h"
#include "core/endpoint.h"
#include "core/network.h"

/* ---- create -----------------------------------------------------------------------------------
 */

static int set_subnet(struct up_network *net, const char *text)
{
	struct up_cidr subnet;
	enum up_family f;

	if (up_cidr_parse(text, &subnet))
		return -1;
	f = up_addr_family(&subnet.addr);
	if (net->subnet[f].plen)
		return -1;
	net->subnet[f] = subnet;
	return 0;
}

static int set_gateway(struct up_network *net, const char *text)
{
	struct up_addr gateway;
	enum up_family f;

	if (up_addr_parse(text, &gateway))
		return -1;
	f = up_addr_family(&gateway);
	if (up_addr_set(&net->gateway[f]))
		return -1;
	net->gateway[f] = gateway;
	return 0;
}

static int set_mtu(struct up_network *net, const char *text)
{
	char *end;
	unsigned long mtu = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || mtu < 68 || mtu > 65535)
		return -1;
	net->mtu = (uint32_t)mtu;
	return 0;
}

enum { OPT_SUBNET = 256, OPT_GATEWAY, OPT_MTU, OPT_INTERNAL };

static const struct {
	const char *name, *want;
	int (*set)(struct up_network *net, const char *text);
} values[] = {
	{"subnet", "ADDRESS/LENGTH, no bits beyond it, one of each family", set_subnet},
	{"gateway", "an address, one of each family", set_gateway},
	{"MTU", "68 to 65535", set_mtu},
};

static int create(const struct up_cmd *cmd, int argc, char **argv)
{
	static const struct option options[] = {
		{"subnet", required_argument, NULL, OPT_SUBNET},
		{"gateway", required_argument, NULL, OPT_GATEWAY},
		{"mtu", required_argument, NULL, OPT_MTU},
		{"internal", no_argument, NULL, OPT_INTERNAL},
		{},
	};
	cleanup_datapath struct up_datapath *dp = NULL;
	struct up_network net = {};
	struct up_err err = {};
	int opt;

	while ((opt = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		if (opt < OPT_SUBNET)
			return up_cmd_bad_option(cmd, opt, argv);
		if (opt == OPT_INTERNAL)
			net.internal = true;
		else if (values[opt - OPT_SUBNET].set(&net, optarg))
			return up_cmd_usage(cmd, "%s '%s': want %s", values[opt - OPT_SUBNET].name,
					    optarg, values[opt - OPT_SUBNET].want);
	}
	if (optind + 1 != argc)
		return up_cmd_usage(cmd, "create needs one name");
	if (up_name_check("network name", argv[optind], &err))
		return up_cmd_usage(cmd, "%s", err.msg);
	snprintf(net.name, sizeof(net.name), "%s", argv[optind]);
	if (up_datapath_open(&dp, &err) || up_network_create(dp, &net, &err))
		return up_cmd_error(&err);
	puts(net.name);
	return UP_EXIT_OK;
}

/* ---- ls, inspect ------------------------------------------------------------------------------
 */

/**
 * struct listing - networks to be printed
 * @dp:   open datapath
 * @rows: JSON
 */
struct listing {
	struct up_datapath *dp;
	json_t *rows;
};

struct members {
	uint16_t net;
	json_t *rows;
};

static int add_member(const struct up_endpoint_info *info, void *arg)
{
	const struct members *m = arg;

	if (info->net != m->net)
		return 0;
	return json_array_append_new(m->rows,
				     json_pack("{s:s, s:o, s:o}", "name", info->name, "address",
					       up_json_addr(&info->addr[UP_V4]), "address6",
					       up_json_addr(&info->addr[UP_V6])));
}

static json_t *json_subnets(const struct up_network *net)
{
	json_t *list = json_array();
	char text[UP_ADDR_TEXT];

	for (enum up_family f = UP_V4; f < UP_FAMILIES; f++)
		if (net->subnet[f].plen)
			json_array_append_new(
				list,
				json_pack("{s:o, s:o}", "subnet",
					  json_sprintf("%s/%u",
						       up_addr_format(&net->subnet[f].addr, text),
						       net->subnet[f].plen),
					  "gateway", up_json_addr(&net->gateway[f])));
	return list;
}

static json_t *json_network(struct up_datapath *dp, const struct up_network *net)
{
	struct members m = {net->id, json_array()};

	up_endpoint_foreach(dp, add_member, &m);
	return json_pack("{s:s, s:i, s:o, s:b, s:I, s:o}", "name", net->name, "id", net->id,
			 "subnets", json_subnets(net), "internal", net->internal, "mtu",
			 (json_int_t)net->mtu, "endpoints", m.rows);
}

static int add_network(const struct up_network *net, void *arg)
{
	struct listing *l = arg;

	return json_array_append_new(l->rows, json_network(l->dp, net));
}

static const char *subnet_at(const json_t *row, size_t i)
{
	const json_t *subnet = json_array_get(json_object_get(row, "subnets"), i);

	return subnet ? json_string_value(json_object_get(subnet, "subnet")) : "";
}

static void print_rows(const json_t *rows)
{
	const json_t *row;
	size_t i;

	printf("%-20s %5s  %-18s %-26s %-8s %s\n", "NETWORK", "ID", "SUBNET", "", "KIND",
	       "ENDPOINTS");
	json_array_foreach (rows, i, row)
		printf("%-20s %5" JSON_INTEGER_FORMAT "  %-18s %-26s %-8s %zu\n",
		       json_string_value(json_object_get(row, "name")),
		       json_integer_value(json_object_get(row, "id")), subnet_at(row, 0),
		       subnet_at(row, 1),
		       json_is_true(json_object_get(row, "internal")) ? "internal" : "",
		       json_array_size(json_object_get(row, "endpoints")));
}

static int parse_json(const struct up_cmd *cmd, int argc, char **argv, bool *ret_json)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'}, {}};
	int opt;

	while ((opt = getopt_long(argc, argv, ":j", options, NULL)) != -1) {
		if (opt != 'j')
			return up_cmd_bad_option(cmd, opt, argv);
		*ret_json = true;
	}
	return -1;
}

static int list(const struct up_cmd *cmd, int argc, char **argv)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	struct listing l = {.rows = json_array()};
	struct up_err err = {};
	bool json = false;
	int ret = parse_json(cmd, argc, argv, &json);

	if (ret < 0 && optind < argc)
		ret = up_cmd_usage(cmd, "unexpected argument '%s'", argv[optind]);
	if (ret < 0 && up_datapath_open(&dp, &err))
		ret = up_cmd_error(&err);
	l.dp = dp;
	if (ret < 0 && up_network_foreach(dp, add_network, &l, &err))
		ret = up_cmd_error(&err);
	if (ret < 0 && json)
		return up_print_json(l.rows);
	if (ret < 0)
		print_rows(l.rows);
	json_decref(l.rows);
	return ret < 0 ? UP_EXIT_OK : ret;
}

static int inspect(const struct up_cmd *cmd, int argc, char **argv)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	json_t *rows = json_array();
	struct up_err err = {};
	bool json = true;
	int ret = parse_json(cmd, argc, argv, &json);

	if (ret < 0 && optind == argc)
		ret = up_cmd_usage(cmd, "inspect needs a name");
	if (ret < 0 && up_datapath_open(&dp, &err))
		ret = up_cmd_error(&err);
	for (int i = optind; ret < 0 && i < argc; i++) {
		struct up_network net;

		if (up_network_get(dp, argv[i], &net, &err))
			ret = up_cmd_error(&err);
		else
			json_array_append_new(rows, json_network(dp, &net));
	}
	if (ret < 0)
		return up_print_json(rows);
	json_decref(rows);
	return ret;
}

/* ---- rm ---------------------------------------------------------------------------------------
 */

static int rm(const struct up_cmd *cmd, int argc, char **argv)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	struct up_err err = {};
	int ret = UP_EXIT_OK;

	if (argc < 2)
		return up_cmd_usage(cmd, "rm needs a name");
	if (argv[1][0] == '-')
		return up_cmd_usage(cmd, "%s is not an option", argv[1]);
	if (up_datapath_open(&dp, &err))
		return up_cmd_error(&err);
	for (int i = 1; i < argc; i++) {
		if (up_network_rm(dp, argv[i], &err))
			ret = up_cmd_error(&err);
		else
			puts(argv[i]);
	}
	return ret;
}

static const struct {
	const char *name;
	int (*run)(const struct up_cmd *cmd, int argc, char **argv);
} verbs[] = {
	{"create", create},
	{"ls", list},
	{"list", list},
	{"inspect", inspect},
	{"rm", rm},
	{"connect", up_network_connect},
	{"disconnect", up_network_disconnect},
};

#define VERBS "create, ls, inspect, rm, connect or disconnect"

static int run(const struct up_cmd *cmd, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return up_cmd_help(cmd);
	if (argc < 2)
		return up_cmd_usage(cmd, "want " VERBS);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(argv[1], verbs[i].name))
			return verbs[i].run(cmd, argc - 1, argv + 1);
	if (argv[1][0] == '-')
		return up_cmd_usage(cmd, "%s is not an option", argv[1]);
	return up_cmd_usage(cmd, "'%s': want " VERBS, argv[1]);
}

const struct up_cmd cmd_network = {
	.name = "network",
	.args = "create [OPTIONS] NAME | ls [--json] | inspect NAME... | rm NAME... |\n"
		"       connect [--ip ADDRESS] [--ip6 ADDRESS] NAME CONTAINER |\n"
		"       disconnect [-f] NAME CONTAINER",
	.summary = "networks: containers of different ones do not reach each other",
	.help = "create:\n"
		"      --subnet CIDR     addresses of its containers, one of each family at most\n"
		"                        (default: a free /24, and an IPv6 /64 where there is "
		"IPv6)\n"
		"      --gateway ADDRESS (default: the first one of the subnet)\n"
		"      --internal        nothing leaves it; its ports cannot be published\n"
		"      --mtu BYTES       (default: the uplink's)\n"
		"ls:\n"
		"  -j, --json            print JSON; inspect always does\n"
		"connect: one more interface for a running container, endpoint CONTAINER@NAME\n"
		"      --ip, --ip6 ADDRESS   (default: the lowest free ones)\n"
		"disconnect: take one away; its connections end, its ports move to the next\n"
		"  -f, --force           also where the container is dead\n"
		"  -h, --help            print this help\n\n"
		"'underpass run --network NAME' puts a container into one. The default network is "
		"" UP_NETWORK_DEFAULT ".\n"
		"A network in which there are containers cannot be removed. The first interface "
		"keeps "
		"the\ndefault route, unless its network is internal and another one's is not.\n",
	.run = run,
};
