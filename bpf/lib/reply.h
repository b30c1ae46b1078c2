/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Answering a packet that cannot go on: ICMP and ICMPv6 errors, TCP resets. The packet at hand is
 * turned into the answer and sent back by the interface that it came by.
 *
 * The kernel could do this for what leaves a container, but only while it forwards for that
 * interface, which IPv6 decides for the whole host; and it cannot for what comes by an uplink,
 * which it would take for its own. So it is done here, for both directions and both families alike.
 */
#ifndef UP_BPF_REPLY_H
#define UP_BPF_REPLY_H

#include <stdbool.h>
#include <bpf/bpf_endian.h>

#include "lib/csum.h"
#include "lib/endpoint.h"
#include "lib/flow.h"
#include "lib/macvlan.h"

enum reply_kind { REPLY_TTL, REPLY_TOO_BIG, REPLY_NO_ROUTE, REPLY_HOST, REPLY_PROHIBITED };

/* Type and code in ICMP (RFC 792, RFC 1812) and ICMPv6 (RFC 4443), as Linux chooses them for its
 * own routes, and what is counted. */
static const struct {
	__u8 type4, code4, type6, code6, counter;
} replies[] = {
	[REPLY_TTL] = {ICMP4_TIME_EXCEEDED, 0, ICMP6_TIME_EXCEEDED, 0, UP_CNT_DROP_TTL},
	[REPLY_TOO_BIG] = {ICMP4_UNREACH, 4, ICMP6_TOO_BIG, 0, UP_CNT_DROP_TOO_BIG},
	[REPLY_NO_ROUTE] = {ICMP4_UNREACH, 0, ICMP6_UNREACH, 0, UP_CNT_DROP_NO_ROUTE},
	[REPLY_HOST] = {ICMP4_UNREACH, 1, ICMP6_UNREACH, 0, UP_CNT_DROP_NO_ROUTE},
	[REPLY_PROHIBITED] = {ICMP4_UNREACH, 13, ICMP6_UNREACH, 1, UP_CNT_DROP_NO_ROUTE},
};

/* How much of the packet goes back: RFC 1812, 4.3.2.3 (576 bytes in all) and RFC 4443, 2.4(c) (the
 * least MTU of IPv6). */
#define REPLY_QUOTE4  (576 - sizeof(struct iphdr) - sizeof(struct icmp_head))
#define REPLY_QUOTE6  (1280 - sizeof(struct ipv6hdr) - sizeof(struct icmp_head))
#define REPLY_TTL_OUT 64

struct icmp4_packet {
	struct iphdr ip;
	struct icmp_head icmp;
};

struct icmp6_packet {
	struct ipv6hdr ip;
	struct icmp_head icmp;
};

struct rst4_packet {
	struct iphdr ip;
	struct tcphdr tcp;
};

struct rst6_packet {
	struct ipv6hdr ip;
	struct tcphdr tcp;
};

/**
 * struct reply_scratch - what is kept by CPU
 * @sec, @sent: how many answers went out in which second
 * @from:       address of the one under way
 * @partial:    the packet's transport checksum is not complete: see is_partial()
 * @icmp4, @icmp6, @rst4, @rst6: its headers, which would take too much of the stack
 */
struct reply_scratch {
	__u32 sec, sent;
	struct up_addr from;
	__u32 partial;
	union {
		struct icmp4_packet icmp4;
		struct icmp6_packet icmp6;
		struct rst4_packet rst4;
		struct rst6_packet rst6;
	};
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct reply_scratch);
} up_reply_scratch SEC(".maps");

static __always_inline struct reply_scratch *reply_scratch(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&up_reply_scratch, &zero);
}

/* RFC 1812, 4.3.2.8, and RFC 4443, 2.4(f): errors are limited in rate. */
static __always_inline bool reply_allowed(struct reply_scratch *r)
{
	__u32 now = now_sec();

	if (r->sec != now) {
		r->sec = now;
		r->sent = 0;
	}
	if (r->sent++ < UP_REPLY_RATE)
		return true;
	count(UP_CNT_DROP_REPLY_RATE);
	return false;
}

#define SUM_CHUNK 32

struct sum_walk {
	struct __sk_buff *skb;
	__u32 off, end;
	__u64 sum;
};

static long sum_step(__u32 i __attribute__((unused)), struct sum_walk *w)
{
	__be32 buf[SUM_CHUNK / 4] = {};
	__u32 n = w->end - w->off;

	if (w->off >= w->end)
		return 1;
	if (n > SUM_CHUNK)
		n = SUM_CHUNK;
	barrier_var(n); /* what the compiler knows of it, the verifier is to see */
	if (bpf_skb_load_bytes(w->skb, w->off, buf, ((n - 1) & (SUM_CHUNK - 1)) + 1))
		return 1;
	for (int j = 0; j < SUM_CHUNK / 4; j++)
		w->sum += buf[j];
	w->off += SUM_CHUNK;
	return 0;
}

/* One's complement sum of the packet from @off to @end. */
static __always_inline __u64 packet_sum(struct __sk_buff *skb, __u32 off, __u32 end)
{
	struct sum_walk w = {.skb = skb, .off = off, .end = end};

	bpf_loop((end - off) / SUM_CHUNK + 1, sum_step, &w, 0);
	return w.sum;
}

static __always_inline __u64 words_sum(const void *data, __u32 words)
{
	const __be32 *w = data;
	__u64 sum = 0;

	for (__u32 i = 0; i < words; i++)
		sum += w[i];
	return sum;
}

/* The sum of the pseudo header of TCP and ICMPv6 (RFC 793, RFC 8200 section 8.1). */
static __always_inline __u64 pseudo_sum(const struct up_addr *a, const struct up_addr *b, bool v4,
					__u16 len, __u8 proto)
{
	__u64 sum = bpf_htonl(len) + (__u64)bpf_htonl(proto);

	return v4 ? sum + a->w[3] + b->w[3] : sum + words_sum(a, 4) + words_sum(b, 4);
}

/*
 * Is the packet's transport checksum still to be completed, by the NIC (CHECKSUM_PARTIAL: the field
 * holds the sum of the pseudo header)? So it is with what comes from this machine, and from others
 * that share it. Nothing takes that state from a packet: the answer has it, too, and somebody will
 * complete a checksum in it. Where the kernel does not tell, the field itself does.
 */
static __noinline bool is_partial(struct __sk_buff *skb, const struct pkt *p)
{
	enum ctx_csum csum = ctx_csum(skb);
	__u16 len = p->tot_len - (p->l4_off - p->l3_off), field;

	if (p->t.proto != IPPROTO_TCP && p->t.proto != IPPROTO_UDP)
		return false;
	if (csum != CTX_CSUM_UNKNOWN)
		return csum == CTX_CSUM_PARTIAL;
	return !bpf_skb_load_bytes(skb, p->csum_off, &field, sizeof(field)) &&
	       field == csum_fold16(pseudo_sum(&p->t.saddr, &p->t.daddr, !p->v6, len, p->t.proto));
}

/* The frame goes back where it came from. Invalidates pointers into the packet. */
static __always_inline int swap_macs(struct __sk_buff *skb)
{
	struct ethhdr *eth = ctx_data(skb), copy;

	if ((void *)(eth + 1) > ctx_end(skb))
		return -1;
	copy = *eth;
	__builtin_memcpy(eth->h_dest, copy.h_source, ETH_ALEN);
	__builtin_memcpy(eth->h_source, copy.h_dest, ETH_ALEN);
	return 0;
}

static __always_inline void fill_ipv4(struct iphdr *ip, const struct up_addr *from,
				      const struct up_addr *to, __u16 len, __u8 proto)
{
	__builtin_memset(ip, 0, sizeof(*ip));
	ip->version = 4;
	ip->ihl = 5;
	ip->tot_len = bpf_htons(len);
	ip->ttl = REPLY_TTL_OUT;
	ip->protocol = proto;
	ip->saddr = from->w[3];
	ip->daddr = to->w[3];
	ip->check = ~csum_fold16(words_sum(ip, sizeof(*ip) / 4));
}

static __always_inline void fill_ipv6(struct ipv6hdr *ip, const struct up_addr *from,
				      const struct up_addr *to, __u16 len, __u8 proto)
{
	__builtin_memset(ip, 0, sizeof(*ip));
	ip->version = 6;
	ip->payload_len = bpf_htons(len);
	ip->nexthdr = proto;
	ip->hop_limit = REPLY_TTL_OUT;
	__builtin_memcpy(&ip->saddr, from, sizeof(ip->saddr));
	__builtin_memcpy(&ip->daddr, to, sizeof(ip->daddr));
}

/* ---- ICMP errors ------------------------------------------------------------------------------
 */

/* Cut the packet to what is quoted, and make room for the headers. Return: quoted bytes, or -1 */
static __always_inline int quote(struct __sk_buff *skb, const struct pkt *p, __u32 room)
{
	__u32 max = p->v6 ? REPLY_QUOTE6 : REPLY_QUOTE4, len = p->tot_len;

	if (len > skb->len - ETH_HLEN)
		len = skb->len - ETH_HLEN;
	if (len > max)
		len = max;
	if (bpf_skb_change_tail(skb, ETH_HLEN + len, 0) ||
	    bpf_skb_adjust_room(skb, room, BPF_ADJ_ROOM_MAC, 0))
		return -1;
	return len;
}

/* Its sum, as it will arrive. A checksum that is completed makes a segment add up to nothing but
 * for the pseudo header, which is what the field holds until then. */
static __noinline __u64 quote_sum(struct __sk_buff *skb, const struct pkt *p, __u32 room, __u32 len,
				  bool partial)
{
	__u32 start = ETH_HLEN + room, l4 = p->l4_off + room;
	__u16 field = 0;

	if (!partial)
		return packet_sum(skb, start, start + len);
	bpf_skb_load_bytes(skb, p->csum_off + room, &field, sizeof(field));
	return packet_sum(skb, start, l4) + (__u16)~field;
}

static __noinline int icmp4_write(struct __sk_buff *skb, const struct pkt *p, __u32 kind, __u32 mtu,
				  struct reply_scratch *s)
{
	const __u32 room = sizeof(s->icmp4);
	struct icmp_head *icmp = &s->icmp4.icmp;
	int len;

	if (kind >= sizeof(replies) / sizeof(replies[0]) || swap_macs(skb))
		return -1;
	len = quote(skb, p, room);
	if (len < 0)
		return -1;
	fill_ipv4(&s->icmp4.ip, &s->from, &p->t.saddr, room + len, IPPROTO_ICMP);
	*icmp = (struct icmp_head){
		.type = replies[kind].type4,
		.code = replies[kind].code4,
		.sequence = bpf_htons(kind == REPLY_TOO_BIG ? mtu : 0),
	};
	icmp->checksum = ~csum_fold16(quote_sum(skb, p, room, len, s->partial) +
				      words_sum(icmp, sizeof(*icmp) / 4));
	return bpf_skb_store_bytes(skb, ETH_HLEN, &s->icmp4, room, 0);
}

static __noinline int icmp6_write(struct __sk_buff *skb, const struct pkt *p, __u32 kind, __u32 mtu,
				  struct reply_scratch *s)
{
	const __u32 room = sizeof(s->icmp6);
	struct icmp_head *icmp = &s->icmp6.icmp;
	__u64 sum;
	int len;

	if (kind >= sizeof(replies) / sizeof(replies[0]) || swap_macs(skb))
		return -1;
	len = quote(skb, p, room);
	if (len < 0)
		return -1;
	sum = quote_sum(skb, p, room, len, s->partial);
	len += sizeof(*icmp);
	fill_ipv6(&s->icmp6.ip, &s->from, &p->t.saddr, len, IPPROTO_ICMPV6);
	*icmp = (struct icmp_head){
		.type = replies[kind].type6,
		.code = replies[kind].code6,
		.sequence = bpf_htons(kind == REPLY_TOO_BIG ? mtu : 0),
	};
	sum += pseudo_sum(&s->from, &p->t.saddr, false, len, IPPROTO_ICMPV6);
	icmp->checksum = ~csum_fold16(sum + words_sum(icmp, sizeof(*icmp) / 4));
	return bpf_skb_store_bytes(skb, ETH_HLEN, &s->icmp6, room, 0);
}

/* Who says so: the gateway of the container, or the address of the host that was spoken to. */
static __always_inline bool reply_source(const struct pkt *p, struct up_addr *ret)
{
	struct up_endpoint *ep;
	__u32 id;

	if (!p->t.ifindex) {
		*ret = p->t.daddr;
		return true;
	}
	ep = endpoint_by_if(p->t.ifindex, &id);
	if (!ep)
		return false;
	*ret = ep->gateway[p->v6 ? UP_V6 : UP_V4];
	return up_addr_set(ret);
}

/* RFC 1122, 3.2.2: no error about an error, about a later fragment, or to nobody in particular. */
static __always_inline bool may_be_answered(const struct pkt *p)
{
	const struct up_addr none4 = UP_ANY_V4, none6 = UP_ANY;

	return p->res == PARSE_OK && !up_addr_is_multicast(&p->t.saddr) &&
	       !up_addr_equal(&p->t.saddr, &none4) && !up_addr_equal(&p->t.saddr, &none6);
}

/**
 * icmp_reply() - drop a packet, by name, and tell its sender why
 * @skb:  as it came
 * @p:    parsed
 * @kind: enum reply_kind
 * @mtu:  bytes, for REPLY_TOO_BIG
 *
 * Return: a verdict
 */
int icmp_reply(struct __sk_buff *skb, const struct pkt *p, __u32 kind, __u32 mtu)
{
	struct reply_scratch *s = reply_scratch();

	if (kind < sizeof(replies) / sizeof(replies[0]))
		count(replies[kind].counter);
	if (!s || !p || !may_be_answered(p) || !reply_source(p, &s->from) || !reply_allowed(s))
		return CTX_DROP;
	s->partial = is_partial(skb, p);
	if (p->v6 ? icmp6_write(skb, p, kind, mtu, s) : icmp4_write(skb, p, kind, mtu, s))
		return CTX_DROP;
	count(UP_CNT_ICMP_SENT);
	return send_back(skb, p);
}

/* ---- TCP resets -------------------------------------------------------------------------------
 */

/* RFC 9293, 3.10.7.1: the answer to a segment of a connection that does not exist. */
static __always_inline int fill_rst(struct __sk_buff *skb, const struct pkt *p, bool partial,
				    struct tcphdr *ret)
{
	__u64 sum;
	__u32 len = p->tot_len - (p->l4_off - p->l3_off) - p->l4_len;
	struct tcphdr tcp;

	if (bpf_skb_load_bytes(skb, p->l4_off, &tcp, sizeof(tcp)))
		return -1;
	__builtin_memset(ret, 0, sizeof(*ret));
	ret->source = tcp.dest;
	ret->dest = tcp.source;
	ret->doff = sizeof(*ret) / 4;
	ret->rst = 1;
	if (tcp.ack) {
		ret->seq = tcp.ack_seq;
	} else {
		ret->ack = 1;
		ret->ack_seq = bpf_htonl(bpf_ntohl(tcp.seq) + len + tcp.syn + tcp.fin);
	}
	sum = pseudo_sum(&p->t.saddr, &p->t.daddr, !p->v6, sizeof(*ret), IPPROTO_TCP);
	ret->check =
		partial ? csum_fold16(sum) : ~csum_fold16(words_sum(ret, sizeof(*ret) / 4) + sum);
	return 0;
}

static __noinline int rst4_write(struct __sk_buff *skb, const struct pkt *p,
				 struct reply_scratch *s)
{
	const __u32 len = sizeof(s->rst4);

	if (swap_macs(skb) || fill_rst(skb, p, s->partial, &s->rst4.tcp))
		return -1;
	fill_ipv4(&s->rst4.ip, &p->t.daddr, &p->t.saddr, len, IPPROTO_TCP);
	if (bpf_skb_change_tail(skb, ETH_HLEN + len, 0))
		return -1;
	return bpf_skb_store_bytes(skb, ETH_HLEN, &s->rst4, len, 0);
}

static __noinline int rst6_write(struct __sk_buff *skb, const struct pkt *p,
				 struct reply_scratch *s)
{
	const __u32 len = sizeof(s->rst6);

	if (swap_macs(skb) || fill_rst(skb, p, s->partial, &s->rst6.tcp))
		return -1;
	fill_ipv6(&s->rst6.ip, &p->t.daddr, &p->t.saddr, sizeof(struct tcphdr), IPPROTO_TCP);
	if (bpf_skb_change_tail(skb, ETH_HLEN + len, 0))
		return -1;
	return bpf_skb_store_bytes(skb, ETH_HLEN, &s->rst6, len, 0);
}

/**
 * rst_reply() - drop a packet of no known connection; where it is TCP, tell its sender
 *
 * Return: a verdict
 */
int rst_reply(struct __sk_buff *skb, const struct pkt *p)
{
	struct reply_scratch *s = reply_scratch();

	count(UP_CNT_DROP_NO_FLOW);
	if (!s || !p || p->res != PARSE_OK || p->t.proto != IPPROTO_TCP || p->frag ||
	    p->seen & UP_SEEN_RST || !reply_allowed(s))
		return CTX_DROP;
	s->partial = is_partial(skb, p);
	if (p->v6 ? rst6_write(skb, p, s) : rst4_write(skb, p, s))
		return CTX_DROP;
	count(UP_CNT_RST_SENT);
	return send_back(skb, p);
}

#endif
