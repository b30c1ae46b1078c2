/* SPDX-License-Identifier: GPL-2.0-only */
/* The uplinks of this host's datapath. */
#ifndef UP_CORE_UPLINKS_H
#define UP_CORE_UPLINKS_H

#include <stdbool.h>
#include <stddef.h>

#include "net/addr.h"
#include "underpass/limits.h"

struct up_datapath;
struct up_err;

/**
 * struct up_uplink_info - an uplink
 * @name:    of the interface; empty where it is gone
 * @ifindex: its index
 * @xdp:     enum up_xdp_state
 * @foreign: name of the program that has its XDP hook, where that is not ours
 * @addr:    its primary addresses, by enum up_family; all 0 where it has none
 */
struct up_uplink_info {
	char name[16];
	int ifindex;
	uint32_t xdp;
	char foreign[16];
	struct up_addr addr[UP_FAMILIES];
};

/**
 * up_uplink_list() - the uplinks, as they are now
 * @dp:          open datapath
 * @ret_ifindex: their indices
 *
 * For whoever changes rows: the kernel puts an entry that is written to in front of its bucket, so
 * that a walk over the table itself which writes as it goes may never come to an end.
 * Return: how many
 */
size_t up_uplink_list(const struct up_datapath *dp, uint32_t ret_ifindex[UP_UPLINK_MAX]);

/** up_uplink_foreach() - hand every uplink to a callback. Return: 0, what @fn returned, or -errno
 */
int up_uplink_foreach(struct up_datapath *dp,
		      int (*fn)(const struct up_uplink_info *info, void *arg), void *arg,
		      struct up_err *err);

/** up_datapath_has_tcx() - are the programs attached by tcx (else by clsact)? */
bool up_datapath_has_tcx(const struct up_datapath *dp);

#endif
