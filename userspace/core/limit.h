/* SPDX-License-Identifier: GPL-2.0-only */
/* What an endpoint may use: bits in a second, flows, new flows in a second. */
#ifndef UP_CORE_LIMIT_H
#define UP_CORE_LIMIT_H

#include <stdint.h>

struct up_datapath;
struct up_err;
struct up_nl;

/* Which members of struct up_limits are meant. */
enum up_limit {
	UP_LIMIT_IN = 1 << 0,
	UP_LIMIT_OUT = 1 << 1,
	UP_LIMIT_FLOWS = 1 << 2,
	UP_LIMIT_NEW = 1 << 3,
};

/**
 * struct up_limits - limits to be changed
 * @set:       enum up_limit
 * @rate_in:   bits in a second of IP packets that it may receive; 0 for no limit
 * @burst_in:  bits that may come at once; 0 for what the rate brings in 50 ms
 * @rate_out, @burst_out: the same for what it sends
 * @flow_max:  live flows, at most; 0 for half of the flow table
 * @new_rate:  new flows in a second, at most; 0 for no limit
 */
struct up_limits {
	unsigned int set;
	uint64_t rate_in, rate_out;
	uint32_t burst_in, burst_out;
	uint32_t flow_max, new_rate;
};

/* A byte in a second is the least that the kernel can hold somebody to. */
#define UP_RATE_MIN 8

/**
 * up_limit_check() - can these be held?
 * Return: 0, or -EINVAL for a rate below UP_RATE_MIN, and for a burst without a rate
 */
int up_limit_check(const struct up_limits *limits, struct up_err *err);

/**
 * up_limit_apply() - hold an endpoint to the rates of its row. Callers hold the lock
 * @dp:       open datapath
 * @nl:       socket of the host
 * @id:       the endpoint; its interface is there
 * @which:    UP_LIMIT_IN, UP_LIMIT_OUT
 * @netns_fd: the container's namespace; -1 to look for it
 * @err:      why it failed
 *
 * Return: 0 or -errno
 */
int up_limit_apply(struct up_datapath *dp, struct up_nl *nl, uint32_t id, unsigned int which,
		   int netns_fd, struct up_err *err);

/**
 * up_endpoint_limit() - change limits of a live endpoint; its flows go on
 * @dp:     open datapath
 * @name:   the endpoint
 * @limits: which, and to what
 * @err:    why it failed; the limits are then what they were
 *
 * Takes the state lock. Return: 0; -ENOENT for no such endpoint; or another -errno
 */
int up_endpoint_limit(struct up_datapath *dp, const char *name, const struct up_limits *limits,
		      struct up_err *err);

#endif
