/* SPDX-License-Identifier: GPL-2.0-only */
/* What the programs answer of their own: ICMP errors and TCP resets, compared byte by byte. */
#ifndef UP_TESTS_ANSWER_H
#define UP_TESTS_ANSWER_H

#include "fixture.h"

/* Type and code by family, and what they mean. */
struct meaning {
	uint8_t type4, code4, type6, code6;
};

extern const struct meaning ttl_expired, too_big, no_route, prohibited;

/** assert_error() - what came out is the error about @p, from @from, by the way that @p came */
void assert_error(struct fixture *f, const struct packet *p, uint32_t from, const struct meaning *m,
		  uint32_t mtu);

/** assert_reset() - what came out is the reset (RFC 9293, 3.10.7.1) that answers @p */
void assert_reset(struct fixture *f, const struct packet *p);

#endif
