/* SPDX-License-Identifier: GPL-2.0-only */
/* What user space hands to the programs that end or steer flows. */
#ifndef UNDERPASS_REAP_H
#define UNDERPASS_REAP_H

#include <linux/types.h>

#include "underpass/addr.h"
#include "underpass/flow.h"

/**
 * struct up_reap - which flows are to end; all fields that are not 0 must match
 * @endpoint: owner or peer
 * @addr:     destination that the first packet was sent to, as in struct up_port_row
 * @lo, @hi:  range of its destination port, host byte order; @hi 0 for any
 * @proto:    IPPROTO_*; with @lo and @hi
 * @busy:     returned: another sweep was under way and nothing was done
 * @recheck:  they do not end: the sweeper is to look at them soon
 * @exact:    only the one whose original direction is @flow; the other fields do not matter
 * @matched:  returned: how many flows matched
 * @flow:     with @exact
 */
struct up_reap {
	__u32 endpoint;
	struct up_addr addr;
	__u16 lo, hi;
	__u8 proto;
	__u8 busy;
	__u8 recheck;
	__u8 exact;
	__u32 matched;
	struct up_tuple flow;
};

/**
 * struct up_steer - flows into an endpoint are to go another way
 * @endpoint: which
 * @ifindex:  its veth
 * @fwd:      UP_FWD_PEER or UP_FWD_QUEUE
 * @busy:     returned: a sweep was under way and nothing was done
 */
struct up_steer {
	__u32 endpoint;
	__u32 ifindex;
	__u32 fwd;
	__u32 busy;
};

#endif
