// SPDX-License-Identifier: GPL-2.0-only
#include "core/uplinks.h"

#include <bpf/bpf.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "core/hooks.h"
#include "core/maps.h"
#include "core/xdp.h"
#include "net/link.h"

size_t up_uplink_list(const struct up_datapath *dp, uint32_t ret_ifindex[UP_UPLINK_MAX])
{
	uint32_t *prev = NULL;
	size_t n = 0;

	while (n < UP_UPLINK_MAX &&
	       !bpf_map_get_next_key(dp->map[UP_MAP_uplinks], prev, &ret_ifindex[n]))
		prev = &ret_ifindex[n++];
	return n;
}

int up_uplink_foreach(struct up_datapath *dp,
		      int (*fn)(const struct up_uplink_info *info, void *arg), void *arg,
		      struct up_err *err)
{
	cleanup_nl struct up_nl *nl = NULL;
	uint32_t key, last, *prev = NULL;
	int ret = up_nl_open(NETLINK_ROUTE, &nl, err);

	while (!ret && !bpf_map_get_next_key(dp->map[UP_MAP_uplinks], prev, &key)) {
		struct up_uplink_info info = {.ifindex = (int)key};
		struct up_uplink uplink = {};
		struct up_link link;

		bpf_map_lookup_elem(dp->map[UP_MAP_uplinks], &key, &uplink);
		memcpy(info.addr, uplink.addr, sizeof(info.addr));
		info.xdp = uplink.xdp;
		if (uplink.xdp == UP_XDP_FOREIGN)
			up_xdp_foreign((int)key, info.foreign);
		if (!up_link_get(nl, NULL, (int)key, &link, NULL))
			snprintf(info.name, sizeof(info.name), "%s", link.name);
		ret = fn(&info, arg);
		last = key;
		prev = &last;
	}
	return ret;
}

bool up_datapath_has_tcx(const struct up_datapath *dp)
{
	return up_hook_has_tcx(dp->prog[UP_PROG_veth_in]);
}
