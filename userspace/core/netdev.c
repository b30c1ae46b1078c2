// SPDX-License-Identifier: GPL-2.0-only
#include "core/netdev.h"

#include <errno.h>

#include "base/err.h"

static const struct up_netdev *const devices[] = {
	[UP_NETDEV_VETH] = &up_netdev_veth,
	[UP_NETDEV_MACVLAN] = &up_netdev_macvlan,
	[UP_NETDEV_ADOPTED] = &up_netdev_adopted,
	[UP_NETDEV_NETKIT] = &up_netdev_netkit,
};

const struct up_netdev *up_netdev_of(const struct up_endpoint *ep)
{
	if (ep->device == UP_NETDEV_ADOPTED && ep->uplink)
		return &up_netdev_adopted_child;
	return ep->device < sizeof(devices) / sizeof(devices[0]) ? devices[ep->device]
								 : &up_netdev_veth;
}

/* The programs need not know of what kind it is: an uplink says it. */
static int create_adopted_child(struct up_datapath *dp, struct up_nl *nl, uint32_t id,
				const struct up_endpoint_spec *spec, struct up_err *err)
{
	dp->endpoints[id].device = UP_NETDEV_ADOPTED;
	return up_netdev_adopted_child.create(dp, nl, id, spec, err);
}

static int create(struct up_datapath *dp, struct up_nl *nl, uint32_t id,
		  const struct up_endpoint_spec *spec, enum up_netdev_kind kind, struct up_err *err)
{
	dp->endpoints[id].device = (uint8_t)kind;
	return devices[kind]->create(dp, nl, id, spec, err);
}

int up_netdev_check(enum up_netdev_mode mode, bool confined, struct up_err *err)
{
	if (mode != UP_NETDEV_MODE_MACVLAN || confined)
		return 0;
	return up_fail_msg(err, EPERM,
			   "net device macvlan: not for a container with the capability NET_ADMIN");
}

/*
 * The fastest that the kernel, the uplink and the container's privileges allow. A rate is held by a
 * queue, which only a veth's packets pass.
 */
static int create_fastest(struct up_datapath *dp, struct up_nl *nl, uint32_t id,
			  const struct up_endpoint_spec *spec, struct up_err *err)
{
	int ret = -EOPNOTSUPP;

	if (!spec->rate_in && !spec->rate_out) {
		ret = create(dp, nl, id, spec, UP_NETDEV_NETKIT, err);
		if (ret == -EOPNOTSUPP && spec->confined)
			ret = create(dp, nl, id, spec, UP_NETDEV_MACVLAN, err);
	}
	return ret == -EOPNOTSUPP ? create(dp, nl, id, spec, UP_NETDEV_VETH, err) : ret;
}

int up_netdev_create(struct up_datapath *dp, struct up_nl *nl, uint32_t id,
		     const struct up_endpoint_spec *spec, struct up_err *err)
{
	int ret = up_netdev_check(spec->device, spec->confined, err);

	if (ret)
		return ret;
	switch (spec->device) {
	case UP_NETDEV_MODE_AUTO:
		return create_fastest(dp, nl, id, spec, err);
	case UP_NETDEV_MODE_MACVLAN:
		return create(dp, nl, id, spec, UP_NETDEV_MACVLAN, err);
	case UP_NETDEV_MODE_NETKIT:
		return create(dp, nl, id, spec, UP_NETDEV_NETKIT, err);
	case UP_NETDEV_MODE_ADOPTED:
		return create(dp, nl, id, spec, UP_NETDEV_ADOPTED, err);
	case UP_NETDEV_MODE_ADOPTED_CHILD:
		return create_adopted_child(dp, nl, id, spec, err);
	case UP_NETDEV_MODE_VETH:
		break;
	}
	return create(dp, nl, id, spec, UP_NETDEV_VETH, err);
}
