/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ICMP errors about flows (RFC 5508, RFC 5927). An error shows the start of the packet that it is
 * about as whoever sent it saw that packet. Turned around, the tuple of the embedded packet is the
 * key of the flow's other direction, and that is the direction in which the error has to travel:
 * the same entry says what its addresses become, outside and, mirrored, inside.
 *
 * All that changes is in the packet: every word that is replaced is also added to the difference by
 * which the ICMP checksum changes, and the embedded checksums are words like any other. Both
 * changes cancel, so skb->csum stays right whoever computed it, but for IPv6's hop limit.
 */
#ifndef UP_BPF_ICMP_ERROR_H
#define UP_BPF_ICMP_ERROR_H

#include <stdbool.h>

#include "lib/forward.h"

/* Not about any flow of ours. */
#define ICMP_ERROR_OTHER 100

static __always_inline void put16(__be16 *at, __be16 value, __u64 *diff)
{
	*diff += csum_diff16(*at, value);
	*at = value;
}

/* At most two bytes aligned in the packet, and @diff is of 16-bit words anyway. */
static __always_inline void put_addr(void *at, const __be32 *words, __u32 n, __u64 *diff)
{
	__be32 *w = at;

	for (__u32 i = 0; i < n; i++) {
		*diff += csum_diff32(w[i], words[i]);
		w[i] = words[i];
	}
}

/**
 * struct icmp_error - an error that is being translated
 * @in:   the embedded packet
 * @key:  of the flow
 * @out:  what the error leaves with: addresses, and the protocol
 * @diff: by which the ICMP checksum changes
 * @hop:  where it goes, if that is outside
 */
struct icmp_error {
	struct pkt in;
	struct up_tuple key, out;
	__u64 diff;
	struct hop hop;
};

/* Too much for the stack: see struct flow_scratch. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct icmp_error);
} up_error_scratch SEC(".maps");

/* The embedded IP header. IPv4's own checksum follows. */
static __always_inline int put_inner_l3(void *inner, void *end, struct icmp_error *e,
					const struct up_flow *f)
{
	__u64 change = 0;

	if (e->in.v6) {
		struct ipv6hdr *ip = inner;

		if ((void *)(ip + 1) > end)
			return -1;
		put_addr(&ip->saddr, f->out.daddr.w, 4, &e->diff);
		put_addr(&ip->daddr, f->out.saddr.w, 4, &e->diff);
	} else {
		struct iphdr *ip = inner;

		if ((void *)(ip + 1) > end)
			return -1;
		put_addr(&ip->saddr, &f->out.daddr.w[3], 1, &change);
		put_addr(&ip->daddr, &f->out.saddr.w[3], 1, &change);
		put16(&ip->check, csum_apply(ip->check, change), &e->diff);
		e->diff += change;
	}
	return 0;
}

/* Offset of a transport's checksum from its header; 0 for none that would have to change. */
static __always_inline __u32 csum_at(__u8 proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		return __builtin_offsetof(struct tcphdr, check);
	case IPPROTO_UDP:
		return __builtin_offsetof(struct udphdr, check);
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return __builtin_offsetof(struct icmp_head, checksum);
	default:
		return 0;
	}
}

/* The embedded ports, and the checksum where the error reaches that far. Its change is the flow's,
 * seen from the other side: the embedded packet goes back from what it became to what it was. */
static __always_inline int put_inner_l4(void *inner, void *end, struct icmp_error *e,
					const struct up_flow *f)
{
	__be16 *port = inner + e->in.port_off, *check = inner + e->in.l4_off;
	__u32 at = csum_at(e->in.t.proto);
	__u64 change = 0;

	if ((void *)(port + 2) > end)
		return -1;
	if (is_icmp(e->in.t.proto)) {
		put16(&port[0], f->out.sport | f->out.dport, &change);
	} else if (e->in.t.proto != IPPROTO_SCTP) {
		put16(&port[0], f->out.dport, &change);
		put16(&port[1], f->out.sport, &change);
	}
	e->diff += change;
	if (e->in.t.proto != IPPROTO_ICMP)
		change += f->addr_diff;
	check = (void *)check + at;
	if (!at || (void *)(check + 1) > end || (e->in.t.proto == IPPROTO_UDP && !*check))
		return 0;
	put16(check, csum_apply(*check, change), &e->diff);
	return 0;
}

static __always_inline int put_outer(void *data, void *end, const struct pkt *p,
				     struct icmp_error *e, __u8 hops)
{
	__be16 *check = data + p->csum_off;
	struct ipv6hdr *ip6 = data + PARSE_L3_OFF;
	struct iphdr *ip4 = data + PARSE_L3_OFF;
	__u64 change = 0;

	if ((void *)(check + 1) > end || (void *)(ip6 + 1) > end)
		return -1;
	if (p->v6) {
		ip6->hop_limit -= hops;
		put_addr(&ip6->saddr, e->out.saddr.w, 4, &e->diff);
		put_addr(&ip6->daddr, e->out.daddr.w, 4, &e->diff);
	} else {
		__be16 before = bpf_htons(ip4->ttl << 8 | ip4->protocol);

		ip4->ttl -= hops;
		change += csum_diff16(before, bpf_htons(ip4->ttl << 8 | ip4->protocol));
		put_addr(&ip4->saddr, &e->out.saddr.w[3], 1, &change);
		put_addr(&ip4->daddr, &e->out.daddr.w[3], 1, &change);
		ip4->check = csum_apply(ip4->check, change);
	}
	*check = csum_apply(*check, e->diff);
	return 0;
}

static __noinline int icmp_error_write(struct __sk_buff *skb, const struct pkt *p,
				       struct icmp_error *e, const struct up_flow *f, __u8 hops)
{
	void *data = ctx_data(skb), *end = ctx_end(skb);
	void *inner = data + p->l4_off + sizeof(struct icmp_head);

	if (put_inner_l3(inner, end, e, f) || put_inner_l4(inner, end, e, f) ||
	    put_outer(data, end, p, e, hops))
		return -1;
	if (p->v6 && hops)
		follow_hop_limit(skb);
	return 0;
}

static __always_inline int icmp_error_put_macs(struct __sk_buff *skb, const __u8 *eth)
{
	void *data = ctx_data(skb);

	if (data + 2 * ETH_ALEN > ctx_end(skb))
		return -1;
	__builtin_memcpy(data, eth, 2 * ETH_ALEN);
	return 0;
}

static __always_inline int icmp_error_to_peer(struct __sk_buff *skb, const struct pkt *p,
					      struct icmp_error *e, const struct up_flow *f)
{
	if (icmp_error_write(skb, p, e, f, 1) || icmp_error_put_macs(skb, f->eth))
		return malformed();
	count(UP_CNT_ICMP_FORWARDED);
	return into_container(skb, p->t.ifindex, f);
}

static __noinline int icmp_error_to_nexthop(struct __sk_buff *skb, const struct pkt *p,
					    struct icmp_error *e, const struct up_flow *f)
{
	e->hop = (struct hop){.ifindex = came_by(skb, p), .len = p->tot_len};
	hop_lookup(skb, &e->out, &e->hop);
	if (!hop_ok(&e->hop)) {
		count(UP_CNT_DROP_NO_ROUTE);
		return CTX_DROP;
	}
	if (icmp_error_write(skb, p, e, f, 1) || icmp_error_put_macs(skb, e->hop.eth))
		return malformed();
	count(UP_CNT_ICMP_FORWARDED);
	return hop_redirect(skb, p, &e->hop);
}

/* A container refuses a datagram by an error: if it shares a port, others do better. */
static __always_inline void icmp_error_health(const struct pkt *p, const struct up_flow *f)
{
	if (!f->orig && !f->last_seen && p->t.ifindex)
		flow_refused(f);
}

static __always_inline int icmp_error_send(struct __sk_buff *skb, const struct pkt *p,
					   struct icmp_error *e, const struct up_flow *f)
{
	if (f->fwd == UP_FWD_LOCAL)
		return icmp_error_write(skb, p, e, f, 0) ? malformed() : CTX_NEXT;
	if (p->ttl <= 1) {
		count(UP_CNT_DROP_TTL);
		return CTX_DROP;
	}
	icmp_error_health(p, f);
	return f->fwd == UP_FWD_NEXTHOP ? icmp_error_to_nexthop(skb, p, e, f)
					: icmp_error_to_peer(skb, p, e, f);
}

/**
 * icmp_error_forward() - translate an ICMP error about a flow, and forward it
 *
 * Return: a verdict, or ICMP_ERROR_OTHER
 */
int icmp_error_forward(struct __sk_buff *skb, const struct pkt *p)
{
	__u32 zero = 0;
	struct icmp_error *e = bpf_map_lookup_elem(&up_error_scratch, &zero);
	const struct up_flow *f;

	if (!p || !e || ctx_parse_inner(skb, p, &e->in) != PARSE_OK)
		return ICMP_ERROR_OTHER;
	tuple_reverse(&e->in.t, &e->key);
	e->key.ifindex = p->t.ifindex;
	f = flow_lookup(&e->key);
	if (!f || f->fwd == UP_FWD_HOST)
		return ICMP_ERROR_OTHER;
	e->diff = 0;
	e->out = p->t;
	e->out.daddr = f->out.daddr;
	if (up_addr_equal(&p->t.saddr, &e->in.t.daddr))
		e->out.saddr = f->out.saddr;
	return icmp_error_send(skb, p, e, f);
}

#endif
