/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which source ports are taken towards a destination that nearly all are taken for.
 *
 * Trying ports at random finds a free one soon as long as there are many; with the last few of
 * 64,000 it would take thousands of tries. So, once a search was long, the destination gets a
 * bitmap of the ports that are known to be taken: each failing try sets a bit, the end of a flow
 * clears it, and a search picks among the ports whose bit is 0. The bitmap is a hint: what decides
 * is still the claim of the reply tuple. There are few of them, and the least used one goes when
 * another destination needs one; its bits are then found out again, a few with each search.
 */
#ifndef UP_BPF_SNAT_MAP_H
#define UP_BPF_SNAT_MAP_H

#include <stdbool.h>
#include <bpf/bpf_endian.h>

#include "lib/maps.h"
#include "lib/port.h"

#define SNAT_WORDS (65536 / 64)

struct snat_map_key {
	struct up_addr saddr, daddr;
	__be16 dport;
	__u8 proto, pad;
};

struct snat_map {
	__u64 taken[SNAT_WORDS];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, UP_SNAT_MAPS);
	__type(key, struct snat_map_key);
	__type(value, struct snat_map);
} up_snat_maps SEC(".maps");

/* What a new one starts as. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct snat_map);
} up_snat_empty SEC(".maps");

/** snat_map_find() - the bitmap of a destination, NULL where it has none */
static __noinline struct snat_map *snat_map_find(const struct up_tuple *out, bool create)
{
	struct snat_map_key key = {
		.saddr = out->saddr,
		.daddr = out->daddr,
		.dport = out->dport,
		.proto = out->proto,
	};
	struct snat_map *m = bpf_map_lookup_elem(&up_snat_maps, &key);
	__u32 zero = 0;

	if (m || !create)
		return m;
	m = bpf_map_lookup_elem(&up_snat_empty, &zero);
	if (!m)
		return NULL;
	bpf_map_update_elem(&up_snat_maps, &key, m, BPF_NOEXIST);
	return bpf_map_lookup_elem(&up_snat_maps, &key);
}

/** snat_map_set() - this one is known to be taken */
static __always_inline void snat_map_set(const struct up_tuple *out)
{
	struct snat_map *m = snat_map_find(out, false);
	__u16 p = bpf_ntohs(out->sport);

	if (m)
		__sync_fetch_and_or(&m->taken[p / 64], 1ULL << (p % 64));
}

/** snat_map_clear() - a flow that left with this tuple has ended */
static __always_inline void snat_map_clear(const struct up_tuple *out)
{
	struct snat_map *m = snat_map_find(out, false);
	__u16 p = bpf_ntohs(out->sport);

	if (m)
		__sync_fetch_and_and(&m->taken[p / 64], ~(1ULL << (p % 64)));
}

/**
 * struct snat_pick - search for a port whose bit is 0
 * @m:        the bitmap
 * @half:     ports that are published are not free either
 * @conf:     nor are those that are reserved
 * @start:    word to begin with
 * @turn:     bit of each word to begin with
 * @lo, @hi:  range, host byte order
 * @proto:    enum up_port_proto
 * @ret_port: what was found, host byte order; 0 for nothing
 */
struct snat_pick {
	const struct snat_map *m;
	const struct up_port_half *half;
	const struct up_config *conf;
	__u32 start, turn, lo, hi, proto;
	__u32 ret_port;
};

/* Bits of word @w that are outside of [lo, hi]. */
static __always_inline __u64 outside_range(__u32 w, __u32 lo, __u32 hi)
{
	__u64 out = 0;

	if (w < lo / 64 || w > hi / 64)
		return ~0ULL;
	if (w == lo / 64)
		out |= (1ULL << (lo % 64)) - 1;
	if (w == hi / 64 && hi % 64 != 63)
		out |= ~0ULL << (hi % 64 + 1);
	return out;
}

/* Position of the lowest bit that is set; @v is not 0. BPF has no instruction for it: each of the
 * 64 products has other bits at its top (Leiserson, Prokop, Randall: de Bruijn sequences, 1998). */
static __always_inline __u32 lowest_bit(__u64 v)
{
	static const __u8 position[64] = {
		0,  1,  56, 2,  57, 49, 28, 3,  61, 58, 42, 50, 38, 29, 17, 4,
		62, 47, 59, 36, 45, 43, 51, 22, 53, 39, 33, 30, 24, 18, 12, 5,
		63, 55, 48, 27, 60, 41, 37, 16, 46, 35, 44, 21, 52, 32, 23, 11,
		54, 26, 40, 15, 34, 20, 31, 10, 25, 14, 19, 9,  13, 8,  7,  6,
	};

	return position[((v & -v) * 0x03f79d71b4ca8b09ULL) >> 58 & 63];
}

static long snat_pick_step(__u32 i, struct snat_pick *s)
{
	__u32 w = (s->start + i) % SNAT_WORDS;
	__u32 proto = s->proto;
	__u64 taken, free;

	if (proto >= UP_PORT_PROTOS)
		return 1;
	taken = s->m->taken[w] | s->half->bits[proto][w] | s->conf->reserved[w] |
		outside_range(w, s->lo, s->hi);
	if (!~taken)
		return 0;
	free = ~taken >> (s->turn & 63) | ~taken << (-s->turn & 63);
	s->ret_port = w * 64 + ((lowest_bit(free) + s->turn) & 63);
	return 1;
}

/**
 * snat_map_pick() - a port that may be free, anywhere in the range
 * @out: what the flow is to leave with; its bitmap is there
 *
 * Return: host byte order; 0 where none is
 */
int snat_map_pick(const struct up_tuple *out)
{
	struct snat_pick s = {.half = port_half(), .conf = config()};
	int proto;

	if (!out || !s.half || !s.conf)
		return 0;
	s.m = snat_map_find(out, false);
	if (!s.m)
		return 0;
	proto = port_proto(out->proto);
	s.proto = proto < 0 ? UP_PORT_TCP : proto;
	s.lo = s.conf->snat_lo;
	s.hi = s.conf->snat_hi;
	s.start = bpf_get_prandom_u32();
	s.turn = s.start >> 16;
	bpf_loop(SNAT_WORDS, snat_pick_step, &s, 0);
	return s.ret_port;
}

#endif
