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
 * Writing. Headers are written directly. The IP checksum is always in the packet, and its update
 * leaves the header's own sum, and so skb->csum, as it was. Whether the transport checksum is in
 * the packet is known to the sk_buff; where we cannot look, or where more than the field must
 * change, bpf_l4_csum_replace() does it, at several times the cost. What changes was computed when
 * the flow was made.
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

static __always_inline void write_ip(struct iphdr *ip, const struct up_flow *f)
{
	__be16 before = bpf_htons(ip->ttl << 8 | ip->protocol), after;

	ip->ttl--;
	after = bpf_htons(ip->ttl << 8 | ip->protocol);
	ip->saddr = f->out.saddr;
	ip->daddr = f->out.daddr;
	ip->check = csum_apply(ip->check, (__u64)f->addr_diff + csum_diff16(before, after));
}

static __always_inline void write_ports(__be16 *port, __u8 proto, const struct up_flow *f)
{
	if (proto == IPPROTO_ICMP) {
		port[0] = f->out.sport | f->out.dport; /* the identifier: one of them is 0 */
		return;
	}
	port[0] = f->out.sport;
	port[1] = f->out.dport;
}

/* A checksum that is in the packet. For UDP 0 means that there is none, and a sum of 0 is written
 * as its other representation (RFC 768). */
static __always_inline void write_full_csum(__u16 *check, __u8 proto, const struct up_flow *f)
{
	__u64 diff = f->port_diff + (proto == IPPROTO_ICMP ? 0 : (__u64)f->addr_diff);

	if (proto == IPPROTO_UDP && !*check)
		return;
	*check = csum_apply(*check, diff);
	if (proto == IPPROTO_UDP && !*check)
		*check = 0xffff;
}

/* Leave it to the kernel, which knows what else must follow. Invalidates pointers into the packet.
 */
static __always_inline int replace_csum(struct __sk_buff *skb, const struct pkt *p,
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

/* All that a flow changes in a packet. */
static __always_inline int rewrite(struct __sk_buff *skb, const struct pkt *p,
				   const struct up_flow *f)
{
	void *data = ctx_data(skb), *end = ctx_end(skb);
	enum ctx_csum csum = ctx_csum(skb);
	struct iphdr *ip = data + PARSE_L3_OFF;
	__be16 *port = data + p->port_off;
	__u16 *check = data + p->csum_off;

	if ((void *)(ip + 1) > end || (void *)(port + 2) > end || (void *)(check + 1) > end)
		return -1;
	__builtin_memcpy(data, f->eth, sizeof(f->eth));
	write_ip(ip, f);
	write_ports(port, p->t.proto, f);
	if (csum == CTX_CSUM_PARTIAL && p->t.proto != IPPROTO_ICMP)
		*check = csum_fold16((__u64)*check + f->addr_diff);
	else if (csum == CTX_CSUM_NONE || csum == CTX_CSUM_UNNECESSARY)
		write_full_csum(check, p->t.proto, f);
	else
		return replace_csum(skb, p, f);
	return 0;
}

static __always_inline int forward_peer(struct __sk_buff *skb, const struct pkt *p,
					const struct up_flow *f)
{
	if (rewrite(skb, p, f)) {
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

/* Remember a next hop; for the rest of this second where its neighbour is resolved. */
static __always_inline void hop_keep(struct up_flow *f, const struct hop *hop)
{
	__builtin_memcpy(f->eth, hop->eth, sizeof(f->eth));
	f->mtu = hop->mtu;
	f->oif = hop->ret == BPF_FIB_LKUP_RET_SUCCESS ? hop->ifindex : 0;
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
	if (rewrite(skb, p, f)) {
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
	if (rewrite(skb, p, f)) {
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
