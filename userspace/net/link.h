/* SPDX-License-Identifier: GPL-2.0-only */
/* Interfaces, addresses, routes and neighbours: the requests that an endpoint needs. */
#ifndef UP_NET_LINK_H
#define UP_NET_LINK_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/addr.h"
#include "net/nl.h"

/**
 * struct up_link - what the kernel says of one interface
 * @ifindex: index in the namespace of the socket that asked
 * @name:    its name
 * @alias:   IFLA_IFALIAS, empty where there is none
 * @kind:    IFLA_INFO_KIND ("veth", "macvlan"), empty for a physical device
 * @mac:     link-layer address, meaningful where @ethernet
 * @mtu:     bytes
 * @flags:   IFF_*
 * @peer:    of a veth: index of the other end, in its namespace; of a macvlan: its parent's
 * @master:  index of the bridge (or other interface) that it is a port of, 0 for none
 * @peer_nsid: id by which this namespace knows that one (rtnetlink's), -1 where it is the same
 * @ethernet: its type is ARPHRD_ETHER (loopback and tunnels are not)
 * @queued:   packets to it pass a queueing discipline that can hold them back
 */
struct up_link {
	int ifindex;
	char name[IFNAMSIZ];
	char alias[256];
	char kind[32];
	uint8_t mac[6];
	uint32_t mtu;
	uint32_t flags;
	int peer, peer_nsid;
	int master;
	bool ethernet;
	bool queued;
};

/**
 * struct up_pair_spec - a pair of interfaces, born in its final place
 * @netkit:     of kind netkit, and its host end the primary one; else of kind veth
 * @host_ifindex: index of this end, 0 for the kernel to choose
 * @host_name:  name of this end, in the namespace of the socket
 * @host_mac:   MAC of this end
 * @host_alias: IFLA_IFALIAS of this end, NULL for none
 * @peer_name:  name of the other end
 * @peer_mac:   MAC of the other end
 * @peer_netns: namespace fd that the other end is created in
 * @mtu:        of both ends, bytes; 0 for the kernel's default
 */
struct up_pair_spec {
	bool netkit;
	int host_ifindex;
	const char *host_name;
	uint8_t host_mac[6];
	const char *host_alias;
	const char *peer_name;
	uint8_t peer_mac[6];
	int peer_netns;
	uint32_t mtu;
};

/**
 * up_link_get() - look an interface up by name, or by index where @name is NULL
 * Return: 0, -ENODEV, or another -errno
 */
int up_link_get(struct up_nl *nl, const char *name, int ifindex, struct up_link *ret_link,
		struct up_err *err);

/**
 * up_link_foreach() - hand every interface of the namespace to a callback
 * @fn: returns 0 to go on or -errno to stop
 */
int up_link_foreach(struct up_nl *nl, int (*fn)(const struct up_link *link, void *arg), void *arg,
		    struct up_err *err);

/**
 * up_pair_create() - create both ends in one atomic request: nothing to move, rename or leak.
 * The peer's names and MACs are set by the same request, inside VETH_INFO_PEER. -EOPNOTSUPP where
 * the kernel does not have the kind. Both ends are left down.
 */
int up_pair_create(struct up_nl *nl, const struct up_pair_spec *spec, struct up_err *err);

/**
 * struct up_link_change - what is to become of an interface
 * @mac:        all 0 to keep it
 * @mtu:        bytes; 0 to keep it
 * @tx_queue:   packets; only where @set_tx_queue
 * @flags:      of those in @flag_mask, the ones to be set
 * @flag_mask:  IFF_*
 */
struct up_link_change {
	uint8_t mac[6];
	uint32_t mtu, tx_queue, flags, flag_mask;
	bool set_tx_queue;
};

/** up_link_change() - all of it in one request, or none. Return: 0 or -errno */
int up_link_change(struct up_nl *nl, int ifindex, const struct up_link_change *change,
		   struct up_err *err);

/**
 * struct up_macvlan_spec - a child of an interface, in private mode, born in its final place
 * @parent:  ifindex, in the namespace of the socket
 * @name:    its name
 * @mac:     its MAC
 * @netns:   namespace fd that it is created in, -1 for that of the socket
 * @ifindex: that it is to have there, 0 for any
 * @mtu:     bytes; 0 for the parent's
 */
struct up_macvlan_spec {
	uint32_t parent;
	const char *name;
	uint8_t mac[6];
	int netns;
	int ifindex;
	uint32_t mtu;
};

/** up_macvlan_create() - make it; it is left down. Return: 0 or -errno */
int up_macvlan_create(struct up_nl *nl, const struct up_macvlan_spec *spec, struct up_err *err);

int up_link_set_up(struct up_nl *nl, int ifindex, struct up_err *err);
int up_link_del(struct up_nl *nl, int ifindex, struct up_err *err);

/**
 * up_link_get_in(), up_link_del_in(), up_link_foreach_in() - the same in another network namespace
 * (IFLA_TARGET_NETNSID, Linux 4.20)
 * @nsid: by which the socket's namespace knows that one
 * Return: 0, -EINVAL where there is no namespace of that id, or another -errno
 */
int up_link_get_in(struct up_nl *nl, int nsid, int ifindex, struct up_link *ret_link,
		   struct up_err *err);
int up_link_del_in(struct up_nl *nl, int nsid, int ifindex, struct up_err *err);
int up_link_foreach_in(struct up_nl *nl, int nsid, int (*fn)(const struct up_link *link, void *arg),
		       void *arg, struct up_err *err);

/**
 * up_link_del_quickly() - delete an interface without waiting for the kernel to forget it
 * @nl:      socket in the caller's network namespace
 * @ifindex: the interface
 * @err:     why it failed
 *
 * On return the interface, and the other end of a veth, are gone from their namespaces and their
 * names are free. What up_link_del() also waits for, 15 to 60 ms, is that the kernel lets go of its
 * memory: here a process of its own does, which ends by itself. Return: 0 or -errno
 */
int up_link_del_quickly(struct up_nl *nl, int ifindex, struct up_err *err);

/**
 * up_link_set_forwarding() - let the kernel forward packets that come in by this interface
 * @nl:      socket in the namespace of the interface
 * @ifindex: the interface
 * @err:     why it failed
 *
 * IPv4: IFLA_INET_CONF, what /proc/sys/net/ipv4/conf/IF/forwarding does. Return: 0 or -errno
 */
int up_link_set_forwarding(struct up_nl *nl, int ifindex, struct up_err *err);

/**
 * up_link_set_forwarding6() - the same for IPv6, and no router advertisements are believed there
 * @name: an interface of the caller's network namespace
 * @err:  why it failed
 *
 * There is no netlink request for it, so this writes to /proc/sys/net. Return: 0 or -errno
 */
int up_link_set_forwarding6(const char *name, struct up_err *err);

/**
 * up_link_allow_ipv6() - let an interface have IPv6 addresses where its namespace would not
 * @netns_fd: namespace of the interface; the caller is back in its own on return
 * @name:     the interface
 * @err:      why it failed
 *
 * net.ipv6.conf.IF.disable_ipv6. Return: 0 or -errno
 */
int up_link_allow_ipv6(int netns_fd, const char *name, struct up_err *err);

/**
 * up_forward_all() - let the kernel forward between all interfaces of the caller's network
 * namespace
 * @family: of which packets
 * @err:    why it failed
 *
 * net.ipv4.ip_forward, net.ipv6.conf.all.forwarding. Return: 0 or -errno
 */
int up_forward_all(enum up_family family, struct up_err *err);

/** up_have_ipv6() - does the kernel do IPv6 in the caller's network namespace? */
bool up_have_ipv6(void);

/**
 * up_addr_add() - give an interface an address, without a route to its network and (IPv6) without
 * asking the link whether somebody else has it: on a link of two ends nobody can
 * @plen: bits of the family
 * Return: 0 or -errno
 */
int up_addr_add(struct up_nl *nl, int ifindex, const struct up_addr *addr, uint8_t plen,
		struct up_err *err);

/**
 * struct up_route - one unicast route
 * @dst, @plen: destination; plen 0 is the default route of the family that @dst is of
 * @gateway:    next hop; all 0 for a directly connected destination (scope link)
 * @src:        preferred source address; all 0 for none
 * @ifindex:    output interface
 * @onlink:     RTNH_F_ONLINK: the gateway need not be in a connected network
 * @beside:     add it also where there is one to the same destination by another interface
 * @table:      0 for the main one
 * @metric, @mtu, @advmss: 0 for the kernel's default
 * @scope:      RT_SCOPE_*; 0 for the one that follows from @gateway
 */
struct up_route {
	struct up_addr dst, gateway, src;
	uint8_t plen, scope;
	bool onlink, beside;
	int ifindex;
	uint32_t table, metric, mtu, advmss;
};

/** up_route_add() - Return: 0; -EEXIST where there is that route already; or another -errno */
int up_route_add(struct up_nl *nl, const struct up_route *route, struct up_err *err);

/**
 * up_route_foreach() - hand every unicast route of a family to a callback: @dst, @plen, @gateway,
 * @ifindex, @table and @metric are filled in
 */
int up_route_foreach(struct up_nl *nl, enum up_family family,
		     int (*fn)(const struct up_route *route, void *arg), void *arg,
		     struct up_err *err);

/** up_route_del() - remove one, by destination and interface. Return: 0, -ESRCH, or another -errno
 */
int up_route_del(struct up_nl *nl, const struct up_route *route, struct up_err *err);

/** up_neigh_del() - remove a neighbour entry. Return: 0, -ENOENT, or another -errno */
int up_neigh_del(struct up_nl *nl, int ifindex, const struct up_addr *addr, struct up_err *err);

/** up_neigh_add() - a permanent neighbour entry; replaces an entry that is there */
int up_neigh_add(struct up_nl *nl, int ifindex, const struct up_addr *addr, const uint8_t mac[6],
		 struct up_err *err);

/**
 * struct up_ifaddr - an address of an interface
 * @ifindex: the interface
 * @addr:    its address
 * @plen:    bits of the family
 * @primary: fit to be the source of packets to anywhere: global, and neither temporary nor about to
 *           go (IPv6)
 */
struct up_ifaddr {
	int ifindex;
	struct up_addr addr;
	uint8_t plen;
	bool primary;
};

/** up_addr_foreach() - hand every address of the namespace to a callback, IPv4 first */
int up_addr_foreach(struct up_nl *nl, int (*fn)(const struct up_ifaddr *addr, void *arg), void *arg,
		    struct up_err *err);

/**
 * up_default_uplink() - the interface of the default route with the lowest metric: of IPv4, and
 * where there is none, of IPv6
 * @ret_ifindex: its index
 * Return: 0; -ENETUNREACH with a message that says what to do where there is no default route
 */
int up_default_uplink(struct up_nl *nl, int *ret_ifindex, struct up_err *err);

#endif
