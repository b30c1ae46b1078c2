// SPDX-License-Identifier: GPL-2.0-only
/* Addresses of endpoints. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "core/ipam.h"
#include "core/maps.h"

#include "bpf/cmocka_all.h"

static struct up_endpoint rows[UP_ENDPOINT_MAX];
static struct up_datapath dp = {.endpoints = rows};

static int network(uint32_t subnet, uint32_t plen)
{
	memset(rows, 0, sizeof(rows));
	dp.conf.subnet = htonl(subnet);
	dp.conf.plen = plen;
	return 0;
}

static uint32_t pick(uint32_t wanted, int expected)
{
	struct in_addr addr = {htonl(wanted)};

	assert_int_equal(up_ipam_pick(&dp, &addr, NULL), expected);
	return ntohl(addr.s_addr);
}

static void take(uint32_t id, uint32_t addr)
{
	rows[id].state = UP_ENDPOINT_LIVE;
	rows[id].addr = htonl(addr);
}

static void the_lowest_free_one(void **state)
{
	(void)state;
	network(0x0ad70000, 16);
	assert_int_equal(ntohl(up_ipam_gateway(&dp.conf).s_addr), 0x0ad70001);
	assert_int_equal(pick(0, 0), 0x0ad70002);
	take(1, 0x0ad70002);
	take(2, 0x0ad70004);
	assert_int_equal(pick(0, 0), 0x0ad70003);
	rows[2].state = UP_ENDPOINT_CLOSING; /* still taken */
	take(3, 0x0ad70003);
	assert_int_equal(pick(0, 0), 0x0ad70005);
	rows[1].state = UP_ENDPOINT_FREE;
	assert_int_equal(pick(0, 0), 0x0ad70002);
}

static void a_wanted_one(void **state)
{
	(void)state;
	network(0x0ad70000, 16);
	take(1, 0x0ad70002);
	assert_int_equal(pick(0x0ad7fffe, 0), 0x0ad7fffe);
	pick(0x0ad70002, -EEXIST);
	pick(0x0ad70000, -EINVAL); /* the network */
	pick(0x0ad70001, -EINVAL); /* the gateway */
	pick(0x0ad7ffff, -EINVAL); /* broadcast */
	pick(0x0ad80000, -EINVAL);
	pick(0x0ad6ffff, -EINVAL);
}

static void a_small_network_ends(void **state)
{
	(void)state;
	network(0xc0a80108, 29); /* .8 to .15: five containers */
	for (uint32_t id = 1; id <= 5; id++)
		take(id, pick(0, 0));
	assert_int_equal(ntohl(rows[5].addr), 0xc0a8010e);
	pick(0, -ENOSPC);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lowest_free_one),
		cmocka_unit_test(a_wanted_one),
		cmocka_unit_test(a_small_network_ends),
	};

	return cmocka_run_group_tests_name("ipam", tests, NULL, NULL);
}
