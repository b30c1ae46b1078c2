// SPDX-License-Identifier: GPL-2.0-only
/* Ends flows on request (BPF_PROG_RUN): when it returns, the flows that matched are gone. */
#include <bpf/bpf_endian.h>

#include "lib/flow_end.h"
#include "lib/sweep.h"
#include "underpass/reap.h"

/* An address as a port is published on it. */
static __always_inline bool reap_addr_matches(const struct up_addr *want,
					      const struct up_addr *addr)
{
	const struct up_addr any = UP_ANY, any4 = UP_ANY_V4, any6 = UP_ANY_V6;

	if (up_addr_equal(want, &any))
		return true;
	if (up_addr_equal(want, up_addr_is_v4(addr) ? &any4 : &any6))
		return true;
	return up_addr_equal(want, addr);
}

static __always_inline bool reap_port_matches(const struct up_reap *r, const struct up_tuple *key,
					      const struct up_flow *f)
{
	__u16 port = bpf_ntohs(key->dport);

	if (key->proto != r->proto || port < r->lo || port > r->hi)
		return false;
	/* Only connections that came by the published port, not to the container's own address. */
	return !up_addr_equal(&key->daddr, &f->out.daddr) &&
	       reap_addr_matches(&r->addr, &key->daddr);
}

static long reap_slot(__u32 index, struct up_reap *r)
{
	struct up_slot *slot = bpf_map_lookup_elem(&up_slots, &index);
	struct up_flow *orig;

	if (!slot)
		return 1;
	if (!slot->used || (r->endpoint && slot->owner != r->endpoint && slot->peer != r->endpoint))
		return 0;
	orig = flow_lookup(&slot->key);
	if (!orig || (r->hi && !reap_port_matches(r, &slot->key, orig)))
		return 0;
	r->matched++;
	if (r->recheck)
		slot->check_at = 0;
	else
		flow_delete(index, slot, orig);
	return 0;
}

/* One flow, found by its key. */
static __noinline void reap_exact(struct up_reap *r)
{
	struct up_flow *orig = flow_lookup(&r->flow);
	struct up_slot *slot;
	__u32 index;

	if (!orig || !orig->orig)
		return;
	index = orig->slot;
	slot = bpf_map_lookup_elem(&up_slots, &index);
	if (!slot || !slot->used)
		return;
	flow_delete(index, slot, orig);
	r->matched++;
}

/*
 * The request and its answer are the packet. (A program of type "syscall" would have them for its
 * context; but it may sleep, and before Linux 6.5 may use neither our counters nor our stack then.)
 */
SEC("tc")
int up_reap(struct __sk_buff *skb)
{
	struct up_reap *request = ctx_data(skb), r;
	struct up_sweep *s = sweep_state();

	if (!s || (void *)(request + 1) > ctx_end(skb))
		return -1;
	r = *request;
	r.matched = 0;
	r.busy = !sweep_take(s);
	if (!r.busy) {
		if (r.exact)
			reap_exact(&r);
		else
			bpf_loop(s->next, reap_slot, &r, 0);
		sweep_give(s);
	}
	request->busy = r.busy;
	request->matched = r.matched;
	return 0;
}
