// SPDX-License-Identifier: GPL-2.0-only
/* What is attached, and what was counted there. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "core/ride_priv.h"
#include "net/link.h"

static const struct {
	const char *name, *text;
} reasons[UP_RIDE_SLOW_MAX] = {
#define UP_RIDE_SLOW_WORDS(id, name, text) [UP_RIDE_##id] = {name, text},
	UP_RIDE_SLOW(UP_RIDE_SLOW_WORDS)
#undef UP_RIDE_SLOW_WORDS
};

const char *up_ride_slow_name(enum up_ride_slow why)
{
	return reasons[why].name;
}

const char *up_ride_slow_text(enum up_ride_slow why)
{
	return reasons[why].text;
}

static void add_stats(struct up_ride_stats *sum, const struct up_ride_stats *s)
{
	sum->fast += s->fast;
	sum->bytes += s->bytes;
	for (int i = 0; i < UP_RIDE_SLOW_MAX; i++)
		sum->slow[i] += s->slow[i];
}

static int read_stats(const struct up_rides *r, struct up_ride_info *info, struct up_err *err)
{
	int cpus = libbpf_num_possible_cpus();
	cleanup_free struct up_ride_stats *s = cpus > 0 ? calloc((size_t)cpus, sizeof(*s)) : NULL;

	if (!s)
		return up_fail(err, cpus < 0 ? cpus : ENOMEM, "read the counters");
	if (bpf_map_lookup_elem(r->map[UP_RIDE_STATS], &info->ifindex, s))
		return errno == ENOENT ? 0 : up_fail(err, errno, "read the counters");
	for (int cpu = 0; cpu < cpus; cpu++)
		add_stats(&info->stats, &s[cpu]);
	return 0;
}

static int read_row(const struct up_rides *r, struct up_nl *nl, struct up_ride_info *info,
		    struct up_err *err)
{
	struct up_link link;

	if (bpf_map_lookup_elem(r->map[UP_RIDE_ROWS], &info->ifindex, &info->row))
		return up_fail(err, errno, "read what is attached");
	info->row.ifname[sizeof(info->row.ifname) - 1] = '\0';
	info->row.engine[sizeof(info->row.engine) - 1] = '\0';
	info->row.id[sizeof(info->row.id) - 1] = '\0';
	info->row.name[sizeof(info->row.name) - 1] = '\0';
	info->lives = !up_link_get(nl, NULL, (int)info->ifindex, &link, NULL);
	return read_stats(r, info, err);
}

/**
 * struct infos - what is attached
 * @list: as handed out
 * @n:    how many
 * @gen:  generation whose decisions hold
 */
struct infos {
	struct up_ride_info list[UP_RIDE_IFS];
	size_t n;
	uint32_t gen;
};

/* What an entry has counted since it last met the kernel's path is only there. */
static void add_entry(struct infos *all, const struct up_ride *e)
{
	for (size_t i = 0; i < all->n; i++) {
		struct up_ride_info *info = &all->list[i];

		if (e->state != UP_RIDE_LEARNED || info->ifindex != e->iif)
			continue;
		info->cached += e->gen == all->gen;
		info->stats.fast += e->packets;
		info->stats.bytes += e->bytes;
	}
}

#define BATCH 1024

/* In batches by bucket, which come to an end however fast flows come and go. */
static int read_cache(const struct up_rides *r, struct infos *all, struct up_err *err)
{
	cleanup_free struct up_tuple *keys = calloc(BATCH, sizeof(*keys));
	cleanup_free struct up_ride *values = calloc(BATCH, sizeof(*values));
	uint32_t pos, n;
	bool first = true;
	int last = 0;

	if (!keys || !values)
		return up_fail(err, ENOMEM, "read the cache");
	while (!last) {
		n = BATCH;
		last = bpf_map_lookup_batch(r->map[UP_RIDE_CACHE], first ? NULL : &pos, &pos, keys,
					    values, &n, NULL);
		if (last && errno != ENOENT)
			return up_fail(err, errno, "read the cache");
		first = false;
		for (uint32_t i = 0; i < n; i++)
			add_entry(all, &values[i]);
	}
	return 0;
}

static int read_all(const struct up_rides *r, struct infos *all, struct up_err *err)
{
	cleanup_nl struct up_nl *nl = NULL;
	int ret = up_nl_open(NETLINK_ROUTE, &nl, err);
	uint32_t key, *prev = NULL;
	struct up_ride_conf conf;

	if (!ret)
		ret = up_ride_conf_read(r, &conf, err);
	all->gen = ret ? 0 : conf.gen;

	while (!ret && all->n < UP_RIDE_IFS &&
	       !bpf_map_get_next_key(r->map[UP_RIDE_ROWS], prev, &key)) {
		struct up_ride_info *info = &all->list[all->n++];

		info->ifindex = key;
		prev = &info->ifindex;
		ret = read_row(r, nl, info, err);
	}
	return ret ? ret : read_cache(r, all, err);
}

int up_ride_foreach(struct up_rides *r, int (*fn)(const struct up_ride_info *info, void *arg),
		    void *arg, struct up_err *err)
{
	cleanup_free struct infos *all = calloc(1, sizeof(*all));
	int ret;

	if (!all)
		return up_fail(err, ENOMEM, "read what is attached");
	ret = read_all(r, all, err);
	for (size_t i = 0; !ret && i < all->n; i++)
		ret = fn(&all->list[i], arg);
	return ret;
}
