/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Forwarding a packet of a known flow: next hop, one rewrite, redirect.
 *
 * The next hop is asked for before anything is written, so that the error about a packet which
 * cannot go on shows it as its sender knows it (reply.h).
 *
 * The answer is kept in the flow and asked for again in the next second: a change of routes or
 * neighbours takes effect within a second, without anything that would have to be invalidated.
 */
#ifndef UP_BPF_FORWARD_H
#define UP_BPF_FORWARD_H

#include <stdbool.h>

#include "lib/flow.h"
#include "lib/frag.h"
#include "lib/hop.h"
#include "lib/reply.h"
#include "lib/rewrite.h"

static __always_inline int malformed(void)
{
	count(UP_CNT_DROP_MALFORMED);
	return CTX_DROP;
}

/* By its device. */
static __always_inline int into_container(struct __sk_buff *skb, __u32 from,
					  const struct up_flow *f)
{
	if (f->fwd == UP_FWD_PEER)
		return bpf_redirect_peer(f->out.ifindex, 0);
	return f->fwd == UP_FWD_QUEUE ? bpf_redirect(f->out.ifindex, 0)
				      : to_child(skb, from, f->oif);
}

static __always_inline int forward_peer(struct __sk_buff *skb, const struct pkt *p,
					const struct up_flow *f)
{
	if (rewrite(skb, p, f))
		return malformed();
	return into_container(skb, p->t.ifindex, f);
}

/* Remember a next hop; for the rest of this second where its neighbour is resolved. */
static __always_inline void hop_keep(struct up_flow *f, const struct hop *hop)
{
	__builtin_memcpy(f->eth, hop->eth, sizeof(f->eth));
	f->mtu = hop->mtu;
	f->oif = hop->ret == BPF_FIB_LKUP_RET_SUCCESS ? hop->ifindex : 0;
}

/*
 * By the routing table, which is asked with the first packet in a second. As in a kernel that
 * masquerades behind its routing decision, rules see the container's own address in what it began
 * to say; in its answers they see the host's that was spoken to, so that an answer can leave by the
 * uplink that the question came by.
 */
static __noinline int forward_by_route(struct __sk_buff *skb, const struct pkt *p,
				       struct up_flow *f)
{
	struct hop hop = {.ifindex = came_by(skb, p), .len = wire_len(skb, p)};

	hop_lookup(skb, f->orig ? &p->t : &f->out, &hop);
	if (!hop_ok(&hop)) {
		f->oif = 0;
		return hop_refuse(skb, p, &hop);
	}
	hop_keep(f, &hop);
	return rewrite(skb, p, f) ? malformed() : hop_redirect(skb, p, &hop);
}

static __always_inline int forward_nexthop(struct __sk_buff *skb, const struct pkt *p,
					   struct up_flow *f, bool ask)
{
	if (ask || !f->oif || wire_len(skb, p) > f->mtu)
		return forward_by_route(skb, p, f);
	return rewrite(skb, p, f) ? malformed() : send_out(skb, p->t.ifindex, f->oif);
}

/* To the host. It remains the host's only while the destination is an address of it. */
static __always_inline int forward_host(struct __sk_buff *skb, const struct pkt *p, bool first)
{
	if (!first || bpf_map_lookup_elem(&up_local, &p->t.daddr))
		return to_stack(skb, p);
	count(UP_CNT_DROP_NO_ROUTE);
	return CTX_DROP;
}

/* The host's own, moved to another port: it stays on its way. */
static __always_inline int forward_local(struct __sk_buff *skb, const struct pkt *p,
					 const struct up_flow *f)
{
	return rewrite_port(skb, p, f) ? malformed() : CTX_NEXT;
}

/* Through a queue it is the veth that delivers, and what its other end is too small for it drops in
 * silence. (bpf_redirect_peer() does not ask the other end.) */
static __always_inline int forward_queue(struct __sk_buff *skb, const struct pkt *p,
					 const struct up_flow *f)
{
	__u32 mtu = 0;

	if (bpf_check_mtu(skb, f->out.ifindex, &mtu, 0, 0) == BPF_MTU_CHK_RET_FRAG_NEEDED)
		return icmp_reply(skb, p, REPLY_TOO_BIG, mtu);
	return forward_peer(skb, p, f);
}

static __noinline int forward_rare(struct __sk_buff *skb, const struct pkt *p, struct up_flow *f,
				   bool first)
{
	if (f->fwd == UP_FWD_HOST)
		return forward_host(skb, p, first);
	if (f->fwd == UP_FWD_LOCAL)
		return forward_local(skb, p, f);
	if (p->ttl <= 1)
		return icmp_reply(skb, p, REPLY_TTL, 0);
	return forward_queue(skb, p, f);
}

/**
 * flow_forward() - do to a packet what its flow says
 */
static __always_inline int flow_forward(struct __sk_buff *skb, const struct pkt *p,
					struct up_flow *f)
{
	bool first = flow_track(f, p);

	if (p->frag == FRAG_FIRST)
		frag_note(p);
	if (f->fwd >= UP_FWD_HOST || f->fwd == UP_FWD_QUEUE || p->ttl <= 1)
		return forward_rare(skb, p, f, first);
	return f->fwd == UP_FWD_NEXTHOP ? forward_nexthop(skb, p, f, first)
					: forward_peer(skb, p, f);
}

#endif
