/* SPDX-License-Identifier: GPL-2.0-only */
/* Sizes that the programs and user space must agree on. */
#ifndef UNDERPASS_LIMITS_H
#define UNDERPASS_LIMITS_H

/*
 * Version of everything that is pinned: map keys and values, their meaning, and the contract
 * between the programs. Raised by any change that a running datapath could not share.
 */
#define UP_ABI_VERSION 1

#define UP_ENDPOINT_MAX 4096   /* rows of the endpoint table; row 0 means "none" */
#define UP_PORT_ROWS    16384  /* published ranges, of any length each */
#define UP_FLOW_DEFAULT 262144 /* flows, like nf_conntrack_max on a machine of this size */
#define UP_LOCAL_MAX    1024   /* addresses of the host itself */
#define UP_UPLINK_MAX   64

/* Source ports tried for one new flow before it is refused: bounds the work per packet. */
#define UP_SNAT_TRIES 64

#endif
