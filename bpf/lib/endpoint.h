/* SPDX-License-Identifier: GPL-2.0-only */
/* Endpoint lookups, and what an endpoint may send. */
#ifndef UP_BPF_ENDPOINT_H
#define UP_BPF_ENDPOINT_H

#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <linux/if_ether.h>

#include "lib/ctx_skb.h"
#include "lib/maps.h"

/** endpoint_by_id() - a live endpoint's row, or NULL */
static __always_inline struct up_endpoint *endpoint_by_id(__u32 id)
{
	struct up_endpoint *ep = bpf_map_lookup_elem(&up_endpoints, &id);

	return ep && ep->state == UP_ENDPOINT_LIVE ? ep : NULL;
}

static __always_inline struct up_endpoint *endpoint_by_if(__u32 ifindex, __u32 *ret_id)
{
	__u32 *id;

	if (up_if_is_child(ifindex)) {
		*ret_id = ifindex & ~UP_IF_CHILD;
		return endpoint_by_id(*ret_id);
	}
	id = bpf_map_lookup_elem(&up_ep_by_if, &ifindex);
	if (!id)
		return NULL;
	*ret_id = *id;
	return endpoint_by_id(*id);
}

static __always_inline struct up_endpoint *endpoint_by_addr(const struct up_addr *addr,
							    __u32 *ret_id)
{
	__u32 *id = bpf_map_lookup_elem(&up_ep_by_addr, addr);

	if (!id)
		return NULL;
	*ret_id = *id;
	return endpoint_by_id(*id);
}

/**
 * endpoint_fwd() - how packets get into an endpoint
 * @ep:   the endpoint
 * @from: up_tuple.ifindex of theirs; bpf_redirect_peer() is for what came in, and not for what
 *        is on its way out
 */
static __always_inline __u8 endpoint_fwd(const struct up_endpoint *ep, __u32 from)
{
	if (ep->uplink)
		return UP_FWD_CHILD;
	return ep->flags & UP_EP_SHAPED || up_if_transmits(from) ? UP_FWD_QUEUE : UP_FWD_PEER;
}

/**
 * endpoint_is_left_to_kernel() - does what goes by the container's own address go the kernel's way,
 * where the host may have rules for it: a cluster's masquerading, its services, its policies?
 */
static __always_inline bool endpoint_is_left_to_kernel(const struct up_endpoint *ep,
						       enum up_family family)
{
	return ep->device == UP_NETDEV_ADOPTED ||
	       (ep->flags & UP_EP_KERNEL && ep->flags & (UP_EP_ROUTED_V4 << family));
}

static __always_inline bool mac_equal(const __u8 *a, const __u8 *b)
{
	return *(__u16 *)a == *(__u16 *)b && *(__u16 *)(a + 2) == *(__u16 *)(b + 2) &&
	       *(__u16 *)(a + 4) == *(__u16 *)(b + 4);
}

/* Ethernet ARP for IPv4, RFC 826. <linux/if_arp.h> has only its first part, and drags libc in. */
struct arp_ipv4 {
	__be16 hw_type, proto_type;
	__u8 hw_len, proto_len;
	__be16 op;
	__u8 sender_mac[ETH_ALEN];
	__be32 sender_ip;
	__u8 target_mac[ETH_ALEN];
	__be32 target_ip;
} __attribute__((packed));

/** arp_is_own() - does this ARP packet speak for the container's own address, or for none (a
 * probe)? */
static __always_inline bool arp_is_own(struct __sk_buff *skb, const struct up_endpoint *ep)
{
	struct arp_ipv4 *arp = ctx_data(skb) + ETH_HLEN;

	if ((void *)(arp + 1) > ctx_end(skb))
		return false;
	if (arp->proto_type != bpf_htons(ETH_P_IP) || !mac_equal(arp->sender_mac, ep->mac))
		return false;
	return !arp->sender_ip || arp->sender_ip == ep->addr[UP_V4].w[3];
}

/* Whom a neighbour discovery message is about: RFC 4861, 4.3 and 4.4. */
static __always_inline bool nd_target(struct __sk_buff *skb, const struct pkt *p,
				      struct up_addr *ret)
{
	return !bpf_skb_load_bytes(skb, p->l4_off + sizeof(struct icmp_head), ret, sizeof(*ret));
}

/* An address that a container may speak for. */
static __always_inline bool nd_addr_is_own(const struct up_addr *addr, const struct up_endpoint *ep)
{
	return up_addr_equal(addr, &ep->addr[UP_V6]) || up_addr_is_linklocal(addr);
}

/**
 * nd_is_own() - may a container send this neighbour discovery message? It asks for others and
 * speaks for itself (RFC 4861); it is no router, and redirects nobody. Discovery ends at the link:
 * to an address beyond it the host would route it.
 */
static __always_inline bool nd_is_own(struct __sk_buff *skb, const struct pkt *p,
				      const struct up_endpoint *ep)
{
	const struct up_addr none = UP_ANY;
	struct up_addr target;

	if (p->ttl != 255 ||
	    (p->icmp_type != ICMP6_ROUTER_SOLICIT && p->icmp_type != ICMP6_NEIGH_SOLICIT &&
	     p->icmp_type != ICMP6_NEIGH_ADVERT))
		return false;
	if (!nd_addr_is_own(&p->t.saddr, ep) && !up_addr_equal(&p->t.saddr, &none))
		return false;
	if (!up_addr_is_multicast(&p->t.daddr) && !up_addr_is_linklocal(&p->t.daddr) &&
	    !bpf_map_lookup_elem(&up_local, &p->t.daddr))
		return false;
	return p->icmp_type != ICMP6_NEIGH_ADVERT ||
	       (nd_target(skb, p, &target) && nd_addr_is_own(&target, ep));
}

static __always_inline bool smac_is_own(struct __sk_buff *skb, const struct up_endpoint *ep)
{
	struct ethhdr *eth = ctx_data(skb);

	return (void *)(eth + 1) <= ctx_end(skb) && mac_equal(eth->h_source, ep->mac);
}

#endif
