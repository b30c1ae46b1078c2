// SPDX-License-Identifier: GPL-2.0-only
#include "core/settings.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "core/flows.h"
#include "core/maps.h"
#include "core/xdp.h"

#define TIMEOUT_MAX (10U * 365 * 86400)
#define RATE_MAX    1000000000U

/**
 * struct setting - a row of the table
 * @key:       what the user types
 * @help:      what it means
 * @min, @max: of the number, or of both numbers of a range
 * @at:        where in struct up_config
 * @is_range:  two __u16, "LO-HI"; else a __u32
 */
struct setting {
	const char *key, *help;
	uint32_t min, max;
	size_t at;
	bool is_range;
};

static const struct setting table[] = {
#define TIMEOUT_ROW(id, name, seconds)                                         \
	{"timeout." name, "seconds that such a flow may be idle",           1, \
	 TIMEOUT_MAX,     offsetof(struct up_config, timeout[UP_TMO_##id]), false},
	UP_TIMEOUTS(TIMEOUT_ROW)
#undef TIMEOUT_ROW
		{"snat.ports", "source ports for masqueraded flows", 1, 65535,
		 offsetof(struct up_config, snat_lo), true},
	{"source.rate", "new connections of one source in a second; 0 for no limit", 0, RATE_MAX,
	 offsetof(struct up_config, source_rate), false},
};

_Static_assert(offsetof(struct up_config, snat_hi) ==
		       offsetof(struct up_config, snat_lo) + sizeof(__u16),
	       "a range is two numbers, one behind the other");

#define N_SETTINGS (sizeof(table) / sizeof(table[0]))

static const char *parse_number(const char *text, const struct setting *s, uint32_t *ret)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || n < s->min || n > s->max)
		return NULL;
	*ret = (uint32_t)n;
	return end;
}

static int set_range(const struct setting *s, struct up_config *conf, const char *text)
{
	uint32_t lo, hi;
	const char *rest = parse_number(text, s, &lo);

	rest = rest && *rest == '-' ? parse_number(rest + 1, s, &hi) : NULL;
	if (!rest || *rest || hi < lo)
		return -EINVAL;
	memcpy((char *)conf + s->at, (uint16_t[]){(uint16_t)lo, (uint16_t)hi},
	       2 * sizeof(uint16_t));
	return 0;
}

static int set_number(const struct setting *s, struct up_config *conf, const char *text)
{
	uint32_t n;
	const char *rest = parse_number(text, s, &n);

	if (!rest || *rest)
		return -EINVAL;
	memcpy((char *)conf + s->at, &n, sizeof(n));
	return 0;
}

static const struct setting *find(const char *text, size_t len)
{
	for (size_t i = 0; i < N_SETTINGS; i++)
		if (strlen(table[i].key) == len && !strncmp(table[i].key, text, len))
			return &table[i];
	return NULL;
}

static int set_one(struct up_config *conf, const char *text, struct up_err *err)
{
	const char *equals = strchr(text, '=');
	const struct setting *s = equals ? find(text, (size_t)(equals - text)) : NULL;

	if (!equals)
		return up_fail_msg(err, EINVAL, "'%.80s': want KEY=VALUE", text);
	if (!s)
		return up_fail_msg(err, EINVAL, "'%.80s': no such setting", text);
	if (s->is_range ? set_range(s, conf, equals + 1) : set_number(s, conf, equals + 1))
		return up_fail_msg(err, EINVAL, "'%.80s': want %s from %" PRIu32 " to %" PRIu32,
				   text, s->is_range ? "LO-HI" : "a number", s->min, s->max);
	return 0;
}

int up_settings_change(struct up_datapath *dp, char *const *texts, size_t n, struct up_err *err)
{
	cleanup_fd int lock = up_lock(err);
	struct up_config conf;
	int ret = lock < 0 ? lock : up_conf_read(dp, &conf, err);

	for (size_t i = 0; !ret && i < n; i++)
		ret = set_one(&conf, texts[i], err);
	if (!ret)
		ret = up_conf_write(dp, &conf, err);
	if (!ret)
		ret = up_flows_recheck(dp, err);
	return ret ? ret : up_xdp_sync(dp, err);
}

static void format(const struct setting *s, const struct up_config *conf, char buf[UP_SETTING_TEXT])
{
	uint16_t range[2];
	uint32_t n;

	if (s->is_range) {
		memcpy(range, (const char *)conf + s->at, sizeof(range));
		snprintf(buf, UP_SETTING_TEXT, "%u-%u", range[0], range[1]);
	} else {
		memcpy(&n, (const char *)conf + s->at, sizeof(n));
		snprintf(buf, UP_SETTING_TEXT, "%" PRIu32, n);
	}
}

int up_settings_foreach(struct up_datapath *dp,
			int (*fn)(const char *key, const char *value, const char *help, void *arg),
			void *arg, struct up_err *err)
{
	char text[UP_SETTING_TEXT];
	struct up_config conf;
	int ret = up_conf_read(dp, &conf, err);

	for (size_t i = 0; !ret && i < N_SETTINGS; i++) {
		format(&table[i], &conf, text);
		ret = fn(table[i].key, text, table[i].help, arg);
	}
	return ret;
}
