// SPDX-License-Identifier: GPL-2.0-only
/* Ports as text, and the published port table against a naive model of it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "core/portspec.h"
#include "core/porttab.h"

#include "bpf/cmocka_all.h"

static void good_texts(void **state)
{
	static const struct {
		const char *text, *canonical;
	} cases[] = {
		{"80", "*:80->80/tcp"},
		{"8080:80", "*:8080->80/tcp"},
		{"8080:80/udp", "*:8080->80/udp"},
		{"127.0.0.1:8080:80/tcp", "127.0.0.1:8080->80/tcp"},
		{"0.0.0.0:8080:80/tcp", "0.0.0.0:8080->80/tcp"},
		{"[::1]:8080:80", "[::1]:8080->80/tcp"},
		{"[::]:8080:80", "[::]:8080->80/tcp"},
		{"[2001:db8:1:2:3:4:5:6]:8080-8081:80-81/sctp",
		 "[2001:db8:1:2:3:4:5:6]:8080-8081->80-81/sctp"},
		{"8000-18000:8000-18000", "*:8000-18000->8000-18000/tcp"},
		{"8000-8010:80", "*:8000-8010->80/tcp"},
		{"1-2:65534-65535", "*:1-2->65534-65535/tcp"},
		{"53-54/udp", "*:53-54->53-54/udp"},
		{"80:80,share", "*:80->80/tcp shared"},
		{"255.255.255.255:10000-10001:10000-10001/udp",
		 "255.255.255.255:10000-10001->10000-10001/udp"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cleanup_publish_list struct up_publish_list list = {};
		char buf[UP_PORTSPEC_TEXT];

		assert_int_equal(up_portspec_parse(cases[i].text, &list, NULL), 0);
		assert_int_equal(list.n, 1);
		up_portspec_format(&list.pubs[0], buf);
		assert_string_equal(buf, cases[i].canonical);
	}
}

/* docker's: without a host port, a free one. */
static void free_ports(void **state)
{
	static const struct {
		const char *text;
		bool any;
	} cases[] = {
		{"80", true},
		{":80/udp", true},
		{"127.0.0.1::80-82", true},
		{"[::1]::80", true},
		{"80:80", false},
		{"127.0.0.1:80:80", false},
		{"8000-8010:80", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cleanup_publish_list struct up_publish_list list = {};

		assert_int_equal(up_portspec_parse(cases[i].text, &list, NULL), 0);
		assert_int_equal(list.pubs[0].any, cases[i].any);
	}
}

static void several_protocols(void **state)
{
	cleanup_publish_list struct up_publish_list list = {};

	(void)state;
	assert_int_equal(up_portspec_parse("80", &list, NULL), 0);
	assert_int_equal(up_portspec_parse("53:5353/udp,tcp,sctp,share", &list, NULL), 0);
	assert_int_equal(list.n, 4); /* appended */
	assert_int_equal(list.pubs[1].proto, IPPROTO_UDP);
	assert_int_equal(list.pubs[2].proto, IPPROTO_TCP);
	assert_int_equal(list.pubs[3].proto, IPPROTO_SCTP);
	for (int i = 1; i < 4; i++) {
		assert_int_equal(list.pubs[i].lo, 53);
		assert_int_equal(list.pubs[i].to, 5353);
		assert_true(list.pubs[i].share);
	}
}

static void sources(void **state)
{
	cleanup_publish_list struct up_publish_list list = {};
	char path[] = "/tmp/up-sources-XXXXXX", text[64], cidr[UP_ADDR_TEXT];
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(
		up_portspec_parse("80/tcp,udp,from=10.0.0.0/8,2001:db8::/32,192.0.2.1,share", &list,
				  NULL),
		0);
	assert_int_equal(list.n, 2);
	for (int i = 0; i < 2; i++) {
		const struct up_publish *pub = &list.pubs[i];

		assert_int_equal(pub->n_from, 3);
		assert_string_equal(up_addr_format(&pub->from[1].addr, cidr), "2001:db8::");
		assert_int_equal(pub->from[1].plen, 32);
		assert_int_equal(pub->from[2].plen, 32);
		assert_true(pub->share);
	}
	dprintf(fd, "# office\n 10.1.0.0/16 # hq\n\n192.0.2.7\r\n");
	snprintf(text, sizeof(text), "81:81,from=@%s", path);
	assert_int_equal(up_portspec_parse(text, &list, NULL), 0);
	assert_int_equal(list.pubs[2].n_from, 2);
	assert_int_equal(list.pubs[2].from[0].plen, 16);
	assert_string_equal(up_addr_format(&list.pubs[2].from[1].addr, cidr), "192.0.2.7");
	close(fd);
	unlink(path);
}

static void bad_texts(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{"", "container port ''"},
		{"0", "container port '0'"},
		{"70000:80", "host port '70000'"},
		{"0:80", "host port '0'"},
		{"65536", "container port '65536'"},
		{"80:", "container port ''"},
		{"a:80", "host port 'a'"},
		{"80 ", "container port '80 '"},
		{"+80", "container port '+80'"},
		{"-80", "container port '-80'"},
		{"0x50", "container port '0x50'"},
		{"90-80", "container port '90-80'"},
		{"8000-8010:80-85", "11 host ports cannot map one to one to 6"},
		{"8000:80-85", "1 host ports cannot map one to one to 6"},
		{"80:80/dccp", "'dccp' is not tcp, udp or sctp"},
		{"80:80/", "'' is not tcp, udp or sctp"},
		{"80:80/icmp", "'icmp' is not tcp, udp or sctp"},
		{"80:80/tcp/udp", "'tcp/udp' is not tcp, udp or sctp"},
		{"80:80/tcp,tcp", "tcp twice"},
		{"80:80,udp", "'udp' is not share or from=CIDR"},
		{"80:80,from=", "'' is not an address or a network"},
		{"80:80,from=10.0.0.1/8", "'10.0.0.1/8' is not an address or a network"},
		{"80:80,from=10.0.0.0/33", "'10.0.0.0/33'"},
		{"80:80,from=10.0.0.0/8,udp", "'udp' is not share or from=CIDR"},
		{"80:80,10.0.0.0/8", "'10.0.0.0/8' is not share or from=CIDR"},
		{"[::1:80:80", "'[::1' is not an IPv4 address"},
		{"[1.2.3.4]:80:80", "is not an IPv4 address"},
		{"1.2.3:80:80", "'1.2.3' is not an IPv4 address"},
		{"::1:80:80", "is not an IPv4 address"},
		{"999999999999999999999:80", "host port"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cleanup_publish_list struct up_publish_list list = {};
		struct up_err err = {};

		assert_int_equal(up_portspec_parse(cases[i].text, &list, &err), -EINVAL);
		if (!strstr(err.msg, cases[i].why))
			fail_msg("'%s': '%s' does not say: %s", cases[i].text, err.msg,
				 cases[i].why);
		assert_int_equal(list.n, 0); /* results are written on success only */
	}
}

/* ---- the table --------------------------------------------------------------------------------
 */

static int table_new(void **state)
{
	*state = calloc(1, sizeof(struct up_port_table));
	return !*state;
}

static int table_free(void **state)
{
	free(*state);
	return 0;
}

static bool owned(const struct up_port_row *row, void *arg)
{
	return row->endpoint == *(uint16_t *)arg;
}

static int add(struct up_port_table *t, uint16_t owner, const char *text)
{
	cleanup_publish_list struct up_publish_list list = {};

	assert_int_equal(up_portspec_parse(text, &list, NULL), 0);
	return up_porttab_add(t, owner, list.pubs, list.n, NULL);
}

static uint16_t conflict_for(struct up_port_table *t, uint16_t endpoint, const char *text)
{
	cleanup_publish_list struct up_publish_list list = {};
	const struct up_port_row *row;

	assert_int_equal(up_portspec_parse(text, &list, NULL), 0);
	row = up_porttab_conflict(t, endpoint, &list.pubs[0], NULL);
	return row ? row->endpoint : 0;
}

static uint16_t conflict(struct up_port_table *t, const char *text)
{
	return conflict_for(t, 0, text);
}

static void conflicts(void **state)
{
	struct up_port_table *t = *state;

	assert_int_equal(add(t, 1, "8000-8010:8000-8010"), 0);
	assert_int_equal(add(t, 2, "192.0.2.1:9000:80"), 0);
	assert_int_equal(conflict(t, "8010:1"), 1);
	assert_int_equal(conflict(t, "8011:1"), 0);
	assert_int_equal(conflict(t, "7000-8000:7000-8000"), 1);
	assert_int_equal(conflict(t, "8000:1/udp"), 0);
	assert_int_equal(conflict(t, "192.0.2.9:8005:1"), 1); /* every address includes this one */
	assert_int_equal(conflict(t, "192.0.2.9:9000:1"), 0);
	assert_int_equal(conflict(t, "192.0.2.1:9000:1"), 2);
	assert_int_equal(conflict(t, "9000:1"), 2);
	assert_int_equal(conflict(t, "[::]:9000:1"), 0); /* the other family's */
	assert_int_equal(conflict(t, "[2001:db8::1]:8005:1"), 1);
	assert_int_equal(conflict(t, "8005:1/sctp"), 0);
}

static void shared_ranges(void **state)
{
	struct up_port_table *t = *state;
	const struct up_port_half *half;
	char text[32];

	assert_int_equal(add(t, 1, "80:80,share"), 0);
	assert_int_equal(add(t, 2, "90:90"), 0);
	assert_int_equal(conflict(t, "80:8080,share"), 0);
	assert_int_equal(conflict(t, "80:80"), 1);             /* does not want to share */
	assert_int_equal(conflict(t, "90:90,share"), 2);       /* does not want to be shared */
	assert_int_equal(conflict(t, "80-81:80-81,share"), 1); /* not the same range */
	assert_int_equal(conflict(t, "192.0.2.1:80:80,share"), 1);
	assert_int_equal(conflict_for(t, 1, "80:80,share"), 1); /* not with oneself */
	for (uint16_t id = 3; id < UP_PORT_OWNERS + 2; id++) {
		snprintf(text, sizeof(text), "80:%d,share", id);
		assert_int_equal(add(t, id, text), 0);
	}
	assert_int_equal(add(t, 99, "80:1,share"), -ENOSPC);
	half = up_porttab_active(t);
	for (uint32_t i = 0; i < half->count; i++)
		assert_int_equal(half->rows[i].owners,
				 half->rows[i].endpoint == 2 ? 1 : UP_PORT_OWNERS);
}

static bool is_of(uint16_t endpoint, const void *arg)
{
	return *(const uint16_t *)arg == endpoint / 10;
}

static int add_unreserved(struct up_port_table *t, uint16_t owner, bool standby)
{
	struct up_publish pub = {.proto = IPPROTO_TCP,
				 .lo = 80,
				 .hi = 80,
				 .to = 80,
				 .unreserved = true,
				 .standby = standby};

	return up_porttab_add(t, owner, &pub, 1, NULL);
}

static bool is_standby(const struct up_port_table *t, uint32_t row)
{
	return up_porttab_active(t)->rows[row].flags & UP_PORT_STANDBY;
}

/* Endpoints 10 to 19 are of one container, 20 to 29 of another. */
static void endpoints_of_one_container_stand_by(void **state)
{
	const uint16_t one = 1, two = 2, first = 10;
	const struct up_siblings of_one = {is_of, &one}, of_two = {is_of, &two};
	const struct up_publish pub = {.proto = IPPROTO_TCP, .lo = 80, .hi = 80};
	const struct up_publish wider = {.proto = IPPROTO_TCP, .lo = 80, .hi = 81};
	struct up_port_table *t = *state;

	assert_int_equal(add_unreserved(t, first, false), 0);
	assert_null(up_porttab_conflict(t, 11, &pub, &of_one));
	assert_non_null(up_porttab_conflict(t, 11, &wider, &of_one));
	assert_non_null(up_porttab_conflict(t, 20, &pub, &of_two));
	assert_non_null(up_porttab_conflict(t, first, &pub, &of_one));
	assert_true(up_porttab_sibling_has(t, &pub, &of_one));
	assert_false(up_porttab_sibling_has(t, &pub, &of_two));

	assert_int_equal(add_unreserved(t, 11, true), 0);
	assert_int_equal(add_unreserved(t, 12, true), 0);
	assert_false(is_standby(t, 0));
	assert_true(is_standby(t, 1) && is_standby(t, 2));
	/* When the one that serves goes, another one takes over. */
	assert_int_equal(up_porttab_remove(t, owned, (void *)&first), 1);
	assert_false(is_standby(t, 0));
	assert_true(is_standby(t, 1));
	assert_int_equal(up_porttab_active(t)->rows[0].owners, 2);
}

static void what_is_not_reserved_is_published_all_the_same(void **state)
{
	struct up_port_table *t = *state;
	const struct up_port_half *half;

	assert_int_equal(add_unreserved(t, 1, false), 0);
	assert_int_equal(add(t, 1, "81:81"), 0);
	half = up_porttab_active(t);
	assert_int_equal(half->bits[UP_PORT_TCP][80 / 64] >> (80 % 64) & 3, 3);
	assert_int_equal(half->kept[UP_PORT_TCP][80 / 64] >> (80 % 64) & 3, 2);
}

static void all_or_none(void **state)
{
	struct up_port_table *t = *state;
	cleanup_publish_list struct up_publish_list list = {};
	struct up_err err;

	assert_int_equal(up_portspec_parse("80-90:80-90", &list, NULL), 0);
	assert_int_equal(up_portspec_parse("192.0.2.1:90:1", &list, NULL), 0);
	assert_int_equal(up_porttab_add(t, 1, list.pubs, list.n, &err), -EEXIST);
	assert_string_equal(err.msg, "ports *:80-90->80-90/tcp and 192.0.2.1:90->1/tcp overlap");
	assert_int_equal(up_porttab_active(t)->count, 0);
}

/* A reader that still uses the old half sees what it saw. */
static void the_old_half_stays_whole(void **state)
{
	struct up_port_table *t = *state;
	const struct up_port_half *before;
	struct up_port_half *copy = malloc(sizeof(*copy));
	uint16_t one = 1;

	assert_non_null(copy);
	assert_int_equal(add(t, 1, "80"), 0);
	before = up_porttab_active(t);
	memcpy(copy, before, sizeof(*copy));
	assert_int_equal(up_porttab_remove(t, owned, &one), 1);
	assert_ptr_not_equal(up_porttab_active(t), before);
	assert_memory_equal(before, copy, sizeof(*copy));
	assert_int_equal(up_porttab_active(t)->count, 0);
	free(copy);
}

/* Owner of each port of one address of each protocol: what the table must say. */
struct model {
	uint16_t owner[2][65536];
};

static void assert_agrees(const struct up_port_half *half, const struct model *m)
{
	for (int proto = 0; proto < 2; proto++)
		for (uint32_t port = 0; port < 65536; port++) {
			bool bit = half->bits[proto][port / 64] >> (port % 64) & 1;

			assert_int_equal(bit, m->owner[proto][port] != 0);
		}
	for (uint32_t i = 0; i < half->count; i++) {
		const struct up_port_row *row = &half->rows[i];

		assert_true(!i || half->rows[i - 1].port < row->port);
		for (uint32_t port = (uint16_t)row->port; port <= row->hi; port++)
			assert_int_equal(m->owner[row->port >> 16][port], row->endpoint);
	}
}

static void try_random_add(struct up_port_table *t, struct model *m)
{
	uint16_t lo = (uint16_t)(1 + random() % 65535), len = (uint16_t)(random() % 300);
	uint16_t owner = (uint16_t)(1 + random() % 5);
	struct up_publish pub = {
		.proto = random() % 2 ? IPPROTO_UDP : IPPROTO_TCP,
		.lo = lo,
		.hi = lo + len > 65535 ? 65535 : (uint16_t)(lo + len),
		.to = 1,
	};
	int proto = pub.proto == IPPROTO_UDP;
	bool taken = false;

	for (uint32_t port = pub.lo; port <= pub.hi; port++)
		taken |= m->owner[proto][port] != 0;
	assert_int_equal(up_porttab_conflict(t, 0, &pub, NULL) != NULL, taken);
	if (taken)
		return;
	assert_int_equal(up_porttab_add(t, owner, &pub, 1, NULL), 0);
	for (uint32_t port = pub.lo; port <= pub.hi; port++)
		m->owner[proto][port] = owner;
}

static void remove_owner(struct up_port_table *t, struct model *m)
{
	uint16_t owner = (uint16_t)(1 + random() % 5);

	up_porttab_remove(t, owned, &owner);
	for (int proto = 0; proto < 2; proto++)
		for (uint32_t port = 0; port < 65536; port++)
			if (m->owner[proto][port] == owner)
				m->owner[proto][port] = 0;
}

static void random_changes_agree_with_a_model(void **state)
{
	static struct model m;
	const char *given = getenv("SEED");
	unsigned int seed = given ? (unsigned int)strtoul(given, NULL, 10) : 1;

	print_message("# SEED=%u\n", seed);
	srandom(seed);
	for (int i = 0; i < 300; i++) {
		if (random() % 20)
			try_random_add(*state, &m);
		else
			remove_owner(*state, &m);
		if (i % 10 == 0)
			assert_agrees(up_porttab_active(*state), &m);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_texts),
		cmocka_unit_test(free_ports),
		cmocka_unit_test(several_protocols),
		cmocka_unit_test(sources),
		cmocka_unit_test(bad_texts),
		cmocka_unit_test_setup_teardown(conflicts, table_new, table_free),
		cmocka_unit_test_setup_teardown(shared_ranges, table_new, table_free),
		cmocka_unit_test_setup_teardown(endpoints_of_one_container_stand_by, table_new,
						table_free),
		cmocka_unit_test_setup_teardown(what_is_not_reserved_is_published_all_the_same,
						table_new, table_free),
		cmocka_unit_test_setup_teardown(all_or_none, table_new, table_free),
		cmocka_unit_test_setup_teardown(the_old_half_stays_whole, table_new, table_free),
		cmocka_unit_test_setup_teardown(random_changes_agree_with_a_model, table_new,
						table_free),
	};

	return cmocka_run_group_tests_name("ports", tests, NULL, NULL);
}
