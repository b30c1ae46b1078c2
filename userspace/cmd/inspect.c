// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>
#include <stdbool.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/container.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "core/datapath.h"
#include "core/members.h"
#include "core/network.h"

/* ---- networks: an endpoint for each ------------------------------------------------------------
 */

/**
 * struct list - endpoints of a container, while they are collected
 * @dp:        open datapath
 * @container: whose
 * @rows:      JSON
 */
struct list {
	struct up_datapath *dp;
	const char *container;
	json_t *rows;
};

struct by_id {
	uint16_t id;
	json_t *name;
};

static int is_network(const struct up_network *net, void *arg)
{
	struct by_id *n = arg;

	if (net->id != n->id)
		return 0;
	n->name = json_string(net->name);
	return 1;
}

static json_t *network_name(struct up_datapath *dp, uint16_t id)
{
	struct by_id n = {.id = id};

	return up_network_foreach(dp, is_network, &n, NULL) > 0 ? n.name : json_null();
}

static int add_endpoint(const struct up_endpoint_info *info, void *arg)
{
	struct list *l = arg;

	if (!up_member_of(info->name, l->container))
		return 0;
	return json_array_append_new(
		l->rows, json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:s}", "network",
				   network_name(l->dp, info->net), "endpoint", info->name,
				   "address", up_json_addr(&info->addr[UP_V4]), "address6",
				   up_json_addr(&info->addr[UP_V6]), "gateway",
				   up_json_addr(&info->gateway[UP_V4]), "gateway6",
				   up_json_addr(&info->gateway[UP_V6]), "device", info->device));
}

static json_t *networks_of(const char *container)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	struct list l = {.container = container, .rows = json_array()};

	if (!up_datapath_open(&dp, NULL)) {
		l.dp = dp;
		up_endpoint_foreach(dp, add_endpoint, &l);
	}
	return l.rows;
}

/* ---- the whole --------------------------------------------------------------------------------
 */

/* The record, whether it is true now, what it was started with, and where things are. */
static json_t *describe(const struct up_container *c)
{
	json_t *json = up_container_json(c), *options = up_container_options(c->name);
	char log[PATH_MAX], data[PATH_MAX];

	up_container_path(c->name, "log", log);
	up_container_data_path(c->name, "", data);
	json_object_set_new(json, "running", json_boolean(up_container_alive(c)));
	json_object_set_new(json, "options", options ? options : json_object());
	json_object_set_new(json, "networks", networks_of(c->name));
	json_object_set_new(json, "log", json_string(log));
	json_object_set_new(json, "data", json_string(data));
	return json;
}

static const struct up_option options[] = {
	{"json", 'j', NULL, "accepted: the output is JSON in any case", .flag = 0},
	{},
};

static int run(const struct up_cmd *cmd, int argc, char **argv)
{
	int status = UP_EXIT_OK, stop;
	json_t *list = json_array();
	bool json = true;

	stop = up_options_parse(cmd, &json, argc, argv, NULL);
	if (stop < 0 && optind == argc)
		stop = up_cmd_usage(cmd, "want the name of a container");
	for (; stop < 0 && optind < argc; optind++) {
		struct up_container c;
		struct up_err err = {};

		if (up_container_load(argv[optind], &c, &err))
			status = up_cmd_error(&err);
		else
			json_array_append_new(list, describe(&c));
	}
	if (stop < 0 && up_print_json(json_incref(list)))
		status = UP_EXIT_FAIL;
	json_decref(list);
	return stop < 0 ? status : stop;
}

const struct up_cmd cmd_inspect = {
	.name = "inspect",
	.args = "NAME...",
	.summary = "print all that is known of containers, as JSON",
	.options = options,
	.run = run,
};
