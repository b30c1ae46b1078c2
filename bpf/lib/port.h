/* SPDX-License-Identifier: GPL-2.0-only */
/* Published ports: bit test, then one binary search (see underpass/port.h for the table). */
#ifndef UP_BPF_PORT_H
#define UP_BPF_PORT_H

#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <linux/in.h>

#include "lib/maps.h"

#define PORT_SEARCH_STEPS 15 /* log2(UP_PORT_ROWS) + 1 */

_Static_assert(1 << (PORT_SEARCH_STEPS - 1) >= UP_PORT_ROWS, "the search reaches every row");

struct port_search {
	const struct up_port_half *half;
	__u64 key;
	__u32 lo, hi; /* the last row whose key is not above @key is in [lo, hi) - 1 */
};

static long port_search_step(__u32 i __attribute__((unused)), struct port_search *s)
{
	__u32 mid;

	if (s->lo >= s->hi)
		return 1;
	mid = (s->lo + s->hi) / 2;
	if (mid >= UP_PORT_ROWS)
		return 1;
	if (s->half->rows[mid].key <= s->key)
		s->lo = mid + 1;
	else
		s->hi = mid;
	return 0;
}

/* The half that is active now: a packet uses one and the same throughout. */
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
	return ipproto == IPPROTO_UDP ? UP_PORT_UDP : -1;
}

/**
 * port_any() - is a port published on any address?
 * @half:  port_half()
 * @proto: IPPROTO_*
 * @port:  network byte order
 */
static __always_inline bool port_any(const struct up_port_half *half, __u8 proto, __be16 port)
{
	__u16 p = bpf_ntohs(port);

	if (proto == IPPROTO_TCP)
		return half->bits[UP_PORT_TCP][p / 64] >> (p % 64) & 1;
	if (proto == IPPROTO_UDP)
		return half->bits[UP_PORT_UDP][p / 64] >> (p % 64) & 1;
	return false;
}

/**
 * port_row() - the row that covers one port of exactly this address
 * @half:  port_half()
 * @proto: IPPROTO_TCP or IPPROTO_UDP
 * @addr:  network byte order; 0 for rows that are published on every address
 * @port:  network byte order
 */
static __noinline const struct up_port_row *port_row(const struct up_port_half *half, __u8 proto,
						     __be32 addr, __be16 port)
{
	struct port_search s = {
		.half = half,
		.key = up_port_key(port_proto(proto), bpf_ntohl(addr), bpf_ntohs(port)),
		.hi = half->count,
	};
	const struct up_port_row *row;
	__u32 idx;

	bpf_loop(PORT_SEARCH_STEPS, port_search_step, &s, 0);
	idx = s.lo - 1;
	if (idx >= UP_PORT_ROWS)
		return NULL;
	row = &half->rows[idx];
	/* Same protocol and address, and the port within the range. */
	if ((row->key ^ s.key) >> 16 || bpf_ntohs(port) > row->hi)
		return NULL;
	return row;
}

/** port_lookup() - the row for a packet's destination: of this very address, else of every address
 */
static __always_inline const struct up_port_row *port_lookup(const struct up_port_half *half,
							     const struct up_tuple *t)
{
	const struct up_port_row *row = port_row(half, t->proto, t->daddr, t->dport);

	return row ? row : port_row(half, t->proto, 0, t->dport);
}

/** port_target() - the container port, network byte order, that a row maps a host port to */
static __always_inline __be16 port_target(const struct up_port_row *row, __be16 port)
{
	return bpf_htons(row->to + (bpf_ntohs(port) - (__u16)row->key));
}

static __always_inline bool addr_is_loopback(__be32 addr)
{
	return (addr & bpf_htonl(0xff000000)) == bpf_htonl(0x7f000000);
}

#endif
