// SPDX-License-Identifier: GPL-2.0-only
/*
 * A veth that somebody else made and manages. It gets our program, which takes care of the flows to
 * published ports and lets everything else pass; when the endpoint goes, the program goes and the
 * interface stays.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "core/hooks.h"
#include "core/netdev.h"
#include "net/link.h"

static int adopted_create(struct up_datapath *dp, struct up_nl *nl, uint32_t id,
			  const struct up_endpoint_spec *spec, struct up_err *err)
{
	struct up_endpoint *ep = &dp->endpoints[id];
	struct up_link link;
	int ret = up_link_get(nl, NULL, spec->adopt, &link, err);

	if (ret)
		return ret;
	if (strcmp(link.kind, "veth") != 0)
		return up_fail_msg(err, EOPNOTSUPP, "%s is not a veth", link.name);
	ep->ifindex = ep->host_if = (uint32_t)link.ifindex;
	/* The routing table is asked as if answers came in by it, whatever bridge it is a port of.
	 */
	ret = up_link_set_forwarding(nl, link.ifindex, err);
	if (!ret && up_addr_set(&spec->addr[UP_V6]))
		ret = up_link_set_forwarding6(link.name, err);
	return ret ? ret : up_hook_veth(dp->prog[UP_PROG_veth_in], link.ifindex, -1, err);
}

static int adopted_remove(struct up_datapath *dp, struct up_nl *nl, uint32_t id, struct up_err *err)
{
	const struct up_endpoint *ep = &dp->endpoints[id];

	(void)nl, (void)err;
	if (ep->ifindex)
		up_hook_veth_remove(dp->prog[UP_PROG_veth_in], (int)ep->ifindex);
	return 0;
}

static bool adopted_lives(const struct up_datapath *dp, struct up_nl *nl, uint32_t id)
{
	struct up_link link;

	return !up_link_get(nl, NULL, (int)dp->endpoints[id].ifindex, &link, NULL) &&
	       !strcmp(link.kind, "veth");
}

static bool adopted_hooked(const struct up_datapath *dp, const struct up_endpoint *ep)
{
	return up_hook_veth_has(dp->prog[UP_PROG_veth_in], (int)ep->ifindex);
}

static void adopted_name(const struct up_endpoint *ep, uint32_t id, char buf[16])
{
	char name[IF_NAMESIZE] = "";

	(void)id;
	if_indextoname(ep->ifindex, name);
	snprintf(buf, 16, "%s", name);
}

const struct up_netdev up_netdev_adopted = {
	.name = "adopted",
	.create = adopted_create,
	.remove = adopted_remove,
	.lives = adopted_lives,
	.hooked = adopted_hooked,
	.host_name = adopted_name,
};
