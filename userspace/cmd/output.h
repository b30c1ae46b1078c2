/* SPDX-License-Identifier: GPL-2.0-only */
/* What commands that print have in common: --json, and telling root from others. */
#ifndef UP_CMD_OUTPUT_H
#define UP_CMD_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>

#include "cmd/cmd.h"
#include "core/portspec.h"

#define UP_HELP_JSON "  -j, --json       print JSON\n"
#define UP_HELP_HELP "  -h, --help       print this help\n"

/**
 * up_cmd_json() - parse the options of a command that has none but --json and --help, and leave
 * optind at its first argument
 * Return: -1 to go on, or the exit status
 */
int up_cmd_json(const struct up_cmd *cmd, int argc, char **argv, bool *ret_json);

/**
 * up_cmd_only_json() - parse the command line of a command that takes no argument and no option but
 * --json and --help
 * Return: -1 to go on, or an exit status
 */
int up_cmd_only_json(const struct up_cmd *cmd, int argc, char **argv, bool *ret_json);

/**
 * up_print_json() - print a value and a newline to stdout
 * @value: its reference is taken over; NULL stands for "out of memory"
 * Return: an exit status
 */
int up_print_json(json_t *value);

/** up_json_addr() - an address as a JSON string, empty for none */
json_t *up_json_addr(const struct up_addr *addr);

/** up_json_publish() - a published range as a JSON object */
json_t *up_json_publish(const struct up_publish *pub);

#endif
