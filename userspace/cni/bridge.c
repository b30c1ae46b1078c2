// SPDX-License-Identifier: GPL-2.0-only
/*
 * bridge: served as any interface of ours is, but for addresses by DHCP. Those are of the network
 * that the bridge's ports are on, whose hosts have to find the container there: it takes a real
 * bridge, and the next plugin of that name makes it. Behind it our portmap adopts the container's
 * veth.
 */
#include "cni/cni.h"
#include "cni/delegate.h"
#include "cni/iface.h"
#include "cni/ipam.h"

static int bridge_add(struct up_cni *c, json_t **ret_result, struct up_err *err)
{
	return up_cni_ipam_is_dhcp(c) ? up_cni_next(c, ret_result, err)
				      : up_cni_iface_add(c, ret_result, err);
}

static int bridge_del(struct up_cni *c, struct up_err *err)
{
	return up_cni_ipam_is_dhcp(c) ? up_cni_next(c, NULL, err) : up_cni_iface_del(c, err);
}

static int bridge_check(struct up_cni *c, struct up_err *err)
{
	return up_cni_ipam_is_dhcp(c) ? up_cni_next(c, NULL, err) : up_cni_iface_check(c, err);
}

static int bridge_gc(struct up_cni *c, struct up_err *err)
{
	return up_cni_ipam_is_dhcp(c) ? up_cni_ask_newer(c, c->plugin->name, err)
				      : up_cni_iface_gc(c, err);
}

static int bridge_status(struct up_cni *c, struct up_err *err)
{
	return up_cni_ipam_is_dhcp(c) ? up_cni_ask_newer(c, c->plugin->name, err)
				      : up_cni_iface_status(c, err);
}

const struct up_cni_plugin up_cni_bridge = {
	"bridge", bridge_add, bridge_del, bridge_check, bridge_gc, bridge_status,
};
