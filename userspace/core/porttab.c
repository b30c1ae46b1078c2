// SPDX-License-Identifier: GPL-2.0-only
#include "core/porttab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* Row protocol by IPPROTO_*, and back. */
static const uint8_t ipprotos[UP_PORT_PROTOS] = {
	[UP_PORT_TCP] = IPPROTO_TCP,
	[UP_PORT_UDP] = IPPROTO_UDP,
	[UP_PORT_SCTP] = IPPROTO_SCTP,
};

static uint32_t row_proto(uint8_t ipproto)
{
	for (uint32_t i = 0; i < UP_PORT_PROTOS; i++)
		if (ipprotos[i] == ipproto)
			return i;
	return UP_PORT_TCP;
}

/* A pinned map may hold anything. */
static uint32_t proto_of(const struct up_port_row *row)
{
	return row->port >> 16 < UP_PORT_PROTOS ? row->port >> 16 : UP_PORT_TCP;
}

void up_porttab_row(const struct up_port_row *row, struct up_publish *ret_pub)
{
	*ret_pub = (struct up_publish){
		.addr = row->addr,
		.proto = ipprotos[proto_of(row)],
		.lo = (uint16_t)row->port,
		.hi = row->hi,
		.to = row->to,
		.to_one = row->flags & UP_PORT_TO_ONE,
		.share = row->flags & UP_PORT_SHARED,
		.unreserved = row->flags & UP_PORT_UNRESERVED,
		.standby = row->flags & UP_PORT_STANDBY,
		.allow = row->allow,
	};
}

static bool overlaps(const struct up_publish *a, const struct up_publish *b)
{
	return a->proto == b->proto && a->lo <= b->hi && b->lo <= a->hi &&
	       up_addr_conflicts(&a->addr, &b->addr);
}

static bool same_range(const struct up_publish *a, const struct up_publish *b)
{
	return a->proto == b->proto && a->lo == b->lo && a->hi == b->hi &&
	       up_addr_equal(&a->addr, &b->addr);
}

/* The count comes from a pinned map: never trust it further than the rows reach. */
static uint32_t rows_of(const struct up_port_half *half)
{
	return half->count < UP_PORT_ROWS ? half->count : UP_PORT_ROWS;
}

/* May the very same range have both of these owners? */
static bool can_share(const struct up_publish *a, const struct up_publish *b, uint16_t b_endpoint,
		      const struct up_siblings *siblings)
{
	return (a->share && b->share) || (siblings && siblings->is(b_endpoint, siblings->arg));
}

const struct up_port_row *up_porttab_conflict(const struct up_port_table *table, uint16_t endpoint,
					      const struct up_publish *pub,
					      const struct up_siblings *siblings)
{
	const struct up_port_half *half = up_porttab_active(table);
	struct up_publish other;

	for (uint32_t i = 0; i < rows_of(half); i++) {
		const struct up_port_row *row = &half->rows[i];

		up_porttab_row(row, &other);
		if (!overlaps(pub, &other))
			continue;
		if (row->endpoint == endpoint || !same_range(pub, &other) ||
		    !can_share(pub, &other, row->endpoint, siblings))
			return row;
	}
	return NULL;
}

bool up_porttab_sibling_has(const struct up_port_table *table, const struct up_publish *pub,
			    const struct up_siblings *siblings)
{
	const struct up_port_half *half = up_porttab_active(table);
	struct up_publish other;

	for (uint32_t i = 0; i < rows_of(half); i++) {
		up_porttab_row(&half->rows[i], &other);
		if (same_range(pub, &other) && siblings->is(half->rows[i].endpoint, siblings->arg))
			return true;
	}
	return false;
}

static int by_key(const void *a, const void *b)
{
	const struct up_port_row *x = a, *y = b;
	int cmp = up_port_cmp(x, &y->addr, y->port);

	return cmp ? cmp : (int)x->endpoint - (int)y->endpoint;
}

static enum up_port_kind kind_of(const struct up_addr *addr)
{
	const struct up_addr any4 = UP_ANY_V4, any6 = UP_ANY_V6;

	if (!up_addr_set(addr))
		return UP_PORT_KIND_ANY;
	return up_addr_equal(addr, &any4) || up_addr_equal(addr, &any6) ? UP_PORT_KIND_FAMILY
									: UP_PORT_KIND_ONE;
}

static void set_bits(__u64 *bits, const struct up_port_row *row)
{
	for (uint32_t port = (uint16_t)row->port; port <= row->hi; port++)
		bits[port / 64] |= 1ULL << (port % 64);
}

/* The rows of one range: each tells how many owners there are, and one of them at least serves. */
static void settle_owners(struct up_port_row *rows, uint32_t n)
{
	bool served = false;

	for (uint32_t i = 0; i < n; i++) {
		rows[i].owners = (uint16_t)n;
		served |= !(rows[i].flags & UP_PORT_STANDBY);
	}
	if (!served)
		rows[0].flags &= (__u16)~UP_PORT_STANDBY;
}

static void settle_ranges(struct up_port_half *half)
{
	for (uint32_t i = 0, n; i < half->count; i += n) {
		struct up_port_row *row = &half->rows[i];

		for (n = 1; i + n < half->count && !up_port_cmp(row + n, &row->addr, row->port);)
			n++;
		settle_owners(row, n);
	}
}

/* Sort, index, and make active: the change happens with the last store. */
static void commit(struct up_port_table *table, struct up_port_half *half)
{
	qsort(half->rows, half->count, sizeof(half->rows[0]), by_key);
	memset(half->bits, 0, sizeof(half->bits));
	memset(half->kept, 0, sizeof(half->kept));
	half->kinds = 0;
	for (uint32_t i = 0; i < half->count; i++) {
		const struct up_port_row *row = &half->rows[i];

		set_bits(half->bits[proto_of(row)], row);
		if (!(row->flags & UP_PORT_UNRESERVED))
			set_bits(half->kept[proto_of(row)], row);
		half->kinds |= kind_of(&row->addr);
	}
	settle_ranges(half);
	__atomic_store_n(&table->active, (uint32_t)(half - table->half), __ATOMIC_RELEASE);
}

static struct up_port_half *inactive(struct up_port_table *table)
{
	return &table->half[!(table->active & 1)];
}

static int check_each_other(const struct up_publish *pubs, size_t n, struct up_err *err)
{
	char a[UP_PORTSPEC_TEXT], b[UP_PORTSPEC_TEXT];

	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++)
			if (overlaps(&pubs[i], &pubs[j])) {
				up_portspec_format(&pubs[i], a);
				up_portspec_format(&pubs[j], b);
				return up_fail_msg(err, EEXIST, "ports %s and %s overlap", a, b);
			}
	return 0;
}

static int check_owners(const struct up_port_half *half, const struct up_publish *pub,
			struct up_err *err)
{
	char text[UP_PORTSPEC_TEXT];
	struct up_publish other;
	unsigned int owners = 0;

	for (uint32_t i = 0; (pub->share || pub->standby) && i < rows_of(half); i++) {
		up_porttab_row(&half->rows[i], &other);
		owners += same_range(pub, &other);
	}
	if (owners < UP_PORT_OWNERS)
		return 0;
	up_portspec_format(pub, text);
	return up_fail_msg(err, ENOSPC, "port %s: %u endpoints share it already", text, owners);
}

static struct up_port_row row_of(const struct up_publish *pub, uint16_t endpoint)
{
	return (struct up_port_row){
		.addr = pub->addr,
		.port = up_port_key(row_proto(pub->proto), pub->lo),
		.hi = pub->hi,
		.to = pub->to,
		.endpoint = endpoint,
		.allow = pub->allow,
		.flags = (pub->to_one ? UP_PORT_TO_ONE : 0) | (pub->share ? UP_PORT_SHARED : 0) |
			 (pub->unreserved ? UP_PORT_UNRESERVED : 0) |
			 (pub->standby ? UP_PORT_STANDBY : 0),
	};
}

int up_porttab_add(struct up_port_table *table, uint16_t endpoint, const struct up_publish *pubs,
		   size_t n, struct up_err *err)
{
	const struct up_port_half *now = up_porttab_active(table);
	struct up_port_half *next = inactive(table);
	uint32_t count = rows_of(now);
	int ret = check_each_other(pubs, n, err);

	for (size_t i = 0; !ret && i < n; i++)
		ret = check_owners(now, &pubs[i], err);
	if (ret || !n)
		return ret;
	if (n > UP_PORT_ROWS - count)
		return up_fail_msg(err, ENOSPC, "port table: all %d rows are used", UP_PORT_ROWS);
	memcpy(next->rows, now->rows, count * sizeof(now->rows[0]));
	for (size_t i = 0; i < n; i++)
		next->rows[count++] = row_of(&pubs[i], endpoint);
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

size_t up_porttab_edit(struct up_port_table *table,
		       bool (*edit)(struct up_port_row *row, void *arg), void *arg)
{
	const struct up_port_half *now = up_porttab_active(table);
	struct up_port_half *next = inactive(table);
	size_t edited = 0;

	next->count = rows_of(now);
	memcpy(next->rows, now->rows, next->count * sizeof(now->rows[0]));
	for (uint32_t i = 0; i < next->count; i++)
		edited += edit(&next->rows[i], arg);
	if (edited)
		commit(table, next);
	return edited;
}
