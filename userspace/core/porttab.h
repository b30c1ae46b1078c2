/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The writer's side of the published port table (see underpass/port.h): build the half that is not
 * active, then make it active with one store. Callers hold the state lock.
 */
#ifndef UP_CORE_PORTTAB_H
#define UP_CORE_PORTTAB_H

#include <stdbool.h>
#include <stddef.h>

#include "core/portspec.h"
#include "underpass/port.h"

struct up_err;

/**
 * struct up_siblings - tells which endpoints are of the same container
 * @is:  is this one?
 * @arg: handed to it
 */
struct up_siblings {
	bool (*is)(uint16_t endpoint, const void *arg);
	const void *arg;
};

/** up_porttab_row() - a row of the table in user space's words, but for its sources */
void up_porttab_row(const struct up_port_row *row, struct up_publish *ret_pub);

/**
 * up_porttab_conflict() - find a published range that a new one would overlap
 * @table:    the table
 * @endpoint: who wants it, 0 for an endpoint that is not there yet
 * @pub:      the new range; every address of the host conflicts with each single one. The same
 *            range of another endpoint does not conflict where both are shared, or where that is
 *            a sibling
 * @siblings: endpoints of the same container; NULL for none
 *
 * Return: the row in the way, or NULL
 */
const struct up_port_row *up_porttab_conflict(const struct up_port_table *table, uint16_t endpoint,
					      const struct up_publish *pub,
					      const struct up_siblings *siblings);

/** up_porttab_sibling_has() - has a sibling published this very range? */
bool up_porttab_sibling_has(const struct up_port_table *table, const struct up_publish *pub,
			    const struct up_siblings *siblings);

/**
 * up_porttab_add() - publish ranges, all at one instant or none
 * @table:    the table
 * @endpoint: the owner
 * @pubs:     ranges that up_porttab_conflict() has passed
 * @n:        how many
 * @err:      why it failed
 *
 * Return: 0; -EEXIST where two of @pubs overlap; -ENOSPC where the table is full, or a range has
 * UP_PORT_OWNERS owners already
 */
int up_porttab_add(struct up_port_table *table, uint16_t endpoint, const struct up_publish *pubs,
		   size_t n, struct up_err *err);

/**
 * up_porttab_remove() - take ranges away, all at one instant
 * @table: the table
 * @drop:  says of each row whether it goes
 * @arg:   handed to @drop
 *
 * Return: how many rows went
 */
size_t up_porttab_remove(struct up_port_table *table,
			 bool (*drop)(const struct up_port_row *row, void *arg), void *arg);

/**
 * up_porttab_edit() - change rows in place, all at one instant; not what they are sorted by
 * @table: the table
 * @edit:  changes a row, or returns false
 * @arg:   handed to @edit
 *
 * Return: how many rows were changed
 */
size_t up_porttab_edit(struct up_port_table *table,
		       bool (*edit)(struct up_port_row *row, void *arg), void *arg);

/** up_porttab_active() - the half that the programs use */
static inline const struct up_port_half *up_porttab_active(const struct up_port_table *table)
{
	return &table->half[__atomic_load_n(&table->active, __ATOMIC_ACQUIRE) & 1];
}

#endif
