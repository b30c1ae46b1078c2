// SPDX-License-Identifier: GPL-2.0-only
/* Rates as people write them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/rate.h"

static void rates_are_tcs(void **state)
{
	static const struct {
		const char *text;
		uint64_t bits;
	} good[] = {
		{"0", 0},
		{"8", 8},
		{"100bit", 100},
		{"64kbit", 64000},
		{"100mbit", 100000000},
		{"100Mbit", 100000000},
		{"1.5gbit", 1500000000},
		{"0.064mbit", 64000},
		{"2.5kbit", 2500},
		{"1tbit", 1000000000000},
		{"1kibit", 1024},
		{"1.5mibit", 1572864},
		{"3gibit", 3221225472},
		{"1tibit", 1099511627776},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		uint64_t bits = 1;

		assert_int_equal(up_rate_parse(good[i].text, &bits), 0);
		assert_int_equal(bits, good[i].bits);
	}
}

static void what_is_no_rate_is_refused(void **state)
{
	static const char *const bad[] = {
		"",         "mbit", "-1",         "+1",      " 1",   "1 mbit",      "1mbits",
		"1mb",      "1m",   "1e6",        "1.",      ".5",   "1.5",         "1.5bit",
		"1..5mbit", "0x10", "1.2345kbit", "1,5mbit", "none", "1mbit:2mbit",
	};
	uint64_t bits = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(up_rate_parse(bad[i], &bits), -EINVAL);
	assert_int_equal(up_rate_parse("99999999999999999999999", &bits), -EINVAL);
	assert_int_equal(up_rate_parse("18446744073709551tbit", &bits), -ERANGE);
	assert_int_equal(up_rate_parse("18446744073709551kibit", &bits), -ERANGE);
	assert_int_equal(bits, 7);
}

static void what_is_written_is_read_again(void **state)
{
	static const uint64_t rates[] = {0,       1,          999,           1000,
					 1001,    100000000,  1500000000,    1000000000000,
					 1048576, 4294967295, 1234567890123, 7000000};
	char text[UP_RATE_TEXT];
	uint64_t bits;

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		assert_int_equal(up_rate_parse(up_rate_format(rates[i], text), &bits), 0);
		assert_int_equal(bits, rates[i]);
	}
	assert_string_equal(up_rate_format(100000000, text), "100mbit");
	assert_string_equal(up_rate_format(1500000000, text), "1500mbit");
	assert_string_equal(up_rate_format(0, text), "0bit");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates_are_tcs),
		cmocka_unit_test(what_is_no_rate_is_refused),
		cmocka_unit_test(what_is_written_is_read_again),
	};

	return cmocka_run_group_tests_name("rate", tests, NULL, NULL);
}
