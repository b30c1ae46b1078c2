// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/container.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "launch/cgroup.h"

struct stats {
	bool json;
	json_t *rows;
};

/* A limit beyond this is the kernel's way to say that there is none. */
#define NO_LIMIT (UINT64_C(1) << 62)

static void format_bytes(uint64_t bytes, char buf[16])
{
	static const char units[] = "BKMGTPE";
	int unit = 0;
	double n = (double)bytes;

	for (; n >= 1024 && unit < 6; unit++)
		n /= 1024;
	if (bytes >= NO_LIMIT)
		snprintf(buf, 16, "-");
	else
		snprintf(buf, 16, unit ? "%.1f%c" : "%.0f%c", n, units[unit]);
}

static void print_row(const char *name, const struct up_cgroup_stats *s)
{
	char used[16], limit[16];

	format_bytes(s->memory, used);
	format_bytes(s->memory_limit, limit);
	printf("%-16s %12.3f %10s %10s %6" PRIu64 "\n", name, (double)s->cpu_ns / 1e9, used, limit,
	       s->pids);
}

static json_t *row_json(const char *name, const struct up_cgroup_stats *s)
{
	bool limited = s->memory_limit < NO_LIMIT;

	return json_pack("{s:s, s:I, s:I, s:o, s:I}", "name", name, "cpu_ns", (json_int_t)s->cpu_ns,
			 "memory", (json_int_t)s->memory, "memory_limit",
			 limited ? json_integer((json_int_t)s->memory_limit) : json_null(), "pids",
			 (json_int_t)s->pids);
}

static int show(const struct up_container *c, struct stats *st, struct up_err *err)
{
	cleanup_cgroup struct up_cgroup cg;
	struct up_cgroup_stats s;
	int ret;

	up_cgroup_none(&cg);
	ret = up_cgroup_open(c->id, UP_CGROUP_EXISTING, &cg, err);
	if (!ret)
		ret = up_cgroup_read(&cg, &s, err);
	if (ret)
		return up_wrap(err, "container %s", c->name);
	if (st->json)
		json_array_append_new(st->rows, row_json(c->name, &s));
	else
		print_row(c->name, &s);
	return 0;
}

/* One that ends just now is no failure. */
static int show_running(const struct up_container *c, void *arg)
{
	struct up_err err = {};

	if (c->state == UP_CONTAINER_RUNNING && up_container_alive(c) && show(c, arg, &err) &&
	    up_container_alive(c))
		up_cmd_error(&err);
	return 0;
}

static int show_named(const char *name, struct stats *st)
{
	struct up_container c;
	struct up_err err = {};
	int ret = up_container_load(name, &c, &err);

	if (!ret && !up_container_alive(&c))
		ret = up_fail_msg(&err, ESRCH, "container %s: it is not running", name);
	if (!ret)
		ret = show(&c, st, &err);
	return ret ? up_cmd_error(&err) : UP_EXIT_OK;
}

static const struct up_option options[] = {
	{"json", 'j', NULL, "print JSON", .flag = offsetof(struct stats, json)},
	{},
};

static int run(const struct up_cmd *cmd, int argc, char **argv)
{
	struct stats st = {};
	int status = up_options_parse(cmd, &st, argc, argv, NULL);
	struct up_err err = {};
	bool all = optind == argc;

	if (status >= 0)
		return status;
	status = UP_EXIT_OK;
	st.rows = st.json ? json_array() : NULL;
	if (!st.json)
		printf("%-16s %12s %10s %10s %6s\n", "NAME", "CPU SECONDS", "MEMORY", "LIMIT",
		       "PIDS");
	if (all && up_container_foreach(show_running, &st, &err))
		status = up_cmd_error(&err);
	for (; optind < argc; optind++)
		if (show_named(argv[optind], &st))
			status = UP_EXIT_FAIL;
	if (st.json && up_print_json(st.rows))
		status = UP_EXIT_FAIL;
	return status;
}

const struct up_cmd cmd_stats = {
	.name = "stats",
	.args = "[--json] [NAME]...",
	.summary = "print what running containers use: CPU time, memory, processes",
	.options = options,
	.run = run,
};
