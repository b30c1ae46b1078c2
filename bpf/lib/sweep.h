/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sweeper's token. Whoever walks over all flows holds it, and nobody else deletes one: the
 * timer, which looks for age (sweep.bpf.c), or user space, which ends (reap.bpf.c) or steers
 * (steer.bpf.c) what matches a request.
 */
#ifndef UP_BPF_SWEEP_H
#define UP_BPF_SWEEP_H

#include "lib/flow.h"

static __always_inline bool sweep_take(struct up_sweep *s)
{
	return !__sync_val_compare_and_swap(&s->busy, 0, 1);
}

static __always_inline void sweep_give(struct up_sweep *s)
{
	__sync_lock_test_and_set(&s->busy, 0);
}

#endif
