// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

#define OPTIONS_MAX 96
#define LONG_ONLY   256 /* beyond every letter */
#define HELP        (LONG_ONLY + OPTIONS_MAX)
#define HELP_COLUMN 28

struct getopt_tables {
	struct option longs[OPTIONS_MAX + 2];
	char shorts[2 * OPTIONS_MAX + 8];
};

static void make_tables(const struct up_option *table, struct getopt_tables *t)
{
	char *s = stpcpy(t->shorts, "+:");
	size_t i;

	for (i = 0; table[i].name && i < OPTIONS_MAX; i++) {
		const struct up_option *o = &table[i];

		t->longs[i] = (struct option){
			.name = o->name,
			.has_arg = o->arg ? required_argument : optional_argument,
			.val = LONG_ONLY + (int)i,
		};
		if (o->letter)
			*s++ = o->letter;
		if (o->letter && o->arg)
			*s++ = ':';
	}
	t->longs[i++] = (struct option){"help", no_argument, NULL, HELP};
	t->longs[i] = (struct option){};
	*s = '\0';
}

static const struct up_option *row_of(const struct up_option *table, int opt)
{
	if (opt >= LONG_ONLY)
		return &table[opt - LONG_ONLY];
	while (table->letter != opt)
		table++;
	return table;
}

static int set_flag(const struct up_option *o, void *to, const char *text, struct up_err *err)
{
	bool *flag = (bool *)((char *)to + o->flag);

	if (text && strcmp(text, "true") && strcmp(text, "false"))
		return up_fail_msg(err, EINVAL, "--%s=%.40s: want true or false", o->name, text);
	*flag = !text || !strcmp(text, "true");
	return 0;
}

int up_option_set(const struct up_option *option, void *to, const char *text, struct up_err *err)
{
	return option->set ? option->set(to, text, err) : set_flag(option, to, text, err);
}

int up_options_parse(const struct up_cmd *cmd, void *to, int argc, char **argv,
		     void (*note)(void *to, const struct up_option *option, const char *text))
{
	struct getopt_tables t;
	struct up_err err = {};
	int opt;

	make_tables(cmd->options, &t);
	while ((opt = getopt_long(argc, argv, t.shorts, t.longs, NULL)) != -1) {
		const struct up_option *o;

		if (opt == HELP)
			return up_cmd_help(cmd);
		if (opt == '?' || opt == ':')
			return up_cmd_bad_option(cmd, opt, argv);
		o = row_of(cmd->options, opt);
		if (up_option_set(o, to, optarg, &err))
			return up_cmd_usage(cmd, "%s", err.msg);
		if (note)
			note(to, o, optarg);
	}
	return -1;
}

int up_option_address(const char *text, enum up_family family, struct up_addr *ret,
		      struct up_err *err)
{
	struct up_addr addr;

	if (up_addr_parse(text, &addr) || up_addr_family(&addr) != family)
		return up_fail_msg(err, EINVAL, "address '%s': not an %s address", text,
				   family == UP_V4 ? "IPv4" : "IPv6");
	*ret = addr;
	return 0;
}

const struct up_option *up_options_find(const struct up_option *table, const char *name)
{
	for (; table->name; table++)
		if (!strcmp(table->name, name))
			return table;
	return NULL;
}

static void help_row(const struct up_option *o)
{
	int at = printf("  %c%c%s --%s%s%s", o->letter ? '-' : ' ', o->letter ? o->letter : ' ',
			o->letter ? "," : " ", o->name, o->arg ? " " : "", o->arg ? o->arg : "");
	const char *line = o->help;

	if (at > HELP_COLUMN - 2) {
		putchar('\n');
		at = 0;
	}
	for (; *line; line += strcspn(line, "\n"), line += *line == '\n', at = 0)
		printf("%*s%.*s\n", HELP_COLUMN - at, "", (int)strcspn(line, "\n"), line);
}

void up_options_help(const struct up_option *table)
{
	for (; table->name; table++)
		if (table->help)
			help_row(table);
	help_row(&(struct up_option){"help", 0, NULL, "print this help", NULL, 0});
}
