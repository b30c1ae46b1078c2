// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/output.h"
#include "core/datapath.h"
#include "core/endpoint.h"
#include "core/members.h"
#include "launch/record.h"

static void tell(const char *what, const char *name, void *arg)
{
	json_array_append_new(arg, json_pack("{s:s, s:s}", "kind", what, "name", name));
}

static const char *str(const json_t *row, const char *key)
{
	return json_string_value(json_object_get(row, key));
}

/*
 * A dead container's endpoint has an interface for as long as the kernel takes the namespace apart,
 * and looks alive until then: but its container is dead.
 */
static int remove_endpoints(struct up_datapath *dp, json_t *removed, struct up_err *err)
{
	size_t containers = json_array_size(removed);
	int ret = 0;

	for (size_t i = 0; !ret && i < containers; i++) {
		const char *name = str(json_array_get(removed, i), "name");

		ret = up_members_del(dp, name, err);
		if (!ret)
			tell("endpoint", name, removed);
		ret = ret == -ENOENT ? 0 : ret;
	}
	return ret;
}

static int collect(json_t *removed, struct up_err *err)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	int ret = up_container_gc(tell, removed, err);

	if (ret < 0)
		return ret;
	ret = up_datapath_open(&dp, err);
	if (ret == -ENOENT)
		return 0;
	if (!ret)
		ret = remove_endpoints(dp, removed, err);
	if (!ret)
		ret = up_endpoint_gc(dp, tell, removed, err);
	return ret < 0 ? ret : 0;
}

static void print_text(const json_t *removed)
{
	const json_t *row;
	size_t i;

	json_array_foreach (removed, i, row)
		printf("removed %s %s\n", str(row, "kind"), str(row, "name"));
}

static int run(const struct up_cmd *cmd, int argc, char **argv)
{
	struct up_err err = {};
	json_t *removed;
	bool json = false;
	int ret = up_cmd_only_json(cmd, argc, argv, &json);

	if (ret >= 0)
		return ret;
	removed = json_array();
	ret = collect(removed, &err) ? up_cmd_error(&err) : UP_EXIT_OK;
	if (json && !ret)
		return up_print_json(removed);
	print_text(removed);
	json_decref(removed);
	return ret;
}

const struct up_cmd cmd_gc = {
	.name = "gc",
	.args = "[--json]",
	.summary = "repair: remove what dead commands and dead containers left behind",
	.help = UP_HELP_JSON UP_HELP_HELP,
	.run = run,
};
