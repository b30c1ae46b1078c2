// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/output.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "base/err.h"

int up_cmd_only_json(const struct up_cmd *cmd, int argc, char **argv, bool *ret_json)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{},
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "+:jh", options, NULL)) != -1) {
		if (opt == 'h')
			return up_cmd_help(cmd);
		if (opt != 'j')
			return up_cmd_bad_option(cmd, opt, argv);
		*ret_json = true;
	}
	if (optind < argc)
		return up_cmd_usage(cmd, "unexpected argument '%s'", argv[optind]);
	return -1;
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

json_t *up_json_addr(struct in_addr addr)
{
	char text[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &addr, text, sizeof(text));
	return json_string(text);
}

json_t *up_json_publish(const struct up_publish *pub)
{
	return json_pack("{s:s, s:o, s:i, s:i, s:i, s:i}", "protocol", up_proto_name(pub->proto),
			 "host_ip", up_json_addr(pub->addr), "host_port", pub->lo, "host_port_end",
			 pub->hi, "container_port", pub->to, "container_port_end",
			 pub->to + pub->hi - pub->lo);
}
