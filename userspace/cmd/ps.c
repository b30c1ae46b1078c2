// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>
#include <stdio.h>
#include <time.h>

#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/container.h"
#include "cmd/output.h"

struct list {
	bool all, quiet;
	json_t *rows; /* NULL: print a table */
};

/* Docker's "5 seconds", "3 minutes", ... */
static void format_ago(int64_t seconds, char *buf, size_t size)
{
	static const struct {
		int64_t length;
		const char *name;
	} units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		long long n = seconds / units[i].length;

		if (n || units[i].length == 1) {
			snprintf(buf, size, "%lld %s%s", n, units[i].name, n == 1 ? "" : "s");
			return;
		}
	}
}

static void format_status(const struct up_container *c, bool alive, char *buf, size_t size)
{
	char ago[32];

	if (alive) {
		format_ago(time(NULL) - c->created, ago, sizeof(ago));
		snprintf(buf, size, "Up %s", ago);
	} else if (c->state == UP_CONTAINER_EXITED) {
		format_ago(time(NULL) - c->finished, ago, sizeof(ago));
		snprintf(buf, size, "Exited (%d) %s ago", c->exit_code, ago);
	} else {
		/* "running" without a process: its monitor was killed, and gc has not been run. */
		snprintf(buf, size, "%s",
			 c->state == UP_CONTAINER_RUNNING ? "Dead"
							  : up_container_state_name(c->state));
	}
}

static json_t *row_json(const struct up_container *c, bool alive, const char *status)
{
	return json_pack("{s:s, s:s, s:b, s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:i, s:I}", "name",
			 c->name, "state", up_container_state_name(c->state), "running", alive,
			 "status", status, "pid", alive ? c->init.pid : 0, "net", c->net, "address",
			 c->address, "ports", c->ports, "command", c->command, "rootfs", c->rootfs,
			 "exit_code", c->exit_code, "created", (json_int_t)c->created);
}

static int show(const struct up_container *c, void *arg)
{
	bool alive = c->state != UP_CONTAINER_BROKEN && up_container_alive(c);
	struct list *l = arg;
	char status[64];

	if (!alive && !l->all)
		return 0;
	format_status(c, alive, status, sizeof(status));
	if (l->rows)
		return json_array_append_new(l->rows, row_json(c, alive, status));
	if (l->quiet)
		puts(c->name);
	else
		printf("%-16s %-28s %-8d %-15s %-24.24s %s\n", c->name, status,
		       alive ? c->init.pid : 0, c->address, c->command, c->ports);
	return 0;
}

static int run(const struct up_cmd *cmd, int argc, char **argv)
{
	static const struct option options[] = {
		{"all", no_argument, NULL, 'a'},
		{"quiet", no_argument, NULL, 'q'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{},
	};
	struct up_err err = {};
	struct list l = {};
	bool json = false;
	int opt;

	while ((opt = getopt_long(argc, argv, "+:aqjh", options, NULL)) != -1) {
		if (opt == 'h')
			return up_cmd_help(cmd);
		if (opt == '?' || opt == ':')
			return up_cmd_bad_option(cmd, opt, argv);
		l.all |= opt == 'a';
		l.quiet |= opt == 'q';
		json |= opt == 'j';
	}
	if (optind < argc)
		return up_cmd_usage(cmd, "unexpected argument '%s'", argv[optind]);
	l.rows = json ? json_array() : NULL;
	if (!json && !l.quiet)
		printf("%-16s %-28s %-8s %-15s %-24s %s\n", "NAME", "STATUS", "PID", "ADDRESS",
		       "COMMAND", "PORTS");
	if (up_container_foreach(show, &l, &err)) {
		json_decref(l.rows);
		return up_cmd_error(&err);
	}
	return json ? up_print_json(l.rows) : UP_EXIT_OK;
}

const struct up_cmd cmd_ps = {
	.name = "ps",
	.args = "[-a] [-q] [--json]",
	.summary = "list containers",
	.help = "  -a, --all        also those that have ended\n"
		"  -q, --quiet      names only\n" UP_HELP_JSON UP_HELP_HELP,
	.run = run,
};
