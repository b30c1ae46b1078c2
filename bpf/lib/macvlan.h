/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Containers that have a macvlan child of an uplink. Theory of operation
 * =======================================================================
 * The child hands what its container sends to the uplink as it is: it passes the uplink's egress
 * hook in the sender's own context, there is rewritten, and goes on to the NIC. What comes by the
 * uplink is rewritten at its ingress hook, goes on, and is delivered by the child's MAC, into the
 * container's namespace, in the same turn. Neither waits in a queue of the CPU, as a veth's packets
 * do; and the wire sees the NIC's MAC only.
 *
 * Who sent it. At the uplink a packet bears no trace of the child that it left by but its source
 * MAC. So the child has a hook of its own (child.bpf.c) that lets nothing out with another one, and
 * the MAC contains the endpoint's id: from here on it is as good as a veth's ifindex.
 *
 * Round again. What is on its way out but is for another child, or for the host, enters the uplink
 * once more (BPF_F_INGRESS), which costs one queue, as any way between two containers does. It is
 * marked, so that the ingress hook knows it from what the wire might send to the same MAC. The same
 * mark tells the egress hook that a packet which it sent to another uplink, or by way of a
 * neighbour that has to be resolved, has been here before. The mark is taken off again; what a
 * container sets is not believed.
 *
 * The host is one more child, in its own namespace, with the MAC of every gateway. By that
 * interface, and not by the uplink, the host routes to the containers and hears from them: so its
 * reverse path filter tells a container's packets from the wire's, and forwarding is on there.
 */
#ifndef UP_BPF_MACVLAN_H
#define UP_BPF_MACVLAN_H

#include <stdbool.h>

#include "lib/endpoint.h"

/** mac_is_ours() - a child's MAC, or the host's as a child; @mac is four bytes or more */
static __always_inline bool mac_is_ours(const __u8 *mac)
{
	const __u8 oui[] = UP_MAC_OUI;

	return mac[0] == oui[0] && mac[1] == oui[1] && mac[2] == oui[2] && mac[3] <= UP_MAC_CHILD;
}

static __always_inline int go_round(struct __sk_buff *skb, __u32 uplink)
{
	skb->mark = UP_MARK;
	return bpf_redirect(uplink, BPF_F_INGRESS);
}

/** to_child() - deliver a packet that has a child's MAC now: it is at the right place already where
 * it came by that very uplink. @from: struct up_tuple's ifindex, of the way that it came by */
static __always_inline int to_child(struct __sk_buff *skb, __u32 from, __u32 uplink)
{
	return !from && skb->ifindex == uplink ? CTX_NEXT : go_round(skb, uplink);
}

/** to_stack() - the host's own stack takes it */
static __always_inline int to_stack(struct __sk_buff *skb, const struct pkt *p)
{
	const __u8 gateway_mac[] = UP_GATEWAY_MAC;

	if (!up_if_is_child(p->t.ifindex))
		return CTX_NEXT;
	if (bpf_skb_store_bytes(skb, 0, gateway_mac, sizeof(gateway_mac), 0))
		return CTX_DROP;
	return go_round(skb, skb->ifindex);
}

/** send_out() - out by an interface; a child's packet is on its way out by its uplink already */
static __always_inline int send_out(struct __sk_buff *skb, __u32 from, __u32 oif)
{
	if (up_if_is_child(from)) {
		if (oif == skb->ifindex)
			return CTX_NEXT;
		skb->mark = UP_MARK;
	}
	return bpf_redirect(oif, 0);
}

/** send_back() - back to where it came from; its MACs are swapped */
static __always_inline int send_back(struct __sk_buff *skb, const struct pkt *p)
{
	return up_if_is_child(p->t.ifindex) ? go_round(skb, skb->ifindex)
					    : bpf_redirect(skb->ifindex, 0);
}

/** came_by() - the interface of the host that the routing table is to take for a packet's origin */
static __always_inline __u32 came_by(const struct __sk_buff *skb, const struct pkt *p)
{
	__u32 ifindex = skb->ifindex, id;
	const struct up_endpoint *ep;

	barrier_var(ifindex); /* or clang takes the address of a context field */
	if (!up_if_is_child(p->t.ifindex))
		return ifindex;
	ep = endpoint_by_if(p->t.ifindex, &id);
	return ep ? ep->host_if : ifindex;
}

#endif
