/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kinds of interfaces that connect a container to its host: a file and a row of a table for each.
 * Callers hold the state lock.
 */
#ifndef UP_CORE_NETDEV_H
#define UP_CORE_NETDEV_H

#include <stdbool.h>
#include <stdint.h>

#include "core/endpoint.h"
#include "core/maps.h"

struct up_nl;

/**
 * struct up_netdev - a kind
 * @name:      as users know it
 * @create:    make the container's interface, down, with its programs, and what the host needs for
 *             it. Fills @ifindex, @host_if, @uplink, @nsid and @mac of the endpoint's row.
 *             -EOPNOTSUPP where this host, or what is asked for, does not allow this kind
 * @remove:    take away whatever is there of it; 0 also where nothing is
 * @lives:     is the interface still there?
 * @hooked:    are the programs there, as far as the host can see?
 * @host_name: the name of @host_if
 */
struct up_netdev {
	const char *name;
	int (*create)(struct up_datapath *dp, struct up_nl *nl, uint32_t id,
		      const struct up_endpoint_spec *spec, struct up_err *err);
	int (*remove)(struct up_datapath *dp, struct up_nl *nl, uint32_t id, struct up_err *err);
	bool (*lives)(const struct up_datapath *dp, struct up_nl *nl, uint32_t id);
	bool (*hooked)(const struct up_datapath *dp, const struct up_endpoint *ep);
	void (*host_name)(const struct up_endpoint *ep, uint32_t id, char buf[16]);
};

extern const struct up_netdev up_netdev_veth, up_netdev_netkit, up_netdev_macvlan,
	up_netdev_adopted, up_netdev_adopted_child;

/** up_netdev_of() - the kind of an endpoint's interface */
const struct up_netdev *up_netdev_of(const struct up_endpoint *ep);

/**
 * up_netdev_create() - make the interface that the endpoint asks for; where it leaves the choice,
 * the fastest that is allowed
 * Return: 0 or -errno
 */
int up_netdev_create(struct up_datapath *dp, struct up_nl *nl, uint32_t id,
		     const struct up_endpoint_spec *spec, struct up_err *err);

/* ---- what an uplink with children of containers has: netdev_macvlan.c -------------------------
 */

/** up_macvlan_in_use() - has any uplink children, so that all need the programs for it? */
bool up_macvlan_in_use(const struct up_datapath *dp, struct up_nl *nl);

/**
 * up_macvlan_remove_all() - take away every child of this host's uplinks, its own ones included
 *
 * Before the programs go: nothing would hold back what a child sends then. Asks neither maps nor
 * programs, because they may be another version's. Return: 0 or -errno
 */
int up_macvlan_remove_all(struct up_nl *nl, struct up_err *err);

#endif
