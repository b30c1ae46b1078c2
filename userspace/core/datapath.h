/* SPDX-License-Identifier: GPL-2.0-only */
/* The loaded programs and maps of this host: load, pin, open, upgrade, take down. */
#ifndef UP_CORE_DATAPATH_H
#define UP_CORE_DATAPATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/addr.h"
#include "underpass/endpoint.h"

struct up_datapath;
struct up_err;

/**
 * struct up_datapath_opts - how to bring the datapath up
 * @uplinks:   names of the interfaces towards the network; none: the default route's
 * @n_uplinks: how many
 * @subnet:    networks of the containers, by enum up_family; a @plen of 0 for the default:
 *             10.215.0.0/16, and a unique local /64 made up at random (RFC 4193)
 * @no_ipv6:   no IPv6 network
 * @keep:      where it is up already, leave it as it is
 * @flow_max:  size of the flow table; 0 for the default
 * @xdp:       what to do with XDP; NULL to leave it, which is UP_XDP_AUTO at first
 */
struct up_datapath_opts {
	const char *const *uplinks;
	size_t n_uplinks;
	struct up_cidr subnet[UP_FAMILIES];
	bool no_ipv6, keep;
	uint32_t flow_max;
	const enum up_xdp_mode *xdp;
};

/**
 * up_datapath_up() - load, pin and attach; where it is up already, swap the programs under the live
 * links with every map kept
 * @opts: may be NULL for all defaults
 * @err:  why it failed; what was not there before is taken away again
 *
 * Takes the state lock. Return: 0 or -errno
 */
int up_datapath_up(const struct up_datapath_opts *opts, struct up_err *err);

/**
 * up_datapath_open() - open the pinned datapath of this host
 * @ret_dp: to be closed by up_datapath_close()
 * @err:    says to run "underpass up" where there is none (-ENOENT), that the pins belong to
 *          another network namespace (-EXDEV), or that their ABI differs (-EPROTO)
 *
 * Return: 0 or -errno
 */
int up_datapath_open(struct up_datapath **ret_dp, struct up_err *err);
void up_datapath_close(struct up_datapath **dp);
#define cleanup_datapath __up_cleanup(up_datapath_close)

/**
 * up_datapath_down() - detach and unpin everything of this host
 * @force: also where endpoints live; they lose their network
 * @err:   why it failed; -EBUSY where endpoints live and @force is false
 *
 * Takes the state lock. Return: 0; -ENOENT where nothing is up; or another -errno
 */
int up_datapath_down(bool force, struct up_err *err);

#endif
