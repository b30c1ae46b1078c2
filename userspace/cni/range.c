// SPDX-License-Identifier: GPL-2.0-only
#include "cni/range.h"

#include <string.h>

#include "cni/error.h"
#include "cni/json.h"

/* Words are in network byte order, the first is the highest. */
static int compare(const struct up_addr *a, const struct up_addr *b)
{
	return memcmp(a->w, b->w, sizeof(a->w));
}

static struct up_addr next(const struct up_addr *addr)
{
	struct up_addr ret = *addr;
	uint8_t *bytes = (uint8_t *)ret.w;

	for (int i = 15; i >= 0 && !++bytes[i]; i--)
		;
	return ret;
}

static struct up_addr previous(const struct up_addr *addr)
{
	struct up_addr ret = *addr;
	uint8_t *bytes = (uint8_t *)ret.w;

	for (int i = 15; i >= 0 && !bytes[i]--; i--)
		;
	return ret;
}

/* All bits beyond the prefix set. */
static struct up_addr last_of(const struct up_cidr *net)
{
	struct up_addr ret = net->addr;
	uint8_t *bytes = (uint8_t *)ret.w;
	unsigned int plen = net->plen + (up_addr_is_v4(&net->addr) ? 96U : 0U);

	for (unsigned int bit = plen; bit < 128; bit++)
		bytes[bit / 8] |= (uint8_t)(0x80 >> (bit % 8));
	return ret;
}

static int check_inside(const struct up_cni_range *r, const char *what, const struct up_addr *addr,
			struct up_err *err)
{
	char text[UP_ADDR_TEXT];

	if (up_cidr_contains(&r->subnet, addr))
		return 0;
	return up_cni_fail(err, UP_CNI_BAD_CONFIG, "ipam: %s %s is not in its subnet", what,
			   up_addr_format(addr, text));
}

/* What is left out: the gateway is the first address, and the others are what can be given out. */
static int complete(struct up_cni_range *r, struct up_err *err)
{
	bool v4 = up_addr_is_v4(&r->subnet.addr);
	struct up_addr last = last_of(&r->subnet);
	int ret;

	if (r->subnet.plen > (v4 ? 30 : 126))
		return up_cni_fail(err, UP_CNI_BAD_CONFIG,
				   "ipam: subnet: /%u is too small to allocate from",
				   r->subnet.plen);
	if (!up_addr_set(&r->gateway))
		r->gateway = next(&r->subnet.addr);
	if (!up_addr_set(&r->first))
		r->first = next(&r->subnet.addr);
	if (!up_addr_set(&r->last))
		r->last = v4 ? previous(&last) : last; /* the last one of IPv4 is broadcast */
	ret = check_inside(r, "rangeStart", &r->first, err);
	if (!ret)
		ret = check_inside(r, "rangeEnd", &r->last, err);
	if (!ret && compare(&r->first, &r->last) > 0)
		ret = up_cni_fail(err, UP_CNI_BAD_CONFIG, "ipam: rangeStart is after rangeEnd");
	return ret;
}

static int parse_range(const json_t *in, struct up_cni_range *ret, struct up_err *err)
{
	struct up_cni_range r = {};
	const char *subnet = "";
	int retval = up_cni_get_string(in, "subnet", &subnet, err);

	if (!retval)
		retval = up_cni_get_addr(in, "rangeStart", &r.first, err);
	if (!retval)
		retval = up_cni_get_addr(in, "rangeEnd", &r.last, err);
	if (!retval)
		retval = up_cni_get_addr(in, "gateway", &r.gateway, err);
	if (retval)
		return retval;
	if (!strchr(subnet, '/') || up_cidr_parse(subnet, &r.subnet))
		return up_cni_fail(err, UP_CNI_BAD_CONFIG,
				   "ipam: subnet '%.60s': want ADDRESS/LENGTH, no bits beyond it",
				   subnet);
	retval = complete(&r, err);
	if (!retval)
		*ret = r;
	return retval;
}

static int add(struct up_cni_ranges *all, const json_t *in, struct up_err *err)
{
	struct up_cni_range r;
	int ret;

	if (all->n == UP_CNI_RANGES_MAX)
		return up_cni_fail(err, UP_CNI_BAD_CONFIG, "ipam: more than %d ranges",
				   UP_CNI_RANGES_MAX);
	ret = parse_range(in, &r, err);
	if (ret)
		return ret;
	r.set = all->sets;
	for (size_t i = 0; i < all->n; i++) {
		const struct up_cni_range *o = &all->at[i];

		if (up_addr_is_v4(&o->first) == up_addr_is_v4(&r.first) &&
		    compare(&r.first, &o->last) <= 0 && compare(&o->first, &r.last) <= 0)
			return up_cni_fail(err, UP_CNI_BAD_CONFIG, "ipam: two ranges overlap");
		if (o->set == r.set && up_addr_is_v4(&o->first) != up_addr_is_v4(&r.first))
			return up_cni_fail(err, UP_CNI_BAD_CONFIG,
					   "ipam: a set of ranges has both families");
	}
	all->at[all->n++] = r;
	return 0;
}

/* A list of sets, each a list of ranges. */
static int add_sets(struct up_cni_ranges *all, const json_t *holder, const char *key,
		    struct up_err *err)
{
	json_t *sets = NULL, *set, *range;
	int ret = up_cni_get_array(holder, key, &sets, err);
	size_t i, j;

	json_array_foreach (sets, i, set) {
		if (!ret && (!json_is_array(set) || !json_array_size(set)))
			ret = up_cni_fail(err, UP_CNI_DECODE, "%s: want lists of ranges", key);
		json_array_foreach (set, j, range)
			if (!ret)
				ret = add(all, range, err);
		all->sets++;
	}
	return ret;
}

static int check_families(const struct up_cni_ranges *all, struct up_err *err)
{
	unsigned int sets[UP_FAMILIES] = {};

	for (size_t i = 0; i < all->n; i++)
		if (!i || all->at[i].set != all->at[i - 1].set)
			sets[up_addr_family(&all->at[i].first)]++;
	if (sets[UP_V4] <= 1 && sets[UP_V6] <= 1)
		return 0;
	return up_cni_fail(err, UP_CNI_BAD_CONFIG,
			   "CNI version 0.2.0 does not support more than 1 address per family");
}

int up_cni_ranges_parse(const json_t *ipam, const json_t *runtime, enum up_cni_version version,
			struct up_cni_ranges *ret, struct up_err *err)
{
	int retval = 0;

	ret->n = ret->sets = 0;
	if (runtime)
		retval = add_sets(ret, runtime, "ipRanges", err);
	if (!retval && up_cni_get(ipam, "subnet")) {
		retval = add(ret, ipam, err);
		ret->sets++;
	}
	if (!retval)
		retval = add_sets(ret, ipam, "ranges", err);
	if (!retval && !ret->n)
		retval = up_cni_fail(err, UP_CNI_BAD_CONFIG, "ipam: no IP ranges specified");
	if (!retval && version < UP_CNI_0_3_0)
		retval = check_families(ret, err);
	return retval;
}

static bool in_range(const struct up_cni_range *r, const struct up_addr *addr)
{
	return up_cidr_contains(&r->subnet, addr) && compare(addr, &r->first) >= 0 &&
	       compare(addr, &r->last) <= 0;
}

const struct up_cni_range *up_cni_range_of(const struct up_cni_ranges *ranges, unsigned int set,
					   const struct up_addr *addr)
{
	for (size_t i = 0; i < ranges->n; i++)
		if (ranges->at[i].set == set && in_range(&ranges->at[i], addr))
			return &ranges->at[i];
	return NULL;
}

/* The range behind another one of its set, or the set's first. */
static const struct up_cni_range *range_behind(const struct up_cni_ranges *ranges, unsigned int set,
					       const struct up_cni_range *r)
{
	const struct up_cni_range *end = ranges->at + ranges->n;

	if (r && r + 1 < end && r[1].set == set)
		return r + 1;
	for (r = ranges->at; r < end; r++)
		if (r->set == set)
			break;
	return r;
}

struct up_addr up_cni_ranges_next(const struct up_cni_ranges *ranges, unsigned int set,
				  const struct up_addr *addr)
{
	const struct up_cni_range *r = up_cni_range_of(ranges, set, addr);

	if (r && compare(addr, &r->last) < 0)
		return next(addr);
	return range_behind(ranges, set, r)->first;
}
