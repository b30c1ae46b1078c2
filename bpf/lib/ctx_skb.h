/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The packet as TC sees it. Code in lib/ touches the context only through these names, so that an
 * XDP counterpart can give the same ones.
 */
#ifndef UP_BPF_CTX_SKB_H
#define UP_BPF_CTX_SKB_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "compat/bpf.h"
#include "lib/parse.h"

#define CTX_NEXT UP_TCX_NEXT /* not ours, or the kernel's to handle: the chain goes on */
#define CTX_DROP UP_TCX_DROP

static __always_inline void *ctx_data(const struct __sk_buff *skb)
{
	return (void *)(long)skb->data;
}

static __always_inline void *ctx_end(const struct __sk_buff *skb)
{
	return (void *)(long)skb->data_end;
}

/**
 * ctx_parse() - parse the packet, pulling its headers into the linear part where they are not there
 *
 * A VLAN tag that the device took off belongs to another interface's traffic: not ours.
 */
static __always_inline enum parse_result ctx_parse(struct __sk_buff *skb, struct pkt *p)
{
	if (skb->vlan_present) {
		__builtin_memset(p, 0, sizeof(*p));
		return p->res = PARSE_NOT_IP;
	}
	if (parse(ctx_data(skb), ctx_end(skb), skb->len, p) != PARSE_SHORT)
		return p->res;
	if (bpf_skb_pull_data(skb, skb->len < PARSE_PULL_MAX ? skb->len : PARSE_PULL_MAX))
		return p->res = PARSE_MALFORMED;
	if (parse(ctx_data(skb), ctx_end(skb), skb->len, p) == PARSE_SHORT)
		p->res = PARSE_MALFORMED;
	return p->res;
}

#endif
