/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Published ports: a sorted table of disjoint ranges, kept twice.
 *
 * A published range is one row, whatever its length. Rows are sorted by up_port_key(), so that a
 * lookup is one binary search, and a bitmap in front of them answers "not published" with one bit
 * test: that is all that a packet of the host's own pays. User space writes the half that is not
 * active and then stores @active: a change of any size happens at one instant, and a crash before
 * it has changed nothing.
 */
#ifndef UNDERPASS_PORT_H
#define UNDERPASS_PORT_H

#include <linux/types.h>

#include "underpass/limits.h"

enum up_port_proto { UP_PORT_TCP, UP_PORT_UDP, UP_PORT_PROTOS };

/**
 * struct up_port_row - a published range
 * @key:      up_port_key() of its protocol, address and first port
 * @hi:       last port, host byte order
 * @to:       container port of the first one, host byte order; the range maps one to one from there
 * @endpoint: the owner
 * @pad:      0
 */
struct up_port_row {
	__u64 key;
	__u16 hi;
	__u16 to;
	__u16 endpoint;
	__u16 pad;
};

struct up_port_half {
	__u32 count;
	__u32 pad;
	__u64 bits[UP_PORT_PROTOS][65536 / 64];
	struct up_port_row rows[UP_PORT_ROWS];
};

struct up_port_table {
	__u32 active; /* 0 or 1 */
	__u32 pad;
	struct up_port_half half[2];
};

/**
 * up_port_key() - position of a range in the table
 * @proto: enum up_port_proto
 * @addr:  host address in host byte order, 0 for every address of the host
 * @port:  first port, host byte order
 */
static inline __u64 up_port_key(__u8 proto, __u32 addr, __u16 port)
{
	return (__u64)proto << 48 | (__u64)addr << 16 | port;
}

#endif
