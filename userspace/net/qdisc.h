/* SPDX-License-Identifier: GPL-2.0-only */
/* The queue in front of an interface. */
#ifndef UP_NET_QDISC_H
#define UP_NET_QDISC_H

#include <stdint.h>

struct up_err;
struct up_nl;

/**
 * struct up_tbf - a token bucket filter, tc-tbf(8)
 * @rate:  bytes in a second
 * @burst: bytes that may leave at once
 * @queue: bytes that may wait; what comes beyond is dropped
 */
struct up_tbf {
	uint64_t rate;
	uint32_t burst, queue;
};

/** up_qdisc_tbf() - make a token bucket the root of an interface, or change it. Return: 0 or -errno
 */
int up_qdisc_tbf(struct up_nl *nl, int ifindex, const struct up_tbf *tbf, struct up_err *err);

/** up_qdisc_clear() - back to the default; nothing is done where it is that. Return: 0 or -errno */
int up_qdisc_clear(struct up_nl *nl, int ifindex, struct up_err *err);

#endif
