// SPDX-License-Identifier: GPL-2.0-only
/*
 * tcx ingress of an uplink: answers of masqueraded flows and connections to published ports go
 * straight into their container. Everything else goes on, untouched.
 *
 * Flows first, then published ports: a flow that was given a source port keeps it even where that
 * port is published later. What the host itself receives costs one lookup and one bit test.
 */
#include "lib/endpoint.h"
#include "lib/forward.h"
#include "lib/port.h"
#include "lib/snat.h"

/* Is this address the host's own? Asked of the FIB as if the packet came from the endpoint's veth,
 * because forwarding is off on the uplink, and should be. */
static __always_inline bool is_local(struct __sk_buff *skb, const struct up_endpoint *ep,
				     const struct up_tuple *t)
{
	struct hop hop;

	hop_lookup(skb, ep->ifindex, t, 0, 0, &hop);
	return hop.ret == BPF_FIB_LKUP_RET_NOT_FWDED;
}

static __noinline int uplink_new(struct __sk_buff *skb, struct pkt *p,
				 const struct up_port_row *row)
{
	struct up_endpoint *ep = endpoint_by_id(row->endpoint);
	struct flow_req r = {
		.key = p->t,
		.out = p->t,
		.owner = row->endpoint,
		.seen = p->seen,
		.fwd = UP_FWD_PEER,
		.reply_fwd = UP_FWD_NEXTHOP,
	};
	struct up_flow *f;

	if (!ep || !is_local(skb, ep, &p->t))
		return CTX_NEXT;
	r.out.daddr = ep->addr;
	r.out.dport = port_target(row, p->t.dport);
	r.out.ifindex = ep->ifindex;
	__builtin_memcpy(r.dmac, ep->mac, sizeof(r.dmac));
	f = flow_create(skb, &r);
	return f ? flow_forward(skb, p, f) : CTX_DROP;
}

SEC("tc")
int up_uplink_in(struct __sk_buff *skb)
{
	const struct up_port_half *half;
	const struct up_port_row *row;
	struct up_flow *f;
	struct pkt p;

	if (ctx_parse(skb, &p) != PARSE_OK)
		return CTX_NEXT;
	f = bpf_map_lookup_elem(&up_flows, &p.t);
	if (f)
		return flow_forward(skb, &p, f);
	half = port_half();
	if (!half || !port_any(half, p.t.proto, p.t.dport))
		return CTX_NEXT;
	/* Only a SYN opens a connection; a loopback address never comes by a wire. */
	if (skb->pkt_type != 0 /* PACKET_HOST */ || addr_is_loopback(p.t.daddr) ||
	    (p.t.proto == IPPROTO_TCP && (p.seen & ~UP_SEEN_FIN) != UP_SEEN_SYN))
		return CTX_NEXT;
	row = port_lookup(half, &p.t);
	return row ? uplink_new(skb, &p, row) : CTX_NEXT;
}
