/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses of endpoints: the endpoint table is the record of which are taken. */
#ifndef UP_CORE_IPAM_H
#define UP_CORE_IPAM_H

#include "core/network.h"

struct up_datapath;
struct up_err;

/**
 * up_ipam_pick() - take the lowest free address of a family
 * @dp:       open datapath
 * @net:      network that it is to be of; it has a subnet of the family
 * @family:   which
 * @ret_addr: the address
 * @err:      why it failed
 *
 * Return: 0, or -ENOSPC where none is free
 */
int up_ipam_pick(const struct up_datapath *dp, const struct up_network *net, enum up_family family,
		 struct up_addr *ret_addr, struct up_err *err);

/**
 * up_ipam_check() - may an endpoint have this address?
 * @net: the network that it must be of; NULL for any: whoever asks manages it himself
 *
 * Return: 0; -EINVAL for an address that no container can have; -EEXIST for one that is taken
 */
int up_ipam_check(const struct up_datapath *dp, const struct up_network *net,
		  const struct up_addr *addr, struct up_err *err);

#endif
