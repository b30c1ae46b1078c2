/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ride-along: containers that another engine runs are made fast on the path that they already have
 * (bpf/ride.bpf.c says how). This loads the programs, attaches them to the host's ends of veths and
 * to uplinks, and tells what they do.
 *
 * It is independent of "up": its pins are in a directory of their own, and it keeps its state in
 * pinned maps. With the last container everything goes, and window tracking is put back.
 */
#ifndef UP_CORE_RIDE_H
#define UP_CORE_RIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "underpass/ride.h"

struct up_err;
struct up_rides;

/**
 * struct up_ride_opts - settings of "attach"; 0 keeps what is set
 * @uplinks:    names of the interfaces towards the network; none: the default route's
 * @n_uplinks:  how many
 * @refresh_ms: for how long a decision of the rules holds
 * @skip_mark:  connections with one of these bits in their conntrack mark are left to the kernel
 */
struct up_ride_opts {
	const char *const *uplinks;
	size_t n_uplinks;
	uint32_t refresh_ms;
	uint32_t skip_mark;
};

#define UP_RIDE_REFRESH_MIN 100
#define UP_RIDE_REFRESH_MAX 10000

/**
 * struct up_ride_target - a container to be attached
 * @netns_fd: its network namespace; all its veths to this host are attached. -1: @ifname is given
 * @ifname:   the host's end of its veth, NULL where @netns_fd is given
 * @engine:   who runs it, for people
 * @id:       the engine's id of it, "" for none
 * @name:     for people
 */
struct up_ride_target {
	int netns_fd;
	const char *ifname;
	const char *engine, *id, *name;
};

/**
 * up_ride_kernel_check() - can this kernel ride along?
 * @err: what it lacks, and what can be done without
 *
 * Return: 0 or -EOPNOTSUPP
 */
int up_ride_kernel_check(struct up_err *err);

/**
 * up_ride_attach() - attach a container: load and pin where nothing is attached yet
 * @target: the container; one that is attached already is attached anew, which changes nothing
 * @opts:   settings
 * @err:    why it failed; where nothing was attached before, nothing is left
 *
 * Takes the state lock. Return: 0; -ENXIO where it has no veth to this host; or another -errno
 */
int up_ride_attach(const struct up_ride_target *target, const struct up_ride_opts *opts,
		   struct up_err *err);

/**
 * up_ride_upgrade() - where something is attached: replace programs of another build of underpass
 * by this one's, and keep the maps
 *
 * Every "attach" does it too. Takes the state lock. Return: 0, also where nothing is attached;
 * -EPROTO where the maps are of another version; or another -errno
 */
int up_ride_upgrade(struct up_err *err);

/**
 * up_ride_open() - open what is attached on this host
 * @ret_r: to be closed by up_ride_close()
 * @err:   why it failed; "nothing is attached" for -ENOENT, what to do where another version has
 *         attached for -EPROTO
 *
 * Return: 0 or -errno
 */
int up_ride_open(struct up_rides **ret_r, struct up_err *err);
void up_ride_close(struct up_rides **r);
#define cleanup_rides __up_cleanup(up_ride_close)

/**
 * struct up_ride_info - an interface that is attached, and what was counted there
 * @ifindex: its index
 * @row:     what it is; strings are terminated
 * @stats:   summed over CPUs
 * @cached:  directions of flows in the cache that come in by it
 * @lives:   it still exists
 */
struct up_ride_info {
	uint32_t ifindex;
	struct up_ride_if row;
	struct up_ride_stats stats;
	uint64_t cached;
	bool lives;
};

/** up_ride_foreach() - hand every attached interface to a callback, uplinks included
 *
 * @fn returns 0 to go on or -errno to stop. Return: 0 or -errno
 */
int up_ride_foreach(struct up_rides *r, int (*fn)(const struct up_ride_info *info, void *arg),
		    void *arg, struct up_err *err);

/**
 * up_ride_detach() - detach interfaces
 * @match: which; uplinks are not asked about, they go with the last container. NULL for all, even
 *         where another version attached them
 * @arg:   handed to @match
 * @ret_n: how many were detached; may be NULL
 * @err:   why it failed; nothing attached is no failure
 *
 * Interfaces that are gone are forgotten by the way. Takes the state lock. Return: 0 or -errno
 */
int up_ride_detach(bool (*match)(const struct up_ride_if *row, void *arg), void *arg, size_t *ret_n,
		   struct up_err *err);

/**
 * up_ride_flush() - forget every decision at once: the next packet of each flow meets the rules
 *
 * Return: 0; -ENOENT where nothing is attached; or another -errno
 */
int up_ride_flush(struct up_err *err);

/** up_ride_slow_name() - the name of a reason, in one word. up_ride_slow_text() - in some more */
const char *up_ride_slow_name(enum up_ride_slow why);
const char *up_ride_slow_text(enum up_ride_slow why);

#endif
