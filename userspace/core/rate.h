/* SPDX-License-Identifier: GPL-2.0-only */
/* Rates as people and tc(8) write them. */
#ifndef UP_CORE_RATE_H
#define UP_CORE_RATE_H

#include <stdint.h>

/**
 * up_rate_parse() - "100mbit", "1.5gbit", "2mibit", or bits alone
 * @text:     a number with at most three decimals, and bit, kbit, mbit, gbit or tbit; with an i the
 *            multiples of 1024. In either case
 * @ret_bits: bits, or bits in a second
 *
 * Return: 0; -EINVAL for anything else; -ERANGE beyond 2^63 - 1
 */
int up_rate_parse(const char *text, uint64_t *ret_bits);

/** up_rate_format() - write it back, with the largest unit that is exact: "100mbit" */
#define UP_RATE_TEXT 32
const char *up_rate_format(uint64_t bits, char buf[UP_RATE_TEXT]);

#endif
