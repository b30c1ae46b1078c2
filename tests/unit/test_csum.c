// SPDX-License-Identifier: GPL-2.0-only
/* Incremental checksums against recomputing in full, and parsing of random bytes. */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/cmocka_all.h"
#include "lib/csum.h"
#include "lib/parse.h"
#include "underpass/port.h"

static uint16_t full(const uint8_t *data, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i += 2) {
		uint16_t word;

		memcpy(&word, data + i, 2);
		sum += word;
	}
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void fill(uint8_t *data, size_t len, bool extreme)
{
	for (size_t i = 0; i < len; i++)
		data[i] = extreme ? (random() % 2 ? 0xff : 0) : (uint8_t)random();
}

/* 0 and 0xffff are two ways to write the same sum. */
static bool same_sum(uint16_t a, uint16_t b)
{
	return a == b || (a % 0xffff == 0 && b % 0xffff == 0);
}

static void updates_agree_with_the_whole(void **state)
{
	(void)state;
	srandom(1);
	for (int i = 0; i < 500000; i++) {
		uint8_t before[20], after[20];
		uint32_t old[2], new[2];
		uint16_t old16, new16;
		uint64_t diff;

		fill(before, sizeof(before), i % 2);
		memcpy(after, before, sizeof(after));
		fill(after, 10, i % 3 == 0);
		memcpy(old, before, 8);
		memcpy(new, after, 8);
		memcpy(&old16, before + 8, 2);
		memcpy(&new16, after + 8, 2);
		diff = csum_diff32(old[0], new[0]) + csum_diff32(old[1], new[1]) +
		       csum_diff16(old16, new16);
		assert_true(same_sum(csum_apply(full(before, 20), diff), full(after, 20)));
		/* Folding on the way loses nothing: flows keep the difference in 16 bits. */
		assert_true(
			same_sum(csum_apply(full(before, 20), csum_fold16(diff)), full(after, 20)));
	}
}

/* Whatever comes in: what is said to be there is there. */
static void parsing_stays_inside(void **state)
{
	(void)state;
	srandom(2);
	for (int i = 0; i < 200000; i++) {
		size_t len = (size_t)(random() % 120);
		uint8_t *data =
			malloc(len ? len : 1); /* exact, so that a sanitizer sees an overrun */
		struct pkt p;

		assert_non_null(data);
		fill(data, len, false);
		if (len > 34 && i % 4) {
			static const uint8_t protos[] = {6, 17, 1, 132};

			memcpy(data + 12, (uint8_t[]){8, 0}, 2);
			data[14] = (uint8_t)(0x40 | (i % 8 ? 5 + random() % 4 : random() % 16));
			data[16] = 0;
			data[17] = (uint8_t)(random() % 2 ? len - 14 : (size_t)random());
			data[20] = data[21] = 0;
			data[23] = protos[random() % 4];
		}
		if (parse(data, data + len, (uint32_t)len, &p) == PARSE_OK) {
			assert_true(p.csum_off + 2U <= len && p.port_off + 2U <= len);
			assert_true(p.l4_off >= 34 && p.l4_off + 8U <= len);
			assert_true(p.tot_len == 0xffff || 14U + p.tot_len <= len);
		}
		free(data);
	}
}

static void port_rows_sort_by_address_protocol_port(void **state)
{
	const struct up_addr one = {{0, 0, 0, 1}}, two = {{0, 0, 0, 2}};
	const struct up_port_row row = {.addr = one, .port = up_port_key(0, 0xffff)};

	(void)state;
	assert_true(up_port_cmp(&row, &two, up_port_key(0, 0)) < 0);
	assert_true(up_port_cmp(&row, &one, up_port_key(1, 0)) < 0);
	assert_true(up_port_cmp(&row, &one, up_port_key(0, 0xfffe)) > 0);
	assert_int_equal(up_port_cmp(&row, &one, up_port_key(0, 0xffff)), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(updates_agree_with_the_whole),
		cmocka_unit_test(parsing_stays_inside),
		cmocka_unit_test(port_rows_sort_by_address_protocol_port),
	};

	return cmocka_run_group_tests_name("csum", tests, NULL, NULL);
}
