// SPDX-License-Identifier: GPL-2.0-only
#include "core/ipam.h"

#include <arpa/inet.h>
#include <errno.h>

#include "base/err.h"
#include "core/maps.h"

/* Offsets into the network: 0 is the network itself, 1 the gateway, the last one broadcast. */
#define FIRST_OFFSET 2

static struct up_cidr subnet_of(const struct up_config *conf, enum up_family family)
{
	return (struct up_cidr){conf->subnet[family], (uint8_t)conf->plen[family]};
}

/* IPv6 has no broadcast address, and more addresses than we can count. */
static uint32_t last_offset(const struct up_config *conf, enum up_family family)
{
	unsigned int bits = (family == UP_V4 ? 32 : 128) - conf->plen[family];

	if (bits >= 32)
		return 0xffffffff;
	return (uint32_t)((1ULL << bits) - (family == UP_V4 ? 2 : 1));
}

struct up_addr up_ipam_gateway(const struct up_config *conf, enum up_family family)
{
	return up_addr_offset(&conf->subnet[family], 1);
}

static bool in_subnet(const struct up_config *conf, const struct up_addr *addr)
{
	enum up_family family = up_addr_family(addr);
	struct up_cidr net = subnet_of(conf, family);
	uint32_t offset = ntohl(addr->w[3]) - ntohl(net.addr.w[3]);

	if (!up_addr_set(&net.addr) || !up_cidr_contains(&net, addr))
		return false;
	return offset >= FIRST_OFFSET && offset <= last_offset(conf, family);
}

static bool is_host_address(const struct up_addr *addr)
{
	return !up_addr_is_multicast(addr) && !up_addr_is_loopback(addr) &&
	       !up_addr_is_linklocal(addr) && addr->w[3];
}

int up_ipam_check(const struct up_datapath *dp, const struct up_addr *addr, bool foreign,
		  struct up_err *err)
{
	enum up_family family = up_addr_family(addr);
	char text[UP_ADDR_TEXT];

	up_addr_format(addr, text);
	if (!is_host_address(addr) || (!foreign && !in_subnet(&dp->conf, addr)))
		return up_fail_msg(err, EINVAL, "address %s: not one of the containers' network",
				   text);
	for (uint32_t id = 1; id < UP_ENDPOINT_MAX; id++)
		if (dp->endpoints[id].state != UP_ENDPOINT_FREE &&
		    up_addr_equal(&dp->endpoints[id].addr[family], addr))
			return up_fail_msg(err, EEXIST, "address %s: %.63s has it", text,
					   dp->endpoints[id].name);
	return 0;
}

/* There are at most UP_ENDPOINT_MAX endpoints: one of the first so many offsets is free. */
int up_ipam_pick(const struct up_datapath *dp, enum up_family family, struct up_addr *ret_addr,
		 struct up_err *err)
{
	bool taken[UP_ENDPOINT_MAX + FIRST_OFFSET] = {false};
	const struct up_cidr net = subnet_of(&dp->conf, family);

	for (uint32_t id = 1; id < UP_ENDPOINT_MAX; id++) {
		const struct up_endpoint *ep = &dp->endpoints[id];
		uint32_t offset = ntohl(ep->addr[family].w[3]) - ntohl(net.addr.w[3]);

		if (ep->state != UP_ENDPOINT_FREE && up_cidr_contains(&net, &ep->addr[family]) &&
		    offset < sizeof(taken))
			taken[offset] = true;
	}
	for (uint32_t i = FIRST_OFFSET; i < sizeof(taken) && i <= last_offset(&dp->conf, family);
	     i++)
		if (!taken[i]) {
			*ret_addr = up_addr_offset(&net.addr, i);
			return 0;
		}
	return up_fail_msg(err, ENOSPC, "no address is free in the containers' network");
}
