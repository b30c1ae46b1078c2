// SPDX-License-Identifier: GPL-2.0-only
#include "core/ipam.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>

#include "base/err.h"
#include "core/maps.h"

/* Offsets into the network: 0 is the network itself, 1 the gateway, the last one broadcast. */
#define FIRST_OFFSET 2

static uint32_t base_of(const struct up_config *conf)
{
	return ntohl(conf->subnet) & ~(0xffffffffU >> conf->plen);
}

static uint32_t last_offset(const struct up_config *conf)
{
	return (0xffffffffU >> conf->plen) - 1;
}

struct in_addr up_ipam_gateway(const struct up_config *conf)
{
	return (struct in_addr){htonl(base_of(conf) + 1)};
}

static int check_wanted(const struct up_datapath *dp, struct in_addr addr, struct up_err *err)
{
	const uint32_t offset = ntohl(addr.s_addr) - base_of(&dp->conf);
	char text[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &addr, text, sizeof(text));
	if (offset < FIRST_OFFSET || offset > last_offset(&dp->conf))
		return up_fail_msg(err, EINVAL, "address %s: not one of the containers' network",
				   text);
	for (uint32_t id = 1; id < UP_ENDPOINT_MAX; id++)
		if (dp->endpoints[id].state != UP_ENDPOINT_FREE &&
		    dp->endpoints[id].addr == addr.s_addr)
			return up_fail_msg(err, EEXIST, "address %s: %.63s has it", text,
					   dp->endpoints[id].name);
	return 0;
}

/* There are at most UP_ENDPOINT_MAX endpoints: one of the first so many offsets is free. */
int up_ipam_pick(const struct up_datapath *dp, struct in_addr *addr, struct up_err *err)
{
	bool taken[UP_ENDPOINT_MAX + FIRST_OFFSET] = {false};
	const uint32_t base = base_of(&dp->conf);

	if (addr->s_addr)
		return check_wanted(dp, *addr, err);
	for (uint32_t id = 1; id < UP_ENDPOINT_MAX; id++) {
		uint32_t offset = ntohl(dp->endpoints[id].addr) - base;

		if (dp->endpoints[id].state != UP_ENDPOINT_FREE && offset < sizeof(taken))
			taken[offset] = true;
	}
	for (uint32_t i = FIRST_OFFSET; i < sizeof(taken) && i <= last_offset(&dp->conf); i++)
		if (!taken[i]) {
			addr->s_addr = htonl(base + i);
			return 0;
		}
	return up_fail_msg(err, ENOSPC, "no address is free in the containers' network");
}
