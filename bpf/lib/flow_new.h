/* SPDX-License-Identifier: GPL-2.0-only */
/* Making a flow: quota, claim of the reply tuple, original direction, timer (see flow.h). */
#ifndef UP_BPF_FLOW_NEW_H
#define UP_BPF_FLOW_NEW_H

#include "lib/csum.h"
#include "lib/flow.h"

#ifndef EEXIST
#define EEXIST 17
#endif
#define FLOW_CLOCK_MONOTONIC 1
#define FLOW_FIRST_CHECK     30 /* seconds; the timer then finds out how long the flow may live */

/* The difference that replacing @from by @to makes, kept so that packets need no arithmetic. */
static __always_inline void flow_diffs(struct up_flow *f, const struct up_tuple *from)
{
	f->addr_diff = csum_fold16(csum_diff32(from->saddr, f->out.saddr) +
				   csum_diff32(from->daddr, f->out.daddr));
	f->port_diff = 0;
	if (from->sport != f->out.sport || from->dport != f->out.dport)
		f->port_diff = csum_fold16(csum_diff16(from->sport, f->out.sport) +
					   csum_diff16(from->dport, f->out.dport));
}

/**
 * struct flow_req - a flow that is wanted
 * @key:        tuple of its first packet
 * @out:        tuple that it is to leave with
 * @owner:      endpoint that made the connection or is published: its quota is charged
 * @peer:       the other endpoint, 0 for none
 * @seen:       UP_SEEN_* of the first packet
 * @fwd:        where packets of its direction go
 * @reply_fwd:  where the answers go
 * @dmac:       destination MAC for @fwd == UP_FWD_PEER
 * @reply_dmac: the same for @reply_fwd
 */
struct flow_req {
	struct up_tuple key, out;
	__u16 owner, peer;
	__u8 seen;
	__u8 fwd, reply_fwd;
	__u8 dmac[6], reply_dmac[6];
};

static __always_inline void flow_fill(struct up_flow *f, const struct flow_req *r)
{
	f->owner = r->owner;
	f->peer = r->peer;
}

/**
 * flow_claim() - insert the reply direction, which claims the reply tuple
 *
 * Return: 0; -EEXIST where another flow expects that answer; -E2BIG or -ENOMEM where there is no
 * room
 */
static __noinline long flow_claim(const struct flow_req *r)
{
	struct up_flow f = {};
	struct up_tuple key;

	tuple_reverse(&r->out, &key);
	tuple_reverse(&r->key, &f.out);
	f.fwd = r->reply_fwd;
	__builtin_memcpy(f.dmac, r->reply_dmac, sizeof(f.dmac));
	flow_fill(&f, r);
	flow_diffs(&f, &key);
	return bpf_map_update_elem(&up_flows, &key, &f, BPF_NOEXIST);
}

static __noinline long flow_insert(const struct flow_req *r)
{
	struct up_flow f = {};

	f.out = r->out;
	f.fwd = r->fwd;
	f.orig = 1;
	f.seen = r->seen;
	f.last_seen = now_sec();
	__builtin_memcpy(f.dmac, r->dmac, sizeof(f.dmac));
	flow_fill(&f, r);
	flow_diffs(&f, &r->key);
	return bpf_map_update_elem(&up_flows, &r->key, &f, BPF_NOEXIST);
}

static __always_inline void flow_unclaim(const struct flow_req *r)
{
	struct up_tuple key;

	if (r->fwd == UP_FWD_HOST)
		return;
	tuple_reverse(&r->out, &key);
	bpf_map_delete_elem(&up_flows, &key);
}

static __always_inline int flow_arm(struct up_flow *orig, __u32 seconds)
{
	if (bpf_timer_init(&orig->timer, &up_flows, FLOW_CLOCK_MONOTONIC) ||
	    bpf_timer_set_callback(&orig->timer, flow_expire))
		return -1;
	return bpf_timer_start(&orig->timer, seconds * NSEC_PER_SEC, 0);
}

static __always_inline bool endpoint_count(__u32 id)
{
	struct up_endpoint *ep = bpf_map_lookup_elem(&up_endpoints, &id);

	if (!ep || ep->state != UP_ENDPOINT_LIVE)
		return false;
	if (__sync_fetch_and_add(&ep->flows, 1) < ep->flow_max)
		return true;
	__sync_fetch_and_add(&ep->flows, -1);
	return false;
}

/**
 * flow_finish() - complete a flow whose reply tuple is claimed: original direction and timer
 *
 * Return: the flow; the one that another CPU made for the same tuple meanwhile; NULL where it is
 * refused, which has then been counted, and the claim was given up
 */
static __noinline struct up_flow *flow_finish(const struct flow_req *r)
{
	long ret = flow_insert(r);
	struct up_flow *f;

	if (ret)
		flow_unclaim(r);
	f = bpf_map_lookup_elem(&up_flows, &r->key);
	if (ret == -EEXIST && f)
		goto uncount;
	if (ret || !f) {
		count(UP_CNT_DROP_FLOW_FULL);
		goto uncount;
	}
	if (flow_arm(f, FLOW_FIRST_CHECK)) {
		flow_unclaim(r);
		bpf_map_delete_elem(&up_flows, &r->key);
		count(UP_CNT_DROP_FLOW_TIMER);
		f = NULL;
		goto uncount;
	}
	count(UP_CNT_FLOW_NEW);
	return f;
uncount:
	endpoint_uncount(r->owner);
	return ret == -EEXIST ? f : NULL;
}

#endif
