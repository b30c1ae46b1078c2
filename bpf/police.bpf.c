// SPDX-License-Identifier: GPL-2.0-only
/*
 * tcx ingress of a veth whose container may send only so much, in front of veth.bpf.c.
 *
 * A token bucket in the container's own end does the shaping: packets wait there, close to the
 * socket that sends them, and TCP reaches the rate. But whoever may configure interfaces in the
 * container may also remove that bucket. So here is a meter which the container cannot touch, and
 * which one that leaves its bucket alone never hits: it lets a little more through, and much more
 * at once. It drops what is beyond.
 *
 * The meter is a clock (the generic cell rate algorithm, ITU-T I.371): when would all that was sent
 * have left at the rate? One word, so CPUs need no lock.
 */
#include "lib/endpoint.h"

#define POLICE_NSEC     1000000000ULL
#define POLICE_HEADROOM 40 /* a 40th above the rate: the bucket has a 56th (core/limit.c) */
#define POLICE_TRIES    8

/* IPv4 and TCP without options: the least that each further segment adds on the wire. */
#define POLICE_HEADERS 40

static __always_inline __u64 police_bits(const struct __sk_buff *skb)
{
	__u64 len = skb->len > ETH_HLEN ? skb->len - ETH_HLEN : 0;

	if (skb->gso_segs > 1)
		len += (__u64)(skb->gso_segs - 1) * POLICE_HEADERS;
	return len * 8;
}

static __always_inline bool police_conforms(struct up_endpoint *ep, __u64 cost, __u64 now)
{
	__u64 due, start;

	for (int i = 0; i < POLICE_TRIES; i++) {
		due = *(volatile __u64 *)&ep->out_due;
		start = due > now ? due : now;
		if (start - now > ep->out_slack)
			return false;
		if (__sync_val_compare_and_swap(&ep->out_due, due, start + cost) == due)
			return true;
	}
	return false;
}

SEC("tc")
int up_veth_police(struct __sk_buff *skb)
{
	__u32 id;
	struct up_endpoint *ep = endpoint_by_if(skb->ifindex, &id);
	__u64 rate;

	if (!ep || !ep->rate_out)
		return CTX_NEXT;
	rate = ep->rate_out + ep->rate_out / POLICE_HEADROOM;
	if (police_conforms(ep, police_bits(skb) * POLICE_NSEC / rate, bpf_ktime_get_ns()))
		return CTX_NEXT;
	count(UP_CNT_DROP_RATE);
	return CTX_DROP;
}
