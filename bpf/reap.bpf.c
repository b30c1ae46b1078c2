// SPDX-License-Identifier: GPL-2.0-only
/* Ends flows on request (BPF_PROG_RUN): when it returns, the flows that matched are gone. */
#include <bpf/bpf_endian.h>

#include "lib/sweep.h"
#include "underpass/reap.h"

static __always_inline bool reap_port_matches(const struct up_reap *r, const struct up_tuple *key,
					      const struct up_flow *f)
{
	__u16 port = bpf_ntohs(key->dport);

	if (key->proto != r->proto || port < r->lo || port > r->hi)
		return false;
	/* Only connections that came by the published port, not to the container's own address. */
	return key->daddr != f->out.daddr && (!r->addr || r->addr == key->daddr);
}

static long reap_slot(__u32 index, struct up_reap *r)
{
	struct up_slot *slot = bpf_map_lookup_elem(&up_slots, &index);
	struct up_flow *orig;

	if (!slot)
		return 1;
	if (!slot->used || (r->endpoint && slot->owner != r->endpoint && slot->peer != r->endpoint))
		return 0;
	orig = bpf_map_lookup_elem(&up_flows, &slot->key);
	if (!orig || (r->hi && !reap_port_matches(r, &slot->key, orig)))
		return 0;
	flow_delete(index, slot, orig);
	r->matched++;
	return 0;
}

SEC("syscall")
int up_reap(struct up_reap *ctx)
{
	struct up_sweep *s = sweep_state();
	struct up_reap r = *ctx;

	if (!s)
		return -1;
	r.matched = 0;
	r.busy = !sweep_take(s);
	if (!r.busy) {
		bpf_loop(s->next, reap_slot, &r, 0);
		sweep_give(s);
	}
	ctx->busy = r.busy;
	ctx->matched = r.matched;
	return 0;
}
