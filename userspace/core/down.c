// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "core/bpffs.h"
#include "core/endpoint_priv.h"
#include "core/hooks.h"
#include "core/maps.h"
#include "core/netdev.h"
#include "net/nl.h"

int up_datapath_remove(struct up_datapath *dp, struct up_err *err)
{
	cleanup_nl struct up_nl *nl = NULL;
	uint32_t key;
	int ret = up_nl_open(NETLINK_ROUTE, &nl, err);

	if (!ret)
		ret = up_macvlan_remove_all(nl, err);
	if (ret)
		return ret;
	while (dp && !bpf_map_get_next_key(dp->map[UP_MAP_uplinks], NULL, &key)) {
		up_hook_uplink_remove((int)key, NULL);
		if (bpf_map_delete_elem(dp->map[UP_MAP_uplinks], &key))
			break;
	}
	return up_bpffs_remove(err);
}

static int remove_endpoints(struct up_datapath *dp, bool force, struct up_err *err)
{
	cleanup_nl struct up_nl *nl = NULL;
	int ret = up_nl_open(NETLINK_ROUTE, &nl, err);

	for (uint32_t id = 1; !ret && id < UP_ENDPOINT_MAX; id++) {
		if (dp->endpoints[id].state == UP_ENDPOINT_FREE)
			continue;
		if (!force && up_endpoint_lives(dp, nl, id))
			return up_fail_msg(err, EBUSY,
					   "endpoint %.63s lives: remove it first, or use --force",
					   dp->endpoints[id].name);
		ret = up_endpoint_remove(dp, nl, id, err);
	}
	return ret;
}

int up_datapath_down(bool force, struct up_err *err)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	cleanup_fd int lock = up_lock(err);
	int ret = lock < 0 ? lock : up_datapath_open(&dp, err);

	/* What cannot be opened (another version's, or half of something) can still be removed. */
	if (ret == -EPROTO && force)
		return up_datapath_remove(NULL, err);
	if (!ret)
		ret = remove_endpoints(dp, force, err);
	return ret ? ret : up_datapath_remove(dp, err);
}
