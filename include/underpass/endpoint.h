/* SPDX-License-Identifier: GPL-2.0-only */
/* Endpoints, uplinks and the datapath's settings, as the programs see them. */
#ifndef UNDERPASS_ENDPOINT_H
#define UNDERPASS_ENDPOINT_H

#include <linux/types.h>

#include "underpass/addr.h"
#include "underpass/limits.h"

enum up_endpoint_state {
	UP_ENDPOINT_FREE,    /* the row is unused */
	UP_ENDPOINT_CLOSING, /* being made or taken away: no new flows */
	UP_ENDPOINT_LIVE,
};

/* What connects a container to its host. */
enum up_netdev_kind {
	UP_NETDEV_VETH,    /* a pair of interfaces, one end in the host */
	UP_NETDEV_MACVLAN, /* a private-mode child of an uplink: see macvlan.h */
	UP_NETDEV_ADOPTED, /* a veth, or a child of an uplink, of somebody else's: only flows to
			      published ports are ours */
	UP_NETDEV_NETKIT,  /* a pair of interfaces that is for programs: see netkit.bpf.c */
};

enum up_endpoint_flags {
	UP_EP_ROUTED_V4 = 1 << UP_V4, /* its address is known outside: not masqueraded */
	UP_EP_ROUTED_V6 = 1 << UP_V6,
	UP_EP_INTERNAL = 1 << 2, /* nothing leaves its network */
	UP_EP_SHAPED = 1 << 3,   /* what it receives passes the queue of its veth */
	UP_EP_DRAINED = 1 << 4,  /* gets no new connections of a port that it shares */
	UP_EP_ISOLATED = 1 << 5, /* neither reaches other endpoints nor is reached by them */
	UP_EP_KERNEL = 1 << 6,   /* the kernel translates too: what its conntrack knows is left to
				    it, and so is what leaves without being masqueraded */
};

#define UP_NET_POLICY 0x8000 /* up_endpoint.net: apart from its like, and from named networks */

/**
 * struct up_endpoint - a row of the endpoint table; its index is the endpoint's id
 * @state:    enum up_endpoint_state; user space writes it last when it makes a row
 * @ifindex:  tells its flows from others': see struct up_tuple. Of somebody else's child, it is
 *            only that
 * @host_if:  interface of the host by which its kernel reaches the container, and by which the
 *            routing table is to believe that the container's packets come: the host's end of the
 *            veth, or the host's own child of the uplink
 * @uplink:   whose child the container's interface is, where it is one; else 0
 * @nsid:     the container's network namespace as the host's numbers it; user space only
 * @netns_cookie: of the container's network namespace: endpoints of one container know each other
 *            by it
 * @addr:     the container's addresses, by enum up_family; all 0 where it has none
 * @gateway:  its gateways: addresses of the host; sources of hairpin connections. Of somebody
 * else's child: the uplink's addresses
 * @flow_max: quota of live flows
 * @flows:    live flows; counted by the programs
 * @new_rate: new flows in a second, at most; 0 for no limit
 * @new_sec:  the second that @new_count is about; written by the programs
 * @new_count: flows made in it
 * @sick_until: second until which it gets no connections of ports that it shares: it refused one
 * @flags:    enum up_endpoint_flags
 * @net:      network; endpoints of different networks do not reach each other directly. 0 is no
 *            network's in particular; with UP_NET_POLICY, those of 0 are reached
 * @mac:      of the container's interface
 * @plen:     prefix lengths of its addresses
 * @device:   enum up_netdev_kind
 * @name:     for people
 * @rate_in:  bits in a second that it may receive, 0 for no limit; held by the queue of its veth
 * @rate_out: bits in a second that it may send, 0 for no limit
 * @burst_in, @burst_out: bits at once, as asked for
 * @out_slack: how far it may be ahead of @rate_out, nanoseconds
 * @out_due:  when all that it sent would have left at @rate_out, nanoseconds of the monotonic
 * clock; written by the programs
 */
struct up_endpoint {
	__u32 state;
	__u32 ifindex;
	__u32 host_if;
	__u32 uplink;
	__u64 netns_cookie;
	struct up_addr addr[UP_FAMILIES];
	struct up_addr gateway[UP_FAMILIES];
	__u32 flow_max;
	__u32 flows;
	__u32 new_rate;
	__u32 new_sec;
	__u32 new_count;
	__u32 sick_until;
	__u32 flags;
	__s32 nsid;
	__u16 net;
	__u8 mac[6];
	__u8 plen[UP_FAMILIES];
	__u8 device;
	__u8 pad[5];
	char name[64];
	__u64 rate_in, rate_out;
	__u32 burst_in, burst_out;
	__u64 out_slack;
	__u64 out_due;
};

/*
 * MACs of ours. The gateway's is that of the host's end of every veth, and of its child of every
 * uplink: each is a link of its own, so one address serves all. A container's child of an uplink
 * has its endpoint's id in the last two bytes.
 */
#define UP_MAC_OUI               \
	{                        \
		0x02, 0x75, 0x70 \
	}
#define UP_MAC_CHILD 0x01 /* the fourth byte */
#define UP_GATEWAY_MAC                             \
	{                                          \
		0x02, 0x75, 0x70, 0x00, 0x00, 0x01 \
	}
#define UP_CHILD_MAC(id)                                                    \
	{                                                                   \
		0x02, 0x75, 0x70, UP_MAC_CHILD, (id) >> 8 & 0xff, (id)&0xff \
	}

/**
 * struct up_uplink - an interface towards the network, by ifindex
 * @addr: its primary addresses, by enum up_family: source of masqueraded flows where the kernel's
 *        FIB does not say (BPF_FIB_LOOKUP_SRC, Linux 6.7)
 * @name: by which it is found again when it was gone and came back
 * @mac:  its own
 * @pad:  0
 * @xdp:  enum up_xdp_state
 */
struct up_uplink {
	struct up_addr addr[UP_FAMILIES];
	char name[16];
	__u8 mac[6];
	__u8 pad[2];
	__u32 xdp;
};

/* What was asked for. */
enum up_xdp_mode {
	UP_XDP_AUTO, /* while there is something to drop */
	UP_XDP_NATIVE,
	UP_XDP_GENERIC,
	UP_XDP_OFF,
};

/* What an uplink has. */
enum up_xdp_state {
	UP_XDP_DETACHED,
	UP_XDP_IS_NATIVE,
	UP_XDP_IS_GENERIC,
	UP_XDP_FOREIGN, /* a program of somebody else, which is left alone */
};

/* Flow timeouts; each defaults to what nf_conntrack uses. */
#define UP_TIMEOUTS(X)                                \
	X(TCP_SYN_SENT, "tcp_syn_sent", 120)          \
	X(TCP_SYN_RECV, "tcp_syn_recv", 60)           \
	X(TCP_ESTABLISHED, "tcp_established", 432000) \
	X(TCP_FIN_WAIT, "tcp_fin_wait", 120)          \
	X(TCP_TIME_WAIT, "tcp_time_wait", 120)        \
	X(TCP_CLOSE, "tcp_close", 10)                 \
	X(UDP, "udp", 30)                             \
	X(UDP_STREAM, "udp_stream", 120)              \
	X(ICMP, "icmp", 30)                           \
	X(SCTP, "sctp", 210)

enum up_timeout {
#define UP_TIMEOUT_ENUM(id, name, seconds) UP_TMO_##id,
	UP_TIMEOUTS(UP_TIMEOUT_ENUM)
#undef UP_TIMEOUT_ENUM
		UP_TMO_MAX
};

/**
 * struct up_config - settings of this host's datapath
 * @abi:          UP_ABI_VERSION of whoever pinned it
 * @snat_lo:      first source port that a masqueraded flow may be given, host byte order
 * @snat_hi:      last one
 * @netns_cookie: the host's network namespace: hooks that are global to the machine compare it
 * @subnet:       networks of the containers, by enum up_family; all 0 for none
 * @plen:         their prefix lengths, in bits of the family
 * @timeout:      seconds, by enum up_timeout
 * @source_rate:  new connections to published ports that one source may make in a second; 0 for no
 *                limit
 * @denied:       the list UP_ALLOW_DENY_ALL is not empty
 * @xdp:          enum up_xdp_mode
 * @pad:          0
 * @reserved:     a bit for each port that no masqueraded flow is to be given
 *                (net.ipv4.ip_local_reserved_ports)
 */
struct up_config {
	__u32 abi;
	__u16 snat_lo, snat_hi;
	__u64 netns_cookie;
	struct up_addr subnet[UP_FAMILIES];
	__u32 plen[UP_FAMILIES];
	__u32 timeout[UP_TMO_MAX];
	__u32 source_rate;
	__u32 denied;
	__u32 xdp;
	__u32 pad;
	__u64 reserved[65536 / 64];
};

#endif
