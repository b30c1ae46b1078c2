// SPDX-License-Identifier: GPL-2.0-only
/*
 * tcx ingress of the host's end of a veth: all that a container sends.
 *
 * A packet of a known flow is forwarded at once: the flow's key contains the veth, so the hit is
 * also the source check. Any other packet is checked against the endpoint's address and MAC, and
 * then decided by its destination: another container, the host, a published port of the host
 * (hairpin included), or outside, masqueraded.
 */
#include "lib/endpoint.h"
#include "lib/forward.h"
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
#define MAKE_FLOW 100

static __always_inline int drop(enum up_counter why)
{
	count(why);
	return CTX_DROP;
}

static __always_inline int to_kernel(enum up_counter why)
{
	count(why);
	return CTX_NEXT;
}

/* Only these open a flow: a SYN, any UDP datagram, an echo request. */
static __always_inline bool opens_flow(const struct pkt *p)
{
	if (p->t.proto == IPPROTO_TCP)
		return (p->seen & ~UP_SEEN_FIN) == UP_SEEN_SYN;
	return p->t.proto == IPPROTO_UDP || p->t.sport;
}

static __always_inline void request(struct flow_req *r, const struct pkt *p,
				    const struct sender *from)
{
	__builtin_memset(r, 0, sizeof(*r));
	r->key = p->t;
	r->out = p->t;
	r->owner = from->id;
	r->seen = p->seen;
	r->reply_fwd = UP_FWD_PEER;
	__builtin_memcpy(r->reply_dmac, from->ep->mac, sizeof(r->reply_dmac));
}

static __always_inline void to_endpoint(struct flow_req *r, const struct up_endpoint *dst,
					__u32 dst_id)
{
	r->fwd = UP_FWD_PEER;
	r->peer = dst_id;
	r->out.daddr = dst->addr;
	r->out.ifindex = dst->ifindex;
	__builtin_memcpy(r->dmac, dst->mac, sizeof(r->dmac));
}

static __always_inline int to_container(struct flow_req *r, const struct pkt *p,
					const struct sender *from, const struct up_endpoint *dst,
					__u32 dst_id)
{
	if (p->res != PARSE_OK)
		return drop(p->res == PARSE_FRAGMENT ? UP_CNT_DROP_FRAGMENT : UP_CNT_DROP_PROTO);
	if (dst->net != from->ep->net)
		return drop(UP_CNT_DROP_NETWORK);
	if (!opens_flow(p))
		return drop(UP_CNT_DROP_NO_FLOW);
	request(r, p, from);
	to_endpoint(r, dst, dst_id);
	return MAKE_FLOW;
}

/* To a published port of the host. A container that meets itself must see another source, or it
 * would answer itself without us: it sees its gateway. */
static __always_inline int to_published(struct flow_req *r, const struct pkt *p,
					const struct sender *from, const struct up_port_row *row)
{
	struct up_endpoint *dst = endpoint_by_id(row->endpoint);

	if (!dst)
		return to_kernel(UP_CNT_TO_HOST);
	request(r, p, from);
	to_endpoint(r, dst, row->endpoint);
	r->out.dport = port_target(row, p->t.dport);
	if (row->endpoint == from->id)
		r->out.saddr = from->ep->gateway;
	return MAKE_FLOW;
}

/* The kernel takes it; remember that, so that the next packet needs one lookup. */
static __always_inline int to_host(struct flow_req *r, const struct pkt *p,
				   const struct sender *from)
{
	count(UP_CNT_TO_HOST);
	if (p->res != PARSE_OK)
		return CTX_NEXT;
	request(r, p, from);
	r->fwd = UP_FWD_HOST;
	if (flow_begin(r))
		flow_finish(r);
	return CTX_NEXT;
}

static __always_inline int to_local(struct flow_req *r, const struct pkt *p,
				    const struct sender *from)
{
	const struct up_port_half *half = port_half();
	const struct up_port_row *row = NULL;

	if (half && p->res == PARSE_OK && port_any(half, p->t.proto, p->t.dport))
		row = port_lookup(half, &p->t);
	return row && opens_flow(p) ? to_published(r, p, from, row) : to_host(r, p, from);
}

/* Out by an uplink, with its address; by any other interface the kernel routes as it would. */
static __always_inline int to_outside(struct flow_req *r, const struct pkt *p,
				      const struct sender *from, const struct hop *hop)
{
	struct up_uplink *uplink = bpf_map_lookup_elem(&up_uplinks, &hop->ifindex);

	if (!uplink)
		return to_kernel(UP_CNT_TO_KERNEL);
	if (p->res != PARSE_OK)
		return drop(p->res == PARSE_FRAGMENT ? UP_CNT_DROP_FRAGMENT : UP_CNT_DROP_PROTO);
	if (!opens_flow(p))
		return drop(UP_CNT_DROP_NO_FLOW);
	request(r, p, from);
	r->fwd = UP_FWD_NEXTHOP;
	r->out.saddr = uplink->addr;
	r->out.ifindex = 0;
	return MAKE_FLOW;
}

static __always_inline bool is_multicast(__be32 addr)
{
	return (addr & bpf_htonl(0xe0000000)) == bpf_htonl(0xe0000000);
}

/* Not a known flow; the source is the container's. Where does it go? */
static __always_inline int by_destination(struct __sk_buff *skb, const struct pkt *p,
					  const struct sender *from, struct flow_req *r)
{
	struct up_endpoint *dst;
	__u32 dst_id = 0;
	struct hop hop;

	if (is_multicast(p->t.daddr))
		return drop(UP_CNT_DROP_NOT_UNICAST);
	dst = endpoint_by_addr(p->t.daddr, &dst_id);
	if (dst)
		return to_container(r, p, from, dst, dst_id);
	hop_lookup(skb, skb->ifindex, &p->t, 0, 0, &hop);
	if (hop.ret == BPF_FIB_LKUP_RET_NOT_FWDED)
		return to_local(r, p, from);
	return hop_ok(&hop) ? to_outside(r, p, from, &hop) : to_kernel(UP_CNT_TO_KERNEL);
}

/* May this endpoint send this packet at all? Return: CTX_DROP, CTX_NEXT for ARP, or MAKE_FLOW */
static __always_inline int check_source(struct __sk_buff *skb, const struct pkt *p,
					const struct sender *from)
{
	if (!from->ep)
		return drop(UP_CNT_DROP_NO_ENDPOINT);
	if (!smac_is_own(skb, from->ep))
		return drop(UP_CNT_DROP_SRC_MAC);
	if (p->res == PARSE_ARP)
		return arp_is_own(skb, from->ep) ? CTX_NEXT : drop(UP_CNT_DROP_ARP);
	if (p->res == PARSE_NOT_IP)
		return drop(UP_CNT_DROP_NOT_IPV4);
	if (p->res == PARSE_MALFORMED)
		return drop(UP_CNT_DROP_MALFORMED);
	return p->t.saddr == from->ep->addr ? MAKE_FLOW : drop(UP_CNT_DROP_SRC_ADDR);
}

static __noinline int decide(struct __sk_buff *skb, const struct pkt *p, struct flow_req *r)
{
	struct sender from = {};
	int verdict;

	from.ep = endpoint_by_if(skb->ifindex, &from.id);
	verdict = check_source(skb, p, &from);
	return verdict == MAKE_FLOW ? by_destination(skb, p, &from, r) : verdict;
}

SEC("tc")
int up_veth_in(struct __sk_buff *skb)
{
	struct flow_req r;
	struct up_flow *f = NULL;
	struct pkt p;
	int verdict;

	ctx_parse(skb, &p);
	p.t.ifindex = skb->ifindex;
	if (p.res == PARSE_OK)
		f = bpf_map_lookup_elem(&up_flows, &p.t);
	if (!f) {
		verdict = decide(skb, &p, &r);
		if (verdict != MAKE_FLOW)
			return verdict;
		f = flow_create(skb, &r);
	}
	return f ? flow_forward(skb, &p, f) : CTX_DROP;
}
