// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/paths.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "launch/self.h"

static const struct up_cmd *const commands[] = {
	&cmd_run,   &cmd_exec, &cmd_ps,      &cmd_inspect, &cmd_stats,  &cmd_logs,   &cmd_wait,
	&cmd_kill,  &cmd_stop, &cmd_rm,      &cmd_port,    &cmd_up,     &cmd_down,   &cmd_status,
	&cmd_flows, &cmd_gc,   &cmd_version, &cmd_limit,   &cmd_attach, &cmd_detach, &cmd_flush,
	&cmd_bench, &cmd_cni,  &cmd_network, &cmd_config,  &cmd_deny,
};

static void usage(FILE *out)
{
	fputs("usage: underpass COMMAND [OPTIONS] ...\n\n"
	      "Container networking on an eBPF fast path: no bridge, no NAT rules, no proxy.\n\n"
	      "commands:\n",
	      out);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(out, "  %-9s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\n'underpass COMMAND --help' tells more. Environment: " UP_PIN_DIR_ENV
	      " (" UP_PIN_DIR_DEFAULT "),\n" UP_RUN_DIR_ENV " (" UP_RUN_DIR_DEFAULT ").\n",
	      out);
}

int up_cmd_help(const struct up_cmd *cmd)
{
	printf("usage: underpass %s %s\n\n%s\n", cmd->name, cmd->args, cmd->summary);
	putchar('\n');
	if (cmd->options)
		up_options_help(cmd->options);
	if (cmd->help)
		fputs(cmd->help, stdout);
	return UP_EXIT_OK;
}

int up_cmd_usage(const struct up_cmd *cmd, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "underpass: %s: ", cmd->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "; see 'underpass %s --help'\n", cmd->name);
	return UP_EXIT_USAGE;
}

int up_cmd_bad_option(const struct up_cmd *cmd, int opt, char **argv)
{
	const char *what = opt == ':' ? "needs an argument" : "is not an option";

	/* getopt leaves the letter of a short option in optopt; a long one is the word before
	 * optind. */
	if (optopt > 0 && optopt < 256 && strncmp(argv[optind - 1], "--", 2))
		return up_cmd_usage(cmd, "-%c %s", optopt, what);
	return up_cmd_usage(cmd, "%s %s", argv[optind - 1], what);
}

int up_cmd_error(const struct up_err *err)
{
	fprintf(stderr, "underpass: %s\n", err->msg);
	return UP_EXIT_FAIL;
}

static const struct up_cmd *find(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

int main(int argc, char **argv)
{
	const struct up_cmd *cmd;
	struct up_err err = {};

	if (argc < 2) {
		usage(stderr);
		return UP_EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return UP_EXIT_OK;
	}
	cmd = find(strcmp(argv[1], "--version") && strcmp(argv[1], "-V") ? argv[1] : "version");
	if (!cmd) {
		fprintf(stderr, "underpass: '%s' is not a command; see 'underpass --help'\n",
			argv[1]);
		return UP_EXIT_USAGE;
	}
	if (up_paths_check(&err))
		return up_cmd_error(&err);
	if (cmd->contains && !geteuid() && up_self_protect(argv, &err)) {
		up_cmd_error(&err);
		return UP_EXIT_RUN_FAILED;
	}
	opterr = 0;
	return cmd->run(cmd, argc - 1, argv + 1);
}
