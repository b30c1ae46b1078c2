/* SPDX-License-Identifier: GPL-2.0-only */
/* What "status" says of attached containers. */
#ifndef UP_CMD_RIDES_H
#define UP_CMD_RIDES_H

#include <jansson.h>

struct up_err;

/**
 * up_rides_json() - attached interfaces with their counters; an empty array where there are none
 * @ret_rows: to be released by the caller
 * @err:      why it failed
 *
 * Return: 0 or -errno
 */
int up_rides_json(json_t **ret_rows, struct up_err *err);

/** up_rides_print() - the same for people; nothing where there are none */
void up_rides_print(const json_t *rows);

#endif
