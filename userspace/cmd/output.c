// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/output.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "base/err.h"

int up_cmd_json(const struct up_cmd *cmd, int argc, char **argv, bool *ret_json)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{},
	};
	int opt;

	while ((opt = getopt_long(argc, argv, ":jh", options, NULL)) != -1) {
		if (opt == 'h')
			return up_cmd_help(cmd);
		if (opt != 'j')
			return up_cmd_bad_option(cmd, opt, argv);
		*ret_json = true;
	}
	return -1;
}

int up_cmd_only_json(const struct up_cmd *cmd, int argc, char **argv, bool *ret_json)
{
	int status = up_cmd_json(cmd, argc, argv, ret_json);

	if (status < 0 && optind < argc)
		return up_cmd_usage(cmd, "unexpected argument '%s'", argv[optind]);
	return status;
}

int up_print_json(json_t *value)
{
	int ret;

	if (!value) {
		fputs("underpass: out of memory\n", stderr);
		return UP_EXIT_FAIL;
	}
	ret = json_dumpf(value, stdout, JSON_INDENT(2));
	json_decref(value);
	if (ret || putchar('\n') == EOF || fflush(stdout)) {
		fputs("underpass: cannot write the output\n", stderr);
		return UP_EXIT_FAIL;
	}
	return UP_EXIT_OK;
}

json_t *up_json_addr(const struct up_addr *addr)
{
	char text[UP_ADDR_TEXT];

	return json_string(up_addr_set(addr) ? up_addr_format(addr, text) : "");
}

static json_t *json_sources(const struct up_publish *pub)
{
	json_t *list = json_array();
	char text[UP_ADDR_TEXT];

	for (size_t i = 0; i < pub->n_from; i++)
		json_array_append_new(list, json_sprintf("%s/%u",
							 up_addr_format(&pub->from[i].addr, text),
							 pub->from[i].plen));
	return list;
}

json_t *up_json_publish(const struct up_publish *pub)
{
	return json_pack("{s:s, s:o, s:i, s:i, s:i, s:i, s:b, s:o}", "protocol",
			 up_proto_name(pub->proto), "host_ip", up_json_addr(&pub->addr),
			 "host_port", pub->lo, "host_port_end", pub->hi, "container_port", pub->to,
			 "container_port_end", pub->to_one ? pub->to : pub->to + pub->hi - pub->lo,
			 "shared", pub->share, "from", json_sources(pub));
}
