/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One's complement arithmetic (RFC 1071, RFC 1624), free of BPF helpers so that it also compiles on
 * the host for unit tests and fuzzing. Sums are taken over words as they lie in memory: the result
 * is right on either byte order.
 */
#ifndef UP_BPF_CSUM_H
#define UP_BPF_CSUM_H

#include <linux/types.h>

#include "underpass/addr.h"

/** csum_fold16() - fold a sum of 16-bit words into 16 bits */
static inline __u16 csum_fold16(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)sum;
}

/**
 * csum_diff32() - what replacing one 32-bit word by another adds to a sum
 * @from, @to: as in the packet
 *
 * Return: an unfolded sum; several may be added before csum_fold16()
 */
static inline __u64 csum_diff32(__be32 from, __be32 to)
{
	return (__u64)(__u32)~from + to;
}

static inline __u64 csum_diff16(__be16 from, __be16 to)
{
	return (__u64)(__u16)~from + to;
}

/* IPv4-mapped addresses differ in their last word only; the others add up to nothing. */
static inline __u64 csum_diff_addr(const struct up_addr *from, const struct up_addr *to)
{
	return csum_diff32(from->w[0], to->w[0]) + csum_diff32(from->w[1], to->w[1]) +
	       csum_diff32(from->w[2], to->w[2]) + csum_diff32(from->w[3], to->w[3]);
}

/**
 * csum_apply() - update a checksum field for a change of the data that it covers: HC' = ~(~HC +
 * diff) (RFC 1624, equation 3)
 * @check: the field as in the packet
 * @diff:  sum of csum_diff*() of what changed
 */
static inline __u16 csum_apply(__u16 check, __u64 diff)
{
	return ~csum_fold16((__u16)~check + diff);
}

#endif
