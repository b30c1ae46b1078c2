/* SPDX-License-Identifier: GPL-2.0-only */
/* Flows: the key that a packet is found by, and all that is done to it. */
#ifndef UNDERPASS_FLOW_H
#define UNDERPASS_FLOW_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>

#include "underpass/addr.h"

/**
 * struct up_tuple - what identifies one direction of a flow
 * @saddr, @daddr: addresses as they are in the packet
 * @sport, @dport: ports; for ICMP echo the identifier is @sport of a request and @dport of a reply,
 *                 and the other one is 0
 * @ifindex:       the host's end of the veth, or the child of an uplink, by which the packet leaves
 *                 its container; 0 where it comes by an uplink; or UP_IF_HOST. A container can
 *                 therefore only ever match flows of its own, whatever source address it writes
 * @proto:         IPPROTO_*
 * @pad:           0
 */
struct up_tuple {
	struct up_addr saddr, daddr;
	__be16 sport, dport;
	__u32 ifindex;
	__u8 proto;
	__u8 pad[3];
};

/**
 * struct up_tuple4 - a struct up_tuple of IPv4 as a key of the flow table: hashing is half of a
 * lookup, and goes by the length of the key
 */
struct up_tuple4 {
	__be32 saddr, daddr;
	__be16 sport, dport;
	__u32 ifindex;
	__u8 proto;
	__u8 pad[3];
};

static inline struct up_tuple4 up_tuple_narrow(const struct up_tuple *t)
{
	return (struct up_tuple4){
		.saddr = t->saddr.w[3],
		.daddr = t->daddr.w[3],
		.sport = t->sport,
		.dport = t->dport,
		.ifindex = t->ifindex,
		.proto = t->proto,
	};
}

static inline struct up_tuple up_tuple_widen(const struct up_tuple4 *t)
{
	return (struct up_tuple){
		.saddr = UP_MAPPED(t->saddr),
		.daddr = UP_MAPPED(t->daddr),
		.sport = t->sport,
		.dport = t->dport,
		.ifindex = t->ifindex,
		.proto = t->proto,
	};
}

#define UP_IF_HOST 0xffffffff /* up_tuple.ifindex of what the host itself sends by an uplink */

/*
 * The child of an uplink that endpoint "id" has: UP_IF_CHILD | id is its ifindex in the container's
 * namespace, far from those that the kernel hands out, and so unique on the host as well.
 */
#define UP_IF_CHILD 0x40000000

/* In the same way, the host's end of endpoint "id"'s netkit: UP_IF_NETKIT | id. */
#define UP_IF_NETKIT 0x20000000

/* skb->mark of packets that our own programs sent round: bpf/lib/macvlan.h. */
#define UP_MARK 0x75705b01

static inline bool up_if_is_child(__u32 ifindex)
{
	return ifindex >> 30 == UP_IF_CHILD >> 30;
}

/** up_if_transmits() - is what a container sends by it still on its way out when we see it? */
static inline bool up_if_transmits(__u32 ifindex)
{
	return up_if_is_child(ifindex) || ifindex >> 29 == UP_IF_NETKIT >> 29;
}

/* Where a packet of a flow goes. */
enum up_fwd {
	UP_FWD_PEER,    /* into the container behind veth out.ifindex */
	UP_FWD_QUEUE,   /* the same, through the queueing discipline of that veth */
	UP_FWD_CHILD,   /* into the container that has a child of the uplink @oif */
	UP_FWD_NEXTHOP, /* out by the routing table */
	UP_FWD_HOST,    /* to the host itself, unchanged: the flow only remembers that it may */
	UP_FWD_LOCAL,   /* rewritten and handed on: the host's own, moved out of a flow's way */
};

/* TCP flags seen in one direction. The state of a connection is a function of both directions'. */
enum {
	UP_SEEN_SYN = 1 << 0,
	UP_SEEN_ACK = 1 << 1,
	UP_SEEN_FIN = 1 << 2,
	UP_SEEN_RST = 1 << 3,
	UP_SEEN_PEER_RST = 1 << 4, /* the other direction's: not of a header */
};

/**
 * struct up_flow - one direction of a flow: a value of the flow table. Its key is the struct
 * up_tuple that its packets arrive with, or in IPv4 the struct up_tuple4
 * @out:       the tuple that the packet leaves with. Reversed, it is the key of the other
 *             direction; its ifindex is the interface that the packet is sent into (0: an
 *             uplink), which is also where the answer enters
 * @last_seen: up_sweep.now of the last packet, written at most once a second
 * @slot:      the flow's slot in the flow list
 * @addr_diff: one's complement difference that the change of addresses makes to a checksum
 * @port_diff: the same for ports (or the ICMP identifier)
 * @owner:     endpoint whose quota the flow counts against, 0 for the host's own
 * @peer:      the other endpoint, 0 for none: the flow ends with either
 * @eth:       destination and source MAC that it leaves with
 * @mtu:       UP_FWD_NEXTHOP: path MTU, bytes
 * @oif:       UP_FWD_NEXTHOP: interface that it leaves by. @eth, @mtu and @oif are what the routing
 *             table said in the second @last_seen; 0 where it said nothing that could be kept.
 *             UP_FWD_CHILD: the uplink
 * @fwd:       enum up_fwd
 * @seen:      TCP flags seen in this direction
 * @orig:      this is the direction of the first packet
 * @pad:       0
 */
struct up_flow {
	struct up_tuple out;
	__u32 last_seen;
	__u32 slot;
	__u16 addr_diff, port_diff;
	__u16 owner, peer;
	__u8 eth[12];
	__u16 mtu;
	__u8 fwd;
	__u8 seen;
	__u32 oif;
	__u8 orig;
	__u8 pad[3];
};

/**
 * struct up_slot - a row of the flow list: what a sweep over all flows needs to know of one
 * @key:      of the original direction
 * @check_at: second at which the flow may have expired; a FIN or RST brings it forward
 * @owner, @peer: as in struct up_flow
 * @used:     written last
 */
struct up_slot {
	struct up_tuple key;
	__u32 check_at;
	__u16 owner, peer;
	__u32 used;
};

/**
 * struct up_sweep - the one sweeper of this host
 * @timer: ticks
 * @next:  slots that were ever used: none beyond was
 * @pos:   where the next slice begins
 * @busy:  somebody is deleting flows: whoever sets it from 0 to 1
 * @now:   seconds of the monotonic clock at the last tick: what packets take for the time
 */
struct up_sweep {
	struct bpf_timer timer;
	__u32 next;
	__u32 pos;
	__u32 busy;
	__u32 now;
};

/**
 * struct up_source - what one source did lately
 * @second: of the programs' clock, that @count is about
 * @count:  connections that it made, or tried to
 */
struct up_source {
	__u32 second;
	__u32 count;
};

/**
 * struct up_frag_key - what the fragments of one packet share (RFC 791, RFC 8200 section 4.5)
 * @saddr, @daddr: addresses as they are in the packet
 * @id:            its identification, network byte order
 * @ifindex:       as in struct up_tuple
 * @proto:         IPPROTO_*
 * @pad:           0
 */
struct up_frag_key {
	struct up_addr saddr, daddr;
	__be32 id;
	__u32 ifindex;
	__u8 proto;
	__u8 pad[3];
};

/**
 * struct up_frag - what only the first fragment says
 * @sport, @dport: as in struct up_tuple
 * @seen_at:       up_sweep.now
 */
struct up_frag {
	__be16 sport, dport;
	__u32 seen_at;
};

#endif
