// SPDX-License-Identifier: GPL-2.0-only
/*
 * tcx hooks of an uplink.
 *
 * Ingress: answers of masqueraded flows and connections to published ports go straight into their
 * container. Everything else goes on, untouched. Flows first, then published ports: a flow that was
 * given a source port keeps it even where that port is published later. What the host itself
 * receives costs one lookup and one bit test.
 *
 * Egress: what the host sends of its own (lib/host_out.h). Where containers have children of an
 * uplink, every uplink has another program there (macvlan.bpf.c).
 */
#include "lib/admit.h"
#include "lib/endpoint.h"
#include "lib/fastpath.h"
#include "lib/host_out.h"
#include "lib/icmp_error.h"
#include "lib/macvlan.h"
#include "lib/port.h"
#include "lib/snat.h"

/* Not of a flow, and not to become one. (CTX_NEXT also is the way into a child of this uplink.) */
#define UPLINK_OTHER 102

/* Is this address the host's own? Asked of the FIB as if the packet came from the endpoint,
 * because forwarding is off on the uplink, and should be. */
static __always_inline bool is_local(struct __sk_buff *skb, const struct up_endpoint *ep,
				     const struct up_tuple *t)
{
	struct hop hop = {.ifindex = ep->host_if};

	hop_lookup(skb, t, &hop);
	return hop.ret == BPF_FIB_LKUP_RET_NOT_FWDED;
}

/* A port of the host, or one of a container whose own address is known outside. */
static __always_inline bool is_for(struct __sk_buff *skb, const struct up_endpoint *ep,
				   const struct pkt *p)
{
	const struct up_addr *addr = &ep->addr[p->v6 ? UP_V6 : UP_V4];

	if (!up_addr_set(addr))
		return false;
	return up_addr_equal(addr, &p->t.daddr) || is_local(skb, ep, &p->t);
}

/* XDP has counted it as one of its source's. */
static __always_inline bool is_charged(const struct __sk_buff *skb)
{
	__u32 ifindex = skb->ifindex;
	const struct up_uplink *uplink = bpf_map_lookup_elem(&up_uplinks, &ifindex);

	return uplink && (uplink->xdp == UP_XDP_IS_NATIVE || uplink->xdp == UP_XDP_IS_GENERIC);
}

static __noinline int uplink_new(struct __sk_buff *skb, struct pkt *p,
				 const struct up_port_row *row)
{
	struct up_endpoint *ep = endpoint_by_id(row->endpoint);
	struct flow_scratch *s = flow_scratch();
	enum up_counter why;
	struct flow_req *r;
	struct up_flow *f;

	if (!s || !ep || !is_for(skb, ep, p))
		return UPLINK_OTHER;
	why = refuses(row, p, !is_charged(skb));
	if (why != UP_CNT_MAX) {
		count(why);
		return CTX_DROP;
	}
	r = &s->req;
	__builtin_memset(r, 0, sizeof(*r));
	r->key = p->t;
	r->out = p->t;
	r->owner = row->endpoint;
	r->seen = p->seen;
	r->reply_fwd = UP_FWD_NEXTHOP;
	flow_req_into(r, ep, p->v6 ? UP_V6 : UP_V4);
	r->out.dport = port_target(row, p->t.dport);
	f = flow_create(skb);
	return f ? flow_forward(skb, p, f) : CTX_DROP;
}

/*
 * For the kernel, unless it is for a container by the container's own address: a kernel that
 * forwards would hand it over, past published ports and their lists of sources, and the answer
 * would go nowhere. Only where the kernel's own rules are to decide, they do. Neighbour discovery
 * is the kernel's in any case: it may be a proxy.
 */
static __noinline int not_ours(struct __sk_buff *skb, const struct pkt *p)
{
	const struct up_endpoint *ep;
	__u32 id;

	if (p->res > PARSE_L3 || p->res == PARSE_ND)
		return CTX_NEXT;
	ep = endpoint_by_addr(&p->t.daddr, &id);
	if (!ep || endpoint_is_left_to_kernel(ep, p->v6 ? UP_V6 : UP_V4))
		return CTX_NEXT;
	return rst_reply(skb, p);
}

/* Not of a known flow, but maybe a new one, or an error about one. */
static __noinline int uplink_open(struct __sk_buff *skb, struct pkt *p)
{
	const struct up_port_row *row;
	int verdict;

	if (comes_from_denied(p)) {
		count(UP_CNT_DROP_DENIED);
		return CTX_DROP;
	}
	if (p->res == PARSE_ICMP_ERROR) {
		verdict = icmp_error_forward(skb, p);
		return verdict == ICMP_ERROR_OTHER ? UPLINK_OTHER : verdict;
	}
	if (!may_be_published(p))
		return UPLINK_OTHER;
	row = port_lookup(&p->t);
	return row ? uplink_new(skb, p, row) : UPLINK_OTHER;
}

static __always_inline int uplink_other(struct __sk_buff *skb, struct pkt *p)
{
	int verdict = uplink_open(skb, p);

	return verdict == UPLINK_OTHER ? not_ours(skb, p) : verdict;
}

/*
 * Not sent to the NIC's own MAC. What our programs sent round goes on to the child that it is for;
 * nobody else speaks to a container but by the uplink's address.
 */
static __noinline int not_for_host(struct __sk_buff *skb)
{
	struct ethhdr *eth = ctx_data(skb);

	if (skb->mark == UP_MARK) {
		skb->mark = 0;
		return CTX_NEXT;
	}
	if ((void *)(eth + 1) > ctx_end(skb) || !mac_is_ours(eth->h_dest))
		return CTX_NEXT;
	count(UP_CNT_DROP_DST_MAC);
	return CTX_DROP;
}

SEC("tc")
int up_uplink_in(struct __sk_buff *skb)
{
	struct up_flow *f = NULL;
	struct pkt p;
	int verdict;

	if (skb->pkt_type != PACKET_HOST)
		return not_for_host(skb);
	verdict = fastpath(skb, 0);
	if (verdict != FASTPATH_NONE)
		return verdict;
	ctx_parse(skb, &p);
	if (p.res == PARSE_OK || (p.res == PARSE_LATER_FRAG && frag_find(&p)))
		f = flow_lookup(&p.t);
	return f ? flow_forward(skb, &p, f) : uplink_other(skb, &p);
}

SEC("tc")
int up_uplink_out(struct __sk_buff *skb)
{
	struct pkt p;

	if (skb->mark == UP_MARK) {
		skb->mark = 0;
		return CTX_NEXT;
	}
	return host_out(skb, &p);
}
