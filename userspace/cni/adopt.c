// SPDX-License-Identifier: GPL-2.0-only
#include "cni/adopt.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cni/error.h"
#include "cni/iface.h"
#include "cni/json.h"
#include "cni/place.h"
#include "cni/state.h"
#include "core/datapath.h"
#include "core/endpoint.h"
#include "net/link.h"
#include "net/netns.h"

/* Each end says which index the other has, in a namespace that it knows by number. */
static bool are_peers(struct up_nl *host, int netns, const struct up_link *inside,
		      const struct up_link *outside)
{
	struct up_err err;
	int nsid;

	return !strcmp(outside->kind, "veth") && outside->peer == inside->ifindex &&
	       !up_netns_number(host, netns, &nsid, &err) && outside->peer_nsid == nsid;
}

static bool is_veth_of_host(int netns, const struct up_link *inside)
{
	cleanup_nl struct up_nl *host = NULL;
	struct up_link outside;

	return !up_nl_open(NETLINK_ROUTE, &host, NULL) &&
	       !up_link_get(host, NULL, inside->peer, &outside, NULL) &&
	       are_peers(host, netns, inside, &outside);
}

/* Its parent's index is one of the namespace that the container's knows by that number. */
static bool is_child_of_host(struct up_nl *nl, const struct up_link *inside)
{
	cleanup_fd int host = up_netns_open("/proc/self/ns/net", NULL);
	int nsid;

	return host >= 0 && inside->peer && !up_netns_number(nl, host, &nsid, NULL) &&
	       inside->peer_nsid == nsid;
}

/* Return: 1, 0 where it is none that could be adopted, or -errno */
static int find_interface(const struct up_cni *c, int netns, struct up_endpoint_spec *spec,
			  struct up_err *err)
{
	cleanup_nl struct up_nl *nl = NULL;
	struct up_link inside;
	int ret = up_nl_open_in(NETLINK_ROUTE, netns, &nl, err);

	if (!ret)
		ret = up_link_get(nl, c->env.ifname, 0, &inside, err);
	if (ret)
		return ret == -ENODEV ? 0 : ret;
	if (!strcmp(inside.kind, "veth") && is_veth_of_host(netns, &inside))
		spec->device = UP_NETDEV_MODE_ADOPTED;
	else if (!strcmp(inside.kind, "macvlan") && is_child_of_host(nl, &inside))
		spec->device = UP_NETDEV_MODE_ADOPTED_CHILD;
	else
		return 0;
	spec->adopt = inside.peer;
	memcpy(spec->mac, inside.mac, sizeof(spec->mac));
	return 1;
}

/* The source that a container sees of itself: the gateway, or an address that could be it. */
static struct up_addr gateway_of(const struct up_cni_ip *ip)
{
	struct up_cidr net = up_cni_network_of(&ip->addr, ip->plen);

	return up_addr_set(&ip->gateway) ? ip->gateway : up_addr_offset(&net.addr, 1);
}

/* The first address of each family, as the reference plugin takes them. */
static int set_addresses(const struct up_cni *c, struct up_endpoint_spec *spec, struct up_err *err)
{
	struct up_cni_ips ips;
	int ret = up_cni_result_ips(c->prev, &ips, err);

	if (!ret && !ips.n)
		ret = up_cni_fail(err, UP_CNI_BAD_CONFIG, "prevResult has no address");
	for (size_t i = 0; !ret && i < ips.n; i++) {
		enum up_family f = up_addr_family(&ips.at[i].addr);

		if (up_addr_set(&spec->addr[f]))
			continue;
		spec->addr[f] = ips.at[i].addr;
		spec->plen[f] = ips.at[i].plen;
		spec->gateway[f] = gateway_of(&ips.at[i]);
	}
	return ret;
}

static int add(struct up_cni *c, struct up_endpoint_spec *spec, struct up_err *err)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	struct up_endpoint_info info;
	int ret = up_cni_datapath(c, &dp, err);

	if (!ret)
		ret = up_cni_state_save(c, false, err);
	if (ret)
		return ret;
	ret = up_endpoint_add(dp, spec, &info, err);
	if (!ret)
		ret = up_cni_state_save(c, true, err);
	if (ret)
		up_cni_state_remove(spec->name);
	return ret;
}

int up_cni_adopt(struct up_cni *c, const struct up_publish_list *list, struct up_err *err)
{
	cleanup_fd int netns = up_cni_netns_open(c, err);
	char name[UP_NAME_MAX + 1];
	struct up_endpoint_spec spec = {
		.name = name,
		.netns_fd = netns,
		.ifname = c->env.ifname,
		.foreign = true,
		.flags = UP_EP_ROUTED_V4 | UP_EP_ROUTED_V6,
		.ports = list->pubs,
		.n_ports = list->n,
	};
	int ret = netns < 0 ? netns : find_interface(c, netns, &spec, err);

	up_cni_own_name(c, name);
	if (ret <= 0)
		return ret;
	ret = set_addresses(c, &spec, err);
	if (!ret)
		ret = add(c, &spec, err);
	/* A child of an interface that is no uplink, or one that lets no other child be. */
	if (ret == -EOPNOTSUPP)
		return 0;
	return ret ? ret : 1;
}
