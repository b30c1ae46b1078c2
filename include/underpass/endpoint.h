/* SPDX-License-Identifier: GPL-2.0-only */
/* Endpoints, uplinks and the datapath's settings, as the programs see them. */
#ifndef UNDERPASS_ENDPOINT_H
#define UNDERPASS_ENDPOINT_H

#include <linux/types.h>

#include "underpass/limits.h"

enum up_endpoint_state {
	UP_ENDPOINT_FREE,    /* the row is unused */
	UP_ENDPOINT_CLOSING, /* being made or taken away: no new flows */
	UP_ENDPOINT_LIVE,
};

/**
 * struct up_endpoint - a row of the endpoint table; its index is the endpoint's id
 * @state:    enum up_endpoint_state; user space writes it last when it makes a row
 * @ifindex:  the host's end of the veth
 * @addr:     the container's address, network byte order
 * @gateway:  its gateway: an address of the host; source of hairpin connections
 * @flow_max: quota of live flows
 * @flows:    live flows; counted by the programs
 * @net:      network; endpoints of different networks do not reach each other directly
 * @plen:     prefix length of the network
 * @mac:      of the container's interface
 * @name:     for people
 */
struct up_endpoint {
	__u32 state;
	__u32 ifindex;
	__be32 addr;
	__be32 gateway;
	__u32 flow_max;
	__u32 flows;
	__u16 net;
	__u8 mac[6];
	__u8 plen;
	__u8 pad[7];
	char name[64];
};

/* MAC of the host's end of every veth: each is a link of its own, so one address serves all. */
#define UP_GATEWAY_MAC                             \
	{                                          \
		0x02, 0x75, 0x70, 0x00, 0x00, 0x01 \
	}

/**
 * struct up_uplink - an interface towards the network, by ifindex
 * @addr: its primary address, network byte order: source of masqueraded flows where the kernel's
 *        FIB does not say (BPF_FIB_LOOKUP_SRC, Linux 6.7)
 */
struct up_uplink {
	__be32 addr;
};

/* Flow timeouts; each defaults to what nf_conntrack uses. */
enum up_timeout {
	UP_TMO_TCP_SYN_SENT,
	UP_TMO_TCP_SYN_RECV,
	UP_TMO_TCP_ESTABLISHED,
	UP_TMO_TCP_FIN_WAIT,
	UP_TMO_TCP_TIME_WAIT,
	UP_TMO_TCP_CLOSE,
	UP_TMO_UDP,
	UP_TMO_UDP_STREAM,
	UP_TMO_ICMP,
	UP_TMO_MAX,
};

/**
 * struct up_config - settings of this host's datapath
 * @abi:          UP_ABI_VERSION of whoever pinned it
 * @snat_lo:      first source port that a masqueraded flow may be given, host byte order
 * @snat_hi:      last one
 * @netns_cookie: the host's network namespace: hooks that are global to the machine compare it
 * @subnet:       network of the containers, network byte order
 * @plen:         its prefix length
 * @timeout:      seconds, by enum up_timeout
 */
struct up_config {
	__u32 abi;
	__u16 snat_lo, snat_hi;
	__u64 netns_cookie;
	__be32 subnet;
	__u32 plen;
	__u32 timeout[UP_TMO_MAX];
	__u32 pad;
};

#endif
