/* SPDX-License-Identifier: GPL-2.0-only */
/* The end of a flow; for the holder of the sweeper's token (sweep.h). */
#ifndef UP_BPF_FLOW_END_H
#define UP_BPF_FLOW_END_H

#include "lib/flow.h"
#include "lib/snat_map.h"

/* Delete both directions and free the slot, in this order: a slot is free only when nothing is
 * left. */
static __noinline void flow_delete(__u32 index, struct up_slot *slot, const struct up_flow *orig)
{
	struct up_tuple key = slot->key, pair;

	if (orig) {
		endpoint_uncount(slot->owner);
		if (orig->fwd != UP_FWD_HOST) {
			tuple_reverse(&orig->out, &pair);
			flow_remove(&pair);
			snat_map_ended(&orig->out);
		}
		flow_remove(&key);
		count(UP_CNT_FLOW_EXPIRED);
	}
	/* From the push on the slot may be another flow's. */
	slot->used = 0;
	if (bpf_map_push_elem(&up_free_slots, &index, 0))
		slot->used = 1;
}

#endif
