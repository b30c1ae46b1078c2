/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The packet as TC sees it. Code in lib/ touches the context only through these names, so that an
 * XDP counterpart can give the same ones.
 */
#ifndef UP_BPF_CTX_SKB_H
#define UP_BPF_CTX_SKB_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "compat/bpf.h"
#include "lib/parse.h"

#define CTX_NEXT UP_TCX_NEXT /* not ours, or the kernel's to handle: the chain goes on */
#define CTX_DROP UP_TCX_DROP

#define PACKET_HOST                                                                   \
	0 /* __sk_buff.pkt_type, <linux/if_packet.h>: sent to the interface's own MAC \
	   */

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

/* Pull what an ICMP error may need to be translated, and parse the packet that it is about. */
static __always_inline enum parse_result ctx_parse_inner(struct __sk_buff *skb, const struct pkt *p,
							 struct pkt *in)
{
	if (bpf_skb_pull_data(skb, skb->len < PARSE_ERROR_PULL ? skb->len : PARSE_ERROR_PULL))
		return PARSE_MALFORMED;
	return parse_inner(ctx_data(skb), ctx_end(skb), p, in);
}

/* What goes over the wire: a GSO packet is cut into segments on its way. */
static __always_inline __u32 wire_len(const struct __sk_buff *skb, const struct pkt *p)
{
	return skb->gso_size ? p->l4_off - p->l3_off + p->l4_len + skb->gso_size : p->tot_len;
}

/* Who computes the transport checksum (skb->ip_summed, <linux/skbuff.h>). */
enum ctx_csum {
	CTX_CSUM_NONE,        /* it is in the packet, not verified yet */
	CTX_CSUM_UNNECESSARY, /* it is in the packet, verified */
	CTX_CSUM_COMPLETE,    /* the NIC has summed the packet: that sum must follow every change */
	CTX_CSUM_PARTIAL,     /* the NIC will; the field holds the sum of the pseudo header */
	CTX_CSUM_UNKNOWN,     /* the kernel does not tell */
};

/* Does the kernel let us look at the sk_buff (bpf_cast_to_kern_ctx, Linux 6.2)? Set by the loader.
 */
const volatile bool up_has_kern_ctx = false;

extern void *bpf_cast_to_kern_ctx(void *ctx) __ksym __weak;

struct sk_buff {
	__u8 ip_summed : 2;
} __attribute__((preserve_access_index));

static __always_inline enum ctx_csum ctx_csum(struct __sk_buff *skb)
{
	struct sk_buff *kern;

	if (!up_has_kern_ctx)
		return CTX_CSUM_UNKNOWN;
	kern = bpf_cast_to_kern_ctx(skb);
	return BPF_CORE_READ_BITFIELD(kern, ip_summed);
}

#endif
