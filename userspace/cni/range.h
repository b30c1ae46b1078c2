/* SPDX-License-Identifier: GPL-2.0-only */
/* Ranges of addresses to give out, as host-local's configuration has them. */
#ifndef UP_CNI_RANGE_H
#define UP_CNI_RANGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "cni/result.h"
#include "net/addr.h"

struct up_err;

#define UP_CNI_RANGES_MAX 64

/**
 * struct up_cni_range - addresses of one network
 * @subnet:      their network
 * @first, @last: inclusive
 * @gateway:     never given out
 * @set:         ranges of one set are alternatives; of every set an attachment gets one address
 */
struct up_cni_range {
	struct up_cidr subnet;
	struct up_addr first, last, gateway;
	unsigned int set;
};

/**
 * struct up_cni_ranges - all of a configuration
 * @n:    how many, in order of their sets
 * @sets: how many sets
 */
struct up_cni_ranges {
	struct up_cni_range at[UP_CNI_RANGES_MAX];
	size_t n;
	unsigned int sets;
};

/**
 * up_cni_ranges_parse() - runtimeConfig.ipRanges, ipam.subnet and ipam.ranges, in this order
 * @ipam:    the ipam section
 * @runtime: runtimeConfig, or NULL
 * @version: before 0.3.0, a result has room for one address of a family
 * @ret:     at least one range
 * @err:     names what is wrong
 *
 * Return: 0 or -UP_CNI_BAD_CONFIG
 */
int up_cni_ranges_parse(const json_t *ipam, const json_t *runtime, enum up_cni_version version,
			struct up_cni_ranges *ret, struct up_err *err);

/** up_cni_range_of() - the range of a set that has an address, or NULL */
const struct up_cni_range *up_cni_range_of(const struct up_cni_ranges *ranges, unsigned int set,
					   const struct up_addr *addr);

/**
 * up_cni_ranges_next() - the address after another one, in a set's ranges and round again
 * @addr: one of the set's, or any other to begin with the first
 */
struct up_addr up_cni_ranges_next(const struct up_cni_ranges *ranges, unsigned int set,
				  const struct up_addr *addr);

#endif
