/* SPDX-License-Identifier: GPL-2.0-only */
/* Limits on the command line, for "run" and for "limit". */
#ifndef UP_CMD_LIMIT_H
#define UP_CMD_LIMIT_H

#include <jansson.h>

#include "core/endpoint.h"
#include "core/limit.h"

struct up_err;

/**
 * up_cmd_limit() - set one limit
 * @limits: where
 * @which:  an enum up_limit
 * @text:   "RATE[:BURST]" or a number; "none" for no limit
 * @err:    why not
 *
 * Return: 0 or -EINVAL
 */
int up_cmd_limit(struct up_limits *limits, enum up_limit which, const char *text,
		 struct up_err *err);

/** up_json_limits() - the limits of an endpoint as a JSON object; 0 stands for none */
json_t *up_json_limits(const struct up_endpoint_info *info);

#endif
