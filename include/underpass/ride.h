/* SPDX-License-Identifier: GPL-2.0-only */
/* Ride-along: what the kernel's own path did to a flow's packets, cached (bpf/ride.bpf.c). */
#ifndef UNDERPASS_RIDE_H
#define UNDERPASS_RIDE_H

#include <linux/types.h>

#include "underpass/flow.h"

#define UP_RIDE_ABI        4     /* like UP_ABI_VERSION, for what "attach" pins */
#define UP_RIDE_MAX        65536 /* directions of flows in the cache */
#define UP_RIDE_IFS        4096  /* interfaces with our programs */
#define UP_RIDE_REFRESH_MS 1000  /* milliseconds for which one decision of the rules holds */

/* Why a packet took the kernel's path. One list makes the enum and the words of "status". */
/* clang-format off */
#define UP_RIDE_SLOW(X) \
	X(NEW,     "new",     "of no connection that is cached: new, not assured, or to the host itself") \
	X(REFRESH, "refresh", "its turn to be decided by the rules again") \
	X(CONTROL, "control", "SYN, FIN or RST") \
	X(LONG,    "long",    "longer than what was seen to pass") \
	X(TTL,     "ttl",     "its TTL expires here") \
	X(HEADER,  "header",  "fragments, and IP options or extension headers") \
	X(OTHER,   "other",   "neither TCP nor UDP, or not addressed to this host")
/* clang-format on */

enum up_ride_slow {
#define UP_RIDE_SLOW_ENUM(id, name, text) UP_RIDE_##id,
	UP_RIDE_SLOW(UP_RIDE_SLOW_ENUM)
#undef UP_RIDE_SLOW_ENUM
		UP_RIDE_SLOW_MAX
};

/* How far the cache knows a direction. */
enum up_ride_state {
	UP_RIDE_WANTED,  /* conntrack calls it assured; where its packets come in is not known */
	UP_RIDE_NOTED,   /* that is known */
	UP_RIDE_LEARNED, /* and so is what becomes of them */
};

/**
 * struct up_ride - one direction of a flow; its key is the tuple as it arrives, with ifindex 0
 * @f:         what becomes of a packet: @f.out, whose ifindex is the interface that it leaves by;
 *             @f.eth, differences, @f.fwd (UP_FWD_PEER or UP_FWD_QUEUE), and @f.mtu: length of the
 *             longest packet that was seen to pass, bytes
 * @iif:       interface that it comes in by
 * @gen:       up_ride_conf.gen of the decision
 * @decided:   tick at which a packet last came out of the kernel's path having found this stale
 * @packets, @bytes: forwarded by us since the last packet that was not: not yet in up_ride_stats
 * @mark:      what the kernel's path left in skb->mark
 * @priority:  and in skb->priority
 * @state:     enum up_ride_state
 * @hops:      what is taken from the TTL
 * @ttl, @tos: of the last packet that took the kernel's path, as it came in
 */
struct up_ride {
	struct up_flow f;
	__u32 packets;
	__u64 bytes;
	__u32 iif;
	__u32 gen;
	__u32 decided;
	__u32 mark, priority;
	__u8 state;
	__u8 hops;
	__u8 ttl, tos;
	__u32 pad;
};

/**
 * struct up_ride_own - what became of the last packet that a socket of the host's own sent to a
 *                      container through a bridge
 * @bridge:  the bridge
 * @oif:     the host's end of the container's veth
 * @gen, @decided: as in struct up_ride; @gen is 0 while @oif is not known
 * @mac:     destination
 * @pad:     0
 */
struct up_ride_own {
	__u32 bridge, oif;
	__u32 gen, decided;
	__u8 mac[6];
	__u8 pad[2];
};

/**
 * struct up_ride_conf - settings. @abi and @made_liberal stay where they are in every version, so
 *                       that each can take down what another has attached
 * @abi:          UP_RIDE_ABI of whoever pinned it
 * @gen:          raised to forget every decision at once
 * @refresh:      ticks (jiffies) for which a decision holds
 * @skip_mark:    connections with one of these bits in their conntrack mark are left alone
 * @netns_cookie: the host's network namespace
 * @tick_ns:      nanoseconds of a tick
 * @made_liberal: window tracking was strict before: it is made so again in the end
 * @build:        of the programs at the interfaces (up_ride_build()): those of another one are
 *                replaced by the next "attach"
 */
struct up_ride_conf {
	__u32 abi;
	__u32 gen;
	__u32 refresh;
	__u32 skip_mark;
	__u64 netns_cookie;
	__u32 tick_ns;
	__u32 made_liberal;
	__u64 build;
};

/**
 * struct up_ride_stats - of one interface, per CPU: packets that came in by it; of a bridge: that
 * the host itself sent by it
 * @fast, @bytes: forwarded by us
 * @slow:         left to the kernel, by enum up_ride_slow
 */
struct up_ride_stats {
	__u64 fast, bytes;
	__u64 slow[UP_RIDE_SLOW_MAX];
};

enum up_ride_kind { UP_RIDE_UPLINK, UP_RIDE_VETH, UP_RIDE_BRIDGE };

#define UP_RIDE_ENGINE_MAX 16
#define UP_RIDE_ID_MAX     65

/**
 * struct up_ride_if - an interface with our programs; its key is the ifindex
 * @kind:   enum up_ride_kind
 * @queued: packets to it pass its queueing discipline
 * @ifname: its name when it was attached
 * @mac:    of a veth: the container's end
 * @engine: who runs the container: "docker", "podman", or what else named the interface
 * @id:     of the container, empty where there is none
 * @name:   of the container, for people
 */
struct up_ride_if {
	__u32 kind;
	__u32 queued;
	char ifname[16];
	__u8 mac[6];
	char engine[UP_RIDE_ENGINE_MAX];
	char id[UP_RIDE_ID_MAX];
	char name[64];
	char pad;
};

#endif
