/* SPDX-License-Identifier: GPL-2.0-only */
/* The open datapath: the pinned objects by name, and the tables that are mapped into memory. */
#ifndef UP_CORE_MAPS_H
#define UP_CORE_MAPS_H

#include "core/datapath.h"
#include "underpass/endpoint.h"
#include "underpass/port.h"

/* Every pinned map that user space opens again. */
#define UP_MAPS(X)   \
	X(flows4)    \
	X(flows6)    \
	X(endpoints) \
	X(ep_by_if)  \
	X(ep_by_addr) X(ports) X(uplinks) X(local) X(conf) X(counters) X(allow) X(snat_hist)

enum up_map {
#define UP_MAP_ENUM(name) UP_MAP_##name,
	UP_MAPS(UP_MAP_ENUM)
#undef UP_MAP_ENUM
		UP_MAP_MAX
};

/* Every pinned program that user space runs, or attaches to interfaces that come later. */
#define UP_PROGS(X)    \
	X(veth_in)     \
	X(veth_police) \
	X(netkit)      \
	X(reap) X(steer) X(macvlan_out) X(child_in) X(child_out) X(xdp) X(generic_mac)

enum up_prog {
#define UP_PROG_ENUM(name) UP_PROG_##name,
	UP_PROGS(UP_PROG_ENUM)
#undef UP_PROG_ENUM
		UP_PROG_MAX
};

/**
 * struct up_datapath - what up_datapath_open() opens
 * @map:       fds by enum up_map
 * @prog:      fds by enum up_prog
 * @ports:     the published port table, mapped
 * @endpoints: the endpoint table, mapped: UP_ENDPOINT_MAX rows
 * @conf:      a copy of the settings
 */
struct up_datapath {
	int map[UP_MAP_MAX];
	int prog[UP_PROG_MAX];
	struct up_port_table *ports;
	struct up_endpoint *endpoints;
	struct up_config conf;
};

/** up_map_name() - the name of a map, also of its pin */
const char *up_map_name(enum up_map map);

/** up_conf_read(), up_conf_write() - the settings, as the programs have them. Callers that write
 * hold the lock. Return: 0 or -errno */
int up_conf_read(struct up_datapath *dp, struct up_config *ret, struct up_err *err);
int up_conf_write(struct up_datapath *dp, const struct up_config *conf, struct up_err *err);

/** up_prog_name() - the name of a program, also of its pin */
const char *up_prog_name(enum up_prog prog);

struct up_nl;

/**
 * up_host_refresh() - tell the programs the host's present addresses: of its uplinks, and of all
 * its interfaces. Every command that changes something does so first.
 * Return: 0 or -errno
 */
int up_host_refresh(struct up_datapath *dp, struct up_nl *nl, struct up_err *err);

/**
 * up_datapath_remove() - detach every program and remove every pin; endpoints are gone already
 * @dp:  NULL where the maps cannot be opened
 * @err: why it failed
 *
 * Return: 0 or -errno
 */
int up_datapath_remove(struct up_datapath *dp, struct up_err *err);

#endif
