/* SPDX-License-Identifier: GPL-2.0-only */
/* Options as a table: a row says what the user types, what --help prints, and who takes the value.
 */
#ifndef UP_CMD_OPTIONS_H
#define UP_CMD_OPTIONS_H

#include <stddef.h>

#include "cmd/cmd.h"
#include "net/addr.h"

struct up_err;

/**
 * struct up_option - a row
 * @name:   the long name, without the dashes
 * @letter: the short one; 0 for none
 * @arg:    what it takes, for --help: "NAME=VALUE"; NULL for a switch, which may be followed by
 *          "=true" or "=false"
 * @help:   one line, or more with '\n'; NULL hides the row, which then is another name for an
 * option
 * @set:    takes the value; refuses a bad one. NULL for a switch that is a bool at @flag
 * @flag:   offset of that bool in what the options are parsed to
 */
struct up_option {
	const char *name;
	char letter;
	const char *arg;
	const char *help;
	int (*set)(void *to, const char *text, struct up_err *err);
	size_t flag;
};

/**
 * up_options_parse() - parse a command line up to its first word that is no option
 * @cmd:  the command; its @options end with a row without a name
 * @to:   handed to the rows
 * @note: told of each option that was taken, for the record; may be NULL
 *
 * --help is dealt with here. Return: -1 to go on at argv[optind], or an exit status
 */
int up_options_parse(const struct up_cmd *cmd, void *to, int argc, char **argv,
		     void (*note)(void *to, const struct up_option *option, const char *text));

/** up_options_find() - the row of a long name, or NULL */
const struct up_option *up_options_find(const struct up_option *table, const char *name);

/** up_option_set() - what the parser does with one option. Return: 0 or -errno */
int up_option_set(const struct up_option *option, void *to, const char *text, struct up_err *err);

/** up_option_address() - read the value of an option that is an address. Return: 0 or -EINVAL */
int up_option_address(const char *text, enum up_family family, struct up_addr *ret,
		      struct up_err *err);

/** up_options_help() - print the rows for --help */
void up_options_help(const struct up_option *table);

#endif
