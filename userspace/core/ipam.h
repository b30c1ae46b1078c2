/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses of endpoints: the endpoint table is the record of which are taken. */
#ifndef UP_CORE_IPAM_H
#define UP_CORE_IPAM_H

#include "net/addr.h"
#include "underpass/endpoint.h"

struct up_datapath;
struct up_err;

/** up_ipam_gateway() - the gateway of the containers: the first address of their network */
struct up_addr up_ipam_gateway(const struct up_config *conf, enum up_family family);

/**
 * up_ipam_pick() - take the lowest free address of a family
 * @dp:       open datapath; it has a network of the family
 * @family:   which
 * @ret_addr: the address
 * @err:      why it failed
 *
 * Return: 0, or -ENOSPC where none is free
 */
int up_ipam_pick(const struct up_datapath *dp, enum up_family family, struct up_addr *ret_addr,
		 struct up_err *err);

/**
 * up_ipam_check() - may an endpoint have this address?
 * @foreign: also one that is not of the containers' network: whoever asks manages it himself
 *
 * Return: 0; -EINVAL for an address that no container can have; -EEXIST for one that is taken
 */
int up_ipam_check(const struct up_datapath *dp, const struct up_addr *addr, bool foreign,
		  struct up_err *err);

#endif
