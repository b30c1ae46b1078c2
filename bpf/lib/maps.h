/* SPDX-License-Identifier: GPL-2.0-only */
/* Every map of the datapath. */
#ifndef UP_BPF_MAPS_H
#define UP_BPF_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "underpass/counter.h"
#include "underpass/endpoint.h"
#include "underpass/flow.h"
#include "underpass/port.h"

/*
 * The flow table: both directions of every flow, two entries each, by family (lib/flow_table.h).
 * Not an LRU: a new flow never evicts a live one (see flow.h). Not preallocated: an idle host holds
 * no memory for flows that it does not have.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 2 * UP_FLOW_DEFAULT);
	__type(key, struct up_tuple4);
	__type(value, struct up_flow);
} up_flows4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 2 * UP_FLOW_DEFAULT);
	__type(key, struct up_tuple);
	__type(value, struct up_flow);
} up_flows6 SEC(".maps");

/* The flow list: a slot for each flow, so that a sweep can go on where it stopped. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, UP_FLOW_DEFAULT);
	__type(key, __u32);
	__type(value, struct up_slot);
} up_slots SEC(".maps");

/* Slots below up_sweep.next that are free again. */
struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, UP_FLOW_DEFAULT);
	__type(value, __u32);
} up_free_slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct up_sweep);
} up_sweep SEC(".maps");

/* Rows are written through a mapping, so that the programs' counts are never overwritten. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, UP_ENDPOINT_MAX);
	__type(key, __u32);
	__type(value, struct up_endpoint);
} up_endpoints SEC(".maps");

/* ifindex of the host's end of a veth to endpoint id */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, UP_ENDPOINT_MAX);
	__type(key, __u32);
	__type(value, __u32);
} up_ep_by_if SEC(".maps");

/* container address to endpoint id */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, UP_FAMILIES *UP_ENDPOINT_MAX);
	__type(key, struct up_addr);
	__type(value, __u32);
} up_ep_by_addr SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct up_port_table);
} up_ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, UP_UPLINK_MAX);
	__type(key, __u32);
	__type(value, struct up_uplink);
} up_uplinks SEC(".maps");

/* The host's own addresses, for hooks that have no FIB: refreshed by every command that changes. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, UP_LOCAL_MAX);
	__type(key, struct up_addr);
	__type(value, __u8);
} up_local SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct up_config);
} up_conf SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, UP_CNT_MAX);
	__type(key, __u32);
	__type(value, __u64);
} up_counters SEC(".maps");

/* Lists of sources: who may use a published port, and who may do nothing. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, UP_ALLOW_MAX);
	__type(key, struct up_allow_key);
	__type(value, __u8);
} up_allow SEC(".maps");

/* Fragmented packets under way. An LRU: a flood of first fragments costs other fragments, not
 * flows.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, UP_FRAG_MAX);
	__type(key, struct up_frag_key);
	__type(value, struct up_frag);
} up_frags SEC(".maps");

char LICENSE[] SEC("license") = "GPL";

static __always_inline struct up_config *config(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&up_conf, &zero);
}

/** count() - one more on this CPU's counter */
static __always_inline void count(enum up_counter id)
{
	__u32 key = id;
	__u64 *n = bpf_map_lookup_elem(&up_counters, &key);

	if (n)
		(*n)++;
}

#endif
