/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Flows. Theory of operation
 * ==========================
 * A flow is two entries of one hash table, one per direction. Each holds everything that its
 * packets need, so the established path is one lookup and no other memory:
 *
 *	key: the tuple as it arrives, and the veth it arrives by
 *	value: the tuple to leave with, and where
 *
 * Each entry's `out`, reversed, is the key of the other: the pair finds itself without pointers.
 *
 * Appearing together. flow_create() first inserts the reply direction with BPF_NOEXIST. That insert
 * is what claims the reply tuple: two flows can never expect the same answer, on any CPU. Then it
 * inserts the original direction, again with NOEXIST; a loser of that race takes its claim back.
 * The answer to a packet cannot arrive before the packet was sent, which is after both.
 *
 * Disappearing together. Every flow has a slot in the flow list, an array that a BPF timer sweeps
 * slice by slice (sweep.h): no daemon, and no long walk at once. Only the holder of the sweeper's
 * token deletes flows, so that a deletion never races with another one. (One timer for each flow
 * would be simpler, but the kernel allocates timers where they are made, and Linux 6.18 often finds
 * no memory there: a datapath must not depend on it.)
 *
 * Never evicted. When the list or the endpoint's quota is full, the new flow is refused and
 * counted. The table is not an LRU.
 *
 * TCP. Each direction records the flags that it saw; the state is a function of both (sweep.bpf.c).
 * The sweeper looks at a flow when it may have expired; a deadline that moves closer (FIN, RST) has
 * it look at once. A SYN in the original direction of a closed connection starts the pair over in
 * place, which is how clients reuse ports out of TIME_WAIT.
 *
 * A flow to the host itself (UP_FWD_HOST) has no reply entry: the kernel sends those packets. It
 * remembers only that this tuple passed the source check and is not a published port.
 *
 * The host's own connections are no flows, save one that would be taken for a container's because
 * it happened to choose the same port towards the same peer: that one is moved to another port
 * (UP_FWD_LOCAL, uplink.bpf.c).
 */
#ifndef UP_BPF_FLOW_H
#define UP_BPF_FLOW_H

#include <stdbool.h>

#include "lib/ctx_skb.h"
#include "lib/flow_table.h"

static __always_inline struct up_sweep *sweep_state(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&up_sweep, &zero);
}

/* The sweeper's clock: one load, where reading the kernel's takes longer than finding the flow. */
static __always_inline __u32 now_sec(void)
{
	struct up_sweep *s = sweep_state();

	return s ? *(volatile __u32 *)&s->now : 0;
}

static __always_inline struct up_flow *flow_pair(const struct up_flow *f)
{
	struct up_tuple key;

	tuple_reverse(&f->out, &key);
	return flow_lookup(&key);
}

static __always_inline void endpoint_uncount(__u32 id)
{
	struct up_endpoint *ep = id ? bpf_map_lookup_elem(&up_endpoints, &id) : NULL;

	if (ep)
		__sync_fetch_and_add(&ep->flows, -1);
}

static __always_inline __u32 sooner(__u32 a, __u32 b)
{
	return a < b ? a : b;
}

/*
 * A FIN or RST moved the deadline closer: have the sweeper look at the flow when it may have come,
 * and not before. Looking costs more than the packet did: both directions, out of cold memory.
 */
static __always_inline void flow_hasten(const struct up_flow *f, bool rst)
{
	struct up_slot *slot = bpf_map_lookup_elem(&up_slots, &f->slot);
	const struct up_config *conf = config();
	__u32 at;

	if (!slot || !conf)
		return;
	at = now_sec() + (rst ? conf->timeout[UP_TMO_TCP_CLOSE]
			      : sooner(conf->timeout[UP_TMO_TCP_FIN_WAIT],
				       conf->timeout[UP_TMO_TCP_TIME_WAIT]));
	if ((__s32)(at - slot->check_at) < 0)
		slot->check_at = at;
}

static __always_inline bool flow_closed(const struct up_flow *f, const struct up_flow *reply)
{
	__u8 both = f->seen | (reply ? reply->seen : 0);

	return both & UP_SEEN_RST || (reply && f->seen & reply->seen & UP_SEEN_FIN);
}

/* A SYN on a connection that is over starts it again (RFC 9293, 3.6.1: reuse in TIME-WAIT). */
static __always_inline void flow_restart(struct up_flow *f)
{
	struct up_flow *reply = flow_pair(f);

	if (!f->orig || !reply || !flow_closed(f, reply))
		return;
	reply->seen = 0;
	f->seen = UP_SEEN_SYN;
	count(UP_CNT_FLOW_REUSED);
}

/* Seconds for which an endpoint that refused a connection gets no more of a port that it shares. */
#define SICK_SECONDS 10

/* The first answer to a connection was a refusal: an owner of a shared port is unwell. */
static __always_inline void flow_refused(const struct up_flow *f)
{
	__u32 id = f->owner;
	struct up_endpoint *ep = bpf_map_lookup_elem(&up_endpoints, &id);

	if (ep)
		ep->sick_until = now_sec() + SICK_SECONDS;
}

/*
 * Is the connection over with an RST? Whoever does not accept it (it is outside of the window, or
 * forged: RFC 5961) goes on to send, and then it is not; whoever has accepted it is silent.
 */
static __always_inline void flow_rst(struct up_flow *f, bool rst)
{
	struct up_flow *pair = flow_pair(f);

	if (!pair)
		return;
	if (rst) {
		if (!f->orig && !(f->seen & UP_SEEN_SYN))
			flow_refused(f);
		pair->seen |= UP_SEEN_PEER_RST;
	} else {
		f->seen &= ~UP_SEEN_PEER_RST;
		pair->seen &= ~UP_SEEN_RST;
	}
}

/* A packet that may change the connection's state. */
static __noinline void flow_state(struct up_flow *f, __u8 seen)
{
	__u8 fresh = seen & ~f->seen;

	if ((seen & (UP_SEEN_SYN | UP_SEEN_ACK)) == UP_SEEN_SYN &&
	    f->seen & (UP_SEEN_FIN | UP_SEEN_RST | UP_SEEN_PEER_RST))
		flow_restart(f);
	else if (fresh & UP_SEEN_RST || (f->seen & UP_SEEN_PEER_RST && !(seen & UP_SEEN_RST)))
		flow_rst(f, fresh & UP_SEEN_RST);
	f->seen |= seen;
	if (fresh & (UP_SEEN_FIN | UP_SEEN_RST))
		flow_hasten(f, fresh & UP_SEEN_RST);
}

/**
 * flow_track() - note that a packet of this direction passed
 *
 * Return: true for the first packet in a second: time to ask again for what is remembered
 */
static __always_inline bool flow_track(struct up_flow *f, const struct pkt *p)
{
	__u32 now = now_sec();
	bool first = f->last_seen != now;

	if (first)
		f->last_seen = now;
	if (p->seen & (UP_SEEN_SYN | ~f->seen) || f->seen & UP_SEEN_PEER_RST)
		flow_state(f, p->seen);
	return first;
}

#endif
