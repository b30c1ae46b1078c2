/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Flows. Theory of operation
 * ==========================
 * A flow is two entries of one hash table, one per direction. Each holds everything that its
 * packets need, so the established path is one lookup and no other memory:
 *
 *	key: the tuple as it arrives, and the veth it arrives by  ->  the tuple to leave with, and
 *where
 *
 * Each entry's `out`, reversed, is the key of the other: the pair finds itself without pointers.
 *
 * Appearing together. flow_create() first inserts the reply direction with BPF_NOEXIST. That insert
 * is what claims the reply tuple: two flows can never expect the same answer, on any CPU. Then it
 * inserts the original direction, again with NOEXIST; a loser of that race takes its claim back.
 * The answer to a packet cannot arrive before the packet was sent, which is after both.
 *
 * Disappearing together. Only flow_expire() deletes, and it is the callback of one timer per flow
 * that lives in the original direction: a flow has exactly one deleter, so an entry of another flow
 * is never deleted by mistake. Whoever wants a flow gone marks it dead and fires its timer
 * (reap.bpf.c). No daemon, no sweep over the table: an idle flow costs nothing until its time.
 *
 * Never evicted. When the table or the endpoint's quota is full, the new flow is refused and
 * counted. The table is not an LRU.
 *
 * TCP. Each direction records the flags that it saw; the state is a function of both
 *(flow_timeout). A timer that fires early finds out and rearms; only a deadline that moves closer
 *(FIN, RST) restarts the timer at once. A SYN in the original direction of a closed connection
 *starts the pair over in place, which is how clients reuse ports out of TIME_WAIT.
 *
 * A flow to the host itself (UP_FWD_HOST) has no reply entry: the kernel sends those packets. It
 * remembers only that this tuple passed the source check and is not a published port.
 */
#ifndef UP_BPF_FLOW_H
#define UP_BPF_FLOW_H

#include <stdbool.h>

#include "lib/ctx_skb.h"
#include "lib/maps.h"

#define NSEC_PER_SEC 1000000000ULL

static __always_inline __u32 now_sec(void)
{
	return bpf_ktime_get_coarse_ns() / NSEC_PER_SEC;
}

/** tuple_reverse() - the tuple of the answer to a packet that leaves with @t */
static __always_inline void tuple_reverse(const struct up_tuple *t, struct up_tuple *ret)
{
	ret->saddr = t->daddr;
	ret->daddr = t->saddr;
	ret->ifindex = t->ifindex;
	ret->proto = t->proto;
	__builtin_memset(ret->pad, 0, sizeof(ret->pad));
	ret->sport = t->dport;
	ret->dport = t->sport;
}

static __always_inline struct up_flow *flow_pair(const struct up_flow *f)
{
	struct up_tuple key;

	tuple_reverse(&f->out, &key);
	return bpf_map_lookup_elem(&up_flows, &key);
}

static __always_inline enum up_timeout tcp_timeout(__u8 orig, __u8 reply)
{
	if ((orig | reply) & UP_SEEN_RST)
		return UP_TMO_TCP_CLOSE;
	if (orig & reply & UP_SEEN_FIN)
		return UP_TMO_TCP_TIME_WAIT;
	if ((orig | reply) & UP_SEEN_FIN)
		return UP_TMO_TCP_FIN_WAIT;
	if (!(reply & UP_SEEN_SYN))
		return UP_TMO_TCP_SYN_SENT;
	return orig & UP_SEEN_ACK ? UP_TMO_TCP_ESTABLISHED : UP_TMO_TCP_SYN_RECV;
}

/* Seconds that a flow may be idle. UDP is a stream once both sides have spoken. */
static __always_inline __u32 flow_timeout(__u8 proto, const struct up_flow *orig,
					  const struct up_flow *reply)
{
	struct up_config *conf = config();
	enum up_timeout t = UP_TMO_ICMP;

	/* Only the container's half is seen of a connection that the host itself takes part in. */
	if (proto == IPPROTO_TCP)
		t = tcp_timeout(orig->seen, reply ? reply->seen : orig->seen);
	else if (proto == IPPROTO_UDP)
		t = reply && reply->last_seen ? UP_TMO_UDP_STREAM : UP_TMO_UDP;
	return conf && t < UP_TMO_MAX ? conf->timeout[t] : 0;
}

static __always_inline void endpoint_uncount(__u32 id)
{
	struct up_endpoint *ep = bpf_map_lookup_elem(&up_endpoints, &id);

	if (ep)
		__sync_fetch_and_add(&ep->flows, -1);
}

/* Timer callback: the one place that deletes flows. */
static int flow_expire(void *map, struct up_tuple *key, struct up_flow *orig)
{
	struct up_flow *reply = orig->fwd == UP_FWD_HOST ? NULL : flow_pair(orig);
	__u32 now = now_sec(), last = orig->last_seen;
	__u32 limit = flow_timeout(key->proto, orig, reply);
	struct up_tuple pair;

	if (reply && (__s32)(reply->last_seen - last) > 0)
		last = reply->last_seen;
	if (!orig->dead && now - last < limit) {
		bpf_timer_start(&orig->timer, (limit - (now - last)) * NSEC_PER_SEC, 0);
		return 0;
	}
	endpoint_uncount(orig->owner);
	if (reply) {
		tuple_reverse(&orig->out, &pair);
		bpf_map_delete_elem(map, &pair);
	}
	bpf_map_delete_elem(map, key);
	count(UP_CNT_FLOW_EXPIRED);
	return 0;
}

/* A FIN or RST moved the deadline closer: tell the timer, which may be days away. */
static __noinline int flow_hasten(struct up_flow *f)
{
	struct up_flow *pair = f->fwd == UP_FWD_HOST ? NULL : flow_pair(f);

	if (f->orig)
		return bpf_timer_start(&f->timer, flow_timeout(IPPROTO_TCP, f, pair) * NSEC_PER_SEC,
				       0);
	if (pair && pair->orig)
		bpf_timer_start(&pair->timer, flow_timeout(IPPROTO_TCP, pair, f) * NSEC_PER_SEC, 0);
	return 0;
}

static __always_inline bool flow_closed(const struct up_flow *f, const struct up_flow *reply)
{
	__u8 both = f->seen | (reply ? reply->seen : 0);

	return both & UP_SEEN_RST || (reply && f->seen & reply->seen & UP_SEEN_FIN);
}

/* A SYN on a connection that is over starts it again (RFC 9293, 3.6.1: reuse in TIME-WAIT). */
static __noinline int flow_restart(struct up_flow *f)
{
	struct up_flow *reply = flow_pair(f);

	if (!f->orig || !reply || !flow_closed(f, reply))
		return 0;
	reply->seen = 0;
	f->seen = UP_SEEN_SYN;
	count(UP_CNT_FLOW_REUSED);
	return flow_hasten(f);
}

/** flow_track() - note that a packet of this direction passed */
static __always_inline void flow_track(struct up_flow *f, const struct pkt *p)
{
	__u32 now = now_sec();
	__u8 fresh = p->seen & ~f->seen;

	if (f->last_seen != now)
		f->last_seen = now;
	if (fresh) {
		f->seen |= fresh;
		if (fresh & (UP_SEEN_FIN | UP_SEEN_RST))
			flow_hasten(f);
	} else if ((p->seen & (UP_SEEN_SYN | UP_SEEN_ACK)) == UP_SEEN_SYN &&
		   f->seen & (UP_SEEN_FIN | UP_SEEN_RST)) {
		flow_restart(f);
	}
}

#endif
