/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fast path: nearly every packet of a busy host is TCP or UDP in plain IPv4, of a flow that has
 * been seen in this very second and goes on as before. For it all is known, and nothing has to be
 * noted: it is found by one lookup, rewritten and sent.
 *
 * It does what the long way does with such a packet, and leaves it everything else: options,
 * fragments, flags that change a connection, the first packet in a second (which asks again for the
 * next hop), packets that are too big or too old, checksums that others have to follow. Whether it
 * was taken can be seen by a clock and by nothing else.
 */
#ifndef UP_BPF_FASTPATH_H
#define UP_BPF_FASTPATH_H

#include <stdbool.h>

#include "lib/forward.h"

#define FASTPATH_NONE (-2) /* no verdict: the long way decides */

/* What follows the Ethernet header of nearly all packets. */
struct fast_headers {
	struct iphdr ip;
	union {
		__be16 port[2];
		struct udphdr udp;
		struct tcphdr tcp;
	};
};

/* An IPv4 header without options, of a whole packet that may travel on. */
static __always_inline bool fast_ip(const struct iphdr *ip, __u32 frame)
{
	const __u8 *first = (const __u8 *)ip;
	__u32 len = bpf_ntohs(ip->tot_len);

	return *first == 0x45 && !(ip->frag_off & (IP4_MORE | IP4_OFFSET)) && ip->ttl > 1 &&
	       len + ETH_HLEN <= frame;
}

/* The length of the transport header; 0 where it is another one, is not all there, or means that
 * the connection changes. */
static __always_inline __u32 fast_l4(const struct fast_headers *h, const void *end)
{
	__u32 len = bpf_ntohs(h->ip.tot_len);

	if (h->ip.protocol == IPPROTO_UDP)
		return len < sizeof(h->ip) + sizeof(h->udp) ? 0 : sizeof(h->udp);
	if (h->ip.protocol != IPPROTO_TCP || (const void *)(&h->tcp + 1) > end ||
	    len < sizeof(h->ip) + sizeof(h->tcp) || h->tcp.doff < 5 ||
	    tcp_seen(&h->tcp) != UP_SEEN_ACK)
		return 0;
	return h->tcp.doff * 4;
}

static __always_inline __u16 *fast_check(struct fast_headers *h)
{
	return h->ip.protocol == IPPROTO_TCP ? &h->tcp.check : &h->udp.check;
}

static __always_inline struct up_flow *fast_lookup(const struct fast_headers *h, __u32 from)
{
	struct up_tuple4 key = {
		.saddr = h->ip.saddr,
		.daddr = h->ip.daddr,
		.sport = h->port[0],
		.dport = h->port[1],
		.ifindex = from,
		.proto = h->ip.protocol,
	};

	return bpf_map_lookup_elem(&up_flows4, &key);
}

/* Nothing to note of it, nothing to ask for, and it fits. */
static __always_inline bool fast_goes_on(const struct __sk_buff *skb, const struct fast_headers *h,
					 __u32 l4, const struct up_flow *f)
{
	__u32 len = skb->gso_size ? sizeof(h->ip) + l4 + skb->gso_size : bpf_ntohs(h->ip.tot_len);

	if (f->last_seen != now_sec() || f->seen & UP_SEEN_PEER_RST)
		return false;
	if (h->ip.protocol == IPPROTO_TCP && !(f->seen & UP_SEEN_ACK))
		return false;
	/* Of a queue no MTU is kept: the long way asks. */
	return f->fwd == UP_FWD_PEER || f->fwd == UP_FWD_CHILD ||
	       (f->fwd == UP_FWD_NEXTHOP && f->oif && len <= f->mtu);
}

static __always_inline void fast_rewrite(struct ethhdr *eth, struct fast_headers *h, __u16 *check,
					 const struct up_flow *f, enum ctx_csum csum)
{
	write_macs(eth, f);
	write_ipv4(&h->ip, f, 1);
	h->port[0] = f->out.sport;
	h->port[1] = f->out.dport;
	if (csum == CTX_CSUM_PARTIAL)
		*check = csum_fold16((__u64)*check + f->addr_diff);
	else
		write_full_csum(check, h->ip.protocol, f);
}

/**
 * fastpath() - decide a packet, if it is one of nearly all
 * @skb:  the packet
 * @from: struct up_tuple's ifindex of it
 *
 * Return: a verdict, or FASTPATH_NONE, and then nothing was changed
 */
static __always_inline int fastpath(struct __sk_buff *skb, __u32 from)
{
	enum ctx_csum csum = ctx_csum(skb);
	struct ethhdr *eth = ctx_data(skb);
	struct fast_headers *h = (void *)eth + PARSE_L3_OFF;
	void *end = ctx_end(skb);
	struct up_flow *f;
	__u16 *check;
	__u32 l4;

	if (csum == CTX_CSUM_UNKNOWN || csum == CTX_CSUM_COMPLETE || skb->vlan_present ||
	    (void *)(&h->udp + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP) ||
	    !fast_ip(&h->ip, skb->len))
		return FASTPATH_NONE;
	l4 = fast_l4(h, end);
	check = fast_check(h);
	if ((void *)(check + 1) > end)
		return FASTPATH_NONE;
	f = l4 ? fast_lookup(h, from) : NULL;
	if (!f || !fast_goes_on(skb, h, l4, f))
		return FASTPATH_NONE;
	fast_rewrite(eth, h, check, f, csum);
	return f->fwd == UP_FWD_NEXTHOP ? send_out(skb, from, f->oif)
					: into_container(skb, from, f);
}

#endif
