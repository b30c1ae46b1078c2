/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writing what a flow changes in a packet: MACs, addresses, TTL, ports, checksums.
 *
 * Headers are written directly. The IPv4 header checksum is always in the packet, and its update
 * leaves the header's own sum, and so skb->csum, as it was. Whether the transport checksum is in
 * the packet is known to the sk_buff; where we cannot look, or where skb->csum must follow (the NIC
 * has summed the packet, CHECKSUM_COMPLETE, and in IPv4 nothing makes up for the change of the
 * pseudo header), bpf_l4_csum_replace() does it, at several times the cost. In IPv6 the addresses
 * that change are in the sum themselves and the checksum makes up for them; for the hop limit
 * nothing does. What changes was computed when the flow was made.
 */
#ifndef UP_BPF_REWRITE_H
#define UP_BPF_REWRITE_H

#include <stdbool.h>
#include <bpf/bpf_endian.h>

#include "lib/csum.h"
#include "lib/ctx_skb.h"

/* The difference that replacing @from by @to makes, kept so that packets need no arithmetic. */
static __always_inline void flow_diffs(struct up_flow *f, const struct up_tuple *from)
{
	f->addr_diff = csum_fold16(csum_diff_addr(&from->saddr, &f->out.saddr) +
				   csum_diff_addr(&from->daddr, &f->out.daddr));
	f->port_diff = 0;
	if (from->sport != f->out.sport || from->dport != f->out.dport)
		f->port_diff = csum_fold16(csum_diff16(from->sport, f->out.sport) +
					   csum_diff16(from->dport, f->out.dport));
}

static __always_inline void write_ipv4(struct iphdr *ip, const struct up_flow *f, __u8 hops)
{
	__be16 before = bpf_htons(ip->ttl << 8 | ip->protocol), after;

	ip->ttl -= hops;
	after = bpf_htons(ip->ttl << 8 | ip->protocol);
	ip->saddr = f->out.saddr.w[3];
	ip->daddr = f->out.daddr.w[3];
	ip->check = csum_apply(ip->check, (__u64)f->addr_diff + csum_diff16(before, after));
}

static __always_inline void write_ipv6(struct ipv6hdr *ip, const struct up_flow *f, __u8 hops)
{
	ip->hop_limit -= hops;
	__builtin_memcpy(&ip->saddr, &f->out.saddr, sizeof(ip->saddr));
	__builtin_memcpy(&ip->daddr, &f->out.daddr, sizeof(ip->daddr));
}

static __always_inline bool is_icmp(__u8 proto)
{
	return proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6;
}

static __always_inline void write_ports(__be16 *port, __u8 proto, const struct up_flow *f)
{
	if (is_icmp(proto)) {
		port[0] = f->out.sport | f->out.dport; /* the identifier: one of them is 0 */
		return;
	}
	port[0] = f->out.sport;
	port[1] = f->out.dport;
}

/* A checksum that is in the packet. For UDP 0 means that there is none, and a sum of 0 is written
 * as its other representation (RFC 768). ICMP, unlike ICMPv6, does not cover addresses. */
static __always_inline void write_full_csum(__u16 *check, __u8 proto, const struct up_flow *f)
{
	__u64 diff = f->port_diff + (proto == IPPROTO_ICMP ? 0 : (__u64)f->addr_diff);

	if (proto == IPPROTO_UDP && !*check)
		return;
	*check = csum_apply(*check, diff);
	if (proto == IPPROTO_UDP && !*check)
		*check = 0xffff;
}

/* One hop less: no checksum of IPv6 covers it, but the NIC's sum of the packet does. */
static __always_inline void follow_hop_limit(struct __sk_buff *skb)
{
	bpf_csum_update(skb, csum_diff16(bpf_htons(1), 0));
}

/* Leave it to the kernel, which knows what else must follow; but it has skb->csum follow the
 * pseudo header in IPv6 too, where nothing has changed. Invalidates pointers into the packet. */
static __always_inline int replace_csum(struct __sk_buff *skb, const struct pkt *p,
					const struct up_flow *f)
{
	__u64 mangled = p->t.proto == IPPROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0;

	if (p->t.proto != IPPROTO_ICMP && f->addr_diff &&
	    bpf_l4_csum_replace(skb, p->csum_off, 0, f->addr_diff, BPF_F_PSEUDO_HDR | mangled))
		return -1;
	if (p->v6)
		bpf_csum_update(skb, f->addr_diff);
	if (f->port_diff && bpf_l4_csum_replace(skb, p->csum_off, 0, f->port_diff, mangled))
		return -1;
	return 0;
}

static __always_inline int write_l4(struct __sk_buff *skb, void *data, void *end,
				    const struct pkt *p, const struct up_flow *f)
{
	enum ctx_csum csum = ctx_csum(skb);
	__be16 *port = data + p->port_off;
	__u16 *check = data + p->csum_off;

	if ((void *)(port + 2) > end || (void *)(check + 1) > end)
		return -1;
	write_ports(port, p->t.proto, f);
	if (csum == CTX_CSUM_PARTIAL && !is_icmp(p->t.proto))
		*check = csum_fold16((__u64)*check + f->addr_diff);
	else if (csum == CTX_CSUM_UNKNOWN || (csum == CTX_CSUM_COMPLETE && !p->v6))
		return replace_csum(skb, p, f);
	else
		write_full_csum(check, p->t.proto, f);
	return 0;
}

static __always_inline int write_l3(void *data, void *end, const struct pkt *p,
				    const struct up_flow *f, __u8 hops)
{
	struct ipv6hdr *ip6 = data + PARSE_L3_OFF;
	struct iphdr *ip4 = data + PARSE_L3_OFF;

	if (p->v6) {
		if ((void *)(ip6 + 1) > end)
			return -1;
		write_ipv6(ip6, f, hops);
	} else {
		if ((void *)(ip4 + 1) > end)
			return -1;
		write_ipv4(ip4, f, hops);
	}
	return 0;
}

/* A later fragment has no transport header, and what SCTP's covers does not change. */
static __always_inline bool has_l4_changes(const struct pkt *p)
{
	return p->res == PARSE_OK && p->t.proto != IPPROTO_SCTP;
}

/* Word by word: a byte-wise copy is a quarter of all the instructions that a packet costs. */
static __always_inline void write_macs(void *data, const struct up_flow *f)
{
	const __u32 *from = (const __u32 *)f->eth;
	__u32 *to = data;

	to[0] = from[0];
	to[1] = from[1];
	to[2] = from[2];
}

/**
 * rewrite_hops() - all that a flow changes in a packet, Ethernet header included
 * @hops: what is taken from the TTL: 1 where it is routed, 0 where it is bridged
 *
 * Return: 0 or -1
 */
static __always_inline int rewrite_hops(struct __sk_buff *skb, const struct pkt *p,
					const struct up_flow *f, __u8 hops)
{
	void *data = ctx_data(skb), *end = ctx_end(skb);

	if (write_l3(data, end, p, f, hops))
		return -1;
	write_macs(data, f);
	if (p->v6 && hops)
		follow_hop_limit(skb);
	return has_l4_changes(p) ? write_l4(skb, data, end, p, f) : 0;
}

/** rewrite() - the same for a packet that is forwarded. Return: 0 or -1 */
static __always_inline int rewrite(struct __sk_buff *skb, const struct pkt *p,
				   const struct up_flow *f)
{
	return rewrite_hops(skb, p, f, 1);
}

/**
 * rewrite_port() - the same for one of the host's own, where only a port, or an echo's identifier,
 * is another
 *
 * By helpers, and not in place: before a program that writes in place, the kernel has every packet
 * made writable, even the many that this one lets pass. Return: 0 or -1
 */
static __always_inline int rewrite_port(struct __sk_buff *skb, const struct pkt *p,
					const struct up_flow *f)
{
	bool icmp = is_icmp(p->t.proto);
	__be16 port[2] = {f->out.sport, f->out.dport};

	if (!has_l4_changes(p))
		return 0;
	if (icmp)
		port[0] |= port[1]; /* as write_ports() */
	if (f->port_diff &&
	    bpf_l4_csum_replace(skb, p->csum_off, 0, f->port_diff,
				p->t.proto == IPPROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0))
		return -1;
	return bpf_skb_store_bytes(skb, p->port_off, port, icmp ? sizeof(port[0]) : sizeof(port),
				   0);
}

#endif
