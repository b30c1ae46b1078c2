// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/output.h"
#include "core/allow.h"
#include "core/datapath.h"
#include "core/deny.h"
#include "underpass/port.h"

typedef int (*change_fn)(struct up_datapath *dp, const struct up_cidr *nets, size_t n,
			 struct up_err *err);

static int change(const struct up_cmd *cmd, int argc, char **argv, change_fn fn)
{
	cleanup_free struct up_cidr *nets = calloc((size_t)argc, sizeof(*nets));
	cleanup_datapath struct up_datapath *dp = NULL;
	struct up_err err = {};

	if (!nets)
		return up_fail(&err, ENOMEM, "deny"), up_cmd_error(&err);
	if (argc < 2)
		return up_cmd_usage(cmd, "%s needs a network", argv[0]);
	for (int i = 1; i < argc; i++)
		if (up_cidr_parse(argv[i], &nets[i - 1]))
			return up_cmd_usage(
				cmd, "'%s': want ADDRESS or ADDRESS/LENGTH, no bits beyond it",
				argv[i]);
	if (up_datapath_open(&dp, &err) || fn(dp, nets, (size_t)argc - 1, &err))
		return up_cmd_error(&err);
	return UP_EXIT_OK;
}

static int add_row(const struct up_cidr *net, void *rows)
{
	char text[UP_ADDR_TEXT];

	return json_array_append_new(
		rows, json_sprintf("%s/%u", up_addr_format(&net->addr, text), net->plen));
}

static int print_row(const struct up_cidr *net, void *arg)
{
	char text[UP_ADDR_TEXT];

	(void)arg;
	printf("%s/%u\n", up_addr_format(&net->addr, text), net->plen);
	return 0;
}

static int list(bool json)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	json_t *rows = json ? json_array() : NULL;
	struct up_err err = {};

	if (up_datapath_open(&dp, &err)) {
		json_decref(rows);
		return up_cmd_error(&err);
	}
	up_allow_foreach(dp, UP_ALLOW_DENY_ALL, json ? add_row : print_row, rows);
	return json ? up_print_json(rows) : UP_EXIT_OK;
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
		return change(cmd, argc, argv, up_deny_add);
	if (argc && !strcmp(argv[0], "del"))
		return change(cmd, argc, argv, up_deny_del);
	if (argc == 1 && (!strcmp(argv[0], "list") || !strcmp(argv[0], "ls")))
		return list(json);
	return up_cmd_usage(cmd, argc ? "'%s': want add, del or list" : "want add, del or list%s",
			    argc ? argv[0] : "");
}

const struct up_cmd cmd_deny = {
	.name = "deny",
	.args = "add CIDR... | del CIDR... | list [--json]",
	.summary = "sources from which nothing is let in by an uplink",
	.help = "  add CIDR...   deny them everything: containers and the host itself; their\n"
		"                connections with containers end\n"
		"  del CIDR...   let them in again\n"
		"  list          all that are denied\n" UP_HELP_JSON UP_HELP_HELP,
	.run = run,
};
