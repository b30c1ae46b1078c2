// SPDX-License-Identifier: GPL-2.0-only
#include "core/portfree.h"

#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "core/maps.h"
#include "core/porttab.h"
#include "net/sockdiag.h"

#define RANGE_PATH "/proc/sys/net/ipv4/ip_local_port_range"

struct range {
	unsigned int lo, hi;
};

static struct range local_ports(void)
{
	struct range r = {32768, 60999}; /* the kernel's default */
	cleanup_free char *text = NULL;
	unsigned int lo, hi;

	if (up_file_read(RANGE_PATH, 64, &text, NULL) > 0 &&
	    sscanf(text, "%5u %5u", &lo, &hi) == 2 && lo && lo <= hi && hi < 65536)
		r = (struct range){lo, hi};
	return r;
}

/* Of the same text or command line: not in the table yet. */
static uint16_t in_list(const struct up_publish *pub, const struct up_publish *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (&list[i] != pub && !list[i].any && list[i].proto == pub->proto &&
		    up_addr_conflicts(&list[i].addr, &pub->addr) && list[i].lo <= pub->hi &&
		    pub->lo <= list[i].hi)
			return list[i].hi;
	return 0;
}

static uint16_t in_reserved(const struct up_datapath *dp, const struct up_publish *pub)
{
	for (unsigned int port = pub->hi; port >= pub->lo; port--)
		if (dp->conf.reserved[port / 64] >> port % 64 & 1)
			return (uint16_t)port;
	return 0;
}

/* The port that is in the way, 0 for none. A share in what another has is no free place. */
static int find_obstacle(const struct up_datapath *dp, const struct up_publish *pub,
			 const struct up_publish *list, size_t n, uint16_t *ret, struct up_err *err)
{
	struct up_publish own = *pub;
	const struct up_port_row *row;

	own.share = false;
	row = up_porttab_conflict(dp->ports, 0, &own, NULL);
	*ret = row ? row->hi : 0;
	if (!*ret)
		*ret = in_list(pub, list, n);
	if (!*ret)
		*ret = in_reserved(dp, pub);
	return *ret ? 0 : up_sockdiag_holder(pub->proto, &pub->addr, pub->lo, pub->hi, ret, err);
}

static int choose(const struct up_datapath *dp, struct range range, struct up_publish *pub,
		  const struct up_publish *list, size_t n, struct up_err *err)
{
	const unsigned int more = (unsigned int)(pub->hi - pub->lo);
	uint16_t obstacle = 0;
	int ret = 0;

	for (unsigned int at = range.lo; !ret && at + more <= range.hi; at = obstacle + 1U) {
		pub->lo = (uint16_t)at;
		pub->hi = (uint16_t)(at + more);
		ret = find_obstacle(dp, pub, list, n, &obstacle, err);
		if (!ret && !obstacle) {
			pub->any = false;
			return 0;
		}
	}
	return ret ? ret
		   : up_fail_msg(err, ENOSPC, "no %u host ports are free from %u to %u", more + 1,
				 range.lo, range.hi);
}

int up_ports_choose(struct up_datapath *dp, struct up_publish *pubs, size_t n, struct up_err *err)
{
	struct range range = {};
	int ret = 0;

	for (size_t i = 0; !ret && i < n; i++) {
		if (!pubs[i].any)
			continue;
		if (!range.hi)
			range = local_ports();
		ret = choose(dp, range, &pubs[i], pubs, n, err);
	}
	return ret;
}
