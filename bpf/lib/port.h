/* SPDX-License-Identifier: GPL-2.0-only */
/* Published ports: bit test, then one binary search (see underpass/port.h for the table). */
#ifndef UP_BPF_PORT_H
#define UP_BPF_PORT_H

#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <linux/in.h>

#include "lib/deny.h"
#include "lib/endpoint.h"
#include "lib/flow.h"

#define PORT_SEARCH_STEPS 15 /* log2(UP_PORT_ROWS) + 1 */

_Static_assert(1 << (PORT_SEARCH_STEPS - 1) >= UP_PORT_ROWS, "the search reaches every row");

struct port_search {
	const struct up_port_half *half;
	struct up_addr addr;
	__u32 port;
	__u32 lo, hi; /* the last row that is not above the key is in [lo, hi) - 1 */
};

static long port_search_step(__u32 i __attribute__((unused)), struct port_search *s)
{
	__u32 mid;

	if (s->lo >= s->hi)
		return 1;
	mid = (s->lo + s->hi) / 2;
	if (mid >= UP_PORT_ROWS)
		return 1;
	if (up_port_cmp(&s->half->rows[mid], &s->addr, s->port) <= 0)
		s->lo = mid + 1;
	else
		s->hi = mid;
	return 0;
}

static __always_inline const struct up_port_half *port_half(void)
{
	__u32 zero = 0;
	struct up_port_table *table = bpf_map_lookup_elem(&up_ports, &zero);

	if (!table)
		return NULL;
	return &table->half[*(volatile __u32 *)&table->active & 1];
}

static __always_inline int port_proto(__u8 ipproto)
{
	if (ipproto == IPPROTO_TCP)
		return UP_PORT_TCP;
	if (ipproto == IPPROTO_UDP)
		return UP_PORT_UDP;
	return ipproto == IPPROTO_SCTP ? UP_PORT_SCTP : -1;
}

/* The bit of a port, network byte order, in a map of all of them. */
static __always_inline bool port_bit(const __u64 bits[UP_PORT_PROTOS][65536 / 64], __u8 proto,
				     __be16 port)
{
	__u16 p = bpf_ntohs(port);

	if (proto == IPPROTO_TCP)
		return bits[UP_PORT_TCP][p / 64] >> (p % 64) & 1;
	if (proto == IPPROTO_UDP)
		return bits[UP_PORT_UDP][p / 64] >> (p % 64) & 1;
	if (proto == IPPROTO_SCTP)
		return bits[UP_PORT_SCTP][p / 64] >> (p % 64) & 1;
	return false;
}

/**
 * port_any() - is a port published on any address?
 * @half:  port_half()
 * @proto: IPPROTO_*
 * @port:  network byte order
 */
static __always_inline bool port_any(const struct up_port_half *half, __u8 proto, __be16 port)
{
	return port_bit(half->bits, proto, port);
}

/**
 * port_row() - the last row that covers one port of exactly this address
 * @half:  port_half()
 * @proto: IPPROTO_TCP, IPPROTO_UDP or IPPROTO_SCTP
 * @addr:  an address, UP_ANY, UP_ANY_V4 or UP_ANY_V6
 * @port:  network byte order
 *
 * Return: its index, or -1
 */
static __noinline int port_row(const struct up_port_half *half, __u8 proto,
			       const struct up_addr *addr, __be16 port)
{
	struct port_search s = {
		.half = half,
		.addr = *addr,
		.port = up_port_key(port_proto(proto), bpf_ntohs(port)),
		.hi = half->count,
	};
	const struct up_port_row *row;
	__u32 idx;

	bpf_loop(PORT_SEARCH_STEPS, port_search_step, &s, 0);
	idx = s.lo - 1;
	if (idx >= UP_PORT_ROWS)
		return -1;
	row = &half->rows[idx];
	/* Same address and protocol, and the port within the range. */
	if (!up_addr_equal(&row->addr, addr) || (row->port ^ s.port) >> 16 ||
	    bpf_ntohs(port) > row->hi)
		return -1;
	return idx;
}

/* ---- several owners of one range ------------------------------------------------------------- */

/**
 * struct port_choice - which owner gets a new connection
 * @half:  the table
 * @last:  index of the range's last row
 * @seed:  of the connection
 * @best:  the highest weight so far, and whose it is
 */
struct port_choice {
	const struct up_port_half *half;
	__u32 last, seed, now;
	__u32 best_weight;
	int best;
};

static __always_inline __u32 mix32(__u32 x)
{
	x ^= x >> 16;
	x *= 0x7feb352d;
	x ^= x >> 15;
	x *= 0x846ca68b;
	return x ^ x >> 16;
}

static __always_inline __u32 tuple_seed(const struct up_tuple *t)
{
	return mix32(t->saddr.w[0] ^ t->saddr.w[1] ^ t->saddr.w[2] ^ t->saddr.w[3]) ^
	       mix32((__u32)t->sport << 16 | t->dport);
}

/* Well owners before unwell ones; among them the highest weight. */
static long port_choice_step(__u32 i, struct port_choice *c)
{
	__u32 idx = c->last - i, weight;
	const struct up_port_row *row;
	struct up_endpoint *ep;

	if (idx >= UP_PORT_ROWS)
		return 1;
	row = &c->half->rows[idx];
	ep = endpoint_by_id(row->endpoint);
	if (!ep)
		return 0;
	weight = mix32(c->seed ^ (row->endpoint * 0x9e3779b9)) >> 1;
	if (!(ep->flags & UP_EP_DRAINED) && !(row->flags & UP_PORT_STANDBY) &&
	    (__s32)(c->now - ep->sick_until) >= 0)
		weight |= 1U << 31;
	if (c->best < 0 || weight > c->best_weight) {
		c->best = idx;
		c->best_weight = weight;
	}
	return 0;
}

/*
 * Rendezvous hashing (Thaler and Ravishankar, 1998): when an owner comes or goes, only the
 * connections that are or were its own move.
 */
static __noinline int port_choose(const struct up_port_half *half, __u32 last,
				  const struct up_tuple *t)
{
	struct port_choice c = {
		.half = half,
		.last = last,
		.seed = tuple_seed(t),
		.now = now_sec(),
		.best = -1,
	};
	__u32 owners;

	if (last >= UP_PORT_ROWS)
		return -1;
	owners = half->rows[last].owners;
	bpf_loop(owners < UP_PORT_OWNERS ? owners : UP_PORT_OWNERS, port_choice_step, &c, 0);
	return c.best;
}

/*
 * Index of the row in the whole table, or -1. Global functions are verified once, not once for each
 * way that leads to them; what they return is a number.
 */
int port_find(const struct up_tuple *t)
{
	const struct up_addr any = UP_ANY, any4 = UP_ANY_V4, any6 = UP_ANY_V6;
	__u32 zero = 0, active;
	struct up_port_table *table = bpf_map_lookup_elem(&up_ports, &zero);
	const struct up_port_half *half;
	int idx = -1;

	if (!table || !t)
		return -1;
	active = *(volatile __u32 *)&table->active & 1;
	half = &table->half[active];
	if (half->kinds & UP_PORT_KIND_ONE)
		idx = port_row(half, t->proto, &t->daddr, t->dport);
	if (idx < 0 && half->kinds & UP_PORT_KIND_FAMILY)
		idx = port_row(half, t->proto, up_addr_is_v4(&t->daddr) ? &any4 : &any6, t->dport);
	if (idx < 0 && half->kinds & UP_PORT_KIND_ANY)
		idx = port_row(half, t->proto, &any, t->dport);
	if (idx >= 0 && idx < UP_PORT_ROWS && half->rows[idx].owners > 1)
		idx = port_choose(half, idx, t);
	return idx < 0 ? -1 : (int)(active * UP_PORT_ROWS) + idx;
}

/**
 * port_lookup() - the row for a new connection: of this very address, else of the family, else of
 * every address; where the range is shared, of the owner whose turn it is
 */
static __always_inline const struct up_port_row *port_lookup(const struct up_tuple *t)
{
	__u32 zero = 0, idx = port_find(t);
	struct up_port_table *table = bpf_map_lookup_elem(&up_ports, &zero);

	barrier_var(idx); /* else the bound may be checked of a copy: Linux 6.1 loses it then */
	if (!table || idx >= 2 * UP_PORT_ROWS)
		return NULL;
	return &table->half[idx / UP_PORT_ROWS].rows[idx % UP_PORT_ROWS];
}

/** port_target() - the container port, network byte order, that a row maps a host port to */
static __always_inline __be16 port_target(const struct up_port_row *row, __be16 port)
{
	if (row->flags & UP_PORT_TO_ONE)
		return bpf_htons(row->to);
	return bpf_htons(row->to + (bpf_ntohs(port) - (__u16)row->port));
}

/** port_allows() - may this source use this published port? */
static __always_inline bool port_allows(const struct up_port_row *row, const struct up_addr *source)
{
	return !row->allow || source_in(row->allow, source);
}

#endif
