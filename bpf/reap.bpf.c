// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ends flows on request (BPF_PROG_RUN): marks them dead and fires their timers, whose callback
 * deletes both directions. Nothing else ever deletes a flow, so this cannot race with expiry.
 */
#include <stdbool.h>

#include <bpf/bpf_endian.h>

#include "lib/maps.h"
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

static long reap_one(void *map __attribute__((unused)), struct up_tuple *key, struct up_flow *f,
		     struct up_reap *r)
{
	if (!f->orig || (r->endpoint && f->owner != r->endpoint && f->peer != r->endpoint))
		return 0;
	if (r->hi && !reap_port_matches(r, key, f))
		return 0;
	f->dead = 1;
	bpf_timer_start(&f->timer, 0, 0);
	r->matched++;
	return 0;
}

SEC("syscall")
int up_reap(struct up_reap *ctx)
{
	struct up_reap r = *ctx;

	r.matched = 0;
	bpf_for_each_map_elem(&up_flows, reap_one, &r, 0);
	ctx->matched = r.matched;
	return 0;
}

char LICENSE[] SEC("license") __weak = "GPL";
