// SPDX-License-Identifier: GPL-2.0-only
/* Hooks for containers that have a macvlan child of an uplink: see lib/macvlan.h. */
#include "lib/host_out.h"
#include "lib/macvlan.h"
#include "lib/outbound.h"

static __always_inline __u32 child_of_mac(const __u8 *mac)
{
	return UP_IF_CHILD | mac[4] << 8 | mac[5];
}

/* Is this a child that somebody else made, and that we take care of? */
static __always_inline bool is_adopted(const struct __sk_buff *skb, const struct up_endpoint *ep)
{
	return ep && ep->device == UP_NETDEV_ADOPTED && ep->uplink == skb->ifindex;
}

/*
 * Whose is a frame with another source MAC than the NIC's? The address says which endpoint it could
 * be, and the MAC whether it is: as much as anybody can tell of a child that somebody else made.
 */
static __noinline __u32 adopted_sender(struct __sk_buff *skb, struct pkt *p)
{
	const struct up_endpoint *ep;
	__u32 id;

	ctx_parse(skb, p);
	if (p->res > PARSE_L3)
		return 0;
	ep = endpoint_by_addr(&p->t.saddr, &id);
	return is_adopted(skb, ep) && smac_is_own(skb, ep) ? UP_IF_CHILD | id : 0;
}

static __always_inline bool is_from_nic(struct __sk_buff *skb, const __u8 *smac)
{
	__u32 ifindex = skb->ifindex;
	const struct up_uplink *uplink;

	barrier_var(ifindex);
	uplink = bpf_map_lookup_elem(&up_uplinks, &ifindex);
	return !uplink || mac_equal(smac, uplink->mac);
}

static __always_inline bool is_for_gateway(struct __sk_buff *skb)
{
	const __u8 gateway_mac[] = UP_GATEWAY_MAC;
	struct ethhdr *eth = ctx_data(skb);

	return (void *)(eth + 1) <= ctx_end(skb) && mac_equal(eth->h_dest, gateway_mac);
}

/* By a container whose interface is somebody else's: what is not ours goes as it went, but for what
 * it tells the host, which it knows as we told it to. */
static __always_inline int adopted_sent(struct __sk_buff *skb, int verdict)
{
	return verdict == CTX_NEXT && is_for_gateway(skb) ? go_round(skb, skb->ifindex) : verdict;
}

/* By a container of ours. Mark and priority, which classify in the host's queues, are the host's to
 * set. */
static __always_inline __u32 child_sender(struct __sk_buff *skb, const __u8 *smac)
{
	__u32 child = child_of_mac(smac);

	skb->mark = 0;
	skb->priority = 0;
	return child;
}

/* By the host's stack, to a container: neither asks who has which address, so all is unicast. */
static __noinline int host_sent(struct __sk_buff *skb, struct pkt *p)
{
	struct ethhdr *eth = ctx_data(skb);
	const struct up_endpoint *ep = NULL;
	__u32 id;

	if ((void *)(eth + 1) > ctx_end(skb))
		return drop(UP_CNT_DROP_NOT_UNICAST);
	if (mac_is_ours(eth->h_dest) && eth->h_dest[3] == UP_MAC_CHILD) {
		ep = endpoint_by_if(child_of_mac(eth->h_dest), &id);
		return ep && ep->uplink ? go_round(skb, ep->uplink) : drop(UP_CNT_DROP_NO_ENDPOINT);
	}
	ctx_parse(skb, p);
	if (p->res <= PARSE_L3)
		ep = endpoint_by_addr(&p->t.daddr, &id);
	return is_adopted(skb, ep) ? go_round(skb, ep->uplink) : drop(UP_CNT_DROP_NOT_UNICAST);
}

/* Egress of every uplink where containers have children of one. What others' children send passes
 * untouched. */
SEC("tc")
int up_macvlan_out(struct __sk_buff *skb)
{
	struct ethhdr *eth = ctx_data(skb);
	bool adopted = false;
	__u32 child = 0;
	struct pkt p;
	int verdict;

	if ((void *)(eth + 1) > ctx_end(skb))
		return CTX_NEXT;
	if (mac_is_ours(eth->h_source)) {
		if (eth->h_source[3] != UP_MAC_CHILD)
			return host_sent(skb, &p);
		child = child_sender(skb, eth->h_source);
	} else if (skb->mark == UP_MARK) {
		skb->mark = 0;
		return CTX_NEXT;
	} else if (!is_from_nic(skb, eth->h_source)) {
		child = adopted_sender(skb, &p);
		adopted = child;
	}
	if (!child)
		return host_out(skb, &p);
	verdict = outbound(skb, &p, child);
	return adopted ? adopted_sent(skb, verdict) : verdict;
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
