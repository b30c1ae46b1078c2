/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The packet as XDP sees it, by the names that ctx_skb.h has for TC: which of the two is meant
 * follows from the type of the context, so that code in lib/ is written once.
 */
#ifndef UP_BPF_CTX_XDP_H
#define UP_BPF_CTX_XDP_H

#include "lib/ctx_skb.h"

static __always_inline void *ctx_xdp_data(const struct xdp_md *xdp)
{
	return (void *)(long)xdp->data;
}

static __always_inline void *ctx_xdp_end(const struct xdp_md *xdp)
{
	return (void *)(long)xdp->data_end;
}

/* Nothing can be pulled here: what is not in the first part of the buffer is left to TC. */
static __always_inline enum parse_result ctx_xdp_parse(struct xdp_md *xdp, struct pkt *p)
{
	return parse(ctx_xdp_data(xdp), ctx_xdp_end(xdp), bpf_xdp_get_buff_len(xdp), p);
}

#define CTX_OF(ctx, name, xdp_name) \
	_Generic((ctx), struct xdp_md * : xdp_name, const struct xdp_md * : xdp_name, default : name)

#define ctx_data(ctx)     CTX_OF(ctx, ctx_data, ctx_xdp_data)(ctx)
#define ctx_end(ctx)      CTX_OF(ctx, ctx_end, ctx_xdp_end)(ctx)
#define ctx_parse(ctx, p) CTX_OF(ctx, ctx_parse, ctx_xdp_parse)(ctx, p)

#endif
