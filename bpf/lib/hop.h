/* SPDX-License-Identifier: GPL-2.0-only */
/* The next hop, by the kernel's routing table: rules, metrics, MTU exceptions and neighbours. */
#ifndef UP_BPF_HOP_H
#define UP_BPF_HOP_H

#include <stdbool.h>

#include "lib/reply.h"

#ifndef AF_INET
#define AF_INET 2
#endif
#ifndef AF_INET6
#define AF_INET6 10
#endif

/* Does the FIB say which source address to use (BPF_FIB_LOOKUP_SRC, Linux 6.7)? Set by the loader.
 */
const volatile bool up_has_fib_src = false;

/**
 * struct hop - a question to the routing table, and its answer: where a packet goes
 * @len:     asked: length to check against the path MTU, bytes; 0 not to check
 * @flags:   asked: BPF_FIB_LOOKUP_*
 * @ifindex: asked: interface that is taken for the ingress; forwarding must be on there. Answered:
 *           output interface
 * @ret:     enum BPF_FIB_LKUP_RET_*
 * @eth:     destination and source MAC; not valid where @ret is NO_NEIGH
 * @nexthop: gateway or destination, for bpf_redirect_neigh()
 * @src:     source address for it, where that was asked for; else the one that was given
 * @mtu:     path MTU, bytes; valid where a length was given to be checked
 */
struct hop {
	__u32 len, flags;
	__u32 ifindex;
	long ret;
	__u8 eth[2 * ETH_ALEN];
	struct up_addr nexthop, src;
	__u16 mtu;
};

static __always_inline void hop_key4(struct bpf_fib_lookup *fib, const struct up_tuple *out)
{
	fib->family = AF_INET;
	fib->ipv4_src = out->saddr.w[3];
	fib->ipv4_dst = out->daddr.w[3];
}

static __always_inline void hop_key6(struct bpf_fib_lookup *fib, const struct up_tuple *out)
{
	fib->family = AF_INET6;
	__builtin_memcpy(fib->ipv6_src, &out->saddr, sizeof(out->saddr));
	__builtin_memcpy(fib->ipv6_dst, &out->daddr, sizeof(out->daddr));
}

static __always_inline void hop_answer(struct hop *hop, const struct bpf_fib_lookup *fib, bool v4)
{
	hop->ifindex = fib->ifindex;
	hop->mtu = fib->mtu_result;
	__builtin_memcpy(hop->eth, fib->dmac, ETH_ALEN);
	__builtin_memcpy(hop->eth + ETH_ALEN, fib->smac, ETH_ALEN);
	if (v4) {
		hop->nexthop = UP_MAPPED(fib->ipv4_dst);
		hop->src = UP_MAPPED(fib->ipv4_src);
	} else {
		__builtin_memcpy(&hop->nexthop, fib->ipv6_dst, sizeof(hop->nexthop));
		__builtin_memcpy(&hop->src, fib->ipv6_src, sizeof(hop->src));
	}
}

/**
 * hop_lookup() - ask the kernel's routing table, rules included
 * @skb: any packet that came in by an interface of the host
 * @out: the tuple that the packet leaves with
 * @hop: the question, and the answer
 */
static __noinline void hop_lookup(struct __sk_buff *skb, const struct up_tuple *out,
				  struct hop *hop)
{
	struct bpf_fib_lookup fib = {
		.l4_protocol = out->proto,
		.sport = out->sport,
		.dport = out->dport,
		.tot_len = hop->len < 0xffff ? hop->len : 0xffff,
		.ifindex = hop->ifindex,
	};
	bool v4 = up_addr_is_v4(&out->daddr);

	if (v4)
		hop_key4(&fib, out);
	else
		hop_key6(&fib, out);
	hop->ret = bpf_fib_lookup(skb, &fib, sizeof(fib), hop->flags);
	hop_answer(hop, &fib, v4);
}

static __always_inline bool hop_ok(const struct hop *hop)
{
	return hop->ret == BPF_FIB_LKUP_RET_SUCCESS || hop->ret == BPF_FIB_LKUP_RET_NO_NEIGH;
}

/** hop_refuse() - the packet cannot go there: say so to its sender. Return: a verdict */
static __always_inline int hop_refuse(struct __sk_buff *skb, const struct pkt *p,
				      const struct hop *hop)
{
	switch (hop->ret) {
	case BPF_FIB_LKUP_RET_FRAG_NEEDED:
		return icmp_reply(skb, p, REPLY_TOO_BIG, hop->mtu);
	case BPF_FIB_LKUP_RET_PROHIBIT:
		return icmp_reply(skb, p, REPLY_PROHIBITED, 0);
	case BPF_FIB_LKUP_RET_UNREACHABLE:
		return icmp_reply(skb, p, REPLY_HOST, 0);
	case BPF_FIB_LKUP_RET_BLACKHOLE:
		count(UP_CNT_DROP_NO_ROUTE);
		return CTX_DROP;
	default:
		return icmp_reply(skb, p, REPLY_NO_ROUTE, 0);
	}
}

/** hop_redirect() - send a packet that is complete; but for its Ethernet header, where the
 * neighbour is not resolved */
static __always_inline int hop_redirect(struct __sk_buff *skb, const struct pkt *p,
					const struct hop *hop)
{
	struct bpf_redir_neigh nh = {.nh_family = AF_INET};

	if (hop->ret != BPF_FIB_LKUP_RET_NO_NEIGH)
		return send_out(skb, p->t.ifindex, hop->ifindex);
	if (up_if_is_child(p->t.ifindex))
		skb->mark = UP_MARK;
	if (p->v6) {
		nh.nh_family = AF_INET6;
		__builtin_memcpy(nh.ipv6_nh, &hop->nexthop, sizeof(nh.ipv6_nh));
	} else {
		nh.ipv4_nh = hop->nexthop.w[3];
	}
	return bpf_redirect_neigh(hop->ifindex, &nh, sizeof(nh), 0);
}

#endif
