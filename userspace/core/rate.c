// SPDX-License-Identifier: GPL-2.0-only
#include "core/rate.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <strings.h>

static const struct {
	const char *name;
	uint64_t factor;
} units[] = {
	{"bit", 1},
	{"kbit", 1000},
	{"mbit", 1000000},
	{"gbit", 1000000000},
	{"tbit", 1000000000000},
	{"kibit", 1ULL << 10},
	{"mibit", 1ULL << 20},
	{"gibit", 1ULL << 30},
	{"tibit", 1ULL << 40},
	{"", 1},
};

#define N_UNITS   (sizeof(units) / sizeof(units[0]))
#define N_DECIMAL 5 /* the first ones: what is written */

/* Thousandths, so that "1.5" needs no floating point. */
static const char *parse_number(const char *text, uint64_t *ret_milli)
{
	uint64_t milli = 0, digits = 0;
	unsigned int scale = 1000;

	for (; isdigit((unsigned char)*text); text++, digits++)
		if (__builtin_mul_overflow(milli, 10, &milli) ||
		    __builtin_add_overflow(milli, (uint64_t)(*text - '0') * 1000, &milli))
			return NULL;
	if (digits && *text == '.' && isdigit((unsigned char)text[1]))
		for (text++; isdigit((unsigned char)*text) && scale > 1; text++) {
			scale /= 10;
			milli += (uint64_t)(*text - '0') * scale;
		}
	*ret_milli = milli;
	return digits ? text : NULL;
}

int up_rate_parse(const char *text, uint64_t *ret_bits)
{
	uint64_t milli, bits;

	text = parse_number(text, &milli);
	for (size_t i = 0; text && i < N_UNITS; i++) {
		if (strcasecmp(text, units[i].name))
			continue;
		if (milli % 1000 && units[i].factor < 1000)
			return -EINVAL;
		if (__builtin_mul_overflow(milli, units[i].factor, &bits))
			return -ERANGE;
		*ret_bits = bits / 1000;
		return 0;
	}
	return -EINVAL;
}

const char *up_rate_format(uint64_t bits, char buf[UP_RATE_TEXT])
{
	size_t i = N_DECIMAL - 1;

	while (i && (!bits || bits % units[i].factor))
		i--;
	snprintf(buf, UP_RATE_TEXT, "%" PRIu64 "%s", bits / units[i].factor, units[i].name);
	return buf;
}
