/* SPDX-License-Identifier: GPL-2.0-only */
/* Keeping what is attached in step with what the engines run. */
#ifndef UP_ATTACH_SYNC_H
#define UP_ATTACH_SYNC_H

#include <stdbool.h>
#include <stddef.h>

#include "attach/engine.h"
#include "core/ride.h"

/**
 * up_sync() - attach every running container of an engine that is not attached, detach those that
 * run no more
 * @engine: the engine
 * @again:  also those that are attached already: networks may have been connected to them
 * @opts:   settings
 * @ret_n:  how many are attached now
 * @err:    why it failed; -EHOSTDOWN where the engine is not there
 *
 * A container without a veth to this host (host network, none) is left out. Return: 0 or -errno
 */
int up_sync(const struct up_engine *engine, bool again, const struct up_ride_opts *opts,
	    size_t *ret_n, struct up_err *err);

/**
 * up_sync_all() - the same for every engine that is there
 *
 * Return: 0; -EHOSTDOWN where none is; or another -errno
 */
int up_sync_all(const struct up_ride_opts *opts, size_t *ret_n, struct up_err *err);

#endif
