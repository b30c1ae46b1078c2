/* SPDX-License-Identifier: GPL-2.0-only */
/* How long flows may be idle: settings of the running datapath. */
#ifndef UP_CORE_TIMEOUTS_H
#define UP_CORE_TIMEOUTS_H

#include <stdint.h>

#include "underpass/endpoint.h"

struct up_datapath;
struct up_err;

#define UP_TIMEOUT_SECONDS_MAX 31536000 /* a year */

/** up_timeout_name() - "tcp_established" */
const char *up_timeout_name(enum up_timeout which);

/** up_timeout_find() - the timeout of a name. Return: UP_TMO_MAX for none */
enum up_timeout up_timeout_find(const char *name);

/** up_timeouts_get() - all of them, in seconds, by enum up_timeout. Return: 0 or -errno */
int up_timeouts_get(struct up_datapath *dp, uint32_t ret_seconds[UP_TMO_MAX], struct up_err *err);

/**
 * up_timeouts_set() - change some
 * @dp:      the datapath
 * @seconds: by enum up_timeout; 0 to leave one as it is
 * @err:     why it failed
 *
 * It also counts for flows that exist: a flow that is too old by the new settings ends within a
 * pass of the sweeper, seconds.
 *
 * Return: 0 or -errno
 */
int up_timeouts_set(struct up_datapath *dp, const uint32_t seconds[UP_TMO_MAX], struct up_err *err);

#endif
