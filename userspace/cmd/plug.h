/* SPDX-License-Identifier: GPL-2.0-only */
/* A container's interfaces: an endpoint for each network that it is in. */
#ifndef UP_CMD_PLUG_H
#define UP_CMD_PLUG_H

#include "cmd/life.h"

/**
 * up_plug_first() - give the container the interface that "run" asks for, with its published ports
 * @r:     whose @dp is open
 * @netns: its network namespace
 * @info:  what came of it
 *
 * The caller calls up_endpoint_settle() when the command runs. Return: 0 or -errno
 */
int up_plug_first(struct up_run *r, int netns, struct up_endpoint_info *info, struct up_err *err);

/**
 * up_plug_further() - give it another one, in another network; with published ports where it is the
 * only one
 * @network: which; refused where the container is in it
 * @addr:    wanted addresses, by enum up_family; all 0 for free ones
 * @device:  what is to connect it
 *
 * Its default routes stay, see up_members_route(); its /etc/hosts gets another line. Return: 0 or
 * -errno, with nothing changed
 */
int up_plug_further(struct up_run *r, int netns, const char *network, const struct up_addr *addr,
		    enum up_netdev_mode device, struct up_err *err);

/**
 * up_unplug() - take the interface in a network away, see up_member_del()
 * @dp:        open datapath
 * @container: whose
 * @network:   which
 * @netns:     of the container, -1 where that is gone
 *
 * Where it had the default route, another interface gets it. Return: 0, -ENOENT, or another -errno
 */
int up_unplug(struct up_datapath *dp, const char *container, const char *network, int netns,
	      struct up_err *err);

#endif
