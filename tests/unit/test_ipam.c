// SPDX-License-Identifier: GPL-2.0-only
/* Addresses of endpoints. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "core/ipam.h"
#include "core/maps.h"

#include "bpf/cmocka_all.h"

static struct up_endpoint rows[UP_ENDPOINT_MAX];
static struct up_datapath dp = {.endpoints = rows};

static struct up_network net_of_dp(void)
{
	return up_network_of_conf(&dp.conf);
}

static void network(const char *text)
{
	struct up_cidr net;

	memset(rows, 0, sizeof(rows));
	memset(&dp.conf, 0, sizeof(dp.conf));
	assert_int_equal(up_cidr_parse(text, &net), 0);
	dp.conf.subnet[up_addr_family(&net.addr)] = net.addr;
	dp.conf.plen[up_addr_family(&net.addr)] = net.plen;
}

static struct up_addr of(const char *text)
{
	struct up_addr addr;

	assert_int_equal(up_addr_parse(text, &addr), 0);
	return addr;
}

static void assert_addr(const struct up_addr *addr, const char *want)
{
	char text[UP_ADDR_TEXT];

	assert_string_equal(up_addr_format(addr, text), want);
}

static void assert_picks(enum up_family family, const char *want)
{
	struct up_network net = net_of_dp();
	struct up_addr addr;

	assert_int_equal(up_ipam_pick(&dp, &net, family, &addr, NULL), 0);
	assert_addr(&addr, want);
}

static int check(const char *text)
{
	struct up_network net = net_of_dp();
	struct up_addr addr = of(text);

	return up_ipam_check(&dp, &net, &addr, NULL);
}

static void take(uint32_t id, const char *text)
{
	struct up_addr addr = of(text);

	rows[id].state = UP_ENDPOINT_LIVE;
	rows[id].addr[up_addr_family(&addr)] = addr;
}

static void the_lowest_free_one(void **state)
{
	struct up_addr gateway;

	(void)state;
	network("10.215.0.0/16");
	gateway = net_of_dp().gateway[UP_V4];
	assert_addr(&gateway, "10.215.0.1");
	assert_picks(UP_V4, "10.215.0.2");
	take(1, "10.215.0.2");
	take(2, "10.215.0.4");
	assert_picks(UP_V4, "10.215.0.3");
	rows[2].state = UP_ENDPOINT_CLOSING; /* still taken */
	take(3, "10.215.0.3");
	assert_picks(UP_V4, "10.215.0.5");
	rows[1].state = UP_ENDPOINT_FREE;
	assert_picks(UP_V4, "10.215.0.2");
}

static void the_lowest_free_one_of_ipv6(void **state)
{
	struct up_addr gateway;

	(void)state;
	network("fd12:3456:789a::/64");
	gateway = net_of_dp().gateway[UP_V6];
	assert_addr(&gateway, "fd12:3456:789a::1");
	take(1, "fd12:3456:789a::2");
	take(2, "fd12:3456:789a:1::3"); /* another network's */
	assert_picks(UP_V6, "fd12:3456:789a::3");
	assert_int_equal(check("fd12:3456:789a::ffff"), 0);
	assert_int_equal(check("fd12:3456:789a::2"), -EEXIST);
	assert_int_equal(check("fd12:3456:789a::1"), -EINVAL);
	assert_int_equal(check("fd12:3456:789a:1::5"), -EINVAL);
}

static void a_wanted_one(void **state)
{
	(void)state;
	network("10.215.0.0/16");
	take(1, "10.215.0.2");
	assert_int_equal(check("10.215.255.254"), 0);
	assert_int_equal(check("10.215.0.2"), -EEXIST);
	assert_int_equal(check("10.215.0.0"), -EINVAL);     /* the network */
	assert_int_equal(check("10.215.0.1"), -EINVAL);     /* the gateway */
	assert_int_equal(check("10.215.255.255"), -EINVAL); /* broadcast */
	assert_int_equal(check("10.216.0.0"), -EINVAL);
	assert_int_equal(check("10.214.255.255"), -EINVAL);
	assert_int_equal(check("fd00::2"), -EINVAL); /* no such network */
}

static void a_foreign_one(void **state)
{
	struct up_addr addr = of("192.168.7.9");
	struct up_network net;

	(void)state;
	network("10.215.0.0/16");
	net = net_of_dp();
	assert_int_equal(up_ipam_check(&dp, &net, &addr, NULL), -EINVAL);
	assert_int_equal(up_ipam_check(&dp, NULL, &addr, NULL), 0);
	take(1, "192.168.7.9");
	assert_int_equal(up_ipam_check(&dp, NULL, &addr, NULL), -EEXIST);
	addr = of("127.0.0.1");
	assert_int_equal(up_ipam_check(&dp, NULL, &addr, NULL), -EINVAL);
	addr = of("fe80::1");
	assert_int_equal(up_ipam_check(&dp, NULL, &addr, NULL), -EINVAL);
}

static void a_small_network_ends(void **state)
{
	struct up_network net;
	struct up_addr addr;

	(void)state;
	network("192.168.1.8/29"); /* .8 to .15: five containers */
	net = net_of_dp();
	for (uint32_t id = 1; id <= 5; id++) {
		assert_int_equal(up_ipam_pick(&dp, &net, UP_V4, &addr, NULL), 0);
		rows[id].state = UP_ENDPOINT_LIVE;
		rows[id].addr[UP_V4] = addr;
	}
	assert_addr(&addr, "192.168.1.14");
	assert_int_equal(up_ipam_pick(&dp, &net, UP_V4, &addr, NULL), -ENOSPC);
}

/* Whatever address the gateway has, no container gets it. */
static void a_gateway_elsewhere(void **state)
{
	struct up_network net = {
		.name = "back",
		.subnet = {{of("192.168.1.8"), 29}, {of("fd01::"), 64}},
		.gateway = {of("192.168.1.10"), of("fd01::ffff:1")},
	};
	struct up_addr addr, gateway = of("192.168.1.10");

	(void)state;
	network("10.215.0.0/16");
	assert_int_equal(up_ipam_pick(&dp, &net, UP_V4, &addr, NULL), 0);
	assert_addr(&addr, "192.168.1.9");
	take(1, "192.168.1.9");
	assert_int_equal(up_ipam_pick(&dp, &net, UP_V4, &addr, NULL), 0);
	assert_addr(&addr, "192.168.1.11");
	assert_int_equal(up_ipam_check(&dp, &net, &gateway, NULL), -EINVAL);
	assert_int_equal(up_ipam_check(&dp, &net, &addr, NULL), 0);
	assert_int_equal(up_ipam_pick(&dp, &net, UP_V6, &addr, NULL), 0);
	assert_addr(&addr, "fd01::1");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lowest_free_one),
		cmocka_unit_test(the_lowest_free_one_of_ipv6),
		cmocka_unit_test(a_wanted_one),
		cmocka_unit_test(a_foreign_one),
		cmocka_unit_test(a_small_network_ends),
		cmocka_unit_test(a_gateway_elsewhere),
	};

	return cmocka_run_group_tests_name("ipam", tests, NULL, NULL);
}
