// SPDX-License-Identifier: GPL-2.0-only
#include "core/flows.h"

#include <bpf/bpf.h>
#include <errno.h>
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
	struct up_tuple key[BATCH];
	struct up_flow flow[BATCH];
};

/* In batches by bucket, which come to an end however fast flows come and go. */
int up_flows_foreach(struct up_datapath *dp,
		     int (*fn)(const struct up_tuple *key, const struct up_flow *flow, void *arg),
		     void *arg)
{
	cleanup_free struct batch *b = malloc(sizeof(*b));
	uint32_t pos, n = BATCH;
	int ret = 0, last = 0;
	bool first = true;

	if (!b)
		return -ENOMEM;
	while (!ret && !last) {
		n = BATCH;
		last = bpf_map_lookup_batch(dp->map[UP_MAP_flows], first ? NULL : &pos, &pos,
					    b->key, b->flow, &n, NULL);
		if (last && errno != ENOENT)
			return -errno;
		first = false;
		for (uint32_t i = 0; !ret && i < n; i++)
			if (b->flow[i].orig)
				ret = fn(&b->key[i], &b->flow[i], arg);
	}
	return ret;
}

uint32_t up_flows_max(struct up_datapath *dp)
{
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(dp->map[UP_MAP_flows], &info, &len))
		return 0;
	return info.max_entries / 2;
}
