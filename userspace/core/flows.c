// SPDX-License-Identifier: GPL-2.0-only
#include "core/flows.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "core/maps.h"
#include "underpass/reap.h"

#define END_TIMEOUT_MS 5000
#define END_POLL_MS    1

static int reap(struct up_datapath *dp, struct up_reap *r, struct up_err *err)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = r, .data_size_in = sizeof(*r),
		    .data_out = r, .data_size_out = sizeof(*r));

	/* The program writes its answer into the request. */
	if (bpf_prog_test_run_opts(dp->prog[UP_PROG_reap], &opts))
		return up_fail(err, errno, "end flows");
	return opts.retval ? up_fail_msg(err, EIO, "end flows: the program refuses") : 0;
}

/*
 * The program is done at once, unless the sweeper is at work. A packet in flight may have made one
 * more flow just before the caller made that impossible, so ask until none matches.
 */
static int reap_all(struct up_datapath *dp, struct up_reap r, struct up_err *err)
{
	const struct timespec poll = {.tv_nsec = END_POLL_MS * 1000000L};
	int ret;

	for (int ms = 0; ms < END_TIMEOUT_MS; ms += END_POLL_MS) {
		ret = reap(dp, &r, err);
		if (ret || (!r.busy && (!r.matched || r.recheck)))
			return ret;
		if (r.busy)
			nanosleep(&poll, NULL);
	}
	return up_fail(err, ETIMEDOUT, "end flows");
}

int up_flows_end(struct up_datapath *dp, uint32_t endpoint, const struct up_publish *pub,
		 struct up_err *err)
{
	struct up_reap r = {.endpoint = endpoint};

	if (pub) {
		r.addr = pub->addr;
		r.proto = pub->proto;
		r.lo = pub->lo;
		r.hi = pub->hi;
	}
	return reap_all(dp, r, err);
}

int up_flow_end(struct up_datapath *dp, const struct up_tuple *key, struct up_err *err)
{
	return reap_all(dp, (struct up_reap){.exact = 1, .flow = *key}, err);
}

int up_flows_recheck(struct up_datapath *dp, struct up_err *err)
{
	return reap_all(dp, (struct up_reap){.recheck = 1}, err);
}

#define BATCH 1024

struct batch {
	union {
		struct up_tuple4 key4[BATCH];
		struct up_tuple key6[BATCH];
	};
	struct up_flow flow[BATCH];
};

static int batch_each(const struct batch *b, uint32_t n, bool v4, up_flow_fn *fn, void *arg)
{
	int ret = 0;

	for (uint32_t i = 0; !ret && i < n; i++) {
		struct up_tuple key = v4 ? up_tuple_widen(&b->key4[i]) : b->key6[i];

		if (b->flow[i].orig)
			ret = fn(&key, &b->flow[i], arg);
	}
	return ret;
}

/* In batches by bucket, which come to an end however fast flows come and go. */
static int table_each(int map, struct batch *b, bool v4, up_flow_fn *fn, void *arg)
{
	uint32_t pos, n = BATCH;
	int ret = 0, last = 0;
	bool first = true;

	while (!ret && !last) {
		n = BATCH;
		last = bpf_map_lookup_batch(map, first ? NULL : &pos, &pos, b->key6, b->flow, &n,
					    NULL);
		if (last && errno != ENOENT)
			return -errno;
		first = false;
		ret = batch_each(b, n, v4, fn, arg);
	}
	return ret;
}

int up_flows_foreach(struct up_datapath *dp, up_flow_fn *fn, void *arg)
{
	cleanup_free struct batch *b = malloc(sizeof(*b));
	int ret;

	if (!b)
		return -ENOMEM;
	ret = table_each(dp->map[UP_MAP_flows4], b, true, fn, arg);
	return ret ? ret : table_each(dp->map[UP_MAP_flows6], b, false, fn, arg);
}

uint32_t up_flows_max(struct up_datapath *dp)
{
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(dp->map[UP_MAP_flows4], &info, &len))
		return 0;
	return info.max_entries / 2;
}
