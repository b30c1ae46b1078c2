/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Deleting flows. Only the holder of the sweeper's token deletes: the timer, which looks for age
 * (sweep.bpf.c), or user space, which ends what matches a request (reap.bpf.c).
 */
#ifndef UP_BPF_SWEEP_H
#define UP_BPF_SWEEP_H

#include "lib/flow.h"
#include "lib/snat_map.h"

static __always_inline bool sweep_take(struct up_sweep *s)
{
	return !__sync_val_compare_and_swap(&s->busy, 0, 1);
}

static __always_inline void sweep_give(struct up_sweep *s)
{
	__sync_lock_test_and_set(&s->busy, 0);
}

/* Delete both directions and free the slot, in this order: a slot is free only when nothing is
 * left. */
static __noinline void flow_delete(__u32 index, struct up_slot *slot, const struct up_flow *orig)
{
	struct up_tuple key = slot->key, pair;

	if (orig) {
		endpoint_uncount(slot->owner);
		if (orig->fwd != UP_FWD_HOST) {
			tuple_reverse(&orig->out, &pair);
			bpf_map_delete_elem(&up_flows, &pair);
			snat_map_clear(&orig->out);
		}
		bpf_map_delete_elem(&up_flows, &key);
		count(UP_CNT_FLOW_EXPIRED);
	}
	if (!bpf_map_push_elem(&up_free_slots, &index, 0))
		slot->used = 0;
}

#endif
