// SPDX-License-Identifier: GPL-2.0-only
#include "core/porttab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static uint8_t row_proto(uint8_t ipproto)
{
	return ipproto == IPPROTO_UDP ? UP_PORT_UDP : UP_PORT_TCP;
}

static uint64_t pub_key(const struct up_publish *pub)
{
	return up_port_key(row_proto(pub->proto), ntohl(pub->addr.s_addr), pub->lo);
}

void up_porttab_row(const struct up_port_row *row, struct up_publish *ret_pub)
{
	*ret_pub = (struct up_publish){
		.addr.s_addr = htonl((uint32_t)(row->key >> 16)),
		.proto = row->key >> 48 == UP_PORT_UDP ? IPPROTO_UDP : IPPROTO_TCP,
		.lo = (uint16_t)row->key,
		.hi = row->hi,
		.to = row->to,
	};
}

static bool overlaps(const struct up_publish *a, const struct up_publish *b)
{
	return a->proto == b->proto && a->lo <= b->hi && b->lo <= a->hi &&
	       (!a->addr.s_addr || !b->addr.s_addr || a->addr.s_addr == b->addr.s_addr);
}

/* The count comes from a pinned map: never trust it further than the rows reach. */
static uint32_t rows_of(const struct up_port_half *half)
{
	return half->count < UP_PORT_ROWS ? half->count : UP_PORT_ROWS;
}

const struct up_port_row *up_porttab_conflict(const struct up_port_table *table,
					      const struct up_publish *pub)
{
	const struct up_port_half *half = up_porttab_active(table);
	struct up_publish other;

	for (uint32_t i = 0; i < rows_of(half); i++) {
		up_porttab_row(&half->rows[i], &other);
		if (overlaps(pub, &other))
			return &half->rows[i];
	}
	return NULL;
}

static int by_key(const void *a, const void *b)
{
	const struct up_port_row *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

static void set_bits(struct up_port_half *half, const struct up_port_row *row)
{
	__u64 *bits = half->bits[row->key >> 48 == UP_PORT_UDP ? UP_PORT_UDP : UP_PORT_TCP];

	for (uint32_t port = (uint16_t)row->key; port <= row->hi; port++)
		bits[port / 64] |= 1ULL << (port % 64);
}

/* Sort, index, and make active: the change happens with the last store. */
static void commit(struct up_port_table *table, struct up_port_half *half)
{
	qsort(half->rows, half->count, sizeof(half->rows[0]), by_key);
	memset(half->bits, 0, sizeof(half->bits));
	for (uint32_t i = 0; i < half->count; i++)
		set_bits(half, &half->rows[i]);
	__atomic_store_n(&table->active, (uint32_t)(half - table->half), __ATOMIC_RELEASE);
}

static struct up_port_half *inactive(struct up_port_table *table)
{
	return &table->half[!(table->active & 1)];
}

static int check_each_other(const struct up_publish *pubs, size_t n, struct up_err *err)
{
	char a[UP_PORTSPEC_MAX], b[UP_PORTSPEC_MAX];

	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++)
			if (overlaps(&pubs[i], &pubs[j])) {
				up_portspec_format(&pubs[i], a);
				up_portspec_format(&pubs[j], b);
				return up_fail_msg(err, EEXIST, "ports %s and %s overlap", a, b);
			}
	return 0;
}

int up_porttab_add(struct up_port_table *table, uint16_t endpoint, const struct up_publish *pubs,
		   size_t n, struct up_err *err)
{
	const struct up_port_half *now = up_porttab_active(table);
	struct up_port_half *next = inactive(table);
	uint32_t count = rows_of(now);
	int ret = check_each_other(pubs, n, err);

	if (ret || !n)
		return ret;
	if (n > UP_PORT_ROWS - count)
		return up_fail_msg(err, ENOSPC, "port table: all %d rows are used", UP_PORT_ROWS);
	memcpy(next->rows, now->rows, count * sizeof(now->rows[0]));
	for (size_t i = 0; i < n; i++)
		next->rows[count++] = (struct up_port_row){
			.key = pub_key(&pubs[i]),
			.hi = pubs[i].hi,
			.to = pubs[i].to,
			.endpoint = endpoint,
		};
	next->count = count;
	commit(table, next);
	return 0;
}

size_t up_porttab_remove(struct up_port_table *table,
			 bool (*drop)(const struct up_port_row *row, void *arg), void *arg)
{
	const struct up_port_half *now = up_porttab_active(table);
	struct up_port_half *next = inactive(table);
	uint32_t count = rows_of(now), kept = 0;

	for (uint32_t i = 0; i < count; i++)
		if (!drop(&now->rows[i], arg))
			next->rows[kept++] = now->rows[i];
	next->count = kept;
	if (kept != count)
		commit(table, next);
	return count - kept;
}
