/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Source port allocation. The packet's own port is tried first, then UP_SNAT_TRIES others from a
 * random start. A candidate is free iff
 *	- it is not a published port of the host,
 *	- no socket of the host owns the reply tuple, and
 *	- claiming the reply tuple (BPF_NOEXIST) wins.
 * The first two are asked only where the source address becomes one of the host's. The search also
 * serves flows without SNAT: two published ports that lead to the same container port can meet in
 * one reply tuple when a client uses one source port for both, and then the client's port is
 * replaced, as nf_nat does.
 */
#ifndef UP_BPF_SNAT_H
#define UP_BPF_SNAT_H

#include <stdbool.h>

#include "lib/flow_new.h"
#include "lib/port.h"

struct snat_search {
	struct __sk_buff *skb;
	struct flow_req *req;
	__u32 lo, range, start;
	long ret;
};

static __always_inline bool host_socket_owns(struct __sk_buff *skb, const struct up_tuple *out)
{
	struct bpf_sock_tuple t = {
		.ipv4 =
			{
				.saddr = out->daddr,
				.daddr = out->saddr,
				.sport = out->dport,
				.dport = out->sport,
			},
	};
	struct bpf_sock *sk = NULL;

	if (out->proto == IPPROTO_TCP)
		sk = bpf_skc_lookup_tcp(skb, &t, sizeof(t.ipv4), BPF_F_CURRENT_NETNS, 0);
	else if (out->proto == IPPROTO_UDP)
		sk = bpf_sk_lookup_udp(skb, &t, sizeof(t.ipv4), BPF_F_CURRENT_NETNS, 0);
	if (!sk)
		return false;
	bpf_sk_release(sk);
	return true;
}

/* Return: 0, -EEXIST where the port is taken, or another -errno of flow_claim() */
static __noinline long snat_try(struct __sk_buff *skb, struct flow_req *r)
{
	const struct up_port_half *half;

	if (r->out.saddr != r->key.saddr) {
		half = port_half();
		if (half && port_any(half, r->out.proto, r->out.sport))
			return -EEXIST;
		if (host_socket_owns(skb, &r->out))
			return -EEXIST;
	}
	return flow_claim(r);
}

static long snat_step(__u32 i, struct snat_search *s)
{
	s->req->out.sport = bpf_htons(s->lo + (s->start + i) % s->range);
	s->ret = snat_try(s->skb, s->req);
	return s->ret != -EEXIST;
}

/**
 * snat_claim() - claim a reply tuple for a wanted flow, changing its source port where it must
 *
 * Return: 0, or -errno of the last try
 */
static __noinline long snat_claim(struct __sk_buff *skb, struct flow_req *r)
{
	struct snat_search s = {.skb = skb, .req = r};
	struct up_config *conf;

	s.ret = snat_try(skb, r);
	if (s.ret != -EEXIST)
		return s.ret;
	conf = config();
	if (!conf || conf->snat_hi < conf->snat_lo)
		return s.ret;
	s.lo = conf->snat_lo;
	s.range = conf->snat_hi - conf->snat_lo + 1;
	s.start = bpf_get_prandom_u32() % s.range;
	bpf_loop(UP_SNAT_TRIES, snat_step, &s, 0);
	return s.ret;
}

/**
 * flow_create() - create both directions of a flow
 * @skb: its first packet
 * @r:   the flow that is wanted; its source port is changed where it is taken
 *
 * Return: the original direction; NULL where it is refused, which has then been counted
 */
static __noinline struct up_flow *flow_create(struct __sk_buff *skb, struct flow_req *r)
{
	struct up_flow *f;
	long ret;

	if (!flow_begin(r))
		return NULL;
	ret = snat_claim(skb, r);
	if (!ret)
		return flow_finish(r);
	flow_abandon(r);
	/* Another CPU may have made this very flow meanwhile. */
	f = ret == -EEXIST ? bpf_map_lookup_elem(&up_flows, &r->key) : NULL;
	if (!f)
		count(ret == -EEXIST ? UP_CNT_DROP_SNAT_PORTS : UP_CNT_DROP_FLOW_FULL);
	return f;
}

#endif
