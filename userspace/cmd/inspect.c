// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>
#include <stdbool.h>

#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/container.h"
#include "cmd/options.h"
#include "cmd/output.h"

/* The record, whether it is true now, what it was started with, and where things are. */
static json_t *describe(const struct up_container *c)
{
	json_t *json = up_container_json(c), *options = up_container_options(c->name);
	char log[PATH_MAX], data[PATH_MAX];

	up_container_path(c->name, "log", log);
	up_container_data_path(c->name, "", data);
	json_object_set_new(json, "running", json_boolean(up_container_alive(c)));
	json_object_set_new(json, "options", options ? options : json_object());
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
