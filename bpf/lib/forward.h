/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Forwarding a packet of a known flow: next hop, one rewrite, redirect.
 *
 * The next hop is asked for before anything is written, with the addresses that the packet will
 * have, so that a packet which turns out to be the kernel's to handle (unreachable, too big, TTL)
 * reaches it as it came and the kernel's ICMP errors are right.
 *
 * The answer is kept in the flow and asked for again in the next second: a change of routes or
 * neighbours takes effect within a second, without anything that would have to be invalidated.
 *
 * Writing. IP and Ethernet headers are written directly: the IP checksum is always in the packet,
 * and its update leaves the header's own sum, and so skb->csum, as it was. The transport checksum
 * may be left to the NIC (CHECKSUM_PARTIAL), which only bpf_l4_csum_replace() knows; the difference
 * was computed when the flow was made.
 */
#ifndef UP_BPF_FORWARD_H
#define UP_BPF_FORWARD_H

#include <stdbool.h>
#include <linux/if_ether.h>
#include <linux/ip.h>

#include "lib/csum.h"
#include "lib/flow.h"

#ifndef AF_INET
#define AF_INET 2
#endif

/**
 * struct hop - where a packet goes
 * @ret:     enum BPF_FIB_LKUP_RET_*
 * @ifindex: output interface
 * @eth:     destination and source MAC; not valid where @ret is NO_NEIGH
 * @nexthop: gateway or destination, network byte order, for bpf_redirect_neigh()
 * @mtu:     path MTU, bytes; valid where a length was given to be checked
 */
struct hop {
	long ret;
	__u32 ifindex;
	__u8 eth[2 * ETH_ALEN];
	__be32 nexthop;
	__u16 mtu;
};

/**
 * hop_lookup() - ask the kernel's routing table, rules included
 * @skb:     any packet that came in by an interface of the host
 * @ifindex: interface that the lookup takes for the ingress; IPv4 forwarding must be on there
 * @out:     the tuple that the packet leaves with
 * @len:     length to check against the path MTU, bytes; 0 not to check
 * @flags:   BPF_FIB_LOOKUP_*
 */
static __always_inline void hop_lookup(struct __sk_buff *skb, __u32 ifindex,
				       const struct up_tuple *out, __u16 len, __u32 flags,
				       struct hop *hop)
{
	struct bpf_fib_lookup fib = {
		.family = AF_INET,
		.l4_protocol = out->proto,
		.sport = out->sport,
		.dport = out->dport,
		.tot_len = len,
		.ifindex = ifindex,
		.ipv4_src = out->saddr,
		.ipv4_dst = out->daddr,
	};

	hop->ret = bpf_fib_lookup(skb, &fib, sizeof(fib), flags);
	hop->ifindex = fib.ifindex;
	hop->nexthop = fib.ipv4_dst;
	hop->mtu = fib.mtu_result;
	__builtin_memcpy(hop->eth, fib.dmac, ETH_ALEN);
	__builtin_memcpy(hop->eth + ETH_ALEN, fib.smac, ETH_ALEN);
}

static __always_inline bool hop_ok(const struct hop *hop)
{
	return hop->ret == BPF_FIB_LKUP_RET_SUCCESS || hop->ret == BPF_FIB_LKUP_RET_NO_NEIGH;
}

/* Ethernet and IP headers, and the ports. */
static __always_inline int write_headers(struct __sk_buff *skb, const struct pkt *p,
					 const struct up_flow *f, const __u8 eth[2 * ETH_ALEN])
{
	void *data = ctx_data(skb), *end = ctx_end(skb);
	struct iphdr *ip = data + PARSE_L3_OFF;
	__be16 *port = data + p->port_off;
	__be16 before;

	if ((void *)(ip + 1) > end || (void *)(port + 2) > end)
		return -1;
	__builtin_memcpy(data, eth, 2 * ETH_ALEN);
	before = bpf_htons(ip->ttl << 8 | ip->protocol);
	ip->ttl--;
	ip->saddr = f->out.saddr;
	ip->daddr = f->out.daddr;
	ip->check = csum_apply(ip->check,
			       (__u64)f->addr_diff +
				       csum_diff16(before, bpf_htons(ip->ttl << 8 | ip->protocol)));
	if (p->t.proto != IPPROTO_ICMP) {
		port[0] = f->out.sport;
		port[1] = f->out.dport;
	} else {
		port[0] = f->out.sport | f->out.dport; /* one of them is 0 */
	}
	return 0;
}

static __always_inline int write_csum(struct __sk_buff *skb, const struct pkt *p,
				      const struct up_flow *f)
{
	__u64 mangled = p->t.proto == IPPROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0;

	if (p->t.proto != IPPROTO_ICMP && f->addr_diff &&
	    bpf_l4_csum_replace(skb, p->csum_off, 0, f->addr_diff, BPF_F_PSEUDO_HDR | mangled))
		return -1;
	if (f->port_diff && bpf_l4_csum_replace(skb, p->csum_off, 0, f->port_diff, mangled))
		return -1;
	return 0;
}

static __always_inline int rewrite(struct __sk_buff *skb, const struct pkt *p,
				   const struct up_flow *f, const __u8 eth[2 * ETH_ALEN])
{
	return write_headers(skb, p, f, eth) || write_csum(skb, p, f);
}

static __always_inline int forward_peer(struct __sk_buff *skb, const struct pkt *p,
					const struct up_flow *f)
{
	if (rewrite(skb, p, f, f->eth)) {
		count(UP_CNT_DROP_MALFORMED);
		return CTX_DROP;
	}
	return bpf_redirect_peer(f->out.ifindex, 0);
}

static __always_inline int hop_redirect(const struct hop *hop)
{
	struct bpf_redir_neigh nh = {.nh_family = AF_INET, .ipv4_nh = hop->nexthop};

	if (hop->ret == BPF_FIB_LKUP_RET_NO_NEIGH)
		return bpf_redirect_neigh(hop->ifindex, &nh, sizeof(nh), 0);
	return bpf_redirect(hop->ifindex, 0);
}

/* Remember a resolved next hop for the rest of this second. */
static __always_inline void hop_keep(struct up_flow *f, const struct hop *hop)
{
	f->oif = 0;
	if (hop->ret != BPF_FIB_LKUP_RET_SUCCESS)
		return;
	__builtin_memcpy(f->eth, hop->eth, sizeof(f->eth));
	f->mtu = hop->mtu;
	f->oif = hop->ifindex;
}

/* By the routing table, which is asked with the first packet in a second. */
static __noinline int forward_by_route(struct __sk_buff *skb, const struct pkt *p,
				       struct up_flow *f)
{
	struct hop hop;

	/* A GSO packet is cut to fit later on; the headers' length finds out the MTU all the same.
	 */
	hop_lookup(skb, skb->ifindex, &f->out, skb->gso_size ? sizeof(struct iphdr) : p->tot_len, 0,
		   &hop);
	if (!hop_ok(&hop)) {
		f->oif = 0;
		count(UP_CNT_TO_KERNEL);
		return CTX_NEXT;
	}
	hop_keep(f, &hop);
	if (rewrite(skb, p, f, hop.eth)) {
		count(UP_CNT_DROP_MALFORMED);
		return CTX_DROP;
	}
	return hop_redirect(&hop);
}

static __always_inline int forward_nexthop(struct __sk_buff *skb, const struct pkt *p,
					   struct up_flow *f, bool ask)
{
	if (ask || !f->oif || (p->tot_len > f->mtu && !skb->gso_size))
		return forward_by_route(skb, p, f);
	if (rewrite(skb, p, f, f->eth)) {
		count(UP_CNT_DROP_MALFORMED);
		return CTX_DROP;
	}
	return bpf_redirect(f->oif, 0);
}

/**
 * flow_forward() - do to a packet what its flow says
 *
 * A packet whose TTL ends here goes to the kernel, which answers it, where the kernel sees it as
 * the sender does: on its way out of a container. On the way in the kernel would take it for its
 * own.
 */
static __always_inline int flow_forward(struct __sk_buff *skb, const struct pkt *p,
					struct up_flow *f)
{
	bool first = flow_track(f, p);

	if (f->fwd == UP_FWD_HOST)
		return CTX_NEXT;
	if (p->ttl <= 1) {
		count(p->t.ifindex ? UP_CNT_TO_KERNEL : UP_CNT_DROP_TTL);
		return p->t.ifindex ? CTX_NEXT : CTX_DROP;
	}
	return f->fwd == UP_FWD_PEER ? forward_peer(skb, p, f) : forward_nexthop(skb, p, f, first);
}

#endif
