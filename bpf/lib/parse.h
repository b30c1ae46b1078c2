/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parsing: one pass over Ethernet, IPv4 and the transport header fills a struct pkt with the tuple
 * and with offsets (not pointers, which do not survive helper calls). The offset of the transport
 * header is computed here and nowhere else. Free of BPF helpers: unit tests and the fuzzer compile
 * it on the host.
 *
 * Everything is hostile: a header is read only after its bounds were checked against the linear
 * data, and its own length fields are checked against each other.
 */
#ifndef UP_BPF_PARSE_H
#define UP_BPF_PARSE_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "underpass/flow.h"

/* How far parsing came. Up to PARSE_L3 the addresses and the protocol of the tuple are valid. */
enum parse_result {
	PARSE_OK,        /* TCP, UDP or ICMP echo: the whole tuple is valid */
	PARSE_FRAGMENT,  /* a fragment, first or later */
	PARSE_L3,        /* another transport, or another ICMP message */
	PARSE_ARP,       /* ARP */
	PARSE_NOT_IP,    /* another ethertype */
	PARSE_SHORT,     /* headers reach beyond the linear data: pull and parse again */
	PARSE_MALFORMED, /* lengths that contradict each other */
};

/* ICMP echo, RFC 792. <linux/icmp.h> drags libc in. */
struct icmp_echo {
	__u8 type, code;
	__be16 checksum, id, sequence;
};
enum { ICMP_TYPE_ECHO_REPLY = 0, ICMP_TYPE_ECHO = 8 };

#define PARSE_L3_OFF   ETH_HLEN
#define PARSE_PULL_MAX (ETH_HLEN + 60 + sizeof(struct tcphdr))

/**
 * struct pkt - what the rest of the datapath knows of a packet
 * @t:        its tuple; @t.ifindex is the caller's to fill in
 * @l4_off:   offset of the transport header from the start of the frame
 * @tot_len:  length of the IP packet, bytes, host byte order
 * @ttl:      as received
 * @seen:     UP_SEEN_* of a TCP header, else 0
 * @csum_off: offset of the transport checksum from the start of the frame
 * @port_off: offset of what takes the place of ports: both ports, or the ICMP identifier
 * @res:      enum parse_result
 */
struct pkt {
	struct up_tuple t;
	__u16 tot_len;
	__u8 l4_off; /* offsets are at most 14 + 60 + 16, and the verifier likes to know */
	__u8 csum_off;
	__u8 port_off;
	__u8 ttl;
	__u8 seen;
	__u8 res;
};

/* The same on the host and in a program. */
#define PARSE_HTONS(x) ((__be16)__builtin_bswap16(x))
#define PARSE_NTOHS(x) __builtin_bswap16(x)
#define PARSE_IP_FRAG  PARSE_HTONS(0x3fff) /* MF or an offset */

static inline enum parse_result parse_tcp(const void *l4, const void *end, struct pkt *p)
{
	const struct tcphdr *tcp = l4;

	if ((const void *)(tcp + 1) > end)
		return PARSE_SHORT;
	if (tcp->doff < 5)
		return PARSE_MALFORMED;
	p->t.sport = tcp->source;
	p->t.dport = tcp->dest;
	p->seen = (tcp->syn ? UP_SEEN_SYN : 0) | (tcp->ack ? UP_SEEN_ACK : 0) |
		  (tcp->fin ? UP_SEEN_FIN : 0) | (tcp->rst ? UP_SEEN_RST : 0);
	p->port_off = p->l4_off;
	p->csum_off = p->l4_off + __builtin_offsetof(struct tcphdr, check);
	return PARSE_OK;
}

static inline enum parse_result parse_udp(const void *l4, const void *end, struct pkt *p)
{
	const struct udphdr *udp = l4;

	if ((const void *)(udp + 1) > end)
		return PARSE_SHORT;
	p->t.sport = udp->source;
	p->t.dport = udp->dest;
	p->port_off = p->l4_off;
	p->csum_off = p->l4_off + __builtin_offsetof(struct udphdr, check);
	return PARSE_OK;
}

/* The identifier plays the requester's port, so that a request and its reply mirror each other. */
static inline enum parse_result parse_icmp(const void *l4, const void *end, struct pkt *p)
{
	const struct icmp_echo *icmp = l4;

	if ((const void *)(icmp + 1) > end)
		return PARSE_SHORT;
	if (icmp->type == ICMP_TYPE_ECHO)
		p->t.sport = icmp->id;
	else if (icmp->type == ICMP_TYPE_ECHO_REPLY)
		p->t.dport = icmp->id;
	else
		return PARSE_L3;
	p->port_off = p->l4_off + __builtin_offsetof(struct icmp_echo, id);
	p->csum_off = p->l4_off + __builtin_offsetof(struct icmp_echo, checksum);
	return PARSE_OK;
}

static inline __u16 parse_l4_min(__u8 proto)
{
	return proto == IPPROTO_TCP ? sizeof(struct tcphdr) : sizeof(struct udphdr);
}

static inline enum parse_result parse_l4(const void *l4, const void *end, struct pkt *p)
{
	if (p->tot_len < p->l4_off - PARSE_L3_OFF + parse_l4_min(p->t.proto))
		return PARSE_MALFORMED;
	if (p->t.proto == IPPROTO_TCP)
		return parse_tcp(l4, end, p);
	if (p->t.proto == IPPROTO_UDP)
		return parse_udp(l4, end, p);
	return parse_icmp(l4, end, p);
}

static inline enum parse_result parse_ipv4(const void *data, const void *end, __u32 len,
					   struct pkt *p)
{
	const struct iphdr *ip = data + PARSE_L3_OFF;
	__u32 hlen;

	if ((const void *)(ip + 1) > end)
		return PARSE_SHORT;
	hlen = ip->ihl * 4;
	/* GSO packets beyond 64 KB (BIG TCP) have a length of 0 in the header. */
	p->tot_len = ip->tot_len ? PARSE_NTOHS(ip->tot_len) : 0xffff;
	if (ip->version != 4 || hlen < sizeof(*ip) || p->tot_len < hlen ||
	    (ip->tot_len && (__u32)PARSE_L3_OFF + p->tot_len > len))
		return PARSE_MALFORMED;
	p->t.saddr = ip->saddr;
	p->t.daddr = ip->daddr;
	p->t.proto = ip->protocol;
	p->ttl = ip->ttl;
	p->l4_off = PARSE_L3_OFF + hlen;
	if (ip->frag_off & PARSE_IP_FRAG)
		return PARSE_FRAGMENT;
	if (ip->protocol != IPPROTO_TCP && ip->protocol != IPPROTO_UDP &&
	    ip->protocol != IPPROTO_ICMP)
		return PARSE_L3;
	return parse_l4((const void *)ip + hlen, end, p);
}

/**
 * parse() - parse a frame
 * @data, @end: its linear part, from the Ethernet header
 * @len:        length of the whole frame, bytes
 * @p:          filled in; @p->t.ifindex is left 0
 *
 * Return: enum parse_result, also in @p->res
 */
static inline enum parse_result parse(const void *data, const void *end, __u32 len, struct pkt *p)
{
	const struct ethhdr *eth = data;

	__builtin_memset(p, 0, sizeof(*p));
	if ((const void *)(eth + 1) > end)
		p->res = PARSE_SHORT;
	else if (eth->h_proto == PARSE_HTONS(ETH_P_IP))
		p->res = parse_ipv4(data, end, len, p);
	else
		p->res = eth->h_proto == PARSE_HTONS(ETH_P_ARP) ? PARSE_ARP : PARSE_NOT_IP;
	return p->res;
}

#endif
