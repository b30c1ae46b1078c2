/* SPDX-License-Identifier: GPL-2.0-only */
/* Sizes that the programs and user space must agree on. */
#ifndef UNDERPASS_LIMITS_H
#define UNDERPASS_LIMITS_H

/*
 * Version of everything that is pinned: map keys and values, their meaning, and the contract
 * between the programs. Raised by any change that a running datapath could not share.
 */
#define UP_ABI_VERSION 5

#define UP_ENDPOINT_MAX 4096   /* rows of the endpoint table; row 0 means "none" */
#define UP_PORT_ROWS    16384  /* published ranges, of any length each */
#define UP_PORT_OWNERS  64     /* endpoints that may share one range */
#define UP_FLOW_DEFAULT 262144 /* flows, like nf_conntrack_max on a machine of this size */
#define UP_LOCAL_MAX    1024   /* addresses of the host itself */
#define UP_UPLINK_MAX   64
#define UP_ALLOW_MAX    65536 /* prefixes in all lists of sources */
#define UP_SOURCE_MAX   16384 /* sources whose new connections are counted */
#define UP_FRAG_MAX     8192  /* fragmented packets under way */
#define UP_SNAT_MAPS    64    /* destinations so crowded that their ports are kept in a bitmap */

/* Source ports tried for one new flow before it is refused: bounds the work per packet. */
#define UP_SNAT_TRIES 64

/* Rows of the histogram of tries: 1, 2, 3-4, 5-8, ... 33-64 and "refused". */
#define UP_SNAT_HIST 8

/* ICMP errors and TCP resets that each CPU sends in a second, like net.ipv4.icmp_msgs_per_sec. */
#define UP_REPLY_RATE 1000

#endif
