/* SPDX-License-Identifier: GPL-2.0-only */
/* Making a flow: quota, slot, claim of the reply tuple, original direction (see flow.h). */
#ifndef UP_BPF_FLOW_NEW_H
#define UP_BPF_FLOW_NEW_H

#include "lib/endpoint.h"
#include "lib/flow.h"
#include "lib/rewrite.h"
#include "lib/snat_map.h"

#ifndef EEXIST
#define EEXIST 17
#endif
#ifndef ENOMEM
#define ENOMEM 12
#endif

/**
 * struct flow_req - a flow that is wanted
 * @key:        tuple of its first packet
 * @out:        tuple that it is to leave with
 * @slot:       its slot in the flow list
 * @owner:      endpoint that made the connection or is published: its quota is charged; 0: the host
 * @peer:       the other endpoint, 0 for none
 * @seen:       UP_SEEN_* of the first packet
 * @fwd:        where packets of its direction go
 * @reply_fwd:  where the answers go
 * @dmac:       destination MAC for a @fwd into a container
 * @reply_dmac: the same for @reply_fwd
 * @oif:        uplink, where @fwd is UP_FWD_CHILD
 * @reply_oif:  the same for @reply_fwd
 * @masq:       its source becomes an address of the host, which others use too
 * @move:       it must not keep its source port
 */
struct flow_req {
	struct up_tuple key, out;
	__u32 slot;
	__u16 owner, peer;
	__u8 seen;
	__u8 fwd, reply_fwd;
	__u8 dmac[6], reply_dmac[6];
	__u8 masq, move;
	__u32 oif, reply_oif;
};

/** flow_req_into() - its packets go into this endpoint: device, address, MAC */
static __always_inline void flow_req_into(struct flow_req *r, const struct up_endpoint *dst,
					  enum up_family family)
{
	r->fwd = endpoint_fwd(dst, r->key.ifindex);
	r->oif = dst->uplink;
	r->out.daddr = dst->addr[family];
	r->out.ifindex = dst->ifindex;
	__builtin_memcpy(r->dmac, dst->mac, sizeof(r->dmac));
}

/** flow_req_answer_into() - the answers go back into this endpoint; after flow_req_into() */
static __always_inline void flow_req_answer_into(struct flow_req *r, const struct up_endpoint *src)
{
	r->reply_fwd = endpoint_fwd(src, r->out.ifindex);
	r->reply_oif = src->uplink;
	__builtin_memcpy(r->reply_dmac, src->mac, sizeof(r->reply_dmac));
}

/*
 * What making a flow needs is more than the stack of a program: it is kept by CPU. A program is not
 * interrupted by another one of ours, because packets are handled with bottom halves off.
 */
struct flow_scratch {
	struct flow_req req;
	struct up_flow flow;
	struct up_tuple key;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct flow_scratch);
} up_scratch SEC(".maps");

static __always_inline struct flow_scratch *flow_scratch(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&up_scratch, &zero);
}

static __always_inline void flow_fill(struct up_flow *f, const struct flow_req *r,
				      const __u8 dmac[6])
{
	static const __u8 gateway_mac[6] = UP_GATEWAY_MAC;

	__builtin_memset(f, 0, sizeof(*f));
	f->slot = r->slot;
	f->owner = r->owner;
	f->peer = r->peer;
	for (int i = 0; i < 6; i++) {
		f->eth[i] = dmac[i];
		f->eth[6 + i] = gateway_mac[i];
	}
}

/**
 * flow_claim() - insert the reply direction, which claims the reply tuple
 *
 * Return: 0; -EEXIST where another flow expects that answer; -E2BIG or -ENOMEM where there is no
 * room
 */
static __noinline long flow_claim(const struct flow_req *r)
{
	struct flow_scratch *s = flow_scratch();

	if (!s)
		return -ENOMEM;
	flow_fill(&s->flow, r, r->reply_dmac);
	tuple_reverse(&r->out, &s->key);
	tuple_reverse(&r->key, &s->flow.out);
	s->flow.fwd = r->reply_fwd;
	s->flow.oif = r->reply_oif;
	flow_diffs(&s->flow, &s->key);
	return flow_add(&s->key, &s->flow);
}

static __noinline long flow_insert(const struct flow_req *r)
{
	struct flow_scratch *s = flow_scratch();

	if (!s)
		return -ENOMEM;
	flow_fill(&s->flow, r, r->dmac);
	s->flow.out = r->out;
	s->flow.fwd = r->fwd;
	s->flow.oif = r->oif;
	s->flow.orig = 1;
	s->flow.seen = r->seen;
	s->flow.last_seen = now_sec();
	flow_diffs(&s->flow, &r->key);
	return flow_add(&r->key, &s->flow);
}

static __always_inline void flow_unclaim(const struct flow_req *r)
{
	struct flow_scratch *s = flow_scratch();

	if (r->fwd == UP_FWD_HOST || !s)
		return;
	tuple_reverse(&r->out, &s->key);
	flow_remove(&s->key);
	snat_map_ended(&r->out);
}

/* A slot that was freed, else one that was never used. */
static __always_inline bool slot_take(__u32 *ret_slot)
{
	struct up_sweep *s;

	if (!bpf_map_pop_elem(&up_free_slots, ret_slot))
		return true;
	s = sweep_state();
	if (!s)
		return false;
	*ret_slot = __sync_fetch_and_add(&s->next, 1);
	if (bpf_map_lookup_elem(&up_slots, ret_slot))
		return true;
	__sync_fetch_and_add(&s->next, -1);
	return false;
}

static __always_inline void slot_give(__u32 slot)
{
	bpf_map_push_elem(&up_free_slots, &slot, 0);
}

/* When a new flow may be over at the earliest, unless its end is seen (flow_hasten). */
static __always_inline __u32 first_deadline(__u8 proto)
{
	const struct up_config *conf = config();

	if (!conf)
		return 0;
	switch (proto) {
	case IPPROTO_TCP:
		return now_sec() + sooner(conf->timeout[UP_TMO_TCP_SYN_SENT],
					  conf->timeout[UP_TMO_TCP_SYN_RECV]);
	case IPPROTO_UDP:
		return now_sec() +
		       sooner(conf->timeout[UP_TMO_UDP], conf->timeout[UP_TMO_UDP_STREAM]);
	default:
		return 0;
	}
}

/* From here on the sweeper knows the flow. */
static __always_inline void slot_fill(const struct flow_req *r)
{
	struct up_slot *slot = bpf_map_lookup_elem(&up_slots, &r->slot);

	if (!slot)
		return;
	slot->key = r->key;
	slot->owner = r->owner;
	slot->peer = r->peer;
	slot->check_at = first_deadline(r->key.proto);
	*(volatile __u32 *)&slot->used = 1;
}

static __always_inline bool endpoint_rate(struct up_endpoint *ep)
{
	__u32 now = now_sec();

	if (!ep->new_rate)
		return true;
	if (ep->new_sec != now) {
		ep->new_sec = now;
		ep->new_count = 0;
	}
	return __sync_fetch_and_add(&ep->new_count, 1) < ep->new_rate;
}

/* Charge an endpoint's quota. Return: false where the flow is refused, which has then been counted
 */
static __always_inline bool endpoint_count(__u32 id)
{
	struct up_endpoint *ep = bpf_map_lookup_elem(&up_endpoints, &id);

	if (!ep || ep->state != UP_ENDPOINT_LIVE) {
		count(UP_CNT_DROP_NO_ENDPOINT);
		return false;
	}
	if (!endpoint_rate(ep)) {
		count(UP_CNT_DROP_FLOW_RATE);
		return false;
	}
	if (__sync_fetch_and_add(&ep->flows, 1) < ep->flow_max)
		return true;
	__sync_fetch_and_add(&ep->flows, -1);
	count(UP_CNT_DROP_FLOW_QUOTA);
	return false;
}

/**
 * flow_begin() - charge the owner's quota and take a slot
 *
 * Return: false where the flow is refused, which has then been counted
 */
static __noinline bool flow_begin(struct flow_req *r)
{
	if (r->owner && !endpoint_count(r->owner))
		return false;
	if (slot_take(&r->slot))
		return true;
	endpoint_uncount(r->owner);
	count(UP_CNT_DROP_FLOW_FULL);
	return false;
}

/** flow_abandon() - give back what flow_begin() took */
static __noinline void flow_abandon(const struct flow_req *r)
{
	slot_give(r->slot);
	endpoint_uncount(r->owner);
}

/**
 * flow_finish() - complete a flow whose reply tuple is claimed
 *
 * Return: 0 where the flow is there, this one or the one that another CPU made for the same tuple
 * meanwhile; -1 where there is no room, which has then been counted. Unless the flow is this one,
 * claim, slot and quota are given back.
 */
static __noinline int flow_finish(const struct flow_req *r)
{
	long ret = flow_insert(r);

	if (!ret) {
		slot_fill(r);
		count(UP_CNT_FLOW_NEW);
		return 0;
	}
	flow_unclaim(r);
	flow_abandon(r);
	if (ret == -EEXIST)
		return 0;
	count(UP_CNT_DROP_FLOW_FULL);
	return -1;
}

#endif
