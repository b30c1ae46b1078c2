// SPDX-License-Identifier: GPL-2.0-only
/*
 * A pair of interfaces: one end in the container, the other in the host, with our program. A veth
 * is there in every kernel. A netkit, since Linux 6.7, is the same for everybody but the programs:
 * netkit.bpf.c.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "core/netdev.h"
#include "core/endpoint_priv.h"
#include "core/hooks.h"
#include "net/link.h"
#include "underpass/flow.h"

static void pair_name(const struct up_endpoint *ep __attribute__((unused)), uint32_t id,
		      char buf[16])
{
	snprintf(buf, 16, "up%u", id);
}

void up_endpoint_alias(const char *name, char buf[128])
{
	snprintf(buf, 128, UP_ALIAS_PREFIX "%s", name);
}

/* The smallest MTU of the uplinks: what leaves the container then fits. */
static uint32_t uplink_mtu(struct up_datapath *dp, struct up_nl *nl)
{
	uint32_t key, last, *prev = NULL, mtu = 0;
	struct up_link link;

	while (!bpf_map_get_next_key(dp->map[UP_MAP_uplinks], prev, &key)) {
		if (!up_link_get(nl, NULL, (int)key, &link, NULL) && (!mtu || link.mtu < mtu))
			mtu = link.mtu;
		last = key;
		prev = &last;
	}
	return mtu;
}

/* An interface of that name which is ours is what a dead command left: its row is free. */
static void clear_leftover(struct up_nl *nl, const char *ifname)
{
	struct up_link link;

	if (!up_link_get(nl, ifname, 0, &link, NULL) && up_link_is_ours(&link))
		up_link_del(nl, link.ifindex, NULL);
}

/* Make it. Its index in the host is @ifindex, or where that is 0 what the kernel chooses. */
static int pair_create(struct up_datapath *dp, struct up_nl *nl, uint32_t id,
		       const struct up_endpoint_spec *spec, bool netkit, uint32_t ifindex,
		       struct up_err *err)
{
	struct up_endpoint *ep = &dp->endpoints[id];
	char name[16], alias[128];
	struct up_pair_spec pair = {
		.netkit = netkit,
		.host_ifindex = (int)ifindex,
		.host_name = name,
		.host_alias = alias,
		.host_mac = UP_GATEWAY_MAC,
		.peer_name = spec->ifname,
		.peer_netns = spec->netns_fd,
		.mtu = spec->mtu ? spec->mtu : uplink_mtu(dp, nl),
	};
	struct up_link link;
	int ret;

	pair_name(ep, id, name);
	up_endpoint_alias(spec->name, alias);
	memcpy(pair.peer_mac, ep->mac, sizeof(ep->mac));
	clear_leftover(nl, name);
	ret = up_pair_create(nl, &pair, err);
	if (!ret)
		ret = up_link_get(nl, name, 0, &link, err);
	if (!ret)
		ep->ifindex = ep->host_if = (uint32_t)link.ifindex;
	return ret;
}

static int veth_create(struct up_datapath *dp, struct up_nl *nl, uint32_t id,
		       const struct up_endpoint_spec *spec, struct up_err *err)
{
	int prog = dp->prog[UP_PROG_veth_in];
	int ret = pair_create(dp, nl, id, spec, false, 0, err);
	int ifindex = (int)dp->endpoints[id].ifindex;

	if (ret)
		return ret;
	return spec->settle_later ? up_hook_veth_at_once(prog, ifindex, err)
				  : up_hook_veth(prog, ifindex, -1, err);
}

/* Its queue would be behind our program, and what it sends passes none. */
static int netkit_create(struct up_datapath *dp, struct up_nl *nl, uint32_t id,
			 const struct up_endpoint_spec *spec, struct up_err *err)
{
	int ret;

	if (!up_hook_has_netkit(dp->prog[UP_PROG_netkit]))
		return up_fail_msg(err, EOPNOTSUPP,
				   "netkit: not in this kernel: Linux 6.7 with CONFIG_NETKIT");
	if (spec->rate_in || spec->rate_out)
		return up_fail_msg(err, EOPNOTSUPP, "netkit: no limit of a rate: use a veth");
	ret = pair_create(dp, nl, id, spec, true, UP_IF_NETKIT | id, err);
	return ret ? ret
		   : up_hook_netkit(dp->prog[UP_PROG_netkit], (int)dp->endpoints[id].ifindex, -1,
				    err);
}

static int pair_remove(struct up_datapath *dp, struct up_nl *nl, uint32_t id, struct up_err *err)
{
	struct up_link link;
	char name[16];
	int ret;

	pair_name(&dp->endpoints[id], id, name);
	ret = up_link_get(nl, name, 0, &link, err);
	if (ret)
		return ret == -ENODEV ? 0 : ret;
	if (!up_link_is_ours(&link))
		return 0;
	ret = up_link_del_quickly(nl, link.ifindex, err);
	return ret == -ENODEV ? 0 : ret;
}

static bool pair_lives(const struct up_datapath *dp, struct up_nl *nl, uint32_t id)
{
	const struct up_endpoint *ep = &dp->endpoints[id];
	char alias[128];
	struct up_link link;

	if (up_link_get(nl, NULL, (int)ep->ifindex, &link, NULL))
		return false;
	up_endpoint_alias(ep->name, alias);
	return !strcmp(link.alias, alias);
}

static bool veth_hooked(const struct up_datapath *dp, const struct up_endpoint *ep)
{
	return up_hook_veth_has(dp->prog[UP_PROG_veth_in], (int)ep->ifindex);
}

static bool netkit_hooked(const struct up_datapath *dp, const struct up_endpoint *ep)
{
	return up_hook_netkit_has(dp->prog[UP_PROG_netkit], (int)ep->ifindex);
}

const struct up_netdev up_netdev_veth = {
	.name = "veth",
	.create = veth_create,
	.remove = pair_remove,
	.lives = pair_lives,
	.hooked = veth_hooked,
	.host_name = pair_name,
};

const struct up_netdev up_netdev_netkit = {
	.name = "netkit",
	.create = netkit_create,
	.remove = pair_remove,
	.lives = pair_lives,
	.hooked = netkit_hooked,
	.host_name = pair_name,
};
