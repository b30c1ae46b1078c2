// SPDX-License-Identifier: GPL-2.0-only
/* Ports as text, and the published port table against a naive model of it. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "core/portspec.h"
#include "core/porttab.h"

#include "bpf/cmocka_all.h"

static void good_texts(void **state)
{
	static const struct {
		const char *text, *canonical;
	} cases[] = {
		{"80", "0.0.0.0:80->80/tcp"},
		{"8080:80", "0.0.0.0:8080->80/tcp"},
		{"8080:80/udp", "0.0.0.0:8080->80/udp"},
		{"127.0.0.1:8080:80/tcp", "127.0.0.1:8080->80/tcp"},
		{"8000-18000:8000-18000", "0.0.0.0:8000-18000->8000-18000/tcp"},
		{"1-2:65534-65535", "0.0.0.0:1-2->65534-65535/tcp"},
		{"53-54/udp", "0.0.0.0:53-54->53-54/udp"},
		{"255.255.255.255:10000-10001:10000-10001/udp",
		 "255.255.255.255:10000-10001->10000-10001/udp"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char buf[UP_PORTSPEC_MAX];
		struct up_publish pub;
		struct up_err err;

		assert_int_equal(up_portspec_parse(cases[i].text, &pub, &err), 0);
		up_portspec_format(&pub, buf);
		assert_string_equal(buf, cases[i].canonical);
	}
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
		{":80", "host port ''"},
		{"a:80", "host port 'a'"},
		{"80 ", "container port '80 '"},
		{"+80", "container port '+80'"},
		{"-80", "container port '-80'"},
		{"0x50", "container port '0x50'"},
		{"90-80", "container port '90-80'"},
		{"8000-8010:80", "11 host ports cannot map one to one to 1"},
		{"80:80/sctp", "protocol is not tcp or udp"},
		{"80:80/", "protocol is not tcp or udp"},
		{"80:80/icmp", "protocol is not tcp or udp"},
		{"80:80/tcp/udp", "protocol is not tcp or udp"},
		{"1.2.3:80:80", "'1.2.3' is not an IPv4 address"},
		{"::1:80:80", "is not an IPv4 address"},
		{"999999999999999999999:80", "host port"},
		{"1234567890123456789012345678901234567890123456789012345678901234567890",
		 "too long"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct up_publish pub = {.lo = 7};
		struct up_err err = {};

		assert_int_equal(up_portspec_parse(cases[i].text, &pub, &err), -EINVAL);
		if (!strstr(err.msg, cases[i].why))
			fail_msg("'%s': '%s' does not say: %s", cases[i].text, err.msg,
				 cases[i].why);
		assert_int_equal(pub.lo, 7); /* results are written on success only */
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
	struct up_publish pub;

	assert_int_equal(up_portspec_parse(text, &pub, NULL), 0);
	return up_porttab_add(t, owner, &pub, 1, NULL);
}

static uint16_t conflict(struct up_port_table *t, const char *text)
{
	const struct up_port_row *row;
	struct up_publish pub;

	assert_int_equal(up_portspec_parse(text, &pub, NULL), 0);
	row = up_porttab_conflict(t, &pub);
	return row ? row->endpoint : 0;
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
}

static void all_or_none(void **state)
{
	struct up_port_table *t = *state;
	struct up_publish pubs[2];
	struct up_err err;

	assert_int_equal(up_portspec_parse("80-90:80-90", &pubs[0], NULL), 0);
	assert_int_equal(up_portspec_parse("192.0.2.1:90:1", &pubs[1], NULL), 0);
	assert_int_equal(up_porttab_add(t, 1, pubs, 2, &err), -EEXIST);
	assert_string_equal(err.msg,
			    "ports 0.0.0.0:80-90->80-90/tcp and 192.0.2.1:90->1/tcp overlap");
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

		assert_true(!i || half->rows[i - 1].key < row->key);
		for (uint32_t port = (uint16_t)row->key; port <= row->hi; port++)
			assert_int_equal(m->owner[row->key >> 48][port], row->endpoint);
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
	assert_int_equal(up_porttab_conflict(t, &pub) != NULL, taken);
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
		cmocka_unit_test(bad_texts),
		cmocka_unit_test_setup_teardown(conflicts, table_new, table_free),
		cmocka_unit_test_setup_teardown(all_or_none, table_new, table_free),
		cmocka_unit_test_setup_teardown(the_old_half_stays_whole, table_new, table_free),
		cmocka_unit_test_setup_teardown(random_changes_agree_with_a_model, table_new,
						table_free),
	};

	return cmocka_run_group_tests_name("ports", tests, NULL, NULL);
}
