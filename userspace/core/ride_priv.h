/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of ride-along share. */
#ifndef UP_CORE_RIDE_PRIV_H
#define UP_CORE_RIDE_PRIV_H

#include "core/ride.h"

/* Their pins: PINDIR/ride/NAME. */
#define UP_PIN_RIDE "ride"

enum up_ride_map {
	UP_RIDE_CACHE,
	UP_RIDE_OWNS,
	UP_RIDE_CONF,
	UP_RIDE_STATS,
	UP_RIDE_ROWS,
	UP_RIDE_MAPS
};

/* By kind of interface: what comes in; and by how it is left: what goes out. */
enum up_ride_prog {
	UP_RIDE_IN_UPLINK,
	UP_RIDE_IN_VETH,
	UP_RIDE_OUT_PEER,
	UP_RIDE_OUT_QUEUE,
	UP_RIDE_OUT_BRIDGE,
	UP_RIDE_PROGS
};

/**
 * struct up_rides - what up_ride_open() opens
 * @map:  fds by enum up_ride_map
 * @prog: fds by enum up_ride_prog
 * @id:   the kernel's id of the map of settings: what uses that map is ours
 */
struct up_rides {
	int map[UP_RIDE_MAPS];
	int prog[UP_RIDE_PROGS];
	uint32_t id;
};

/** up_ride_build() - a number that tells the programs of this underpass from those of others */
uint64_t up_ride_build(void);

/**
 * up_ride_load() - load and pin the programs where nothing is pinned yet, or those of another
 * build; maps that are there are kept. Then as up_ride_open()
 *
 * What is at the interfaces stays there: struct up_ride_conf.build. Return: 0 or -errno
 */
int up_ride_load(struct up_rides **ret_r, struct up_err *err);

/**
 * up_ride_id() - the kernel's id of the map of settings that is pinned, whatever its version
 * @ret_liberal: its made_liberal
 *
 * Return: 0; -ENOENT where none is; or another -errno
 */
int up_ride_id(uint32_t *ret_id, bool *ret_liberal, struct up_err *err);

/** up_ride_unpin() - remove every pin. Return: 0 or -errno */
int up_ride_unpin(struct up_err *err);

int up_ride_conf_read(const struct up_rides *r, struct up_ride_conf *ret_conf, struct up_err *err);
int up_ride_conf_write(const struct up_rides *r, const struct up_ride_conf *conf,
		       struct up_err *err);

/**
 * up_ride_liberal() - have window tracking accept what it did not see, remembering that it did not
 * up_ride_strict() - have it be strict again; connections that live keep the liberal view of them
 *
 * Return: 0 or -errno
 */
int up_ride_liberal(const struct up_rides *r, struct up_err *err);
int up_ride_strict(struct up_err *err);

#endif
