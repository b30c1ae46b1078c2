// SPDX-License-Identifier: GPL-2.0-only
/*
 * XDP on an uplink: what is to be dropped is dropped before there is an sk_buff.
 *
 * That is all it does. It is attached only while there is something to drop (core/xdp.c), decides
 * by what TC decides by (lib/admit.h), and hands on whatever it is not sure of: TC asks again, so a
 * packet that XDP did not see, or a driver without it, makes no difference but in speed.
 *
 * TC parses the packet again, on purpose. A packet that is handed on costs this whole program 7 ns
 * (12 of a test run where an empty program takes 5), and parsing is a part of that. What it finds
 * takes 64 bytes, kernels before 6.15 pass 32 from XDP to TC, and GRO compares them packet by
 * packet.
 *
 * UDP to containers is not forwarded from here. Redirecting to a container's veth and up its stack
 * took 496 ns a datagram, without even a flow lookup; TC with all that it does took 575 (medians of
 * 5, one CPU, counted where they arrived). For that the container's end would need NAPI, with which
 * bulk TCP falls from 9 to 4 Gbit/s, because XDP loses the checksum and GRO help.
 */
#include "lib/ctx_xdp.h"

#include "lib/admit.h"

static __always_inline int xdp_drop(enum up_counter why)
{
	count(why);
	count(UP_CNT_XDP_DROP);
	return XDP_DROP;
}

/* Only what is for the host: other frames are seen by a promiscuous interface, and are others'. */
static __always_inline bool is_to_host(struct xdp_md *ctx)
{
	__u32 ifindex = ctx->ingress_ifindex;
	const struct up_uplink *uplink = bpf_map_lookup_elem(&up_uplinks, &ifindex);
	const struct ethhdr *eth = ctx_data(ctx);

	return uplink && (void *)(eth + 1) <= ctx_end(ctx) && mac_equal(eth->h_dest, uplink->mac);
}

/* A new connection to a published port of one of the host's own addresses. */
static __noinline int xdp_new(struct xdp_md *ctx, struct pkt *p)
{
	const struct up_port_row *row;
	enum up_counter why;

	if (!bpf_map_lookup_elem(&up_local, &p->t.daddr) || flow_lookup(&p->t) || !is_to_host(ctx))
		return XDP_PASS;
	row = port_lookup(&p->t);
	if (!row)
		return XDP_PASS;
	why = refuses(row, p, true);
	return why == UP_CNT_MAX ? XDP_PASS : xdp_drop(why);
}

SEC("xdp.frags")
int up_xdp(struct xdp_md *ctx)
{
	struct pkt p;

	ctx_parse(ctx, &p);
	if (comes_from_denied(&p) && is_to_host(ctx))
		return xdp_drop(UP_CNT_DROP_DENIED);
	return may_be_published(&p) ? xdp_new(ctx, &p) : XDP_PASS;
}
