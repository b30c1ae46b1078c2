// SPDX-License-Identifier: GPL-2.0-only
/*
 * All that a container sends by a netkit (Linux 6.7). It is a pair like a veth, but the program of
 * the host's end runs while the container's end transmits, in the sender's own context: what is
 * redirected from here has waited in no queue of the CPU. (drivers/net/netkit.c)
 *
 * It has not come in anywhere either, as a veth's packet has, so the uplink's egress hook would
 * take it for the host's own. The mark says that it is not; the next device into another namespace
 * takes it off. What the container itself sets does not get as far as here.
 */
#include "lib/outbound.h"

SEC("tc")
int up_netkit(struct __sk_buff *skb)
{
	struct pkt p;
	int verdict;

	skb->mark = UP_MARK;
	verdict = outbound(skb, &p, skb->ifindex);
	if (verdict == CTX_NEXT)
		skb->mark = 0;
	return verdict;
}
