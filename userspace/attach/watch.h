/* SPDX-License-Identifier: GPL-2.0-only */
/* "attach --watch": following what the engines do, in the foreground. */
#ifndef UP_ATTACH_WATCH_H
#define UP_ATTACH_WATCH_H

#include "core/ride.h"

struct up_err;

/**
 * up_watch() - attach what runs, and whatever is started from now on; detach what ends
 * @opts: settings
 * @say:  told of what goes wrong and is tried again: an engine that restarts, one container that
 *        cannot be attached
 * @err:  why it cannot go on
 *
 * Returns on SIGTERM and SIGINT; what is attached then stays so. Return: 0 or -errno
 */
int up_watch(const struct up_ride_opts *opts, void (*say)(const char *text), struct up_err *err);

#endif
