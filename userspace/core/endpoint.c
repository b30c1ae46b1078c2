// SPDX-License-Identifier: GPL-2.0-only
/*
 * Endpoints. Theory of operation
 * ==============================
 * An endpoint's row in the endpoint table is its only record. Making one goes through these steps;
 * each can be undone by up_endpoint_remove(), which works from whatever is there:
 *
 *	row CLOSING with the name -> interfaces, born in their final place, and programs ->
 *	addresses, routes, neighbours on both ends -> index rows -> row LIVE -> ports
 *
 * The ports come last and at one instant. A failure undoes everything; a crash leaves a row that is
 * CLOSING, or an interface with our alias and no row, which gc removes: both can only belong to a
 * command that is dead, because every command holds the lock.
 *
 * The container has an address of each family with a default route to the gateway, and both ends
 *know each other's MAC by permanent neighbour entries: no ARP, no neighbour discovery, no broadcast
 * domain, no bridge. Whatever prefix length it is shown, there is no route to that network but by
 *the gateway. Where IPv6 is switched off in its namespace, it goes without.
 */
#include "core/endpoint.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "core/netdev.h"
#include "core/endpoint_priv.h"
#include "core/flows.h"
#include "core/hooks.h"
#include "core/ipam.h"
#include "core/limit.h"
#include "core/members.h"
#include "core/ports.h"
#include "net/link.h"
#include "net/netns.h"

#define FLOW_QUOTA_PARTS 2 /* one endpoint may use half of the flow table */

static const uint8_t gateway_mac[6] = UP_GATEWAY_MAC;

uint32_t up_endpoint_find(const struct up_datapath *dp, const char *name)
{
	for (uint32_t id = 1; id < UP_ENDPOINT_MAX; id++)
		if (dp->endpoints[id].state != UP_ENDPOINT_FREE &&
		    !strncmp(dp->endpoints[id].name, name, sizeof(dp->endpoints[id].name)))
			return id;
	return 0;
}

uint32_t up_endpoint_flow_quota(struct up_datapath *dp)
{
	return up_flows_max(dp) / FLOW_QUOTA_PARTS;
}

static uint32_t free_id(const struct up_datapath *dp)
{
	for (uint32_t id = 1; id < UP_ENDPOINT_MAX; id++)
		if (dp->endpoints[id].state == UP_ENDPOINT_FREE)
			return id;
	return 0;
}

/* Unique on the host as the address is; locally administered. */
static void mac_of(const struct up_addr addr[UP_FAMILIES], uint8_t mac[6])
{
	mac[0] = 0x02;
	mac[1] = 0x75;
	memcpy(mac + 2, &addr[up_addr_set(&addr[UP_V4]) ? UP_V4 : UP_V6].w[3], 4);
}

static bool mac_is_given(const uint8_t mac[6])
{
	static const uint8_t none[6];

	return memcmp(mac, none, sizeof(none));
}

static void set_state(struct up_endpoint *ep, enum up_endpoint_state state)
{
	__atomic_store_n(&ep->state, state, __ATOMIC_RELEASE);
}

/* An IPv6 address that is known outside is routed there; a private one is masqueraded. */
static uint32_t flags_of(const struct up_endpoint_spec *spec, const struct up_addr *v6)
{
	bool routed = !spec->foreign && up_addr_set(v6) && !up_addr_is_ula(v6);

	return spec->flags | (routed ? UP_EP_ROUTED_V6 : 0) | (spec->rate_in ? UP_EP_SHAPED : 0);
}

static void claim_row(struct up_datapath *dp, uint32_t id, const struct up_endpoint_spec *spec,
		      uint64_t netns_cookie, const struct up_addr addr[UP_FAMILIES])
{
	struct up_endpoint *ep = &dp->endpoints[id];

	*ep = (struct up_endpoint){
		.netns_cookie = netns_cookie,
		.flow_max = spec->flow_max ? spec->flow_max : up_endpoint_flow_quota(dp),
		.new_rate = spec->new_rate,
		.net = spec->net,
		.flags = flags_of(spec, &addr[UP_V6]),
		.rate_in = spec->rate_in,
		.rate_out = spec->rate_out,
		.burst_in = spec->burst_in,
		.burst_out = spec->burst_out,
	};
	for (enum up_family f = UP_V4; f < UP_FAMILIES; f++) {
		if (!up_addr_set(&addr[f]))
			continue;
		ep->addr[f] = addr[f];
		ep->plen[f] = spec->plen[f] ? spec->plen[f] : f == UP_V4 ? 32 : 128;
		ep->gateway[f] = spec->gateway[f];
	}
	if (mac_is_given(spec->mac))
		memcpy(ep->mac, spec->mac, sizeof(ep->mac));
	else
		mac_of(addr, ep->mac);
	snprintf(ep->name, sizeof(ep->name), "%s", spec->name);
	set_state(ep, UP_ENDPOINT_CLOSING);
}

/* One family at the host's end: gateway address, route and neighbour of the container. */
static int set_up_host_family(struct up_nl *nl, const struct up_endpoint *ep, enum up_family f,
			      struct up_err *err)
{
	const uint8_t bits = f == UP_V4 ? 32 : 128;
	const int ifindex = (int)ep->host_if;
	const struct up_route route = {
		.dst = ep->addr[f],
		.plen = bits,
		.src = ep->gateway[f],
		.ifindex = ifindex,
	};
	int ret;

	if (!up_addr_set(&ep->addr[f]))
		return 0;
	ret = up_addr_add(nl, ifindex, &ep->gateway[f], bits, err);
	if (!ret || ret == -EEXIST)
		ret = up_neigh_add(nl, ifindex, &ep->addr[f], ep->mac, err);
	if (!ret)
		ret = up_route_add(nl, &route, err);
	return ret;
}

static int set_up_host_end(struct up_nl *nl, uint32_t id, const struct up_endpoint *ep,
			   struct up_err *err)
{
	const int ifindex = (int)ep->host_if;
	char name[16];
	int ret = up_link_set_forwarding(nl, ifindex, err);

	up_netdev_of(ep)->host_name(ep, id, name);
	if (!ret && up_addr_set(&ep->addr[UP_V6]))
		ret = up_link_set_forwarding6(name, err);
	if (!ret)
		ret = up_link_set_up(nl, ifindex, err);
	for (enum up_family f = UP_V4; !ret && f < UP_FAMILIES; f++)
		ret = set_up_host_family(nl, ep, f, err);
	return ret;
}

static int add_route(struct up_nl *nl, int ifindex, const struct up_endpoint *ep, enum up_family f,
		     const struct up_cidr *to, struct up_err *err)
{
	const struct up_route route = {
		.dst = to->addr,
		.plen = to->plen,
		.gateway = ep->gateway[f],
		.onlink = true,
		.ifindex = ifindex,
	};

	return up_route_add(nl, &route, err);
}

/* To everywhere, and to its own network where the former may become another interface's. */
static int add_routes(struct up_nl *nl, int ifindex, const struct up_endpoint *ep, enum up_family f,
		      const struct up_endpoint_spec *spec, struct up_err *err)
{
	const struct up_cidr all = {f == UP_V4 ? UP_ANY_V4 : UP_ANY, 0};
	bool network = spec->further || (ep->flags & UP_EP_INTERNAL && !spec->foreign);
	int ret = 0;

	if (network && spec->range[f].plen)
		ret = add_route(nl, ifindex, ep, f, &spec->range[f], err);
	if (!ret && !spec->further && !spec->no_default_route)
		ret = add_route(nl, ifindex, ep, f, &all, err);
	return ret;
}

/* One family at the container's end: address, neighbour and routes. */
static int set_up_container_family(struct up_nl *nl, int ifindex, const struct up_endpoint *ep,
				   enum up_family f, const struct up_endpoint_spec *spec,
				   struct up_err *err)
{
	int ret = up_addr_add(nl, ifindex, &ep->addr[f], ep->plen[f], err);

	if (!ret)
		ret = up_neigh_add(nl, ifindex, &ep->gateway[f], gateway_mac, err);
	return ret ? ret : add_routes(nl, ifindex, ep, f, spec, err);
}

/* Without IPv6 in the namespace the endpoint goes without, unless that was asked for by address. */
static int set_up_container_families(struct up_nl *nl, int ifindex, struct up_endpoint *ep,
				     const struct up_endpoint_spec *spec, struct up_err *err)
{
	int ret = 0;

	for (enum up_family f = UP_V4; !ret && f < UP_FAMILIES; f++) {
		if (!up_addr_set(&ep->addr[f]))
			continue;
		ret = set_up_container_family(nl, ifindex, ep, f, spec, err);
		if (ret == -EACCES && f == UP_V6 && !up_addr_set(&spec->addr[f])) {
			ep->addr[f] = ep->gateway[f] = UP_ANY;
			ret = 0;
		}
	}
	return ret;
}

static int set_up_container_end(struct up_endpoint *ep, const struct up_endpoint_spec *spec,
				struct up_err *err)
{
	cleanup_nl struct up_nl *nl = NULL;
	struct up_link link, lo;
	int ret = up_nl_open_in(NETLINK_ROUTE, spec->netns_fd, &nl, err);

	if (!ret)
		ret = up_link_get(nl, "lo", 0, &lo, err);
	if (!ret)
		ret = up_link_set_up(nl, lo.ifindex, err);
	if (!ret)
		ret = up_link_get(nl, spec->ifname, 0, &link, err);
	if (!ret)
		ret = up_link_set_up(nl, link.ifindex, err);
	if (!ret && up_addr_set(&spec->addr[UP_V6]))
		ret = up_link_allow_ipv6(spec->netns_fd, spec->ifname, err);
	return ret ? ret : set_up_container_families(nl, link.ifindex, ep, spec, err);
}

static int set_index(struct up_datapath *dp, uint32_t id, struct up_err *err)
{
	const struct up_endpoint *ep = &dp->endpoints[id];
	int ret = bpf_map_update_elem(dp->map[UP_MAP_ep_by_if], &ep->ifindex, &id, BPF_ANY);

	for (enum up_family f = UP_V4; !ret && f < UP_FAMILIES; f++)
		if (up_addr_set(&ep->addr[f]))
			ret = bpf_map_update_elem(dp->map[UP_MAP_ep_by_addr], &ep->addr[f], &id,
						  BPF_ANY);
	return ret ? up_fail(err, errno, "write the index") : 0;
}

/* Only what is this endpoint's: one that failed to be made may have asked for another's address. */
static void clear_index(struct up_datapath *dp, uint32_t id)
{
	const struct up_endpoint *ep = &dp->endpoints[id];
	uint32_t owner;

	bpf_map_delete_elem(dp->map[UP_MAP_ep_by_if], &ep->ifindex);
	for (enum up_family f = UP_V4; f < UP_FAMILIES; f++)
		if (!bpf_map_lookup_elem(dp->map[UP_MAP_ep_by_addr], &ep->addr[f], &owner) &&
		    owner == id)
			bpf_map_delete_elem(dp->map[UP_MAP_ep_by_addr], &ep->addr[f]);
}

static struct up_limits limits_of(const struct up_endpoint_spec *spec)
{
	return (struct up_limits){
		.set = (spec->rate_in ? UP_LIMIT_IN : 0U) | (spec->rate_out ? UP_LIMIT_OUT : 0U),
		.rate_in = spec->rate_in,
		.rate_out = spec->rate_out,
		.burst_in = spec->burst_in,
		.burst_out = spec->burst_out,
	};
}

static int build(struct up_datapath *dp, struct up_nl *nl, uint32_t id,
		 const struct up_endpoint_spec *spec, struct up_err *err)
{
	struct up_endpoint *ep = &dp->endpoints[id];
	int ret = up_netdev_create(dp, nl, id, spec, err);

	if (!ret)
		ret = up_limit_apply(dp, nl, id, limits_of(spec).set, spec->netns_fd, err);
	if (!ret && ep->device != UP_NETDEV_ADOPTED)
		ret = set_up_container_end(ep, spec, err);
	if (!ret && ep->device != UP_NETDEV_ADOPTED)
		ret = set_up_host_end(nl, id, ep, err);
	if (!ret)
		ret = set_index(dp, id, err);
	if (ret)
		return ret;
	set_state(ep, UP_ENDPOINT_LIVE);
	return up_ports_publish(dp, id, spec->ports, spec->n_ports, err);
}

/* All that can be refused before anything is changed. */
static int check_spec(struct up_datapath *dp, const struct up_endpoint_spec *spec,
		      uint64_t netns_cookie, struct up_err *err)
{
	const struct up_limits limits = limits_of(spec);
	int ret = up_member_name_check(spec->name, err);

	if (!ret)
		ret = up_limit_check(&limits, err);
	if (ret)
		return ret;
	if (up_endpoint_find(dp, spec->name))
		return up_fail_msg(err, EEXIST, "there is one of that name already");
	if (spec->n_ports && up_network_is_closed(spec->net, spec->flags))
		return up_fail_msg(err, EINVAL, "network %s is internal: no port can be published",
				   spec->network);
	return up_ports_check(dp, 0, netns_cookie, spec->ports, spec->n_ports, err);
}

/* The addresses that it will have. A family is left out where nobody asked for it and the host does
 * not have it. */
static int choose_addresses(struct up_datapath *dp, const struct up_endpoint_spec *spec,
			    const struct up_network *net, struct up_addr ret_addr[UP_FAMILIES],
			    struct up_err *err)
{
	int ret = 0;

	for (enum up_family f = UP_V4; !ret && f < UP_FAMILIES; f++) {
		ret_addr[f] = spec->addr[f];
		if (up_addr_set(&spec->addr[f]))
			ret = up_ipam_check(dp, spec->foreign ? NULL : net, &spec->addr[f], err);
		else if (!spec->foreign && net->subnet[f].plen && (f == UP_V4 || up_have_ipv6()))
			ret = up_ipam_pick(dp, net, f, &ret_addr[f], err);
	}
	return ret;
}

/* What was left open follows from the network. */
static void complete_spec(struct up_endpoint_spec *spec, const struct up_network *net)
{
	if (net->id)
		spec->net = net->id;
	if (net->internal)
		spec->flags |= UP_EP_INTERNAL;
	if (!spec->mtu)
		spec->mtu = net->mtu;
	for (enum up_family f = UP_V4; f < UP_FAMILIES; f++)
		if (!up_addr_set(&spec->gateway[f]))
			spec->gateway[f] = net->gateway[f];
	memcpy(spec->range, net->subnet, sizeof(spec->range));
}

/* The first name that no interface of the container has. */
static int choose_ifname(struct up_endpoint_spec *spec, char buf[IF_NAMESIZE], struct up_err *err)
{
	cleanup_nl struct up_nl *nl = NULL;
	struct up_link link;
	int ret;

	if (spec->ifname)
		return 0;
	ret = up_nl_open_in(NETLINK_ROUTE, spec->netns_fd, &nl, err);
	for (unsigned int i = 0; !ret && i < UP_ENDPOINT_MAX; i++) {
		snprintf(buf, IF_NAMESIZE, "eth%u", i);
		ret = up_link_get(nl, buf, 0, &link, err);
	}
	spec->ifname = buf;
	return ret == -ENODEV ? 0 : ret;
}

static int add_locked(struct up_datapath *dp, struct up_nl *nl, struct up_endpoint_spec *spec,
		      uint32_t *ret_id, struct up_err *err)
{
	struct up_addr addr[UP_FAMILIES];
	struct up_network net;
	uint32_t id = free_id(dp);
	uint64_t cookie;
	int ret = up_netns_cookie_of(spec->netns_fd, &cookie, err);

	if (!ret)
		ret = up_network_get(dp, spec->network, &net, err);
	if (ret)
		return ret;
	complete_spec(spec, &net);
	ret = check_spec(dp, spec, cookie, err);
	if (!ret && !id)
		ret = up_fail_msg(err, ENOSPC, "all %d endpoints are used", UP_ENDPOINT_MAX - 1);
	if (!ret)
		ret = choose_addresses(dp, spec, &net, addr, err);
	if (!ret)
		ret = up_host_refresh(dp, nl, err);
	if (ret)
		return ret;
	claim_row(dp, id, spec, cookie, addr);
	ret = build(dp, nl, id, spec, err);
	if (ret)
		up_endpoint_remove(dp, nl, id, NULL);
	else
		*ret_id = id;
	return ret;
}

static void fill_info(const struct up_endpoint *ep, uint32_t id, struct up_endpoint_info *info)
{
	*info = (struct up_endpoint_info){
		.id = id,
		.ifindex = (int)ep->host_if,
		.flows = ep->flows,
		.flow_max = ep->flow_max,
		.new_rate = ep->new_rate,
		.rate_in = ep->rate_in,
		.rate_out = ep->rate_out,
		.burst_in = ep->burst_in,
		.burst_out = ep->burst_out,
		.flags = ep->flags,
		.net = ep->net,
	};
	snprintf(info->name, sizeof(info->name), "%.63s", ep->name);
	memcpy(info->mac, ep->mac, sizeof(info->mac));
	memcpy(info->addr, ep->addr, sizeof(info->addr));
	memcpy(info->gateway, ep->gateway, sizeof(info->gateway));
	memcpy(info->plen, ep->plen, sizeof(info->plen));
	up_netdev_of(ep)->host_name(ep, id, info->host_if);
	info->device = up_netdev_of(ep)->name;
}

int up_endpoint_add(struct up_datapath *dp, const struct up_endpoint_spec *spec,
		    struct up_endpoint_info *ret_info, struct up_err *err)
{
	cleanup_nl struct up_nl *nl = NULL;
	cleanup_fd int lock = up_lock(err);
	struct up_endpoint_spec full = *spec;
	char ifname[IF_NAMESIZE];
	uint32_t id = 0;
	int ret = lock < 0 ? lock : up_nl_open(NETLINK_ROUTE, &nl, err);

	if (!ret)
		ret = choose_ifname(&full, ifname, err);
	if (!ret)
		ret = add_locked(dp, nl, &full, &id, err);
	if (ret)
		return up_wrap(err, "endpoint %.80s", spec->name);
	fill_info(&dp->endpoints[id], id, ret_info);
	return 0;
}

bool up_endpoint_is_adopted(const struct up_endpoint_info *info)
{
	return !strcmp(info->device, up_netdev_adopted.name);
}

void up_endpoint_settle(struct up_datapath *dp, const struct up_endpoint_info *info)
{
	if (!strcmp(info->device, up_netdev_veth.name))
		up_hook_veth_settle(dp->prog[UP_PROG_veth_in], info->ifindex);
}

int up_endpoint_remove(struct up_datapath *dp, struct up_nl *nl, uint32_t id, struct up_err *err)
{
	struct up_endpoint *ep = &dp->endpoints[id];
	struct up_err ignored;
	int ret;

	/* What failed decides here, and only an error that is filled in says so. */
	err = err ? err : &ignored;
	set_state(ep, UP_ENDPOINT_CLOSING);
	up_ports_withdraw(dp, id);
	clear_index(dp, id);
	ret = up_flows_end(dp, id, NULL, err);
	if (!ret)
		ret = up_netdev_of(ep)->remove(dp, nl, id, err);
	if (!ret)
		memset(ep, 0, sizeof(*ep));
	return ret;
}

int up_endpoint_del(struct up_datapath *dp, const char *name, struct up_err *err)
{
	cleanup_nl struct up_nl *nl = NULL;
	cleanup_fd int lock = up_lock(err);
	int ret = lock < 0 ? lock : up_nl_open(NETLINK_ROUTE, &nl, err);
	uint32_t id;

	if (ret)
		return ret;
	id = up_endpoint_find(dp, name);
	if (!id)
		return up_fail_msg(err, ENOENT, "endpoint %.80s: no such endpoint", name);
	ret = up_endpoint_remove(dp, nl, id, err);
	return ret ? up_wrap(err, "endpoint %.80s", name) : 0;
}

int up_endpoint_get(struct up_datapath *dp, const char *name, struct up_endpoint_info *ret_info,
		    struct up_err *err)
{
	uint32_t id = up_endpoint_find(dp, name);

	if (!id)
		return up_fail_msg(err, ENOENT, "endpoint %.80s: no such endpoint", name);
	fill_info(&dp->endpoints[id], id, ret_info);
	return 0;
}

int up_endpoint_foreach(struct up_datapath *dp,
			int (*fn)(const struct up_endpoint_info *info, void *arg), void *arg)
{
	struct up_endpoint_info info;
	int ret = 0;

	for (uint32_t id = 1; !ret && id < UP_ENDPOINT_MAX; id++) {
		if (dp->endpoints[id].state != UP_ENDPOINT_LIVE)
			continue;
		fill_info(&dp->endpoints[id], id, &info);
		ret = fn(&info, arg);
	}
	return ret;
}

bool up_endpoint_lives(const struct up_datapath *dp, struct up_nl *nl, uint32_t id)
{
	const struct up_endpoint *ep = &dp->endpoints[id];

	return ep->state == UP_ENDPOINT_LIVE && up_netdev_of(ep)->lives(dp, nl, id);
}

/* A pair whose maker was killed before it had its alias, which is set by a second request. */
static bool is_unfinished(const struct up_link *link)
{
	static const uint8_t mac[] = UP_GATEWAY_MAC;
	unsigned int id;
	char rest;

	return !link->alias[0] && (!strcmp(link->kind, "veth") || !strcmp(link->kind, "netkit")) &&
	       !memcmp(link->mac, mac, sizeof(mac)) &&
	       sscanf(link->name, "up%u%c", &id, &rest) == 1;
}

bool up_link_is_ours(const struct up_link *link)
{
	return !strncmp(link->alias, UP_ALIAS_PREFIX, strlen(UP_ALIAS_PREFIX)) ||
	       is_unfinished(link);
}
