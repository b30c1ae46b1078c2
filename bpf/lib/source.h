/* SPDX-License-Identifier: GPL-2.0-only */
/* How many connections to published ports one source makes in a second. */
#ifndef UP_BPF_SOURCE_H
#define UP_BPF_SOURCE_H

#include <stdbool.h>

#include "lib/flow.h"

/* An LRU: a flood of forged sources costs the counts of others, and no connection. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, UP_SOURCE_MAX);
	__type(key, struct up_addr);
	__type(value, struct up_source);
} up_sources SEC(".maps");

/* Whoever has an IPv6 address has a /64 of them (RFC 6177). */
static __always_inline struct up_addr source_key(const struct up_addr *addr)
{
	struct up_addr key = *addr;

	if (!up_addr_is_v4(addr))
		key.w[2] = key.w[3] = 0;
	return key;
}

/**
 * source_may_connect() - charge one more connection to its source
 *
 * Return: false where it made its share of this second's already
 */
static __noinline bool source_may_connect(const struct up_addr *addr)
{
	const struct up_config *conf = config();
	struct up_source fresh = {.second = now_sec(), .count = 1};
	struct up_addr key = source_key(addr);
	struct up_source *s;

	if (!conf || !conf->source_rate)
		return true;
	s = bpf_map_lookup_elem(&up_sources, &key);
	if (!s || s->second != fresh.second) {
		bpf_map_update_elem(&up_sources, &key, &fresh, BPF_ANY);
		return true;
	}
	return __sync_fetch_and_add(&s->count, 1) < conf->source_rate;
}

#endif
