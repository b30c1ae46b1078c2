// SPDX-License-Identifier: GPL-2.0-only
/* tcx ingress of the host's end of a veth: all that a container sends. */
#include "lib/outbound.h"

SEC("tc")
int up_veth_in(struct __sk_buff *skb)
{
	struct pkt p;

	return outbound(skb, &p, skb->ifindex);
}
