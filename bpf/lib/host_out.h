/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the host sends of its own, and what its own NAT makes its own. Its kernel chooses source
 * ports without knowing of the containers' flows; where it chose one that a container already uses
 * towards the same peer, or one that is published, the answers would be taken for a container's.
 * Such a connection is given another port on its way, as if the host were one more container.
 *
 * What our programs redirected is let through at once: it has come in somewhere, and the kernel has
 * not routed it.
 */
#ifndef UP_BPF_HOST_OUT_H
#define UP_BPF_HOST_OUT_H

#include "lib/forward.h"
#include "lib/port.h"
#include "lib/snat.h"

/* Of <linux/skbuff.h>: 0 for a packet that has not been routed. */
struct sk_buff___routed {
	unsigned long _skb_refdst;
} __attribute__((preserve_access_index));

/* Where the kernel does not let us look, its NAT's choice stays as it is. */
static __always_inline bool is_redirected(struct __sk_buff *skb)
{
	struct sk_buff___routed *kern;

	if (!skb->ingress_ifindex)
		return false;
	if (!up_has_kern_ctx)
		return true;
	kern = bpf_cast_to_kern_ctx(skb);
	return !kern->_skb_refdst;
}

/* Would the answer to this packet be taken for a container's? */
static __always_inline bool answer_is_taken(const struct pkt *p)
{
	const struct up_port_half *half;
	struct up_tuple answer;

	tuple_reverse(&p->t, &answer);
	answer.ifindex = 0;
	if (flow_lookup(&answer))
		return true;
	half = port_half();
	return p->t.proto == IPPROTO_UDP && half && port_any(half, p->t.proto, p->t.sport) &&
	       port_lookup(&answer);
}

static __always_inline int host_moved(struct __sk_buff *skb, const struct pkt *p, struct up_flow *f)
{
	flow_track(f, p);
	if (p->frag == FRAG_FIRST)
		frag_note(p);
	return forward_local(skb, p, f);
}

static __noinline int host_new(struct __sk_buff *skb, struct pkt *p)
{
	struct flow_scratch *s = flow_scratch();
	struct flow_req *r;
	struct up_flow *f;

	if (!s || !answer_is_taken(p))
		return CTX_NEXT;
	r = &s->req;
	__builtin_memset(r, 0, sizeof(*r));
	r->key = p->t;
	r->out = p->t;
	r->out.ifindex = 0;
	r->seen = p->seen;
	r->fwd = UP_FWD_LOCAL;
	r->reply_fwd = UP_FWD_LOCAL;
	r->masq = 1;
	r->move = 1;
	f = flow_create(skb);
	if (!f)
		return CTX_DROP;
	count(UP_CNT_HOST_MOVED);
	return host_moved(skb, p, f);
}

/**
 * host_out() - decide a packet that leaves by an uplink and is no container's
 * @skb: the packet
 * @p:   filled in; the caller's, because a hook that decides in two ways has no stack for two
 *
 * Return: a verdict
 */
static __always_inline int host_out(struct __sk_buff *skb, struct pkt *p)
{
	struct up_flow *f = NULL;

	if (is_redirected(skb))
		return CTX_NEXT;
	ctx_parse(skb, p);
	p->t.ifindex = UP_IF_HOST;
	if (p->res == PARSE_OK || (p->res == PARSE_LATER_FRAG && frag_find(p)))
		f = flow_lookup(&p->t);
	if (f)
		return host_moved(skb, p, f);
	if (p->res != PARSE_OK || (p->t.proto == IPPROTO_TCP && p->seen != UP_SEEN_SYN))
		return CTX_NEXT;
	return host_new(skb, p);
}

#endif
