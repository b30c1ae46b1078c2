// SPDX-License-Identifier: GPL-2.0-only
#include "core/ipam.h"

#include <arpa/inet.h>
#include <errno.h>

#include "base/err.h"
#include "core/maps.h"

/* IPv6 has no broadcast address, and more addresses than we can count. Offset 0 is the subnet. */
static uint32_t last_offset(const struct up_cidr *subnet)
{
	bool v4 = up_addr_is_v4(&subnet->addr);
	unsigned int bits = (v4 ? 32U : 128U) - subnet->plen;

	if (bits >= 32)
		return 0xffffffff;
	return (uint32_t)((1ULL << bits) - (v4 ? 2 : 1));
}

static uint32_t offset_in(const struct up_cidr *subnet, const struct up_addr *addr)
{
	return ntohl(addr->w[3]) - ntohl(subnet->addr.w[3]);
}

static bool in_network(const struct up_network *net, const struct up_addr *addr)
{
	enum up_family family = up_addr_family(addr);
	const struct up_cidr *subnet = &net->subnet[family];
	uint32_t offset = offset_in(subnet, addr);

	if (!subnet->plen || !up_cidr_contains(subnet, addr))
		return false;
	return offset && offset <= last_offset(subnet) &&
	       !up_addr_equal(addr, &net->gateway[family]);
}

static bool is_host_address(const struct up_addr *addr)
{
	return !up_addr_is_multicast(addr) && !up_addr_is_loopback(addr) &&
	       !up_addr_is_linklocal(addr) && addr->w[3];
}

int up_ipam_check(const struct up_datapath *dp, const struct up_network *net,
		  const struct up_addr *addr, struct up_err *err)
{
	enum up_family family = up_addr_family(addr);
	char text[UP_ADDR_TEXT];

	up_addr_format(addr, text);
	if (!is_host_address(addr) || (net && !in_network(net, addr)))
		return up_fail_msg(err, EINVAL,
				   "address %s: not one of the containers' network%s%s", text,
				   net ? " " : "", net ? net->name : "");
	for (uint32_t id = 1; id < UP_ENDPOINT_MAX; id++)
		if (dp->endpoints[id].state != UP_ENDPOINT_FREE &&
		    up_addr_equal(&dp->endpoints[id].addr[family], addr))
			return up_fail_msg(err, EEXIST, "address %s: %.63s has it", text,
					   dp->endpoints[id].name);
	return 0;
}

/* There are at most UP_ENDPOINT_MAX endpoints and a gateway: one of the first so many is free. */
int up_ipam_pick(const struct up_datapath *dp, const struct up_network *net, enum up_family family,
		 struct up_addr *ret_addr, struct up_err *err)
{
	bool taken[UP_ENDPOINT_MAX + 2] = {true};
	const struct up_cidr *subnet = &net->subnet[family];
	uint32_t gateway = offset_in(subnet, &net->gateway[family]);

	if (gateway < sizeof(taken))
		taken[gateway] = true;
	for (uint32_t id = 1; id < UP_ENDPOINT_MAX; id++) {
		const struct up_endpoint *ep = &dp->endpoints[id];
		uint32_t offset = offset_in(subnet, &ep->addr[family]);

		if (ep->state != UP_ENDPOINT_FREE && up_cidr_contains(subnet, &ep->addr[family]) &&
		    offset < sizeof(taken))
			taken[offset] = true;
	}
	for (uint32_t i = 1; i < sizeof(taken) && i <= last_offset(subnet); i++)
		if (!taken[i]) {
			*ret_addr = up_addr_offset(&subnet->addr, i);
			return 0;
		}
	return up_fail_msg(err, ENOSPC, "no address is free in network %s", net->name);
}
