// SPDX-License-Identifier: GPL-2.0-only
/* The routes in the container. */
#include <errno.h>

#include "base/err.h"
#include "cni/error.h"
#include "cni/iface_priv.h"
#include "cni/json.h"
#include "net/link.h"

static bool has_default(const json_t *result, enum up_family family)
{
	struct up_cni_route route;
	json_t *in;
	size_t i;

	json_array_foreach (up_cni_get(result, "routes"), i, in)
		if (!up_cni_route_parse(in, &route, NULL) && !route.dst.plen &&
		    up_addr_family(&route.dst.addr) == family)
			return true;
	return false;
}

void up_cni_iface_add_default_routes(json_t *result, const struct up_endpoint_spec *spec)
{
	static const char *const everywhere[UP_FAMILIES] = {"0.0.0.0/0", "::/0"};
	json_t *routes = up_cni_get(result, "routes");

	if (!routes) {
		routes = json_array();
		json_object_set_new(result, "routes", routes);
	}
	for (enum up_family f = UP_V4; f < UP_FAMILIES; f++)
		if (up_addr_set(&spec->addr[f]) && !has_default(result, f))
			json_array_append_new(routes,
					      json_pack("{s:s, s:o}", "dst", everywhere[f], "gw",
							up_cni_addr_json(&spec->gateway[f])));
}

static int add_route(struct up_nl *nl, int ifindex, const struct up_endpoint_info *info,
		     const struct up_cni_route *in, struct up_err *err)
{
	enum up_family f = up_addr_family(&in->dst.addr);
	struct up_route route = {
		.dst = in->dst.addr,
		.plen = in->dst.plen,
		.gateway = info->gateway[f],
		.onlink = true,
		.beside = true,
		.ifindex = ifindex,
		.scope = in->scope > 0 ? (uint8_t)in->scope : 0,
		.table = in->table,
		.metric = in->priority,
		.mtu = in->mtu,
		.advmss = in->advmss,
	};
	int ret;

	if (!up_addr_set(&info->addr[f]))
		return 0; /* a dual-stack configuration where the container has one family */
	ret = up_route_add(nl, &route, err);
	return ret == -EEXIST ? 0 : ret;
}

/* A next hop other than the gateway would have to be a neighbour, and there are none. */
int up_cni_iface_check_next_hops(const json_t *result, const struct up_endpoint_spec *spec,
				 struct up_err *err)
{
	struct up_cni_route route;
	char text[UP_ADDR_TEXT];
	json_t *in;
	size_t i;

	json_array_foreach (up_cni_get(result, "routes"), i, in) {
		enum up_family f;

		if (up_cni_route_parse(in, &route, err))
			return -err->code;
		f = up_addr_family(&route.dst.addr);
		if (up_addr_set(&route.gateway) && up_addr_set(&spec->addr[f]) &&
		    !up_addr_equal(&route.gateway, &spec->gateway[f]))
			return up_cni_fail(err, UP_CNI_UNSUPPORTED,
					   "routes: gw: %s: only the network's gateway can be one",
					   up_addr_format(&route.gateway, text));
	}
	return 0;
}

int up_cni_iface_add_routes(const struct up_endpoint_info *info, int netns, const char *ifname,
			    const json_t *result, struct up_err *err)
{
	cleanup_nl struct up_nl *nl = NULL;
	struct up_cni_route route;
	struct up_link link;
	json_t *in;
	size_t i;
	int ret = up_nl_open_in(NETLINK_ROUTE, netns, &nl, err);

	if (!ret)
		ret = up_link_get(nl, ifname, 0, &link, err);
	for (enum up_family f = UP_V4; !ret && f < UP_FAMILIES; f++) {
		route = (struct up_cni_route){
			.dst = up_cni_network_of(&info->addr[f], info->plen[f])};
		if (up_addr_set(&info->addr[f]) && info->plen[f] < (f == UP_V4 ? 32 : 128))
			ret = add_route(nl, link.ifindex, info, &route, err);
	}
	json_array_foreach (up_cni_get(result, "routes"), i, in) {
		if (!ret)
			ret = up_cni_route_parse(in, &route, err);
		if (!ret)
			ret = add_route(nl, link.ifindex, info, &route, err);
	}
	return ret;
}
