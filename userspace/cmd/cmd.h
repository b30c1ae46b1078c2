/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command line: one table drives dispatch and help, one command is one file.
 *
 * A command parses its own options with getopt_long() and a leading '+', does its work through the
 * library, and returns an exit status. Data goes to stdout, words for people to stderr.
 */
#ifndef UP_CMD_CMD_H
#define UP_CMD_CMD_H

#include <stdbool.h>

struct up_err;
struct up_option;

/* Exit statuses. "run" and "exec" otherwise use the command's own, and docker's 125 to 127. */
enum {
	UP_EXIT_OK = 0,
	UP_EXIT_FAIL = 1,
	UP_EXIT_USAGE = 2,
	UP_EXIT_RUN_FAILED = 125,     /* underpass itself failed */
	UP_EXIT_NOT_EXECUTABLE = 126, /* the command could not be executed */
	UP_EXIT_NOT_FOUND = 127,      /* the command was not found */
};

/**
 * struct up_cmd - a row of the command table
 * @name:    what the user types
 * @args:    its arguments for the usage line: "[OPTIONS] ROOTFS [--] CMD..."
 * @summary: one line for the list of commands
 * @help:    the options, a line each, or what is to be said after @options; printed by --help
 * @options: the options as a table, or NULL
 * @contains: a process of it becomes a container's: see launch/self.h
 * @run:     argv[0] is the command's name; returns an exit status
 */
struct up_cmd {
	const char *name;
	const char *args;
	const char *summary;
	const char *help;
	const struct up_option *options;
	bool contains;
	int (*run)(const struct up_cmd *cmd, int argc, char **argv);
};

/* Defined by the file of each command; main.c lists them in its table. */
extern const struct up_cmd cmd_up, cmd_down, cmd_status, cmd_port, cmd_gc, cmd_version, cmd_flows;
extern const struct up_cmd cmd_limit, cmd_bench;
extern const struct up_cmd cmd_attach, cmd_detach, cmd_flush;
extern const struct up_cmd cmd_inspect, cmd_stats, cmd_wait, cmd_kill;
extern const struct up_cmd cmd_cni;
extern const struct up_cmd cmd_network, cmd_config, cmd_deny;
extern const struct up_cmd cmd_run, cmd_ps, cmd_stop, cmd_rm, cmd_logs, cmd_exec;

/** up_cmd_help() - print a command's help to stdout. Return: UP_EXIT_OK */
int up_cmd_help(const struct up_cmd *cmd);

/**
 * up_cmd_usage() - complain about the command line: one line on stderr that names what is wrong and
 * points to --help
 * Return: UP_EXIT_USAGE
 */
int up_cmd_usage(const struct up_cmd *cmd, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * up_cmd_bad_option() - complain about what getopt_long() just refused (opterr = 0, returned '?' or
 * ':'), naming the option
 * Return: UP_EXIT_USAGE
 */
int up_cmd_bad_option(const struct up_cmd *cmd, int opt, char **argv);

/**
 * up_cmd_error() - print "underpass: MESSAGE" to stderr
 * Return: UP_EXIT_FAIL
 */
int up_cmd_error(const struct up_err *err);

#endif
