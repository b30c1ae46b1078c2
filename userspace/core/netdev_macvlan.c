// SPDX-License-Identifier: GPL-2.0-only
/*
 * A macvlan child of an uplink, in the container's namespace; bpf/lib/macvlan.h has the theory.
 *
 * The first child of an uplink comes with the host's own one, its gateway, and with another program
 * at the egress of all uplinks. Both stay until the datapath goes down. Nothing in the host names
 * the child: it is found by the number that the host has for the container's namespace, and by its
 * index there.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "core/netdev.h"
#include "core/hooks.h"
#include "net/link.h"
#include "net/netns.h"
#include "underpass/flow.h"

#define KIND "macvlan"

/* ---- the gateway: the host's own child ------------------------------------------------------- */

static void gateway_name(uint32_t uplink, char buf[16])
{
	snprintf(buf, 16, "upgw%u", uplink);
}

static bool is_gateway(const struct up_link *link)
{
	static const uint8_t mac[] = UP_GATEWAY_MAC;

	return !strcmp(link->kind, KIND) && !memcmp(link->mac, mac, sizeof(mac));
}

static bool gateway_get(struct up_nl *nl, uint32_t uplink, struct up_link *ret_link)
{
	char name[16];

	gateway_name(uplink, name);
	return !up_link_get(nl, name, 0, ret_link, NULL) && is_gateway(ret_link);
}

/* Hand each uplink to @fn until it returns other than 0, which is returned. */
static int each_uplink(const struct up_datapath *dp, int (*fn)(uint32_t uplink, void *arg),
		       void *arg)
{
	uint32_t key, last, *prev = NULL;
	int ret = 0;

	while (!ret && !bpf_map_get_next_key(dp->map[UP_MAP_uplinks], prev, &key)) {
		ret = fn(key, arg);
		last = key;
		prev = &last;
	}
	return ret;
}

static int has_gateway(uint32_t uplink, void *nl)
{
	struct up_link link;

	return gateway_get(nl, uplink, &link);
}

bool up_macvlan_in_use(const struct up_datapath *dp, struct up_nl *nl)
{
	return each_uplink(dp, has_gateway, nl);
}

/* No such kind in this kernel; the uplink is a port of a bridge or bond; or it has a child that
 * wants it for itself. */
static bool is_unsupported(int ret)
{
	return ret == -EOPNOTSUPP || ret == -EBUSY || ret == -EINVAL;
}

struct egress {
	int prog_fd;
	struct up_err *err;
};

/* An uplink that has gone away has nothing that could be swapped. */
static int swap_egress(uint32_t uplink, void *arg)
{
	const struct egress *e = arg;
	int ret = up_hook_uplink_out(e->prog_fd, (int)uplink, e->err);

	return ret == -ENODEV ? 0 : ret;
}

/* The gateway sends nothing before it is set up, and then the program is there: at every uplink,
 * since a child's packets may leave by any. */
static int gateway_create(struct up_datapath *dp, struct up_nl *nl, uint32_t uplink,
			  struct up_link *ret_link, struct up_err *err)
{
	char name[16];
	const struct up_macvlan_spec spec = {
		.parent = uplink,
		.name = name,
		.mac = UP_GATEWAY_MAC,
		.netns = -1,
	};
	struct egress e = {dp->prog[UP_PROG_macvlan_out], err};
	int ret;

	gateway_name(uplink, name);
	ret = up_macvlan_create(nl, &spec, err);
	if (ret)
		return is_unsupported(ret) ? -EOPNOTSUPP : ret;
	ret = up_link_get(nl, name, 0, ret_link, err);
	if (!ret)
		ret = up_hook_child(dp->prog[UP_PROG_child_in], -1, ret_link->ifindex, err);
	return ret ? ret : each_uplink(dp, swap_egress, &e);
}

static int gateway_ensure(struct up_datapath *dp, struct up_nl *nl, uint32_t uplink,
			  uint32_t *ret_ifindex, struct up_err *err)
{
	struct up_link link;
	int ret = gateway_get(nl, uplink, &link) ? 0 : gateway_create(dp, nl, uplink, &link, err);

	if (!ret)
		*ret_ifindex = (uint32_t)link.ifindex;
	return ret;
}

/* ---- which uplink ---------------------------------------------------------------------------- */

static bool is_uplink(const struct up_datapath *dp, uint32_t ifindex)
{
	struct up_uplink uplink;

	return !bpf_map_lookup_elem(dp->map[UP_MAP_uplinks], &ifindex, &uplink);
}

/* That of the default route; where none is, any. */
static int choose_uplink(const struct up_datapath *dp, struct up_nl *nl, uint32_t *ret_uplink,
			 struct up_err *err)
{
	int ifindex;

	if (!up_default_uplink(nl, &ifindex, NULL) && is_uplink(dp, (uint32_t)ifindex)) {
		*ret_uplink = (uint32_t)ifindex;
		return 0;
	}
	if (bpf_map_get_next_key(dp->map[UP_MAP_uplinks], NULL, ret_uplink))
		return up_fail_msg(err, EOPNOTSUPP, KIND ": there is no uplink");
	return 0;
}

/* A child of a child is one of the real interface, where our programs are not. */
static int check_uplink(struct up_nl *nl, uint32_t uplink, struct up_err *err)
{
	struct up_link link;
	int ret = up_link_get(nl, NULL, (int)uplink, &link, err);

	if (!ret && (!strcmp(link.kind, KIND) || !strcmp(link.kind, "macvtap")))
		return up_fail_msg(err, EOPNOTSUPP, KIND ": uplink %s is one itself", link.name);
	return ret;
}

static int check_spec(const struct up_endpoint_spec *spec, struct up_err *err)
{
	static const uint8_t none[6];

	if (memcmp(spec->mac, none, sizeof(none)))
		return up_fail_msg(err, EOPNOTSUPP, KIND ": the MAC cannot be chosen");
	if (spec->rate_in || spec->rate_out)
		return up_fail_msg(err, EOPNOTSUPP, KIND ": no limit of a rate: use a veth");
	return 0;
}

/* ---- the container's child ------------------------------------------------------------------- */

static int attach(const struct up_datapath *dp, const struct up_endpoint *ep, int netns_fd,
		  struct up_err *err)
{
	cleanup_netns int old = -1;
	int ret = up_netns_enter(netns_fd, &old, err);

	return ret ? ret
		   : up_hook_child(dp->prog[UP_PROG_child_in], dp->prog[UP_PROG_child_out],
				   (int)ep->ifindex, err);
}

static int child_create(struct up_datapath *dp, struct up_nl *nl, uint32_t id,
			const struct up_endpoint_spec *spec, struct up_err *err)
{
	const uint8_t mac[6] = UP_CHILD_MAC(id);
	struct up_endpoint *ep = &dp->endpoints[id];
	struct up_macvlan_spec child = {
		.parent = ep->uplink,
		.name = spec->ifname,
		.netns = spec->netns_fd,
		.ifindex = (int)(UP_IF_CHILD | id),
		.mtu = spec->mtu,
	};
	int ret = up_netns_number(nl, spec->netns_fd, &ep->nsid, err);

	if (ret)
		return ret;
	memcpy(child.mac, mac, sizeof(mac));
	memcpy(ep->mac, mac, sizeof(mac));
	ep->ifindex = UP_IF_CHILD | id;
	ret = up_macvlan_create(nl, &child, err);
	return ret ? ret : attach(dp, ep, spec->netns_fd, err);
}

static int macvlan_create(struct up_datapath *dp, struct up_nl *nl, uint32_t id,
			  const struct up_endpoint_spec *spec, struct up_err *err)
{
	struct up_endpoint *ep = &dp->endpoints[id];
	uint32_t uplink, gateway;
	int ret = check_spec(spec, err);

	if (!ret)
		ret = choose_uplink(dp, nl, &uplink, err);
	if (!ret)
		ret = check_uplink(nl, uplink, err);
	if (!ret)
		ret = gateway_ensure(dp, nl, uplink, &gateway, err);
	if (ret)
		return ret;
	ep->uplink = uplink;
	ep->host_if = gateway;
	return child_create(dp, nl, id, spec, err);
}

/* What set_up_host_end() made, and the gateway does not take with it. */
static int remove_host_end(struct up_nl *nl, const struct up_endpoint *ep, enum up_family f,
			   struct up_err *err)
{
	const struct up_route route = {
		.dst = ep->addr[f],
		.plen = f == UP_V4 ? 32 : 128,
		.ifindex = (int)ep->host_if,
	};
	int ret;

	if (!up_addr_set(&ep->addr[f]))
		return 0;
	ret = up_route_del(nl, &route, err);
	if (ret && ret != -ESRCH && ret != -ENODEV)
		return ret;
	ret = up_neigh_del(nl, (int)ep->host_if, &ep->addr[f], err);
	return ret == -ENOENT || ret == -ENODEV ? 0 : ret;
}

static bool child_get(struct up_nl *nl, const struct up_endpoint *ep)
{
	struct up_link link;

	return up_if_is_child(ep->ifindex) &&
	       !up_link_get_in(nl, ep->nsid, (int)ep->ifindex, &link, NULL) &&
	       !strcmp(link.kind, KIND);
}

static int macvlan_remove(struct up_datapath *dp, struct up_nl *nl, uint32_t id, struct up_err *err)
{
	const struct up_endpoint *ep = &dp->endpoints[id];
	int ret = 0;

	for (enum up_family f = UP_V4; !ret && ep->host_if && f < UP_FAMILIES; f++)
		ret = remove_host_end(nl, ep, f, err);
	if (!ret && child_get(nl, ep))
		ret = up_link_del_in(nl, ep->nsid, (int)ep->ifindex, err);
	return ret == -ENODEV ? 0 : ret;
}

static bool macvlan_lives(const struct up_datapath *dp, struct up_nl *nl, uint32_t id)
{
	return child_get(nl, &dp->endpoints[id]);
}

/* Its own hooks are in the container; what the host has is those of the uplinks. */
static bool macvlan_hooked(const struct up_datapath *dp __attribute__((unused)),
			   const struct up_endpoint *ep)
{
	return up_hook_uplink_has((int)ep->uplink);
}

static void macvlan_host_name(const struct up_endpoint *ep, uint32_t id __attribute__((unused)),
			      char buf[16])
{
	gateway_name(ep->uplink, buf);
}

/* ---- somebody else's child ------------------------------------------------------------------- */

/* The host and the container know each other by the gateway: neither hears what the other asks of
 * the wire. A route that the administrator has made to such a child stays. */
static int introduce_host(struct up_nl *nl, const struct up_endpoint *ep,
			  const struct up_uplink *uplink, enum up_family f, struct up_err *err)
{
	const struct up_route route = {
		.dst = ep->addr[f],
		.plen = f == UP_V4 ? 32 : 128,
		.src = uplink->addr[f],
		.ifindex = (int)ep->host_if,
	};
	int ret = up_neigh_add(nl, (int)ep->host_if, &ep->addr[f], ep->mac, err);

	if (!ret)
		ret = up_route_add(nl, &route, err);
	return ret == -EEXIST ? 0 : ret;
}

static int introduce_container(const struct up_endpoint_spec *spec, const struct up_uplink *uplink,
			       enum up_family f, struct up_err *err)
{
	static const uint8_t gateway_mac[] = UP_GATEWAY_MAC;
	cleanup_nl struct up_nl *nl = NULL;
	struct up_link link;
	int ret = up_nl_open_in(NETLINK_ROUTE, spec->netns_fd, &nl, err);

	if (!ret)
		ret = up_link_get(nl, spec->ifname, 0, &link, err);
	return ret ? ret : up_neigh_add(nl, link.ifindex, &uplink->addr[f], gateway_mac, err);
}

static int introduce(struct up_datapath *dp, struct up_nl *nl, struct up_endpoint *ep,
		     const struct up_endpoint_spec *spec, struct up_err *err)
{
	char name[16];
	struct up_uplink uplink;
	int ret = up_link_set_forwarding(nl, (int)ep->host_if, err);

	gateway_name(ep->uplink, name);
	if (!ret && up_addr_set(&ep->addr[UP_V6]))
		ret = up_link_set_forwarding6(name, err);
	if (!ret)
		ret = up_link_set_up(nl, (int)ep->host_if, err);
	if (!ret && bpf_map_lookup_elem(dp->map[UP_MAP_uplinks], &ep->uplink, &uplink))
		ret = up_fail(err, errno, "uplink %u", ep->uplink);
	for (enum up_family f = UP_V4; !ret && f < UP_FAMILIES; f++) {
		if (!up_addr_set(&ep->addr[f]) || !up_addr_set(&uplink.addr[f]))
			continue;
		ep->gateway[f] = uplink.addr[f];
		ret = introduce_host(nl, ep, &uplink, f, err);
		if (!ret)
			ret = introduce_container(spec, &uplink, f, err);
	}
	return ret;
}

static int adopted_child_create(struct up_datapath *dp, struct up_nl *nl, uint32_t id,
				const struct up_endpoint_spec *spec, struct up_err *err)
{
	struct up_endpoint *ep = &dp->endpoints[id];
	uint32_t uplink = (uint32_t)spec->adopt;
	int ret = 0;

	if (!is_uplink(dp, uplink))
		return up_fail_msg(err, EOPNOTSUPP, KIND ": its parent is no uplink");
	ep->uplink = uplink;
	ep->ifindex = UP_IF_CHILD | id;
	ret = gateway_ensure(dp, nl, uplink, &ep->host_if, err);
	if (!ret)
		ret = up_netns_number(nl, spec->netns_fd, &ep->nsid, err);
	return ret ? ret : introduce(dp, nl, ep, spec, err);
}

/* The interface stays. What the container knows of the host's MAC does, too: without us the host
 * cannot be reached in any case. */
static int adopted_child_remove(struct up_datapath *dp, struct up_nl *nl, uint32_t id,
				struct up_err *err)
{
	const struct up_endpoint *ep = &dp->endpoints[id];
	int ret = 0;

	for (enum up_family f = UP_V4; !ret && ep->host_if && f < UP_FAMILIES; f++)
		ret = remove_host_end(nl, ep, f, err);
	return ret;
}

struct search {
	const struct up_endpoint *ep;
	bool found;
};

static int note_adopted(const struct up_link *link, void *arg)
{
	struct search *s = arg;

	s->found |= !strcmp(link->kind, KIND) && link->peer == (int)s->ep->uplink &&
		    !memcmp(link->mac, s->ep->mac, sizeof(link->mac));
	return 0;
}

static bool adopted_child_lives(const struct up_datapath *dp, struct up_nl *nl, uint32_t id)
{
	struct search s = {.ep = &dp->endpoints[id]};

	return !up_link_foreach_in(nl, s.ep->nsid, note_adopted, &s, NULL) && s.found;
}

const struct up_netdev up_netdev_adopted_child = {
	.name = "adopted",
	.create = adopted_child_create,
	.remove = adopted_child_remove,
	.lives = adopted_child_lives,
	.hooked = macvlan_hooked,
	.host_name = macvlan_host_name,
};

/* ---- all of them ----------------------------------------------------------------------------- */

/**
 * struct family - what up_macvlan_remove_all() looks for
 * @gateway, @uplink: the host's own children, and whose they are
 * @nsid:    namespaces that the host has a number for
 * @child:   containers' children in the one that is looked at
 */
struct family {
	int gateway[UP_UPLINK_MAX], uplink[UP_UPLINK_MAX];
	int nsid[UP_ENDPOINT_MAX], child[UP_ENDPOINT_MAX];
	size_t gateways, nsids, children;
};

static int note_gateway(const struct up_link *link, void *arg)
{
	struct family *f = arg;

	if (is_gateway(link) && f->gateways < UP_UPLINK_MAX) {
		f->uplink[f->gateways] = link->peer;
		f->gateway[f->gateways++] = link->ifindex;
	}
	return 0;
}

static int note_nsid(int nsid, void *arg)
{
	struct family *f = arg;

	if (f->nsids < UP_ENDPOINT_MAX)
		f->nsid[f->nsids++] = nsid;
	return 0;
}

static int note_child(const struct up_link *link, void *arg)
{
	struct family *f = arg;

	for (size_t i = 0; i < f->gateways && f->children < UP_ENDPOINT_MAX; i++)
		if (link->peer == f->uplink[i] && !strcmp(link->kind, KIND) &&
		    up_if_is_child((uint32_t)link->ifindex))
			f->child[f->children++] = link->ifindex;
	return 0;
}

/* A namespace may go while it is looked at, and takes its interfaces along. */
static int remove_children(struct up_nl *nl, struct family *f, int nsid, struct up_err *err)
{
	int ret;

	f->children = 0;
	if (up_link_foreach_in(nl, nsid, note_child, f, NULL))
		return 0;
	for (size_t i = 0; i < f->children; i++) {
		ret = up_link_del_in(nl, nsid, f->child[i], err);
		if (ret && ret != -ENODEV && ret != -EINVAL)
			return ret;
	}
	return 0;
}

int up_macvlan_remove_all(struct up_nl *nl, struct up_err *err)
{
	cleanup_free struct family *f = calloc(1, sizeof(*f));
	int ret;

	if (!f)
		return up_fail(err, ENOMEM, KIND);
	ret = up_link_foreach(nl, note_gateway, f, err);
	if (ret || !f->gateways)
		return ret;
	ret = up_netns_foreach(nl, note_nsid, f, err);
	for (size_t i = 0; !ret && i < f->nsids; i++)
		ret = remove_children(nl, f, f->nsid[i], err);
	for (size_t i = 0; !ret && i < f->gateways; i++)
		ret = up_link_del(nl, f->gateway[i], err);
	return ret;
}

const struct up_netdev up_netdev_macvlan = {
	.name = KIND,
	.create = macvlan_create,
	.remove = macvlan_remove,
	.lives = macvlan_lives,
	.hooked = macvlan_hooked,
	.host_name = macvlan_host_name,
};
