/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Networks: names for sets of containers that reach each other. The default network is part of the
 * datapath's settings; the others are records below the run directory.
 */
#ifndef UP_CORE_NETWORK_H
#define UP_CORE_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/paths.h"
#include "net/addr.h"
#include "underpass/endpoint.h"

struct up_datapath;
struct up_err;

#define UP_NETWORK_DEFAULT "fast"

/* Ids of named networks; those above are left to whoever keeps ids of his own
 * (up_endpoint_spec.net).
 */
#define UP_NETWORK_ID_MAX (UP_NET_POLICY - 1)

/**
 * struct up_network - a network
 * @name:     up_name_check() applies
 * @id:       what endpoints of it have as @net; 0 is the default network
 * @subnet:   by enum up_family; @plen is 0 where it has none of the family
 * @gateway:  by enum up_family: an address in @subnet, of the host
 * @internal: nothing leaves it, and nothing but the host gets in: its ports cannot be published
 * @mtu:      bytes; 0 for the uplink's
 */
struct up_network {
	char name[UP_NAME_MAX + 1];
	uint16_t id;
	struct up_cidr subnet[UP_FAMILIES];
	struct up_addr gateway[UP_FAMILIES];
	bool internal;
	uint32_t mtu;
};

/** up_network_of_conf() - the default network of a datapath's settings */
struct up_network up_network_of_conf(const struct up_config *conf);

/** up_network_is_closed() - can ports of an endpoint not be published, by its @net and @flags? */
static inline bool up_network_is_closed(uint16_t net, uint32_t flags)
{
	return net && net <= UP_NETWORK_ID_MAX && flags & UP_EP_INTERNAL;
}

/**
 * up_network_get() - look a network up
 * @dp:   open datapath
 * @name: NULL or UP_NETWORK_DEFAULT for the default one
 * @ret:  the network
 * @err:  why it failed
 *
 * Return: 0; -ENOENT where there is none; -EBADMSG where its record cannot be read; or another
 * -errno
 */
int up_network_get(const struct up_datapath *dp, const char *name, struct up_network *ret,
		   struct up_err *err);

/**
 * up_network_create() - make a network
 * @dp:  open datapath
 * @net: what is asked for. Without any subnet it gets one of each family that the default network
 *       has; without a gateway, the first address. Filled in on success, @id included
 * @err: names what is taken, or what is wrong
 *
 * Takes the state lock. Return: 0; -EEXIST for a name or an address range that is taken; -EINVAL;
 * or another -errno
 */
int up_network_create(struct up_datapath *dp, struct up_network *net, struct up_err *err);

/**
 * up_network_rm() - remove a network. A record that cannot be read goes too
 *
 * Takes the state lock. Return: 0; -ENOENT; -EBUSY where endpoints are in it; or another -errno
 */
int up_network_rm(struct up_datapath *dp, const char *name, struct up_err *err);

/**
 * up_network_foreach() - hand every network to a callback: the default one, then by name
 * @fn: returns 0 to go on; another value stops and is returned
 *
 * Return: 0, what @fn returned, or -errno where a record cannot be read
 */
int up_network_foreach(const struct up_datapath *dp,
		       int (*fn)(const struct up_network *net, void *arg), void *arg,
		       struct up_err *err);

/**
 * up_network_conflict() - does a range overlap one of the named networks?
 * @err: which
 *
 * Return: 0; -EEXIST; or another -errno
 */
int up_network_conflict(const struct up_cidr *range, struct up_err *err);

/**
 * up_network_parse() - read a network's record
 * @text: JSON
 * @len:  its length
 * @net:  filled in but for the name; untouched where an error is returned
 *
 * Return: 0 or -EBADMSG
 */
int up_network_parse(const char *text, size_t len, struct up_network *net);

/**
 * up_network_check_subnet() - can containers have addresses of this range?
 * Return: 0 or -EINVAL
 */
int up_network_check_subnet(const struct up_cidr *subnet, struct up_err *err);

#endif
