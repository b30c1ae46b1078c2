/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Source port allocation. The packet's own port is tried first, then others: at random, and where
 * the destination is crowded, by a bitmap of those that are taken (snat_map.h); UP_SNAT_TRIES in
 * all. A candidate is free iff
 *	- it is not a published port of the host, nor reserved by its administrator,
 *	- no socket of the host owns the reply tuple,
 *	- no connection that the host's own NAT made owns it (nf_conntrack), and
 *	- claiming the reply tuple (BPF_NOEXIST) wins.
 * All but the last are asked only where the source address becomes one of the host's. The search
 * also serves flows without SNAT: two published ports that lead to the same container port can meet
 * in one reply tuple when a client uses one source port for both, and then the client's port is
 * replaced, as nf_nat does.
 */
#ifndef UP_BPF_SNAT_H
#define UP_BPF_SNAT_H

#include <stdbool.h>

#include "lib/conntrack.h"
#include "lib/flow_new.h"
#include "lib/port.h"
#include "lib/snat_map.h"

#define SNAT_RANDOM_TRIES 8
#define EBUSY             16

/* How many tries allocations took: see UP_SNAT_HIST. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, UP_SNAT_HIST);
	__type(key, __u32);
	__type(value, __u64);
} up_snat_hist SEC(".maps");

static __always_inline void snat_count(__u32 tries, bool found)
{
	__u32 row = UP_SNAT_HIST - 1;
	__u64 *n;

	if (found)
		for (row = 0; row < UP_SNAT_HIST - 2 && (1U << row) < tries; row++)
			;
	n = bpf_map_lookup_elem(&up_snat_hist, &row);
	if (n)
		(*n)++;
}

static __always_inline bool host_socket_owns(struct __sk_buff *skb, const struct up_tuple *out)
{
	struct bpf_sock_tuple t = {};
	struct bpf_sock *sk = NULL;
	__u32 size;

	if (up_addr_is_v4(&out->saddr)) {
		t.ipv4.saddr = out->daddr.w[3];
		t.ipv4.daddr = out->saddr.w[3];
		t.ipv4.sport = out->dport;
		t.ipv4.dport = out->sport;
		size = sizeof(t.ipv4);
	} else {
		for (int i = 0; i < 4; i++) {
			t.ipv6.saddr[i] = out->daddr.w[i];
			t.ipv6.daddr[i] = out->saddr.w[i];
		}
		t.ipv6.sport = out->dport;
		t.ipv6.dport = out->sport;
		size = sizeof(t.ipv6);
	}
	if (out->proto == IPPROTO_TCP)
		sk = bpf_skc_lookup_tcp(skb, &t, size, BPF_F_CURRENT_NETNS, 0);
	else if (out->proto == IPPROTO_UDP)
		sk = bpf_sk_lookup_udp(skb, &t, size, BPF_F_CURRENT_NETNS, 0);
	if (!sk)
		return false;
	bpf_sk_release(sk);
	return true;
}

/*
 * Does nf_conntrack know this packet's connection, in either direction?
 * A global function: verified once.
 */
int conntrack_knows(struct __sk_buff *skb, const struct up_tuple *p)
{
	struct bpf_sock_tuple t = {};
	struct ct_opts opts = {.netns_id = -1};
	struct nf_conn *ct;
	__u32 len = sizeof(t.ipv4);

	if (!p || !up_has_conntrack || (p->proto != IPPROTO_TCP && p->proto != IPPROTO_UDP))
		return 0;
	opts.l4proto = p->proto;
	if (up_addr_is_v4(&p->saddr)) {
		t.ipv4.saddr = p->saddr.w[3];
		t.ipv4.daddr = p->daddr.w[3];
		t.ipv4.sport = p->sport;
		t.ipv4.dport = p->dport;
	} else {
		__builtin_memcpy(t.ipv6.saddr, &p->saddr, sizeof(t.ipv6.saddr));
		__builtin_memcpy(t.ipv6.daddr, &p->daddr, sizeof(t.ipv6.daddr));
		t.ipv6.sport = p->sport;
		t.ipv6.dport = p->dport;
		len = sizeof(t.ipv6);
	}
	ct = bpf_skb_ct_lookup(skb, &t, len, &opts, sizeof(opts));
	if (!ct)
		return 0;
	bpf_ct_release(ct);
	return 1;
}

/* Does a connection of the kernel's, of its own NAT for instance, expect the answers? */
static __always_inline bool conntrack_owns(struct __sk_buff *skb, struct flow_scratch *s)
{
	tuple_reverse(&s->req.out, &s->key);
	return conntrack_knows(skb, &s->key);
}

static __always_inline bool port_is_kept_free(const struct up_tuple *out)
{
	const struct up_port_half *half = port_half();
	const struct up_config *conf = config();
	__u16 p = bpf_ntohs(out->sport);

	if (half && port_any(half, out->proto, out->sport))
		return true;
	return conf && out->proto != IPPROTO_ICMP && out->proto != IPPROTO_ICMPV6 &&
	       conf->reserved[p / 64] >> (p % 64) & 1;
}

/* Return: 0; -EEXIST where another flow has the port; -EBUSY where somebody else does; or another
 * -errno of flow_claim(). Verified once. */
int snat_try(struct __sk_buff *skb)
{
	struct flow_scratch *s = flow_scratch();

	if (!s)
		return -ENOMEM;
	if (s->req.masq && (port_is_kept_free(&s->req.out) || host_socket_owns(skb, &s->req.out) ||
			    conntrack_owns(skb, s)))
		return -EBUSY;
	return flow_claim(&s->req);
}

/**
 * struct snat_search - a search for a source port
 * @skb:   first packet of the flow
 * @m:     bitmap of the destination, NULL where it has none
 * @lo:    lowest port, host byte order
 * @range: how many there are
 * @tries: so far
 * @ret:   -errno of the last one
 */
struct snat_search {
	struct __sk_buff *skb;
	struct snat_map *m;
	__u32 lo, range;
	__u32 tries;
	int ret;
};

static __always_inline bool snat_is_taken(int ret)
{
	return ret == -EEXIST || ret == -EBUSY;
}

static long snat_step(__u32 i __attribute__((unused)), struct snat_search *s)
{
	struct flow_scratch *scratch = flow_scratch();
	__u32 port = s->m ? snat_map_pick(s->m, scratch ? scratch->req.out.proto : 0)
			  : s->lo + bpf_get_prandom_u32() % s->range;

	if (!scratch || !port)
		return 1;
	scratch->req.out.sport = bpf_htons(port);
	s->tries++;
	s->ret = snat_try(s->skb);
	if (s->m && snat_is_taken(s->ret))
		snat_map_mark(s->m, port, true);
	return !snat_is_taken(s->ret);
}

/* Among those that the bitmap does not know to be taken. */
static __always_inline void snat_search_map(struct snat_search *s, const struct up_tuple *out)
{
	if (s->m)
		snat_map_learn(s->m, out,
			       snat_map_complete(s->m) ? SNAT_LEARN_AGAIN : SNAT_LEARN_SEARCH);
	bpf_loop(UP_SNAT_TRIES - SNAT_RANDOM_TRIES, snat_step, s, 0);
	if (s->m && snat_is_taken(s->ret))
		snat_map_learn(s->m, out, SNAT_LEARN_REFUSED);
}

/* SCTP's checksum covers its ports and is not ours to compute: they stay. */
static __always_inline bool has_fixed_port(__u8 proto)
{
	return proto == IPPROTO_SCTP;
}

/* The packet's own port is taken. */
static __noinline int snat_search(struct __sk_buff *skb, struct flow_req *r)
{
	struct snat_search s = {.skb = skb, .ret = -EEXIST};
	const struct up_config *conf = config();

	if (!conf || conf->snat_hi < conf->snat_lo || has_fixed_port(r->out.proto))
		return s.ret;
	s.lo = conf->snat_lo;
	s.range = conf->snat_hi - conf->snat_lo + 1;
	s.m = snat_map_find(&r->out);
	if (!s.m)
		bpf_loop(SNAT_RANDOM_TRIES, snat_step, &s, 0);
	if (snat_is_taken(s.ret)) {
		s.m = snat_map_make(&r->out);
		snat_search_map(&s, &r->out);
	}
	snat_count(s.tries, !s.ret);
	return s.ret == -EBUSY ? -EEXIST : s.ret;
}

/**
 * snat_claim() - claim a reply tuple for a wanted flow, changing its source port where it must
 *
 * Return: 0, or -errno of the last try
 */
static __always_inline int snat_claim(struct __sk_buff *skb, struct flow_req *r)
{
	int ret = r->move ? -EEXIST : snat_try(skb);

	if (snat_is_taken(ret))
		ret = snat_search(skb, r);
	if (!ret)
		snat_map_began(&r->out);
	return ret;
}

/* Returns 0 where the flow, or another CPU's for the same packet, is there now. Verified once. */
int flow_make(struct __sk_buff *skb)
{
	struct flow_scratch *s = flow_scratch();
	int ret;

	if (!s || !flow_begin(&s->req))
		return -1;
	ret = snat_claim(skb, &s->req);
	if (!ret)
		return flow_finish(&s->req);
	flow_abandon(&s->req);
	if (ret == -EEXIST && flow_lookup(&s->req.key))
		return 0;
	count(ret == -EEXIST ? UP_CNT_DROP_SNAT_PORTS : UP_CNT_DROP_FLOW_FULL);
	return -1;
}

/**
 * flow_create() - create both directions of the flow that is described in flow_scratch()
 * @skb: its first packet
 *
 * The source port is changed where it is taken. Return: the original direction; NULL where it is
 * refused, which has then been counted
 */
static __always_inline struct up_flow *flow_create(struct __sk_buff *skb)
{
	struct flow_scratch *s = flow_scratch();

	if (!s || flow_make(skb))
		return NULL;
	return flow_lookup(&s->req.key);
}

#endif
