/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which source ports are taken towards a destination that nearly all are taken for. Theory of
 * operation
 * ==========================
 * Trying ports at random finds a free one soon as long as there are many; with the last few of
 * 64,000 it would take thousands of tries. So a crowded destination gets a bitmap of its taken
 * ports, and a search picks among those whose bit is 0.
 *
 * Noticed: of some of the flows that begin, a few ports of the same destination are looked up at
 * random in the flow table. All of them taken: it is crowded. The table itself is asked, so nothing
 * needs to be counted for each destination, and nobody can make it lie.
 *
 * Complete: whoever begins or ends a flow there sets or clears its bit; what there was before is
 * looked up by the word of 64 ports, one with each flow that begins or ends, so that a destination
 * that was noticed well before it is full is known entirely before it is. A search does more of it.
 *
 * Only a hint: the claim of the reply tuple decides. A bit that is 0 for a taken port costs a try,
 * which sets it. A bit that is 1 for a free one (its flow ended while the port was looked up; the
 * host itself had the port) is found out in time, since each search looks up one word more, round
 * and round.
 *
 * Bounded: there is no bitmap without thousands of flows, and it goes when they have ended. No
 * bitmap evicts another one; where there are too many, a destination does without.
 */
#ifndef UP_BPF_SNAT_MAP_H
#define UP_BPF_SNAT_MAP_H

#include <stdbool.h>
#include <bpf/bpf_endian.h>

#include "lib/maps.h"
#include "lib/port.h"

#define SNAT_WORDS (65536 / 64)

#define SNAT_SAMPLE      16 /* one in so many flows that begin looks whether it is crowded there */
#define SNAT_CROWD_TRIES 8  /* so many ports in a row are taken there */
#define SNAT_QUIET       16 /* the bitmap goes when one port in so many is taken */

/* Words that are looked up: by a flow that begins or ends, and by a search, as long as the bitmap
 * is incomplete; by a search afterwards; and by one that found nothing. */
#define SNAT_LEARN_FLOW    1
#define SNAT_LEARN_SEARCH  16
#define SNAT_LEARN_AGAIN   1
#define SNAT_LEARN_REFUSED 1

struct snat_map_key {
	struct up_addr saddr, daddr;
	__be16 dport;
	__u8 proto, pad;
};

/**
 * struct snat_map - a crowded destination
 * @taken:   a bit for each port
 * @learned: words that were looked up, of those that the range touches, round and round
 * @n:       bits of the range that are set
 */
struct snat_map {
	__u64 taken[SNAT_WORDS];
	__u32 learned;
	__u32 n;
};

/* Preallocated: nobody can be sure of 8 KB where a packet is handled. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, UP_SNAT_MAPS);
	__type(key, struct snat_map_key);
	__type(value, struct snat_map);
} up_snat_maps SEC(".maps");

/**
 * struct snat_crowds - all of them
 * @n:     how many: while there is none, beginning and ending flows cost one load
 * @pad:   0
 * @empty: what a new one starts as
 */
struct snat_crowds {
	__u32 n, pad;
	struct snat_map empty;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct snat_crowds);
} up_snat_crowds SEC(".maps");

static __always_inline struct snat_crowds *snat_crowds(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&up_snat_crowds, &zero);
}

static __always_inline struct snat_map_key snat_map_key(const struct up_tuple *out)
{
	return (struct snat_map_key){
		.saddr = out->saddr,
		.daddr = out->daddr,
		.dport = out->dport,
		.proto = out->proto,
	};
}

/** snat_map_find() - the bitmap of a destination, NULL where it has none */
static __noinline struct snat_map *snat_map_find(const struct up_tuple *out)
{
	struct snat_crowds *crowds = snat_crowds();
	struct snat_map_key key = snat_map_key(out);

	return crowds && crowds->n ? bpf_map_lookup_elem(&up_snat_maps, &key) : NULL;
}

/** snat_map_make() - the same, and make it. NULL where there are too many */
static __noinline struct snat_map *snat_map_make(const struct up_tuple *out)
{
	struct snat_crowds *crowds = snat_crowds();
	struct snat_map_key key = snat_map_key(out);

	if (!crowds)
		return NULL;
	if (!bpf_map_update_elem(&up_snat_maps, &key, &crowds->empty, BPF_NOEXIST))
		__sync_fetch_and_add(&crowds->n, 1);
	return bpf_map_lookup_elem(&up_snat_maps, &key);
}

static __noinline void snat_map_drop(const struct up_tuple *out)
{
	struct snat_crowds *crowds = snat_crowds();
	struct snat_map_key key = snat_map_key(out);

	if (crowds && !bpf_map_delete_elem(&up_snat_maps, &key))
		__sync_fetch_and_add(&crowds->n, -1);
}

/** snat_map_mark() - a port is taken, or it is not
 * @port: host byte order
 */
static __always_inline void snat_map_mark(struct snat_map *m, __u16 port, bool taken)
{
	__u64 *word = &m->taken[port / 64], bit = 1ULL << (port % 64), old = *word;

	if (!!(old & bit) == taken)
		return;
	old = taken ? __sync_fetch_and_or(word, bit) : __sync_fetch_and_and(word, ~bit);
	if (!!(old & bit) != taken)
		__sync_fetch_and_add(&m->n, taken ? 1 : -1);
}

/* Words that a range of ports touches. */
static __always_inline __u32 snat_words(const struct up_config *conf)
{
	return conf->snat_hi / 64 - conf->snat_lo / 64 + 1;
}

static __always_inline bool snat_map_complete(const struct snat_map *m)
{
	const struct up_config *conf = config();

	return conf && conf->snat_hi >= conf->snat_lo && m->learned >= snat_words(conf);
}

/**
 * struct snat_learn - ports that are looked up in the flow table
 * @m:      where what is found is noted
 * @answer: the tuple that a flow expects its answers with
 * @base:   first port of the range's first word, host byte order
 * @first:  where to begin, from there
 * @range:  ports of all words
 */
struct snat_learn {
	struct snat_map *m;
	struct up_tuple answer;
	__u32 base, first, range;
};

static long snat_learn_step(__u32 i, struct snat_learn *l)
{
	__u16 port = l->base + (l->first + i) % l->range;

	l->answer.dport = bpf_htons(port);
	snat_map_mark(l->m, port, flow_lookup(&l->answer));
	return 0;
}

/** snat_map_learn() - look up the next words */
static __noinline void snat_map_learn(struct snat_map *m, const struct up_tuple *out, __u32 words)
{
	const struct up_config *conf = config();
	struct snat_learn l = {.m = m};

	if (!conf || conf->snat_hi < conf->snat_lo)
		return;
	tuple_reverse(out, &l.answer);
	l.base = conf->snat_lo / 64 * 64;
	l.range = snat_words(conf) * 64;
	l.first = __sync_fetch_and_add(&m->learned, words) * 64;
	bpf_loop(words * 64, snat_learn_step, &l, 0);
}

/* Are so many ports of the range taken that one tried at random hardly is free? */
static __noinline bool snat_is_crowded(const struct up_tuple *out)
{
	const struct up_config *conf = config();
	struct up_tuple answer;

	if (!conf || conf->snat_hi < conf->snat_lo)
		return false;
	tuple_reverse(out, &answer);
	for (int i = 0; i < SNAT_CROWD_TRIES; i++) {
		answer.dport =
			bpf_htons(conf->snat_lo +
				  bpf_get_prandom_u32() % (conf->snat_hi - conf->snat_lo + 1));
		if (!flow_lookup(&answer))
			return false;
	}
	return true;
}

static __always_inline bool snat_in_range(const struct up_tuple *out)
{
	const struct up_config *conf = config();
	__u16 port = bpf_ntohs(out->sport);

	return conf && port >= conf->snat_lo && port <= conf->snat_hi;
}

/** snat_map_began() - a flow that leaves with this tuple has claimed it */
static __always_inline void snat_map_began(const struct up_tuple *out)
{
	struct snat_map *m = snat_map_find(out);

	if (!m && bpf_get_prandom_u32() % SNAT_SAMPLE == 0 && snat_is_crowded(out))
		m = snat_map_make(out);
	if (!m)
		return;
	if (snat_in_range(out))
		snat_map_mark(m, bpf_ntohs(out->sport), true);
	if (!snat_map_complete(m))
		snat_map_learn(m, out, SNAT_LEARN_FLOW);
}

/** snat_map_ended() - it has been deleted */
static __noinline void snat_map_ended(const struct up_tuple *out)
{
	struct snat_map *m = snat_map_find(out);
	const struct up_config *conf = config();

	if (!m || !conf)
		return;
	if (snat_in_range(out))
		snat_map_mark(m, bpf_ntohs(out->sport), false);
	if (!snat_map_complete(m))
		snat_map_learn(m, out, SNAT_LEARN_FLOW);
	else if (m->n <= (__u32)(conf->snat_hi - conf->snat_lo + 1) / SNAT_QUIET)
		snat_map_drop(out);
}

/**
 * struct snat_pick - search for a port whose bit is 0
 * @m:        the bitmap
 * @half:     ports that are published are not free either
 * @conf:     nor are those that are reserved
 * @start:    word to begin with
 * @turn:     bit of each word to begin with
 * @proto:    enum up_port_proto; -1 where neither matters
 * @ret_port: what was found, host byte order; 0 for nothing
 */
struct snat_pick {
	const struct snat_map *m;
	const struct up_port_half *half;
	const struct up_config *conf;
	__u32 start, turn;
	int proto;
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

/* Bits of word @w that are no candidates, whoever has them. */
static __always_inline __u64 snat_kept(const struct snat_pick *s, __u32 w)
{
	__u64 kept = outside_range(w, s->conf->snat_lo, s->conf->snat_hi);
	__u32 proto = s->proto;

	if (proto < UP_PORT_PROTOS)
		kept |= s->half->bits[proto][w] | s->conf->reserved[w];
	return kept;
}

static long snat_pick_step(__u32 i, struct snat_pick *s)
{
	__u32 w = (s->start + i) % SNAT_WORDS;
	__u64 taken = s->m->taken[w], free;

	if (!~taken)
		return 0;
	taken |= snat_kept(s, w);
	if (!~taken)
		return 0;
	free = ~taken >> (s->turn & 63) | ~taken << (-s->turn & 63);
	s->ret_port = w * 64 + ((lowest_bit(free) + s->turn) & 63);
	return 1;
}

/**
 * snat_map_pick() - a port that may be free, anywhere in the range
 * @m:     the destination's bitmap
 * @proto: IPPROTO_*
 *
 * Return: host byte order; 0 where none is
 */
static __always_inline __u32 snat_map_pick(const struct snat_map *m, __u8 proto)
{
	struct snat_pick s = {
		.m = m,
		.half = port_half(),
		.conf = config(),
		.start = bpf_get_prandom_u32(),
		.proto = port_proto(proto),
	};

	if (!s.half || !s.conf)
		return 0;
	s.turn = s.start >> 16;
	bpf_loop(SNAT_WORDS, snat_pick_step, &s, 0);
	return s.ret_port;
}

#endif
