// SPDX-License-Identifier: GPL-2.0-only
#include "core/change.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "core/endpoint_priv.h"
#include "core/flows.h"
#include "core/maps.h"
#include "net/link.h"

static int find_live(struct up_datapath *dp, const char *name, uint32_t *ret_id, struct up_err *err)
{
	uint32_t id = up_endpoint_find(dp, name);

	if (!id || dp->endpoints[id].state != UP_ENDPOINT_LIVE)
		return up_fail_msg(err, ENOENT, "endpoint %.80s: no such endpoint", name);
	*ret_id = id;
	return 0;
}

int up_endpoint_isolate(struct up_datapath *dp, const char *name,
			uint16_t (*choose)(struct up_datapath *dp, void *arg), void *arg,
			bool alone, struct up_err *err)
{
	cleanup_fd int lock = up_lock(err);
	uint32_t id = 0;
	int ret = lock < 0 ? lock : find_live(dp, name, &id, err);
	uint16_t net = ret ? 0 : choose(dp, arg);

	if (ret)
		return ret;
	if (!net)
		return up_fail_msg(err, ENOSPC, "endpoint %.80s: no network is left", name);
	dp->endpoints[id].net = net;
	if (alone)
		dp->endpoints[id].flags |= UP_EP_ISOLATED;
	return up_flows_end(dp, id, NULL, err);
}

static int set_neighbours(struct up_nl *nl, const struct up_endpoint *ep, struct up_err *err)
{
	int ret = 0;

	for (enum up_family f = UP_V4; !ret && f < UP_FAMILIES; f++)
		if (up_addr_set(&ep->addr[f]))
			ret = up_neigh_add(nl, (int)ep->host_if, &ep->addr[f], ep->mac, err);
	return ret;
}

/* The row first: until the interface has it, the container's packets are refused, not mistaken. */
static int set_mac(struct up_datapath *dp, uint32_t id, struct up_nl *inside, const char *ifname,
		   const uint8_t mac[6], struct up_err *err)
{
	struct up_endpoint *ep = &dp->endpoints[id];
	cleanup_nl struct up_nl *nl = NULL;
	struct up_link_change change = {};
	struct up_link link;
	int ret;

	if (ep->device == UP_NETDEV_MACVLAN)
		return up_fail_msg(err, EOPNOTSUPP, "the MAC of a macvlan cannot be chosen");
	ret = up_nl_open(NETLINK_ROUTE, &nl, err);
	if (!ret)
		ret = up_link_get(inside, ifname, 0, &link, err);
	if (ret)
		return ret;
	memcpy(change.mac, mac, sizeof(change.mac));
	memcpy(ep->mac, mac, sizeof(ep->mac));
	ret = up_link_change(inside, link.ifindex, &change, err);
	if (!ret)
		ret = set_neighbours(nl, ep, err);
	return ret ? ret : up_flows_end(dp, id, NULL, err);
}

int up_endpoint_set_mac(struct up_datapath *dp, const char *name, int netns_fd, const char *ifname,
			const uint8_t mac[6], struct up_err *err)
{
	cleanup_nl struct up_nl *inside = NULL;
	cleanup_fd int lock = up_lock(err);
	uint32_t id = 0;
	int ret = lock < 0 ? lock : find_live(dp, name, &id, err);

	if (!ret)
		ret = up_nl_open_in(NETLINK_ROUTE, netns_fd, &inside, err);
	if (!ret)
		ret = set_mac(dp, id, inside, ifname, mac, err);
	return ret ? up_wrap(err, "endpoint %.80s", name) : 0;
}
