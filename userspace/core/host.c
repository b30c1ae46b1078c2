// SPDX-License-Identifier: GPL-2.0-only
/* What the programs know of the host itself: its addresses, and the ports it keeps. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "core/maps.h"
#include "core/uplinks.h"
#include "net/link.h"

struct addresses {
	size_t n;
	struct up_ifaddr at[UP_LOCAL_MAX];
};

static int collect(const struct up_ifaddr *addr, void *arg)
{
	struct addresses *all = arg;

	if (all->n == UP_LOCAL_MAX)
		return -ENOSPC;
	all->at[all->n++] = *addr;
	return 0;
}

static bool has(const struct addresses *all, const struct up_addr *addr)
{
	for (size_t i = 0; i < all->n; i++)
		if (up_addr_equal(&all->at[i].addr, addr))
			return true;
	return false;
}

/* The new ones first, so that no address is missing in between. */
static int update_local(int map, const struct addresses *all)
{
	struct up_addr key, *prev = NULL, last;
	uint8_t one = 1;

	for (size_t i = 0; i < all->n; i++)
		if (bpf_map_update_elem(map, &all->at[i].addr, &one, BPF_ANY))
			return -errno;
	while (!bpf_map_get_next_key(map, prev, &key)) {
		if (has(all, &key)) {
			last = key;
			prev = &last;
		} else if (bpf_map_delete_elem(map, &key)) {
			return -errno;
		}
	}
	return 0;
}

/* The first address of an uplink that is fit for it, by family. */
static void primary_addresses(const struct addresses *all, int ifindex, struct up_uplink *uplink)
{
	memset(uplink->addr, 0, sizeof(uplink->addr));
	for (size_t i = 0; i < all->n; i++) {
		const struct up_ifaddr *a = &all->at[i];
		struct up_addr *primary = &uplink->addr[up_addr_family(&a->addr)];

		if (a->ifindex == ifindex && a->primary && !up_addr_set(primary))
			*primary = a->addr;
	}
}

static int update_uplinks(const struct up_datapath *dp, const struct addresses *all)
{
	int map = dp->map[UP_MAP_uplinks];
	uint32_t keys[UP_UPLINK_MAX];
	size_t n = up_uplink_list(dp, keys);
	struct up_uplink uplink;

	for (size_t i = 0; i < n; i++) {
		if (bpf_map_lookup_elem(map, &keys[i], &uplink))
			return -errno;
		primary_addresses(all, (int)keys[i], &uplink);
		if (bpf_map_update_elem(map, &keys[i], &uplink, BPF_EXIST))
			return -errno;
	}
	return 0;
}

#define RESERVED_PATH  "/proc/sys/net/ipv4/ip_local_reserved_ports"
#define RESERVED_SHORT 4095U
#define RESERVED_MAX   (1U << 20)

/* "8080,9000-9010": ports that the administrator keeps for services to come. */
static void parse_reserved(const char *text, __u64 bits[65536 / 64])
{
	unsigned int lo, hi;
	int n;

	memset(bits, 0, 65536 / 8);
	for (; sscanf(text, "%5u%n", &lo, &n) == 1; text += *text == ',') {
		text += n;
		hi = lo;
		if (*text == '-' && sscanf(text, "-%5u%n", &hi, &n) == 1)
			text += n;
		for (unsigned int port = lo; port <= hi && port < 65536; port++)
			bits[port / 64] |= 1ULL << (port % 64);
	}
}

/* The kernel needs as much memory as it is asked for, and time to clear it: so for little at first.
 */
static ssize_t read_reserved(char **ret_text)
{
	ssize_t len = up_file_read(RESERVED_PATH, RESERVED_SHORT, ret_text, NULL);

	return len == -EFBIG ? up_file_read(RESERVED_PATH, RESERVED_MAX, ret_text, NULL) : len;
}

static int update_reserved(struct up_datapath *dp)
{
	cleanup_free char *text = NULL;
	struct up_config conf;
	int ret;

	if (read_reserved(&text) < 0)
		return 0;
	/* Another command may have changed settings since this one opened the datapath. */
	ret = up_conf_read(dp, &conf, NULL);
	if (ret)
		return ret;
	parse_reserved(text, conf.reserved);
	return up_conf_write(dp, &conf, NULL);
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
		ret = update_uplinks(dp, all);
	if (!ret)
		ret = update_reserved(dp);
	return ret ? up_fail(err, ret, "tell the programs the host's addresses") : 0;
}
