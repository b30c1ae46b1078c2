// SPDX-License-Identifier: GPL-2.0-only
/* Is an endpoint whole? What the host must have for it, one thing after the other. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "core/netdev.h"
#include "core/endpoint_priv.h"
#include "core/hooks.h"
#include "core/maps.h"
#include "net/link.h"

static int broken(const struct up_endpoint *ep, const char *what, struct up_err *err)
{
	return up_fail_msg(err, ESTALE, "endpoint %.63s: %s", ep->name, what);
}

static bool has_index(const struct up_datapath *dp, enum up_map map, const void *key, uint32_t id)
{
	uint32_t found = 0;

	return !bpf_map_lookup_elem(dp->map[map], key, &found) && found == id;
}

static int check_index(const struct up_datapath *dp, uint32_t id, struct up_err *err)
{
	const struct up_endpoint *ep = &dp->endpoints[id];

	if (!has_index(dp, UP_MAP_ep_by_if, &ep->ifindex, id))
		return broken(ep, "not found by its interface", err);
	for (enum up_family f = UP_V4; f < UP_FAMILIES; f++)
		if (up_addr_set(&ep->addr[f]) &&
		    !has_index(dp, UP_MAP_ep_by_addr, &ep->addr[f], id))
			return broken(ep, "not found by its address", err);
	return 0;
}

struct wanted_route {
	const struct up_endpoint *ep;
	enum up_family family;
	bool found;
};

static int note_route(const struct up_route *route, void *arg)
{
	struct wanted_route *w = arg;

	if (route->ifindex == (int)w->ep->host_if &&
	    up_addr_equal(&route->dst, &w->ep->addr[w->family]))
		w->found = true;
	return 0;
}

static int check_routes(struct up_nl *nl, const struct up_endpoint *ep, struct up_err *err)
{
	int ret = 0;

	for (enum up_family f = UP_V4; !ret && f < UP_FAMILIES; f++) {
		struct wanted_route w = {ep, f, !up_addr_set(&ep->addr[f])};

		if (!w.found)
			ret = up_route_foreach(nl, f, note_route, &w, err);
		if (!ret && !w.found)
			ret = broken(ep, "the host has no route to it", err);
	}
	return ret;
}

/* Without any there is no way in or out. */
static int check_uplinks(const struct up_datapath *dp, const struct up_endpoint *ep,
			 struct up_err *err)
{
	uint32_t key, last, *prev = NULL;
	struct up_uplink uplink;

	while (!bpf_map_get_next_key(dp->map[UP_MAP_uplinks], prev, &key)) {
		if (!bpf_map_lookup_elem(dp->map[UP_MAP_uplinks], &key, &uplink) &&
		    up_hook_uplink_has((int)key))
			return 0;
		last = key;
		prev = &last;
	}
	return broken(ep, "no uplink has the programs", err);
}

int up_endpoint_check(struct up_datapath *dp, const char *name, struct up_err *err)
{
	cleanup_nl struct up_nl *nl = NULL;
	uint32_t id = up_endpoint_find(dp, name);
	const struct up_endpoint *ep = &dp->endpoints[id];
	int ret;

	if (!id)
		return up_fail_msg(err, ENOENT, "endpoint %.80s: no such endpoint", name);
	ret = up_nl_open(NETLINK_ROUTE, &nl, err);
	if (ret)
		return ret;
	if (!up_endpoint_lives(dp, nl, id))
		return broken(ep, "its interface is gone", err);
	if (!up_netdev_of(ep)->hooked(dp, ep))
		return broken(ep, "its interface lacks the program", err);
	ret = check_index(dp, id, err);
	if (!ret && ep->device != UP_NETDEV_ADOPTED)
		ret = check_routes(nl, ep, err);
	return ret ? ret : check_uplinks(dp, ep, err);
}
