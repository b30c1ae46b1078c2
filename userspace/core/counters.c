// SPDX-License-Identifier: GPL-2.0-only
#include "core/counters.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "core/maps.h"

static const struct {
	const char *name, *text;
} counters[UP_CNT_MAX] = {
#define UP_COUNTER_WORDS(id, name, text) [UP_CNT_##id] = {name, text},
	UP_COUNTERS(UP_COUNTER_WORDS)
#undef UP_COUNTER_WORDS
};

const char *up_counter_name(enum up_counter id)
{
	return counters[id].name;
}

const char *up_counter_text(enum up_counter id)
{
	return counters[id].text;
}

static int sum_over_cpus(int map, uint32_t n, uint64_t *ret_values, struct up_err *err)
{
	int cpus = libbpf_num_possible_cpus();
	cleanup_free uint64_t *values = cpus > 0 ? calloc((size_t)cpus, sizeof(*values)) : NULL;

	if (!values)
		return up_fail(err, cpus < 0 ? cpus : ENOMEM, "read the counters");
	for (uint32_t id = 0; id < n; id++) {
		if (bpf_map_lookup_elem(map, &id, values))
			return up_fail(err, errno, "read the counters");
		ret_values[id] = 0;
		for (int cpu = 0; cpu < cpus; cpu++)
			ret_values[id] += values[cpu];
	}
	return 0;
}

int up_counters_read(struct up_datapath *dp, uint64_t ret_values[UP_CNT_MAX], struct up_err *err)
{
	return sum_over_cpus(dp->map[UP_MAP_counters], UP_CNT_MAX, ret_values, err);
}

static const char *const snat_hist_names[UP_SNAT_HIST] = {
	"1", "2", "3-4", "5-8", "9-16", "17-32", "33-64", "refused",
};

_Static_assert(1 << (UP_SNAT_HIST - 2) == UP_SNAT_TRIES, "the names are those of all tries");

const char *up_snat_hist_name(unsigned int row)
{
	return snat_hist_names[row];
}

int up_snat_hist_read(struct up_datapath *dp, uint64_t ret_values[UP_SNAT_HIST], struct up_err *err)
{
	return sum_over_cpus(dp->map[UP_MAP_snat_hist], UP_SNAT_HIST, ret_values, err);
}
