// SPDX-License-Identifier: GPL-2.0-only
#include "core/members.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "core/endpoint_priv.h"
#include "core/network.h"
#include "core/porttab.h"
#include "net/link.h"
#include "net/netns.h"

#define SEPARATOR '@'

/* ---- names ------------------------------------------------------------------------------------
 */

bool up_member_of(const char *name, const char *container)
{
	size_t len = strlen(container);

	return !strncmp(name, container, len) && (!name[len] || name[len] == SEPARATOR);
}

int up_member_name(const char *container, const char *network, char buf[UP_NAME_MAX + 1],
		   struct up_err *err)
{
	if (snprintf(buf, UP_NAME_MAX + 1, "%s%c%s", container, SEPARATOR, network) > UP_NAME_MAX)
		return up_fail_msg(err, ENAMETOOLONG,
				   "'%s%c%s' names the endpoint, and has more than %d letters",
				   container, SEPARATOR, network, UP_NAME_MAX);
	return 0;
}

int up_member_name_check(const char *name, struct up_err *err)
{
	const char *at = strchr(name, SEPARATOR);
	char container[UP_NAME_MAX + 1];

	if (!at || at - name > UP_NAME_MAX || strlen(name) > UP_NAME_MAX ||
	    up_name_check("endpoint name", at + 1, NULL))
		return up_name_check("endpoint name", name, err);
	snprintf(container, sizeof(container), "%.*s", (int)(at - name), name);
	return up_name_check("endpoint name", container, err);
}

/* ---- all of them ------------------------------------------------------------------------------
 */

static bool is_member(const struct up_endpoint *ep, const char *container)
{
	char name[sizeof(ep->name) + 1];

	snprintf(name, sizeof(name), "%.*s", (int)sizeof(ep->name), ep->name);
	return ep->state != UP_ENDPOINT_FREE && up_member_of(name, container);
}

int up_members_del(struct up_datapath *dp, const char *container, struct up_err *err)
{
	cleanup_nl struct up_nl *nl = NULL;
	cleanup_fd int lock = up_lock(err);
	int ret = lock < 0 ? lock : up_nl_open(NETLINK_ROUTE, &nl, err);
	bool found = false;

	for (uint32_t id = 1; !ret && id < UP_ENDPOINT_MAX; id++) {
		if (!is_member(&dp->endpoints[id], container))
			continue;
		found = true;
		ret = up_endpoint_remove(dp, nl, id, err);
	}
	if (ret)
		return up_wrap(err, "endpoint %.80s", container);
	return found ? 0 : up_fail_msg(err, ENOENT, "endpoint %.80s: no such endpoint", container);
}

struct bequest {
	uint32_t from, to;
};

static bool bequeath(struct up_port_row *row, void *arg)
{
	const struct bequest *b = arg;

	if (row->endpoint != b->from)
		return false;
	row->endpoint = (uint16_t)b->to;
	return true;
}

/* Who publishes what @id does when that goes; 0 for nobody. */
static uint32_t find_heir(const struct up_datapath *dp, const char *container, uint32_t id)
{
	for (uint32_t i = 1; i < UP_ENDPOINT_MAX; i++) {
		const struct up_endpoint *ep = &dp->endpoints[i];

		if (i != id && ep->state == UP_ENDPOINT_LIVE && is_member(ep, container) &&
		    !up_network_is_closed(ep->net, ep->flags))
			return i;
	}
	return 0;
}

int up_member_del(struct up_datapath *dp, const char *container, const char *name,
		  struct up_err *err)
{
	cleanup_nl struct up_nl *nl = NULL;
	cleanup_fd int lock = up_lock(err);
	int ret = lock < 0 ? lock : up_nl_open(NETLINK_ROUTE, &nl, err);
	struct bequest b = {};

	if (ret)
		return ret;
	b.from = up_endpoint_find(dp, name);
	if (!b.from)
		return up_fail_msg(err, ENOENT, "endpoint %.80s: no such endpoint", name);
	b.to = find_heir(dp, container, b.from);
	/* From here on gc would finish it. */
	__atomic_store_n(&dp->endpoints[b.from].state, UP_ENDPOINT_CLOSING, __ATOMIC_RELEASE);
	if (b.to)
		up_porttab_edit(dp->ports, bequeath, &b);
	ret = up_endpoint_remove(dp, nl, b.from, err);
	return ret ? up_wrap(err, "endpoint %.80s", name) : 0;
}

int up_members_admit(struct up_datapath *dp, int netns_fd, struct up_err *err)
{
	uint64_t cookie;
	int ret = up_netns_cookie_of(netns_fd, &cookie, err);

	for (uint32_t id = 1; !ret && id < UP_ENDPOINT_MAX; id++) {
		const struct up_endpoint *ep = &dp->endpoints[id];

		if (ep->state != UP_ENDPOINT_FREE && ep->netns_cookie == cookie &&
		    ep->device == UP_NETDEV_MACVLAN)
			ret = up_netdev_check(UP_NETDEV_MODE_MACVLAN, false, err);
	}
	return ret;
}

/* ---- default routes ---------------------------------------------------------------------------
 */

/**
 * struct choice - who is to have the default route of a family
 * @dp, @container, @family: of which
 * @nl:     socket in the container's namespace
 * @route:  the one that is there; its ifindex is 0 where none is
 * @holder: id of the endpoint whose it is, 0 for somebody else's
 */
struct choice {
	struct up_datapath *dp;
	const char *container;
	enum up_family family;
	struct up_nl *nl;
	struct up_route route;
	uint32_t holder;
};

static int note_default(const struct up_route *route, void *arg)
{
	struct choice *c = arg;

	if (!route->plen && route->table == RT_TABLE_MAIN &&
	    (!c->route.ifindex || route->metric < c->route.metric))
		c->route = *route;
	return 0;
}

struct wanted_mac {
	const uint8_t *mac;
	int ifindex;
};

static int note_mac(const struct up_link *link, void *arg)
{
	struct wanted_mac *w = arg;

	if (link->ethernet && !memcmp(link->mac, w->mac, sizeof(link->mac)))
		w->ifindex = link->ifindex;
	return 0;
}

/* The index of an endpoint's interface in the container; 0 where it is not there. */
static int index_in(struct up_nl *nl, const struct up_endpoint *ep)
{
	struct wanted_mac w = {ep->mac, 0};

	return up_link_foreach(nl, note_mac, &w, NULL) ? 0 : w.ifindex;
}

static bool qualifies(const struct choice *c, uint32_t id)
{
	const struct up_endpoint *ep = &c->dp->endpoints[id];

	return ep->state == UP_ENDPOINT_LIVE && is_member(ep, c->container) &&
	       up_addr_set(&ep->addr[c->family]);
}

static void find_holder(struct choice *c)
{
	for (uint32_t id = 1; c->route.ifindex && id < UP_ENDPOINT_MAX; id++)
		if (qualifies(c, id) && index_in(c->nl, &c->dp->endpoints[id]) == c->route.ifindex)
			c->holder = id;
}

static bool leads_outside(const struct choice *c, uint32_t id)
{
	return id && !(c->dp->endpoints[id].flags & UP_EP_INTERNAL);
}

/* Id of the one that is to have it, 0 for none. A route of the container's own making stays. */
static uint32_t choose(const struct choice *c)
{
	uint32_t first = 0;

	if (c->route.ifindex && (!c->holder || leads_outside(c, c->holder)))
		return c->holder;
	for (uint32_t id = 1; id < UP_ENDPOINT_MAX; id++) {
		if (!qualifies(c, id))
			continue;
		if (leads_outside(c, id))
			return id;
		first = first ? first : id;
	}
	return c->holder ? c->holder : first;
}

static int route_family(struct choice *c, struct up_err *err)
{
	struct up_route route = {.dst = c->family == UP_V4 ? UP_ANY_V4 : UP_ANY, .onlink = true};
	int ret = up_route_foreach(c->nl, c->family, note_default, c, err);
	uint32_t id;

	if (ret)
		return ret;
	find_holder(c);
	id = choose(c);
	if (id == c->holder)
		return 0;
	if (c->holder)
		ret = up_route_del(c->nl, &c->route, err);
	route.gateway = c->dp->endpoints[id].gateway[c->family];
	route.ifindex = index_in(c->nl, &c->dp->endpoints[id]);
	return ret ? ret : up_route_add(c->nl, &route, err);
}

int up_members_route(struct up_datapath *dp, const char *container, int netns_fd,
		     struct up_err *err)
{
	cleanup_nl struct up_nl *nl = NULL;
	cleanup_fd int lock = up_lock(err);
	int ret = lock < 0 ? lock : up_nl_open_in(NETLINK_ROUTE, netns_fd, &nl, err);

	for (enum up_family f = UP_V4; !ret && f < UP_FAMILIES; f++) {
		struct choice c = {.dp = dp, .container = container, .family = f, .nl = nl};

		ret = route_family(&c, err);
	}
	return ret ? up_wrap(err, "default route") : 0;
}
