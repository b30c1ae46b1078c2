/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses of endpoints: the endpoint table is the record of which are taken. */
#ifndef UP_CORE_IPAM_H
#define UP_CORE_IPAM_H

#include <netinet/in.h>

#include "underpass/endpoint.h"

struct up_datapath;
struct up_err;

/** up_ipam_gateway() - the gateway of the containers: the first address of their network */
struct in_addr up_ipam_gateway(const struct up_config *conf);

/**
 * up_ipam_pick() - take the lowest free address, or check the one that is wanted
 * @dp:   open datapath
 * @addr: wanted, network byte order; 0.0.0.0 for any. Filled in
 * @err:  why it failed
 *
 * Return: 0; -EINVAL for an address that no container can have; -EEXIST for one that is taken;
 * -ENOSPC where none is free
 */
int up_ipam_pick(const struct up_datapath *dp, struct in_addr *addr, struct up_err *err);

#endif
