/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Endpoints: a container's place on the network. endpoint_add() is the verb that every front door
 * ends in: a veth into a namespace, an address, rows in maps, published ports; made and undone as
 * one transaction.
 */
#ifndef UP_CORE_ENDPOINT_H
#define UP_CORE_ENDPOINT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/paths.h"
#include "core/portspec.h"

struct up_datapath;
struct up_err;

/**
 * struct up_endpoint_spec - what is asked for
 * @name:     unique on this host; up_name_check() applies
 * @netns_fd: namespace that gets the interface
 * @ifname:   name of the interface in there, for example "eth0"; must not exist yet
 * @addr:     address, network byte order; 0.0.0.0 to take the lowest free one
 * @mtu:      bytes; 0 for the uplink's
 * @ports:    ranges to publish
 * @n_ports:  how many
 */
struct up_endpoint_spec {
	const char *name;
	int netns_fd;
	const char *ifname;
	struct in_addr addr;
	uint32_t mtu;
	const struct up_publish *ports;
	size_t n_ports;
};

/**
 * struct up_endpoint_info - what an endpoint is
 * @id:        row in the endpoint table
 * @name:      as asked for
 * @host_if:   the host's end of the veth
 * @ifindex:   its index
 * @addr:      the container's address, network byte order
 * @gateway:   its gateway, an address of the host
 * @plen:      prefix length of the network
 * @mac:       of the container's interface
 * @flows:     live flows
 * @flow_max:  quota of live flows
 */
struct up_endpoint_info {
	uint32_t id;
	char name[UP_NAME_MAX + 1];
	char host_if[16];
	int ifindex;
	struct in_addr addr, gateway;
	uint8_t plen;
	uint8_t mac[6];
	uint32_t flows, flow_max;
};

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
