/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parsing: one pass over Ethernet, IP and the transport header fills a struct pkt with the tuple
 * and with offsets (not pointers, which do not survive helper calls). The offset of the transport
 * header is computed here and nowhere else. Free of BPF helpers: unit tests and the fuzzer compile
 * it on the host.
 *
 * Everything is hostile: a header is read only after its bounds were checked against the linear
 * data, and its own length fields are checked against each other. IPv6 extension headers are walked
 * with a bound; a packet that has more of them than any real one is refused.
 */
#ifndef UP_BPF_PARSE_H
#define UP_BPF_PARSE_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "underpass/flow.h"

/* How far parsing came. Up to PARSE_L3 the addresses and the protocol of the tuple are valid. */
enum parse_result {
	PARSE_OK,         /* TCP, UDP, SCTP or ICMP echo: the whole tuple is valid */
	PARSE_LATER_FRAG, /* a fragment that is not the first: the ports are not in it */
	PARSE_ICMP_ERROR, /* an ICMP error: the packet that it is about is at @l4_off + 8 */
	PARSE_ND,         /* IPv6 neighbour discovery */
	PARSE_L3,         /* another transport, or another ICMP message */
	PARSE_ARP,        /* ARP */
	PARSE_NOT_IP,     /* another ethertype */
	PARSE_SHORT,      /* headers reach beyond the linear data: pull and parse again */
	PARSE_MALFORMED,  /* lengths that contradict each other */
};

/* The start of ICMP and ICMPv6 messages (RFC 792, RFC 4443). <linux/icmp.h> drags libc in. */
struct icmp_head {
	__u8 type, code;
	__be16 checksum;
	__be16 id, sequence; /* of echo; "too big" keeps the MTU in @sequence (v4) or both (v6) */
};

enum {
	ICMP4_ECHO_REPLY = 0,
	ICMP4_UNREACH = 3,
	ICMP4_ECHO = 8,
	ICMP4_TIME_EXCEEDED = 11,
	ICMP4_PARAM_PROBLEM = 12,
	ICMP6_UNREACH = 1,
	ICMP6_TOO_BIG = 2,
	ICMP6_TIME_EXCEEDED = 3,
	ICMP6_PARAM_PROBLEM = 4,
	ICMP6_ECHO = 128,
	ICMP6_ECHO_REPLY = 129,
	ICMP6_ROUTER_SOLICIT = 133,
	ICMP6_NEIGH_SOLICIT = 135,
	ICMP6_NEIGH_ADVERT = 136,
	ICMP6_REDIRECT = 137,
};

/* RFC 9260, sections 3.1 and 3.2: the common header and the first chunk's. */
struct sctp_head {
	__be16 source, dest;
	__be32 tag, checksum;
	__u8 chunk, flags;
	__be16 length;
};

enum {
	SCTP_INIT = 1,
	SCTP_INIT_ACK = 2,
	SCTP_ABORT = 6,
	SCTP_SHUTDOWN = 7,
	SCTP_SHUTDOWN_ACK = 8,
	SCTP_SHUTDOWN_COMPLETE = 14,
};

/* RFC 8200, section 4: all extension headers begin like this, and the fragment header goes on. */
struct ext_head {
	__u8 next, len;
	__be16 frag_off;
	__be32 frag_id;
};

#define PARSE_L3_OFF    ETH_HLEN
#define PARSE_EXT_MAX   6                                          /* extension headers, at most */
#define PARSE_EXT_BYTES 128                                        /* and their length together */
#define PARSE_L3_MAX    (sizeof(struct ipv6hdr) + PARSE_EXT_BYTES) /* more than IPv4's 60 */
#define PARSE_PULL_MAX  (PARSE_L3_OFF + PARSE_L3_MAX + sizeof(struct tcphdr))
/* An ICMP error and the start of what it is about. */
#define PARSE_ERROR_PULL (PARSE_PULL_MAX + sizeof(struct icmp_head) + PARSE_L3_MAX)

enum parse_frag { FRAG_NONE, FRAG_FIRST, FRAG_LATER };

/**
 * struct pkt - what the rest of the datapath knows of a packet
 * @t:        its tuple; @t.ifindex is the caller's to fill in
 * @frag_id:  identification of a fragment, network byte order
 * @tot_len:  length of the IP packet, bytes, host byte order
 * @l3_off:   offset of the IP header from the start of the frame; of a packet inside an ICMP error,
 *            all offsets count from its IP header
 * @l4_off:   offset of the transport header
 * @csum_off: offset of the transport checksum
 * @port_off: offset of what takes the place of ports: both ports, or the ICMP identifier
 * @l4_len:   length of a TCP header, of 8 for the others
 * @ttl:      as received
 * @seen:     UP_SEEN_* of a TCP header (or what an SCTP chunk amounts to), else 0
 * @icmp_type: of an ICMP message
 * @frag:     enum parse_frag
 * @v6:       IPv6
 * @res:      enum parse_result
 */
struct pkt {
	struct up_tuple t;
	__be32 frag_id;
	__u16 tot_len;
	__u8 l3_off; /* offsets stay below 256, and the verifier likes to know */
	__u8 l4_off;
	__u8 csum_off;
	__u8 port_off;
	__u8 l4_len;
	__u8 ttl;
	__u8 seen;
	__u8 icmp_type;
	__u8 frag;
	__u8 v6;
	__u8 res;
} __attribute__((aligned(8))); /* cleared in as few stores as there can be */

/** tuple_reverse() - the tuple of the answer to a packet that leaves with @t */
static inline void tuple_reverse(const struct up_tuple *t, struct up_tuple *ret)
{
	ret->saddr = t->daddr;
	ret->daddr = t->saddr;
	ret->sport = t->dport;
	ret->dport = t->sport;
	ret->ifindex = t->ifindex;
	ret->proto = t->proto;
	__builtin_memset(ret->pad, 0, sizeof(ret->pad));
}

/* The same on the host and in a program. */
#define PARSE_HTONS(x) ((__be16)__builtin_bswap16(x))
#define PARSE_NTOHS(x) __builtin_bswap16(x)

#define IP4_MORE   PARSE_HTONS(0x2000)
#define IP4_OFFSET PARSE_HTONS(0x1fff)
#define IP6_MORE   PARSE_HTONS(0x0001)
#define IP6_OFFSET PARSE_HTONS(0xfff8)

static inline __u8 tcp_seen(const struct tcphdr *tcp)
{
	return (tcp->syn ? UP_SEEN_SYN : 0) | (tcp->ack ? UP_SEEN_ACK : 0) |
	       (tcp->fin ? UP_SEEN_FIN : 0) | (tcp->rst ? UP_SEEN_RST : 0);
}

static inline enum parse_result parse_tcp(const void *l4, const void *end, struct pkt *p)
{
	const struct tcphdr *tcp = l4;

	if ((const void *)(tcp + 1) > end)
		return PARSE_SHORT;
	if (tcp->doff < 5)
		return PARSE_MALFORMED;
	p->t.sport = tcp->source;
	p->t.dport = tcp->dest;
	p->seen = tcp_seen(tcp);
	p->l4_len = tcp->doff * 4;
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
	p->l4_len = sizeof(*udp);
	p->port_off = p->l4_off;
	p->csum_off = p->l4_off + __builtin_offsetof(struct udphdr, check);
	return PARSE_OK;
}

/* What the first chunk means for the association, in TCP's words. */
static inline __u8 sctp_seen(__u8 chunk)
{
	switch (chunk) {
	case SCTP_INIT:
		return UP_SEEN_SYN;
	case SCTP_INIT_ACK:
		return UP_SEEN_SYN | UP_SEEN_ACK;
	case SCTP_SHUTDOWN:
	case SCTP_SHUTDOWN_ACK:
		return UP_SEEN_ACK | UP_SEEN_FIN;
	case SCTP_ABORT:
	case SCTP_SHUTDOWN_COMPLETE:
		return UP_SEEN_RST;
	default:
		return UP_SEEN_ACK;
	}
}

/* The checksum is a CRC32c of the ports too: they are never rewritten, nor is it. */
static inline enum parse_result parse_sctp(const void *l4, const void *end, struct pkt *p)
{
	const struct sctp_head *sctp = l4;

	if ((const void *)(sctp + 1) > end)
		return PARSE_SHORT;
	p->t.sport = sctp->source;
	p->t.dport = sctp->dest;
	p->seen = sctp_seen(sctp->chunk);
	p->l4_len = sizeof(*sctp);
	p->port_off = p->l4_off;
	p->csum_off = p->l4_off + __builtin_offsetof(struct sctp_head, checksum);
	return PARSE_OK;
}

static inline enum parse_result icmp4_class(__u8 type)
{
	if (type == ICMP4_ECHO || type == ICMP4_ECHO_REPLY)
		return PARSE_OK;
	if (type == ICMP4_UNREACH || type == ICMP4_TIME_EXCEEDED || type == ICMP4_PARAM_PROBLEM)
		return PARSE_ICMP_ERROR;
	return PARSE_L3;
}

static inline enum parse_result icmp6_class(__u8 type)
{
	if (type == ICMP6_ECHO || type == ICMP6_ECHO_REPLY)
		return PARSE_OK;
	if (type >= ICMP6_UNREACH && type <= ICMP6_PARAM_PROBLEM)
		return PARSE_ICMP_ERROR;
	return type >= ICMP6_ROUTER_SOLICIT && type <= ICMP6_REDIRECT ? PARSE_ND : PARSE_L3;
}

/* The identifier plays the requester's port, so that a request and its reply mirror each other. */
static inline enum parse_result parse_icmp(const void *l4, const void *end, struct pkt *p)
{
	const struct icmp_head *icmp = l4;
	enum parse_result res;

	if ((const void *)(icmp + 1) > end)
		return PARSE_SHORT;
	p->icmp_type = icmp->type;
	p->l4_len = sizeof(*icmp);
	p->port_off = p->l4_off + __builtin_offsetof(struct icmp_head, id);
	p->csum_off = p->l4_off + __builtin_offsetof(struct icmp_head, checksum);
	res = p->v6 ? icmp6_class(icmp->type) : icmp4_class(icmp->type);
	if (res != PARSE_OK)
		return res;
	if (icmp->type == ICMP4_ECHO || icmp->type == ICMP6_ECHO)
		p->t.sport = icmp->id;
	else
		p->t.dport = icmp->id;
	return PARSE_OK;
}

static inline enum parse_result parse_l4(const void *l4, const void *end, struct pkt *p)
{
	switch (p->t.proto) {
	case IPPROTO_TCP:
		return parse_tcp(l4, end, p);
	case IPPROTO_UDP:
		return parse_udp(l4, end, p);
	case IPPROTO_SCTP:
		return parse_sctp(l4, end, p);
	case IPPROTO_ICMP:
		return p->v6 ? PARSE_L3 : parse_icmp(l4, end, p);
	case IPPROTO_ICMPV6:
		return p->v6 ? parse_icmp(l4, end, p) : PARSE_L3;
	default:
		return PARSE_L3;
	}
}

/**
 * parse_ipv4() - an IPv4 header at @p->l3_off: everything up to the transport header
 *
 * Return: PARSE_OK, PARSE_LATER_FRAG, PARSE_SHORT or PARSE_MALFORMED
 */
static inline enum parse_result parse_ipv4(const void *data, const void *end, struct pkt *p)
{
	const struct iphdr *ip = data + p->l3_off;
	__u32 hlen;

	if ((const void *)(ip + 1) > end)
		return PARSE_SHORT;
	hlen = ip->ihl * 4;
	/* GSO packets beyond 64 KB (BIG TCP) have a length of 0 in the header. */
	p->tot_len = ip->tot_len ? PARSE_NTOHS(ip->tot_len) : 0xffff;
	if (ip->version != 4 || hlen < sizeof(*ip) || p->tot_len < hlen)
		return PARSE_MALFORMED;
	p->t.saddr = UP_MAPPED(ip->saddr);
	p->t.daddr = UP_MAPPED(ip->daddr);
	p->t.proto = ip->protocol;
	p->ttl = ip->ttl;
	p->l4_off = p->l3_off + hlen;
	if (!(ip->frag_off & (IP4_MORE | IP4_OFFSET)))
		return PARSE_OK;
	p->frag = ip->frag_off & IP4_OFFSET ? FRAG_LATER : FRAG_FIRST;
	p->frag_id = ip->id;
	return p->frag == FRAG_LATER ? PARSE_LATER_FRAG : PARSE_OK;
}

static inline bool is_extension(__u8 next)
{
	return next == 0 /* hop by hop */ || next == 43 /* routing */ ||
	       next == 44 /* fragment */ || next == 51 /* authentication */ ||
	       next == 60 /* destination options */;
}

/* One extension header. @len is what is behind us of them, @next what this one is. */
static inline enum parse_result parse_ext(const void *data, const void *end, struct pkt *p,
					  __u32 *len, __u8 *next)
{
	__u32 off = p->l3_off + sizeof(struct ipv6hdr) + *len;
	const struct ext_head *ext;

	if (*len > PARSE_EXT_BYTES - sizeof(*ext))
		return PARSE_MALFORMED;
	ext = data + off;
	if ((const void *)(ext + 1) > end)
		return PARSE_SHORT;
	if (*next == 44) {
		if (ext->frag_off & (IP6_MORE | IP6_OFFSET))
			p->frag = ext->frag_off & IP6_OFFSET ? FRAG_LATER : FRAG_FIRST;
		p->frag_id = ext->frag_id;
		*len += sizeof(*ext);
	} else {
		*len += *next == 51 ? (ext->len + 2) * 4 : (ext->len + 1) * 8;
	}
	*next = ext->next;
	return PARSE_OK;
}

static inline enum parse_result parse_exts(const void *data, const void *end, struct pkt *p,
					   __u8 next)
{
	__u32 len = 0;

	for (int i = 0; i < PARSE_EXT_MAX; i++) {
		enum parse_result res;

		if (!is_extension(next) || p->frag == FRAG_LATER)
			break;
		res = parse_ext(data, end, p, &len, &next);
		if (res != PARSE_OK)
			return res;
	}
	p->t.proto = next;
	p->l4_off = p->l3_off + sizeof(struct ipv6hdr) + len;
	if (p->frag == FRAG_LATER)
		return PARSE_LATER_FRAG;
	return is_extension(next) || len > PARSE_EXT_BYTES ? PARSE_MALFORMED : PARSE_OK;
}

static inline void copy_addr(struct up_addr *to, const struct in6_addr *from)
{
	const __be32 *w = (const __be32 *)from;

	to->w[0] = w[0];
	to->w[1] = w[1];
	to->w[2] = w[2];
	to->w[3] = w[3];
}

/** parse_ipv6() - the same for IPv6, extension headers included */
static inline enum parse_result parse_ipv6(const void *data, const void *end, struct pkt *p)
{
	const struct ipv6hdr *ip = data + p->l3_off;
	__u32 len;

	if ((const void *)(ip + 1) > end)
		return PARSE_SHORT;
	p->v6 = 1;
	len = PARSE_NTOHS(ip->payload_len) + sizeof(*ip);
	p->tot_len = ip->payload_len && len < 0xffff ? len : 0xffff;
	copy_addr(&p->t.saddr, &ip->saddr);
	copy_addr(&p->t.daddr, &ip->daddr);
	if (ip->version != 6 || up_addr_is_v4(&p->t.saddr) || up_addr_is_v4(&p->t.daddr))
		return PARSE_MALFORMED;
	p->ttl = ip->hop_limit;
	if (is_extension(ip->nexthdr))
		return parse_exts(data, end, p, ip->nexthdr);
	p->t.proto = ip->nexthdr;
	p->l4_off = p->l3_off + sizeof(*ip);
	return PARSE_OK;
}

static inline __u16 parse_l4_min(__u8 proto)
{
	return proto == IPPROTO_TCP ? sizeof(struct tcphdr) : sizeof(struct udphdr);
}

static inline bool has_ports(__u8 proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP;
}

/* The transport header, once the IP header was found consistent with a frame of @len bytes. */
static inline enum parse_result parse_rest(const void *data, const void *end, __u32 len,
					   struct pkt *p)
{
	if (p->tot_len != 0xffff && (__u32)p->l3_off + p->tot_len > len)
		return PARSE_MALFORMED;
	if (p->res != PARSE_OK)
		return p->res;
	if ((has_ports(p->t.proto) || p->t.proto == (p->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP)) &&
	    p->tot_len < p->l4_off - p->l3_off + parse_l4_min(p->t.proto))
		return PARSE_MALFORMED;
	return parse_l4(data + p->l4_off, end, p);
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
	p->l3_off = PARSE_L3_OFF;
	if ((const void *)(eth + 1) > end)
		return p->res = PARSE_SHORT;
	if (eth->h_proto == PARSE_HTONS(ETH_P_IP))
		p->res = parse_ipv4(data, end, p);
	else if (eth->h_proto == PARSE_HTONS(ETH_P_IPV6))
		p->res = parse_ipv6(data, end, p);
	else
		return p->res = eth->h_proto == PARSE_HTONS(ETH_P_ARP) ? PARSE_ARP : PARSE_NOT_IP;
	if (p->res == PARSE_OK || p->res == PARSE_LATER_FRAG)
		p->res = parse_rest(data, end, len, p);
	return p->res;
}

/* Of the transport header an error need not carry more than 8 bytes (RFC 792): both ports, or an
 * echo's identifier. */
static inline enum parse_result parse_inner_l4(const void *data, const void *end, struct pkt *in)
{
	const struct icmp_head *icmp = data + in->l4_off;
	const __be16 *port = data + in->l4_off;

	if ((const void *)(icmp + 1) > end)
		return PARSE_MALFORMED;
	in->port_off = in->l4_off;
	if (has_ports(in->t.proto)) {
		in->t.sport = port[0];
		in->t.dport = port[1];
		return PARSE_OK;
	}
	if (in->t.proto != (in->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP))
		return PARSE_L3;
	in->port_off += __builtin_offsetof(struct icmp_head, id);
	if (icmp->type == (in->v6 ? ICMP6_ECHO : ICMP4_ECHO))
		in->t.sport = icmp->id;
	else if (icmp->type == (in->v6 ? ICMP6_ECHO_REPLY : ICMP4_ECHO_REPLY))
		in->t.dport = icmp->id;
	else
		return PARSE_L3;
	return PARSE_OK;
}

/**
 * parse_inner() - the packet that an ICMP error is about
 * @data, @end: linear part of the frame
 * @p:          the error, parsed
 * @in:         filled in; its lengths are not checked, because it was cut off
 *
 * Return: PARSE_OK where the tuple is valid; anything else where it is not
 */
static inline enum parse_result parse_inner(const void *data, const void *end, const struct pkt *p,
					    struct pkt *in)
{
	__builtin_memset(in, 0, sizeof(*in));
	data += p->l4_off + sizeof(struct icmp_head);
	in->res = p->v6 ? parse_ipv6(data, end, in) : parse_ipv4(data, end, in);
	if (in->res == PARSE_OK)
		in->res = parse_inner_l4(data, end, in);
	return in->res;
}

#endif
