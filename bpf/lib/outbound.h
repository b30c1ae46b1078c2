/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All that a container sends, whatever its device and the hook that it passes.
 *
 * A packet of a known flow is forwarded at once: the flow's key contains the endpoint's interface,
 * so the hit is also the source check. Any other packet is checked against the endpoint's addresses
 * and MAC, and then decided by its destination: another container, the host, a published port of
 * the host (hairpin included), or outside, masqueraded or as it is.
 */
#ifndef UP_BPF_OUTBOUND_H
#define UP_BPF_OUTBOUND_H

#include <stdbool.h>

#include "lib/endpoint.h"
#include "lib/fastpath.h"
#include "lib/icmp_error.h"
#include "lib/port.h"
#include "lib/snat.h"

/**
 * struct sender - who sent the packet at hand
 * @ep: its endpoint
 * @id: the endpoint's id
 */
struct sender {
	struct up_endpoint *ep;
	__u32 id;
};

/* A decision is a verdict for the chain, or this: make the flow that was requested, and forward. */
#define MAKE_FLOW 101

static __always_inline int drop(enum up_counter why)
{
	count(why);
	return CTX_DROP;
}

static __always_inline int to_kernel(struct __sk_buff *skb, const struct pkt *p,
				     enum up_counter why)
{
	count(why);
	return to_stack(skb, p);
}

/* Only these open a flow: a SYN (SCTP: an INIT), any UDP datagram, an echo request. */
static __always_inline bool opens_flow(const struct pkt *p)
{
	if (p->t.proto == IPPROTO_TCP || p->t.proto == IPPROTO_SCTP)
		return (p->seen & ~UP_SEEN_FIN) == UP_SEEN_SYN;
	return p->t.proto == IPPROTO_UDP || p->t.sport;
}

/* Why a packet that needs a flow cannot have one. */
static __always_inline int no_flow(struct __sk_buff *skb, const struct pkt *p)
{
	if (p->res == PARSE_LATER_FRAG)
		return drop(UP_CNT_DROP_FRAGMENT);
	return p->res == PARSE_L3 ? drop(UP_CNT_DROP_PROTO) : rst_reply(skb, p);
}

static __always_inline bool can_have_flow(const struct pkt *p)
{
	return p->res == PARSE_OK && opens_flow(p);
}

static __always_inline void request(struct flow_req *r, const struct pkt *p,
				    const struct sender *from)
{
	__builtin_memset(r, 0, sizeof(*r));
	r->key = p->t;
	r->out = p->t;
	r->owner = from->id;
	r->seen = p->seen;
}

static __always_inline void to_endpoint(struct flow_req *r, const struct pkt *p,
					const struct sender *from, const struct up_endpoint *dst,
					__u32 dst_id)
{
	request(r, p, from);
	r->peer = dst_id;
	flow_req_into(r, dst, p->v6 ? UP_V6 : UP_V4);
	flow_req_answer_into(r, from->ep);
}

/* Two networks are, but one with a policy and those that have none, as with the firewall plugin. */
static __always_inline bool networks_are_apart(__u16 a, __u16 b)
{
	return a != b && ((a && b) || !((a | b) & UP_NET_POLICY));
}

static __always_inline int to_container(struct __sk_buff *skb, struct flow_req *r,
					const struct pkt *p, const struct sender *from,
					const struct up_endpoint *dst, __u32 dst_id)
{
	if (networks_are_apart(dst->net, from->ep->net) ||
	    (dst->flags | from->ep->flags) & UP_EP_ISOLATED)
		return drop(UP_CNT_DROP_NETWORK);
	if (!can_have_flow(p))
		return no_flow(skb, p);
	to_endpoint(r, p, from, dst, dst_id);
	return MAKE_FLOW;
}

/* Would the answer not come by us? A container answers itself, and so does a child of somebody
 * else's another one of the same uplink. */
static __always_inline bool answers_past_us(const struct sender *from,
					    const struct up_endpoint *dst, __u32 dst_id)
{
	return dst_id == from->id ||
	       (dst->device == UP_NETDEV_ADOPTED && dst->uplink && dst->uplink == from->ep->uplink);
}

/* To a published port of the host. Where the answer would go past us, the container sees another
 * source: the gateway, which for somebody else's child is the host, as it is for others. */
static __always_inline int to_published(struct __sk_buff *skb, struct flow_req *r,
					const struct pkt *p, const struct sender *from,
					const struct up_port_row *row)
{
	struct up_endpoint *dst = endpoint_by_id(row->endpoint);
	enum up_family family = p->v6 ? UP_V6 : UP_V4;

	if (!dst || !up_addr_set(&dst->addr[family]))
		return to_kernel(skb, p, UP_CNT_TO_HOST);
	if (!port_allows(row, &p->t.saddr))
		return drop(UP_CNT_DROP_DENIED);
	to_endpoint(r, p, from, dst, row->endpoint);
	r->out.dport = port_target(row, p->t.dport);
	if (answers_past_us(from, dst, row->endpoint)) {
		r->out.saddr = from->ep->gateway[family];
		r->masq = from->ep->uplink && from->ep->device == UP_NETDEV_ADOPTED;
	}
	return MAKE_FLOW;
}

/* The kernel takes it. Where the address is known to be the host's, remember that, so that the next
 * packet needs one lookup. */
static __always_inline int to_host(struct __sk_buff *skb, struct flow_req *r, const struct pkt *p,
				   const struct sender *from)
{
	if (p->res == PARSE_OK && bpf_map_lookup_elem(&up_local, &p->t.daddr)) {
		request(r, p, from);
		r->fwd = UP_FWD_HOST;
		if (flow_begin(r))
			flow_finish(r);
	}
	return to_kernel(skb, p, UP_CNT_TO_HOST);
}

static __always_inline int to_local(struct __sk_buff *skb, struct flow_req *r, const struct pkt *p,
				    const struct sender *from)
{
	const struct up_port_half *half = port_half();
	const struct up_port_row *row = NULL;

	if (half && p->res == PARSE_OK && port_any(half, p->t.proto, p->t.dport))
		row = port_lookup(&p->t);
	return row && opens_flow(p) ? to_published(skb, r, p, from, row) : to_host(skb, r, p, from);
}

/* Out by an uplink, with its address; by any other interface the kernel routes as it would. */
static __always_inline int to_outside(struct __sk_buff *skb, struct flow_req *r,
				      const struct pkt *p, const struct sender *from,
				      const struct hop *hop)
{
	struct up_uplink *uplink = bpf_map_lookup_elem(&up_uplinks, &hop->ifindex);
	enum up_family family = p->v6 ? UP_V6 : UP_V4;

	if (!uplink || endpoint_is_left_to_kernel(from->ep, family))
		return to_kernel(skb, p, UP_CNT_TO_KERNEL);
	if (is_denied(&p->t.daddr)) /* its answers would be dropped */
		return drop(UP_CNT_DROP_DENIED);
	if (p->ttl <= 1)
		return icmp_reply(skb, p, REPLY_TTL, 0);
	if (!can_have_flow(p))
		return no_flow(skb, p);
	request(r, p, from);
	r->fwd = UP_FWD_NEXTHOP;
	r->out.ifindex = 0;
	flow_req_answer_into(r, from->ep);
	if (from->ep->flags & (UP_EP_ROUTED_V4 << family))
		return MAKE_FLOW;
	r->masq = 1;
	r->out.saddr = up_has_fib_src ? hop->src : uplink->addr[family];
	return up_addr_set(&r->out.saddr) ? MAKE_FLOW : icmp_reply(skb, p, REPLY_NO_ROUTE, 0);
}

/* Where would the kernel send it? The source is left open where the FIB can choose it. */
static __always_inline int by_route(struct __sk_buff *skb, const struct pkt *p,
				    const struct sender *from, struct flow_req *r)
{
	struct up_endpoint *ep = from->ep;
	struct hop hop = {
		.ifindex = ep->host_if,
		.flags = up_has_fib_src ? UP_BPF_FIB_LOOKUP_SRC : 0,
	};

	hop_lookup(skb, &p->t, &hop);
	if (hop.ret == BPF_FIB_LKUP_RET_NOT_FWDED)
		return to_local(skb, r, p, from);
	if (ep->flags & UP_EP_INTERNAL)
		return drop(UP_CNT_DROP_NETWORK);
	return hop_ok(&hop) ? to_outside(skb, r, p, from, &hop) : hop_refuse(skb, p, &hop);
}

/* Not a known flow; the source is the container's. Where does it go? */
static __noinline int by_destination(struct __sk_buff *skb, const struct pkt *p,
				     const struct sender *from, struct flow_req *r)
{
	struct up_endpoint *dst;
	__u32 dst_id = 0;

	if (up_addr_is_multicast(&p->t.daddr))
		return drop(UP_CNT_DROP_NOT_UNICAST);
	dst = endpoint_by_addr(&p->t.daddr, &dst_id);
	if (dst)
		return to_container(skb, r, p, from, dst, dst_id);
	return by_route(skb, p, from, r);
}

/* An error about no flow: the host may know what it is about, nobody else does. */
static __always_inline int stray_error(struct __sk_buff *skb, const struct pkt *p)
{
	if (!bpf_map_lookup_elem(&up_local, &p->t.daddr))
		return drop(UP_CNT_DROP_NO_FLOW);
	return to_kernel(skb, p, UP_CNT_TO_HOST);
}

/* What needs no flow of its own, by what parsing found. Return: MAKE_FLOW where it does need one */
static __noinline int by_kind(struct __sk_buff *skb, const struct pkt *p, const struct sender *from)
{
	int verdict;

	switch (p->res) {
	case PARSE_ARP:
		return arp_is_own(skb, from->ep) ? to_stack(skb, p) : drop(UP_CNT_DROP_ARP);
	case PARSE_ND:
		return nd_is_own(skb, p, from->ep) ? to_stack(skb, p) : drop(UP_CNT_DROP_ND);
	case PARSE_NOT_IP:
		return drop(UP_CNT_DROP_NOT_IP);
	case PARSE_MALFORMED:
		return drop(UP_CNT_DROP_MALFORMED);
	}
	if (up_addr_is_multicast(&p->t.daddr))
		return drop(UP_CNT_DROP_NOT_UNICAST);
	if (!up_addr_equal(&p->t.saddr, &from->ep->addr[p->v6 ? UP_V6 : UP_V4]))
		return drop(UP_CNT_DROP_SRC_ADDR);
	if (p->res != PARSE_ICMP_ERROR)
		return MAKE_FLOW;
	verdict = icmp_error_forward(skb, p);
	return verdict == ICMP_ERROR_OTHER ? stray_error(skb, p) : verdict;
}

/* A connection that somebody else's NAT has made, or takes part in. */
static __always_inline bool is_kernels(struct __sk_buff *skb, const struct pkt *p,
				       const struct up_endpoint *ep)
{
	return ep->flags & UP_EP_KERNEL && p->res == PARSE_OK && conntrack_knows(skb, &p->t);
}

/*
 * What is sent by an interface of somebody else's, and is of no flow of ours: only a connection to
 * a published port of the host becomes one. All else goes the way it always went.
 */
static __noinline int by_adopted(struct __sk_buff *skb, const struct pkt *p,
				 const struct sender *from, struct flow_req *r)
{
	const struct up_port_half *half = port_half();
	const struct up_port_row *row;
	int verdict;

	if (p->res == PARSE_ICMP_ERROR) {
		verdict = icmp_error_forward(skb, p);
		return verdict == ICMP_ERROR_OTHER ? CTX_NEXT : verdict;
	}
	if (p->res != PARSE_OK || !opens_flow(p) || !half ||
	    !port_any(half, p->t.proto, p->t.dport) ||
	    !up_addr_equal(&p->t.saddr, &from->ep->addr[p->v6 ? UP_V6 : UP_V4]) ||
	    !bpf_map_lookup_elem(&up_local, &p->t.daddr))
		return CTX_NEXT;
	row = port_lookup(&p->t);
	return row ? to_published(skb, r, p, from, row) : CTX_NEXT;
}

static __always_inline int decide(struct __sk_buff *skb, const struct pkt *p, struct flow_req *r)
{
	struct sender from = {};
	int verdict;

	from.ep = endpoint_by_if(p->t.ifindex, &from.id);
	if (!from.ep)
		return drop(UP_CNT_DROP_NO_ENDPOINT);
	if (from.ep->device == UP_NETDEV_ADOPTED)
		return by_adopted(skb, p, &from, r);
	if (!smac_is_own(skb, from.ep))
		return drop(UP_CNT_DROP_SRC_MAC);
	verdict = by_kind(skb, p, &from);
	if (verdict == MAKE_FLOW && is_kernels(skb, p, from.ep))
		return to_kernel(skb, p, UP_CNT_TO_KERNEL);
	return verdict == MAKE_FLOW ? by_destination(skb, p, &from, r) : verdict;
}

static __noinline int outbound_new(struct __sk_buff *skb, struct pkt *p)
{
	struct flow_scratch *s = flow_scratch();
	struct up_flow *f;
	int verdict;

	if (!s)
		return CTX_DROP;
	verdict = decide(skb, p, &s->req);
	if (verdict != MAKE_FLOW)
		return verdict;
	f = flow_create(skb);
	return f ? flow_forward(skb, p, f) : CTX_DROP;
}

/**
 * outbound() - decide a packet that a container sends
 * @skb:     the packet
 * @p:       filled in; see host_out()
 * @ifindex: what tells the container's flows from others': see struct up_tuple
 *
 * Return: a verdict
 */
static __always_inline int outbound(struct __sk_buff *skb, struct pkt *p, __u32 ifindex)
{
	int verdict = fastpath(skb, ifindex);
	struct up_flow *f = NULL;

	if (verdict != FASTPATH_NONE)
		return verdict;
	ctx_parse(skb, p);
	p->t.ifindex = ifindex;
	if (p->res == PARSE_OK || (p->res == PARSE_LATER_FRAG && frag_find(p)))
		f = flow_lookup(&p->t);
	return f ? flow_forward(skb, p, f) : outbound_new(skb, p);
}

#endif
