// SPDX-License-Identifier: GPL-2.0-only
/*
 * CHECK of an interface: what prevResult says must be there, and what it cannot say (rows,
 * programs) must be there too. What later plugins or people have added does not matter.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cni/error.h"
#include "cni/iface.h"
#include "cni/ipam.h"
#include "cni/json.h"
#include "cni/place.h"
#include "core/datapath.h"
#include "net/link.h"

/**
 * struct inside - what there is in the container's namespace
 * @link:   its interface
 * @wanted: the address or route that is looked for
 * @found:  it is there
 */
struct inside {
	struct up_nl *nl;
	struct up_link link;
	const void *wanted;
	bool found;
};

static int damaged(struct up_err *err, const char *what, const char *text)
{
	return up_cni_fail(err, UP_CNI_DAMAGED, "%s %.80s", what, text);
}

/* The interface that the result says is ours. Return: its index among them, or -1 */
static int own_interface(const struct up_cni *c, const json_t **ret)
{
	json_t *interfaces = up_cni_get(c->prev, "interfaces"), *in;
	size_t i;

	json_array_foreach (interfaces, i, in) {
		const char *name = json_string_value(up_cni_get(in, "name"));
		const char *sandbox = json_string_value(up_cni_get(in, "sandbox"));

		if (name && sandbox && !strcmp(name, c->env.ifname) &&
		    !strcmp(sandbox, c->env.netns)) {
			*ret = in;
			return (int)i;
		}
	}
	return -1;
}

static int check_mac(const struct inside *in, const json_t *interface, struct up_err *err)
{
	const char *text = json_string_value(up_cni_get(interface, "mac"));
	uint8_t mac[6];

	if (!text || !*text)
		return 0;
	if (up_cni_mac_parse(text, mac) || memcmp(mac, in->link.mac, sizeof(mac)))
		return damaged(err, "the interface no longer has the MAC address", text);
	return 0;
}

static int note_addr(const struct up_ifaddr *addr, void *arg)
{
	struct inside *in = arg;
	const struct up_cni_ip *ip = in->wanted;

	if (addr->ifindex == in->link.ifindex && addr->plen == ip->plen &&
	    up_addr_equal(&addr->addr, &ip->addr))
		in->found = true;
	return 0;
}

static int check_addresses(const struct up_cni *c, struct inside *in, int index, struct up_err *err)
{
	struct up_cni_ips ips;
	char text[UP_ADDR_TEXT];
	int ret = up_cni_result_ips(c->prev, &ips, err);

	for (size_t i = 0; !ret && i < ips.n; i++) {
		if (ips.at[i].interface >= 0 && ips.at[i].interface != index)
			continue;
		in->wanted = &ips.at[i];
		in->found = false;
		ret = up_addr_foreach(in->nl, note_addr, in, err);
		if (!ret && !in->found)
			ret = damaged(err, "the interface no longer has the address",
				      up_addr_format(&ips.at[i].addr, text));
	}
	return ret;
}

static int note_route(const struct up_route *route, void *arg)
{
	struct inside *in = arg;
	const struct up_cni_route *want = in->wanted;

	if (route->plen == want->dst.plen && up_addr_equal(&route->dst, &want->dst.addr) &&
	    route->table == (want->table ? want->table : RT_TABLE_MAIN) &&
	    (!up_addr_set(&want->gateway) || up_addr_equal(&route->gateway, &want->gateway)))
		in->found = true;
	return 0;
}

static bool has_family(const struct up_cni *c, enum up_family family)
{
	struct up_cni_ips ips;

	if (up_cni_result_ips(c->prev, &ips, NULL))
		return false;
	for (size_t i = 0; i < ips.n; i++)
		if (up_addr_family(&ips.at[i].addr) == family)
			return true;
	return false;
}

static int check_route(const struct up_cni *c, struct inside *in, const struct up_cni_route *want,
		       struct up_err *err)
{
	enum up_family family = up_addr_family(&want->dst.addr);
	char text[UP_ADDR_TEXT];
	int ret;

	if (!has_family(c, family))
		return 0;
	in->wanted = want;
	in->found = false;
	ret = up_route_foreach(in->nl, family, note_route, in, err);
	if (!ret && !in->found)
		ret = damaged(err, "the container no longer has the route to",
			      up_addr_format(&want->dst.addr, text));
	return ret;
}

static int check_routes(const struct up_cni *c, struct inside *in, struct up_err *err)
{
	struct up_cni_route want;
	json_t *route;
	size_t i;
	int ret = 0;

	json_array_foreach (up_cni_get(c->prev, "routes"), i, route) {
		if (!ret)
			ret = up_cni_route_parse(route, &want, err);
		if (!ret)
			ret = check_route(c, in, &want, err);
	}
	return ret;
}

static int check_container(const struct up_cni *c, struct up_err *err)
{
	cleanup_fd int netns = up_cni_netns_open(c, err);
	cleanup_nl struct up_nl *nl = NULL;
	const json_t *interface = NULL;
	int index = own_interface(c, &interface);
	struct inside in = {};
	int ret = netns < 0 ? netns : up_nl_open_in(NETLINK_ROUTE, netns, &nl, err);

	if (!ret && index < 0)
		ret = up_cni_fail(err, UP_CNI_BAD_CONFIG,
				  "prevResult does not have the interface %s", c->env.ifname);
	if (!ret)
		ret = up_link_get(nl, c->env.ifname, 0, &in.link, err);
	if (ret)
		return ret == -ENODEV ? damaged(err, "the container no longer has the interface",
						c->env.ifname)
				      : ret;
	in.nl = nl;
	if (!(in.link.flags & IFF_UP))
		return damaged(err, "not up is the interface", c->env.ifname);
	ret = check_mac(&in, interface, err);
	if (!ret)
		ret = check_addresses(c, &in, index, err);
	return ret ? ret : check_routes(c, &in, err);
}

static int check_host(const struct up_cni *c, struct up_err *err)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	char name[UP_NAME_MAX + 1];
	struct up_err why;
	int ret = up_cni_find(c, &dp, name, err);

	if (ret < 0)
		return ret;
	if (!ret)
		return damaged(err, "there is no longer an endpoint", name);
	ret = up_endpoint_check(dp, name, err);
	if (ret != -ESTALE)
		return ret;
	why = *err;
	return up_cni_fail(err, UP_CNI_DAMAGED, "%.480s", why.msg);
}

int up_cni_iface_check(struct up_cni *c, struct up_err *err)
{
	int ret = up_cni_prev_needed(c, err);

	if (!ret)
		ret = up_cni_ipam_check(c, err);
	if (!ret)
		ret = check_host(c, err);
	return ret ? ret : check_container(c, err);
}
