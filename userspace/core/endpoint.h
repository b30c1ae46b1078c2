/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Endpoints: a container's place on the network. endpoint_add() is the verb that every front door
 * ends in: an interface into a namespace, an address, rows in maps, published ports; made and
 * undone as one transaction.
 */
#ifndef UP_CORE_ENDPOINT_H
#define UP_CORE_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/paths.h"
#include "core/portspec.h"
#include "net/addr.h"
#include "underpass/endpoint.h"

struct up_datapath;
struct up_err;

/* What is to connect the container to the host. */
enum up_netdev_mode {
	UP_NETDEV_MODE_VETH,
	UP_NETDEV_MODE_MACVLAN, /* a child of an uplink: faster; not for who may configure it */
	UP_NETDEV_MODE_NETKIT,  /* a pair without a queue on the way out: Linux 6.7 */
	UP_NETDEV_MODE_AUTO,    /* the fastest that the host, and what is asked for, allow */
	/* One that is there already, made and managed by somebody else: */
	UP_NETDEV_MODE_ADOPTED,       /* a veth */
	UP_NETDEV_MODE_ADOPTED_CHILD, /* a macvlan child of an uplink */
};

/**
 * struct up_endpoint_spec - what is asked for
 * @name:     unique on this host; up_member_name_check() applies
 * @netns_fd: namespace that gets the interface
 * @ifname:   name of the interface in there, for example "eth0"; must not exist yet. NULL for the
 *            first of eth0, eth1, ... that does not
 * @addr:     addresses, by enum up_family; all 0 to take the lowest free one of the family, where
 *            the containers have a network of it
 * @plen:     how long a prefix the container is shown, bits of the family; 0 for all of them
 * @gateway:  by enum up_family; all 0 for that of the containers' network
 * @device:   what connects it
 * @adopt:    UP_NETDEV_MODE_ADOPTED: index of the host's end of that veth, or of the uplink that
 * the container's interface is a child of. @addr, @gateway and @mac are those that the container
 * has; only its published ports become ours
 * @confined: nothing in the namespace has CAP_NET_ADMIN there
 * @foreign:  @addr are not of the containers' network: the caller manages them. A family without
 *            an address is then not wanted, and @flags alone say which family is masqueraded
 * @settle_later: whoever waits for this should not wait longer than he must: the caller calls
 *            up_endpoint_settle() when he is done with the interface (see up_hook_veth_at_once())
 * @no_default_route: the container gets no default route: the caller gives it routes of its own
 * @further:  one of several interfaces of a container (core/members.h): it gets a route to its
 *            network only, from a @network that has a range; up_members_route() deals with the
 * default route
 * @mac:      of the interface; all 0 for one that follows from the address
 * @mtu:      bytes; 0 for the uplink's
 * @flow_max: quota of live flows; 0 for half of the flow table
 * @new_rate: new flows in a second, at most; 0 for no limit
 * @rate_in:  bits in a second that the container may receive, 0 for no limit. Limits are explained
 * in core/limit.h
 * @rate_out: the same for what it sends
 * @burst_in, @burst_out: bits at once; 0 for a default that follows from the rate
 * @flags:    UP_EP_INTERNAL, UP_EP_ROUTED_V4, UP_EP_ROUTED_V6
 * @network:  name of a network, NULL for the default one: addresses, gateways, MTU and flags follow
 *            from it where they are not given
 * @range:    filled in by up_endpoint_add(): the subnets of @network
 * @net:      id of a network that the caller keeps himself, above UP_NETWORK_ID_MAX or 0; only
 *            without @network. Endpoints of different networks do not reach each other
 * @ports:    ranges to publish; those that leave the host's ports open are given some
 * @n_ports:  how many
 */
struct up_endpoint_spec {
	const char *name;
	int netns_fd;
	const char *ifname;
	struct up_addr addr[UP_FAMILIES];
	uint8_t plen[UP_FAMILIES];
	struct up_addr gateway[UP_FAMILIES];
	enum up_netdev_mode device;
	int adopt;
	bool confined, foreign, no_default_route, further, settle_later;
	uint8_t mac[6];
	uint32_t mtu;
	uint32_t flow_max, new_rate, flags;
	uint64_t rate_in, rate_out;
	uint32_t burst_in, burst_out;
	const char *network;
	struct up_cidr range[UP_FAMILIES];
	uint16_t net;
	struct up_publish *ports;
	size_t n_ports;
};

/**
 * struct up_endpoint_info - what an endpoint is
 * @id:        row in the endpoint table
 * @name:      as asked for
 * @device:    what connects it: "veth", "macvlan"
 * @host_if:   interface by which the host reaches it: the host's end of the veth, or the host's own
 *             child of the uplink
 * @ifindex:   its index
 * @addr:      the container's addresses, by enum up_family; all 0 where it has none
 * @gateway:   its gateways, addresses of the host
 * @plen:      prefix lengths that the container is shown
 * @mac:       of the container's interface
 * @flows:     live flows
 * @flow_max:  quota of live flows
 * @new_rate:  new flows in a second, at most; 0 for no limit
 * @rate_in, @rate_out: bits in a second, 0 for no limit
 * @burst_in, @burst_out: as asked for
 * @flags:     enum up_endpoint_flags
 * @net:       its network
 */
struct up_endpoint_info {
	uint32_t id;
	char name[UP_NAME_MAX + 1];
	const char *device;
	char host_if[16];
	int ifindex;
	struct up_addr addr[UP_FAMILIES], gateway[UP_FAMILIES];
	uint8_t plen[UP_FAMILIES];
	uint8_t mac[6];
	uint32_t flows, flow_max, new_rate, flags;
	uint64_t rate_in, rate_out;
	uint32_t burst_in, burst_out;
	uint16_t net;
};

/**
 * up_netdev_check() - may a container have this kind of interface?
 * @confined: as in struct up_endpoint_spec
 *
 * Whoever may configure interfaces in a namespace with a macvlan child can make more of them, of
 * the real uplink and with any MAC: no program of ours would know whose they are. Return: 0 or
 * -EPERM
 */
int up_netdev_check(enum up_netdev_mode mode, bool confined, struct up_err *err);

/** up_endpoint_is_adopted() - is its interface somebody else's? */
bool up_endpoint_is_adopted(const struct up_endpoint_info *info);

/**
 * up_endpoint_add() - give a namespace the fast path
 * @dp:       open datapath
 * @spec:     what is asked for
 * @ret_info: what came of it
 * @err:      why it failed; nothing is left behind then
 *
 * Takes the state lock. Return: 0; -EEXIST for a name, address, interface or port that is taken;
 * -EADDRINUSE for a port that a socket of the host holds; or another -errno
 */
int up_endpoint_add(struct up_datapath *dp, const struct up_endpoint_spec *spec,
		    struct up_endpoint_info *ret_info, struct up_err *err);

/**
 * up_endpoint_del() - take it away again: ports, flows, rows, interface
 * @dp:   open datapath
 * @name: the endpoint
 * @err:  why it failed
 *
 * Takes the state lock. The interface may be gone already (a dead container's namespace takes it
 * along). Return: 0, -ENOENT where there is no such endpoint, or another -errno
 */
int up_endpoint_del(struct up_datapath *dp, const char *name, struct up_err *err);

/** up_endpoint_get() - look one up by name. Return: 0 or -ENOENT */
int up_endpoint_get(struct up_datapath *dp, const char *name, struct up_endpoint_info *ret_info,
		    struct up_err *err);

/** up_endpoint_settle() - what up_endpoint_spec.settle_later left to be done */
void up_endpoint_settle(struct up_datapath *dp, const struct up_endpoint_info *info);

/**
 * up_endpoint_check() - is everything at the host's side as up_endpoint_add() left it?
 * @dp:   open datapath
 * @name: the endpoint
 * @err:  names what is missing
 *
 * Return: 0; -ENOENT for no such endpoint; -ESTALE where something is missing; or another -errno
 */
int up_endpoint_check(struct up_datapath *dp, const char *name, struct up_err *err);

/**
 * up_endpoint_forget() - delete the interface of an endpoint whose maps are gone
 * @name: the endpoint
 * @err:  why it failed
 *
 * Return: 0, also where there is none; or -errno
 */
int up_endpoint_forget(const char *name, struct up_err *err);

/**
 * up_endpoint_foreach() - hand every live endpoint to a callback, in order of id
 * @fn: returns 0 to go on; another value stops and is returned
 */
int up_endpoint_foreach(struct up_datapath *dp,
			int (*fn)(const struct up_endpoint_info *info, void *arg), void *arg);

/**
 * up_endpoint_gc() - repair what a crash left: rows whose interface is gone, interfaces of ours
 * without a row, ports whose owner is gone
 * @dp:  open datapath
 * @fn:  told of each thing that was removed ("endpoint", "web"); may be NULL
 * @arg: handed to @fn
 * @err: why it failed
 *
 * Takes the state lock. Return: how many things were removed, or -errno
 */
int up_endpoint_gc(struct up_datapath *dp,
		   void (*fn)(const char *what, const char *name, void *arg), void *arg,
		   struct up_err *err);

#endif
