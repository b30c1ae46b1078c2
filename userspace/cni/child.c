// SPDX-License-Identifier: GPL-2.0-only
#include "cni/child.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cni/error.h"
#include "cni/ipam.h"
#include "net/link.h"

static int get(const struct up_cni *c, int netns, struct up_nl **ret_nl, struct up_link *ret_link,
	       struct up_err *err)
{
	int ret = up_nl_open_in(NETLINK_ROUTE, netns, ret_nl, err);

	return ret ? ret : up_link_get(*ret_nl, c->env.ifname, 0, ret_link, err);
}

static int check_absent(const struct up_cni *c, int netns, struct up_err *err)
{
	cleanup_nl struct up_nl *nl = NULL;
	struct up_link link;
	int ret = get(c, netns, &nl, &link, err);

	if (!ret)
		return up_cni_fail(err, UP_CNI_TAKEN, "the container has an interface %s already",
				   c->env.ifname);
	return ret == -ENODEV ? 0 : ret;
}

/* The macvlan plugin leaves it behind where it got no address (1.1.1). */
static void remove_left(const struct up_cni *c, int netns)
{
	cleanup_nl struct up_nl *nl = NULL;
	struct up_link link;

	if (!get(c, netns, &nl, &link, NULL))
		up_link_del(nl, link.ifindex, NULL);
}

int up_cni_child_add(struct up_cni *c, int netns, json_t **ret, struct up_err *err)
{
	int retval = check_absent(c, netns, err);

	if (retval)
		return retval;
	retval = up_cni_ipam_add(c, ret, err);
	if (retval)
		remove_left(c, netns);
	return retval;
}
