/* SPDX-License-Identifier: GPL-2.0-only */
/* The flow table: a map for each family, and one way to both. */
#ifndef UP_BPF_FLOW_TABLE_H
#define UP_BPF_FLOW_TABLE_H

#include "lib/maps.h"

/** flow_lookup() - the direction that packets with this tuple belong to, or NULL */
static __always_inline struct up_flow *flow_lookup(const struct up_tuple *t)
{
	struct up_tuple4 t4;

	if (!up_addr_is_v4(&t->daddr))
		return bpf_map_lookup_elem(&up_flows6, t);
	t4 = up_tuple_narrow(t);
	return bpf_map_lookup_elem(&up_flows4, &t4);
}

/** flow_add() - Return: 0; -EEXIST where the tuple is taken; -E2BIG or -ENOMEM */
static __always_inline long flow_add(const struct up_tuple *t, const struct up_flow *f)
{
	struct up_tuple4 t4;

	if (!up_addr_is_v4(&t->daddr))
		return bpf_map_update_elem(&up_flows6, t, f, BPF_NOEXIST);
	t4 = up_tuple_narrow(t);
	return bpf_map_update_elem(&up_flows4, &t4, f, BPF_NOEXIST);
}

static __always_inline void flow_remove(const struct up_tuple *t)
{
	struct up_tuple4 t4;

	if (!up_addr_is_v4(&t->daddr)) {
		bpf_map_delete_elem(&up_flows6, t);
		return;
	}
	t4 = up_tuple_narrow(t);
	bpf_map_delete_elem(&up_flows4, &t4);
}

#endif
