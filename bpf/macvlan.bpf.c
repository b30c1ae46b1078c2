// SPDX-License-Identifier: GPL-2.0-only
/* Hooks for containers that have a macvlan child of an uplink: see lib/macvlan.h. */
#include "lib/host_out.h"
#include "lib/macvlan.h"
#include "lib/outbound.h"

static __always_inline __u32 child_of_mac(const __u8 *mac)
{
	return UP_IF_CHILD | mac[4] << 8 | mac[5];
}

/* By a container. Mark and priority, which classify in the host's queues, are the host's to set. */
static __always_inline int child_sent(struct __sk_buff *skb, struct pkt *p, __u32 child)
{
	skb->mark = 0;
	skb->priority = 0;
	return outbound(skb, p, child);
}

/* By the host's stack, to a container: neither asks who has which address, so all is unicast. */
static __noinline int host_sent(struct __sk_buff *skb, const __u8 *dmac)
{
	const struct up_endpoint *ep;
	__u32 id;

	if (!mac_is_ours(dmac) || dmac[3] != UP_MAC_CHILD)
		return drop(UP_CNT_DROP_NOT_UNICAST);
	ep = endpoint_by_if(child_of_mac(dmac), &id);
	return ep && ep->uplink ? go_round(skb, ep->uplink) : drop(UP_CNT_DROP_NO_ENDPOINT);
}

/* Egress of every uplink where containers have children of one. What others' children send passes
 * untouched. */
SEC("tc")
int up_macvlan_out(struct __sk_buff *skb)
{
	struct ethhdr *eth = ctx_data(skb);
	struct pkt p;

	if ((void *)(eth + 1) <= ctx_end(skb) && mac_is_ours(eth->h_source))
		return eth->h_source[3] == UP_MAC_CHILD
			       ? child_sent(skb, &p, child_of_mac(eth->h_source))
			       : host_sent(skb, eth->h_dest);
	if (skb->mark == UP_MARK) {
		skb->mark = 0;
		return CTX_NEXT;
	}
	return host_out(skb, &p);
}

/*
 * Hooks of the child itself, in the container's namespace. An upgrade cannot reach them there and
 * leaves them as they are, so they know nothing but what the interface's index says.
 *
 * Egress: nothing with another source MAC than its own. (This is what makes that MAC an identity.)
 */
SEC("tc")
int up_child_out(struct __sk_buff *skb)
{
	const __u8 mac[ETH_ALEN] = UP_CHILD_MAC(skb->ifindex);
	struct ethhdr *eth = ctx_data(skb);

	if ((void *)(eth + 1) <= ctx_end(skb) && up_if_is_child(skb->ifindex) &&
	    mac_equal(eth->h_source, mac))
		return CTX_NEXT;
	return drop(UP_CNT_DROP_SRC_MAC);
}

/* Ingress: nothing that was not sent to it. The kernel hands every child what the wire broadcasts,
 * unicast datagrams in broadcast frames included, and that has not passed our program. */
SEC("tc")
int up_child_in(struct __sk_buff *skb)
{
	return skb->pkt_type == PACKET_HOST ? CTX_NEXT : CTX_DROP;
}
