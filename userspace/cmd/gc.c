// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/output.h"
#include "core/datapath.h"
#include "core/endpoint.h"
#include "launch/record.h"

struct report {
	json_t *removed; /* NULL: print a line each */
};

static void tell(const char *what, const char *name, void *arg)
{
	struct report *r = arg;

	if (r->removed)
		json_array_append_new(r->removed,
				      json_pack("{s:s, s:s}", "kind", what, "name", name));
	else
		printf("removed %s %s\n", what, name);
}

static int collect(struct report *r, struct up_err *err)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	int ret = up_container_gc(tell, r, err);

	if (ret < 0)
		return ret;
	ret = up_datapath_open(&dp, err);
	if (ret == -ENOENT)
		return 0;
	if (!ret)
		ret = up_endpoint_gc(dp, tell, r, err);
	return ret < 0 ? ret : 0;
}

static int run(const struct up_cmd *cmd, int argc, char **argv)
{
	struct report r = {};
	struct up_err err = {};
	bool json = false;
	int ret = up_cmd_only_json(cmd, argc, argv, &json);

	if (ret >= 0)
		return ret;
	if (json)
		r.removed = json_array();
	ret = collect(&r, &err);
	if (ret) {
		json_decref(r.removed);
		return up_cmd_error(&err);
	}
	return json ? up_print_json(r.removed) : UP_EXIT_OK;
}

const struct up_cmd cmd_gc = {
	.name = "gc",
	.args = "[--json]",
	.summary = "repair: remove what dead commands and dead containers left behind",
	.help = UP_HELP_JSON UP_HELP_HELP,
	.run = run,
};
