// SPDX-License-Identifier: GPL-2.0-only
/*
 * Flows into an endpoint go another way from now on (BPF_PROG_RUN): it got a limit, or lost it.
 * Each flow knows its way, so that packets need not ask the endpoint.
 */
#include "lib/sweep.h"
#include "underpass/reap.h"

/* @from: the flow's up_tuple.ifindex; see endpoint_fwd() */
static __always_inline void steer_flow(struct up_flow *f, __u32 from, const struct up_steer *r)
{
	if (f && f->out.ifindex == r->ifindex && f->fwd <= UP_FWD_QUEUE)
		f->fwd = up_if_transmits(from) ? UP_FWD_QUEUE : r->fwd;
}

static long steer_slot(__u32 index, struct up_steer *r)
{
	struct up_slot *slot = bpf_map_lookup_elem(&up_slots, &index);
	struct up_flow *orig;

	if (!slot)
		return 1;
	if (!slot->used || (slot->owner != r->endpoint && slot->peer != r->endpoint))
		return 0;
	orig = flow_lookup(&slot->key);
	if (!orig)
		return 0;
	steer_flow(orig, slot->key.ifindex, r);
	steer_flow(flow_pair(orig), orig->out.ifindex, r);
	return 0;
}

SEC("syscall")
int up_steer(struct up_steer *ctx)
{
	struct up_sweep *s = sweep_state();
	struct up_steer r = *ctx;

	if (!s || r.fwd > UP_FWD_QUEUE)
		return -1;
	r.busy = !sweep_take(s);
	if (!r.busy) {
		bpf_loop(s->next, steer_slot, &r, 0);
		sweep_give(s);
	}
	ctx->busy = r.busy;
	return 0;
}
