// SPDX-License-Identifier: GPL-2.0-only
/* What the programs know of the host itself: its addresses. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "core/maps.h"
#include "net/link.h"

struct address {
	int ifindex;
	struct in_addr addr;
};

struct addresses {
	size_t n;
	struct address at[UP_LOCAL_MAX];
};

static int collect(int ifindex, struct in_addr addr, uint8_t plen, void *arg)
{
	struct addresses *all = arg;

	(void)plen;
	if (all->n == UP_LOCAL_MAX)
		return -ENOSPC;
	all->at[all->n++] = (struct address){ifindex, addr};
	return 0;
}

static const struct address *find(const struct addresses *all, int ifindex, uint32_t addr)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->at[i].ifindex == ifindex || all->at[i].addr.s_addr == addr)
			return &all->at[i];
	return NULL;
}

/* The new ones first, so that no address is missing in between. */
static int update_local(int map, const struct addresses *all)
{
	struct in_addr key, *prev = NULL, last;
	uint8_t one = 1;

	for (size_t i = 0; i < all->n; i++)
		if (bpf_map_update_elem(map, &all->at[i].addr, &one, BPF_ANY))
			return -errno;
	while (!bpf_map_get_next_key(map, prev, &key)) {
		if (find(all, -1, key.s_addr)) {
			last = key;
			prev = &last;
		} else if (bpf_map_delete_elem(map, &key)) {
			return -errno;
		}
	}
	return 0;
}

/* The first address of an uplink is its primary one. */
static int update_uplinks(int map, const struct addresses *all)
{
	uint32_t key, *prev = NULL, last;

	while (!bpf_map_get_next_key(map, prev, &key)) {
		const struct address *a = find(all, (int)key, 0);
		struct up_uplink uplink = {.addr = a ? a->addr.s_addr : 0};

		if (bpf_map_update_elem(map, &key, &uplink, BPF_EXIST))
			return -errno;
		last = key;
		prev = &last;
	}
	return 0;
}

int up_host_refresh(struct up_datapath *dp, struct up_nl *nl, struct up_err *err)
{
	cleanup_free struct addresses *all = calloc(1, sizeof(*all));
	int ret;

	if (!all)
		return up_fail(err, ENOMEM, "read the host's addresses");
	ret = up_addr_foreach(nl, collect, all, err);
	if (ret)
		return up_wrap(err, "read the host's addresses");
	ret = update_local(dp->map[UP_MAP_local], all);
	if (!ret)
		ret = update_uplinks(dp->map[UP_MAP_uplinks], all);
	return ret ? up_fail(err, ret, "tell the programs the host's addresses") : 0;
}
