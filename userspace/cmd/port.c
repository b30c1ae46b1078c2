// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/output.h"
#include "core/datapath.h"
#include "core/ports.h"

static int parse_specs(char **texts, int n, struct up_publish_list *list, struct up_err *err)
{
	int ret = 0;

	for (int i = 0; !ret && i < n; i++)
		ret = up_portspec_parse(texts[i], list, err);
	return ret;
}

static int add(struct up_datapath *dp, const char *name, const struct up_publish_list *list,
	       struct up_err *err)
{
	return up_port_add(dp, name, list->pubs, list->n, err);
}

static int del(struct up_datapath *dp, const char *name, const struct up_publish_list *list,
	       struct up_err *err)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < list->n; i++)
		ret = up_port_del(dp, name, &list->pubs[i], err);
	return ret;
}

static int allow(struct up_datapath *dp, const char *name, const struct up_publish_list *list,
		 struct up_err *err)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < list->n; i++)
		ret = up_port_allow(dp, name, &list->pubs[i], err);
	return ret;
}

typedef int (*change_fn)(struct up_datapath *dp, const char *name,
			 const struct up_publish_list *list, struct up_err *err);

/* "add NAME SPEC...", "del NAME SPEC..." and "allow NAME SPEC..." */
static int change(const struct up_cmd *cmd, int argc, char **argv, change_fn fn)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	cleanup_publish_list struct up_publish_list list = {};
	struct up_err err = {};

	if (argc < 3)
		return up_cmd_usage(cmd, "%s needs the name of an endpoint and a port", argv[0]);
	if (parse_specs(argv + 2, argc - 2, &list, &err)) {
		up_cmd_error(&err);
		return UP_EXIT_USAGE;
	}
	if (up_datapath_open(&dp, &err) || fn(dp, argv[1], &list, &err))
		return up_cmd_error(&err);
	return UP_EXIT_OK;
}

/* "drain NAME..." and "undrain NAME..." */
static int drain(const struct up_cmd *cmd, int argc, char **argv)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	struct up_err err = {};

	if (argc < 2)
		return up_cmd_usage(cmd, "%s needs the name of an endpoint", argv[0]);
	if (up_datapath_open(&dp, &err))
		return up_cmd_error(&err);
	for (int i = 1; i < argc; i++)
		if (up_port_drain(dp, argv[i], argv[0][0] == 'd', &err))
			return up_cmd_error(&err);
	return UP_EXIT_OK;
}

static int list_json(const struct up_publish *pub, const char *endpoint, void *arg)
{
	json_t *row = up_json_publish(pub);

	json_object_set_new(row, "endpoint", json_string(endpoint));
	return json_array_append_new(arg, row);
}

static int list_text(const struct up_publish *pub, const char *endpoint, void *arg)
{
	char text[UP_PORTSPEC_TEXT];

	(void)arg;
	up_portspec_format(pub, text);
	printf("%-20s %s\n", endpoint, text);
	return 0;
}

static int list(bool json)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	struct up_err err = {};
	json_t *rows;

	if (up_datapath_open(&dp, &err))
		return up_cmd_error(&err);
	if (!json) {
		printf("%-20s %s\n", "ENDPOINT", "PORT");
		return up_port_foreach(dp, list_text, NULL) ? UP_EXIT_FAIL : UP_EXIT_OK;
	}
	rows = json_array();
	up_port_foreach(dp, list_json, rows);
	return up_print_json(rows);
}

static int run(const struct up_cmd *cmd, int argc, char **argv)
{
	bool json = false;
	int status = up_cmd_json(cmd, argc, argv, &json);

	if (status >= 0)
		return status;
	argc -= optind;
	argv += optind;
	if (argc && !strcmp(argv[0], "add"))
		return change(cmd, argc, argv, add);
	if (argc && !strcmp(argv[0], "del"))
		return change(cmd, argc, argv, del);
	if (argc && !strcmp(argv[0], "allow"))
		return change(cmd, argc, argv, allow);
	if (argc && (!strcmp(argv[0], "drain") || !strcmp(argv[0], "undrain")))
		return drain(cmd, argc, argv);
	if (argc == 1 && (!strcmp(argv[0], "list") || !strcmp(argv[0], "ls")))
		return list(json);
	return up_cmd_usage(cmd,
			    argc ? "'%s': want add, del, allow, drain, undrain or list"
				 : "want add, del, allow, drain, undrain or list%s",
			    argc ? argv[0] : "");
}

const struct up_cmd cmd_port = {
	.name = "port",
	.args = "add|del|allow NAME SPEC... | drain|undrain NAME... | list [--json]",
	.summary = "publish and withdraw ports of a running container",
	.help = "  add NAME SPEC...    publish; established connections are kept\n"
		"  del NAME SPEC...    withdraw; the connections that came by it end\n"
		"  allow NAME SPEC...  replace the list of sources of what is published, at one "
		"instant;\n"
		"                      without from=, everyone may. Established connections are "
		"kept\n"
		"  drain NAME...       no new connections of ports that it shares; undrain: again\n"
		"  list                all published ports of this host\n"
		"  -j, --json          print JSON\n"
		"  -h, --help          print this help\n\n"
		"SPEC is docker's, and a little more:\n"
		"  "
		"[ADDRESS:][[HOST[-END]]:]CONTAINER[-END][/"
		"PROTO[,PROTO]...][,share][,from=CIDR[,CIDR]"
		"...]\n"
		"Without HOST, add takes a free one, which list tells. PROTO is tcp (default), udp "
		"or "
		"sctp.\n"
		"A range may lead to one container port. With share, other containers may publish "
		"the same\n"
		"range, and connections are balanced. With from=, only these sources may connect; "
		"from=@FILE\n"
		"reads them from a file.\n",
	.run = run,
};
