/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Published ports: a sorted table of ranges, kept twice.
 *
 * A published range is one row, whatever its length. Rows are sorted by address, protocol and first
 * port, so that a lookup is one binary search, and a bitmap in front of them answers "not
 * published" with one bit test: that is all that a packet of the host's own pays. User space writes
 * the half that is not active and then stores @active: a change of any size happens at one instant,
 * and a crash before it has changed nothing.
 *
 * Ranges do not overlap, except where their owners share them: then the very same range stands
 * there once for each owner, one row after the other, and each of these rows says how many there
 * are. Endpoints of one container always share, but do not divide: one serves, the others stand by
 * for when it goes.
 */
#ifndef UNDERPASS_PORT_H
#define UNDERPASS_PORT_H

#include <linux/types.h>

#include "underpass/addr.h"
#include "underpass/limits.h"

enum up_port_proto { UP_PORT_TCP, UP_PORT_UDP, UP_PORT_SCTP, UP_PORT_PROTOS };

/* Which kinds of address a table has rows for: what no row is for need not be searched. */
enum up_port_kind {
	UP_PORT_KIND_ANY = 1 << 0,    /* UP_ANY */
	UP_PORT_KIND_FAMILY = 1 << 1, /* UP_ANY_V4, UP_ANY_V6 */
	UP_PORT_KIND_ONE = 1 << 2,    /* an address */
};

enum up_port_flags {
	UP_PORT_TO_ONE = 1 << 0,     /* every port of the range leads to the same container port */
	UP_PORT_SHARED = 1 << 1,     /* more owners may claim the same range */
	UP_PORT_UNRESERVED = 1 << 2, /* the host's own sockets may bind it: they get no packets */
	UP_PORT_STANDBY = 1 << 3,    /* another endpoint of the same container serves it */
};

/**
 * struct up_port_row - a published range
 * @addr:     host address, UP_ANY, UP_ANY_V4 or UP_ANY_V6
 * @port:     up_port_key() of protocol and first port
 * @hi:       last port, host byte order
 * @to:       container port of the first one, host byte order
 * @endpoint: the owner
 * @owners:   how many rows this range has
 * @allow:    list of the sources that may use it (see struct up_allow_key), 0 for everyone
 * @flags:    enum up_port_flags
 * @pad:      0
 */
struct up_port_row {
	struct up_addr addr;
	__u32 port;
	__u16 hi;
	__u16 to;
	__u16 endpoint;
	__u16 owners;
	__u32 allow;
	__u16 flags;
	__u16 pad;
};

/**
 * struct up_port_half - one copy of the table
 * @count: rows
 * @kinds: enum up_port_kind
 * @bits:  ports that are published on any address
 * @kept:  those that the host's own sockets cannot bind
 * @rows:  sorted by up_port_cmp()
 */
struct up_port_half {
	__u32 count;
	__u32 kinds;
	__u64 bits[UP_PORT_PROTOS][65536 / 64];
	__u64 kept[UP_PORT_PROTOS][65536 / 64];
	struct up_port_row rows[UP_PORT_ROWS];
};

struct up_port_table {
	__u32 active; /* 0 or 1 */
	__u32 pad;
	struct up_port_half half[2];
};

/** up_port_key() - position among the rows of an address; @port in host byte order */
static inline __u32 up_port_key(__u8 proto, __u16 port)
{
	return (__u32)proto << 16 | port;
}

/**
 * up_port_cmp() - order of the table
 * Return: below, equal to or above 0
 */
static inline int up_port_cmp(const struct up_port_row *row, const struct up_addr *addr, __u32 port)
{
	for (int i = 0; i < 4; i++)
		if (row->addr.w[i] != addr->w[i])
			return row->addr.w[i] < addr->w[i] ? -1 : 1;
	return row->port < port ? -1 : row->port > port;
}

/**
 * struct up_allow_key - a source that is in a list: key of a longest-prefix-match trie
 * @plen: 32 bits of @list, and the bits of @addr that count
 * @list: number of the list; 0 is the one of sources that are denied everything
 * @addr: the source
 */
struct up_allow_key {
	__u32 plen;
	__be32 list;
	struct up_addr addr;
};

#define UP_ALLOW_DENY_ALL 0

#endif
