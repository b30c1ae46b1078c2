// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/rides.h"

#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "core/ride.h"

static uint64_t sum_slow(const struct up_ride_stats *s)
{
	uint64_t sum = 0;

	for (int i = 0; i < UP_RIDE_SLOW_MAX; i++)
		sum += s->slow[i];
	return sum;
}

/* Share of packets, 0 to 1; of none, 0. */
static double share(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / (double)whole : 0;
}

static json_t *json_slow(const struct up_ride_stats *s)
{
	json_t *slow = json_object();

	for (int i = 0; i < UP_RIDE_SLOW_MAX; i++)
		json_object_set_new(slow, up_ride_slow_name(i),
				    json_integer((json_int_t)s->slow[i]));
	return slow;
}

static int add_row(const struct up_ride_info *info, void *arg)
{
	const struct up_ride_stats *s = &info->stats;

	return json_array_append_new(
		arg, json_pack("{s:s, s:s, s:s, s:s, s:i, s:b, s:I, s:I, s:I, s:f, s:o}", "name",
			       info->row.name, "engine", info->row.engine, "id", info->row.id,
			       "interface", info->row.ifname, "ifindex", (int)info->ifindex,
			       "lives", info->lives, "cached", (json_int_t)info->cached, "fast",
			       (json_int_t)s->fast, "fast_bytes", (json_int_t)s->bytes, "hit_rate",
			       share(s->fast, s->fast + sum_slow(s)), "slow", json_slow(s)));
}

int up_rides_json(json_t **ret_rows, struct up_err *err)
{
	cleanup_rides struct up_rides *r = NULL;
	json_auto_t *rows = json_array();
	int ret = up_ride_open(&r, err);

	if (!ret)
		ret = up_ride_foreach(r, add_row, rows, err);
	if (ret && ret != -ENOENT)
		return ret;
	*ret_rows = take_ptr(rows);
	return 0;
}

static json_int_t num(const json_t *row, const char *key)
{
	return json_integer_value(json_object_get(row, key));
}

static void print_slow(const json_t *slow, json_int_t all)
{
	for (int i = 0; i < UP_RIDE_SLOW_MAX; i++) {
		json_int_t n = num(slow, up_ride_slow_name(i));

		if (n)
			printf("  slow %-9s %12" JSON_INTEGER_FORMAT "  %5.1f %%  %s\n",
			       up_ride_slow_name(i), n, 100 * share((uint64_t)n, (uint64_t)all),
			       up_ride_slow_text(i));
	}
}

static json_int_t sum_packets(const json_t *row)
{
	const json_t *slow = json_object_get(row, "slow");
	json_int_t sum = num(row, "fast");

	for (int i = 0; i < UP_RIDE_SLOW_MAX; i++)
		sum += num(slow, up_ride_slow_name(i));
	return sum;
}

void up_rides_print(const json_t *rows)
{
	const json_t *row;
	size_t i;

	json_array_foreach (rows, i, row) {
		json_int_t all = sum_packets(row);

		printf("attached  %s:%s by %s%s: %" JSON_INTEGER_FORMAT
		       " cached, received %" JSON_INTEGER_FORMAT ", fast %" JSON_INTEGER_FORMAT
		       " (%.1f %%)\n",
		       json_string_value(json_object_get(row, "engine")),
		       json_string_value(json_object_get(row, "name")),
		       json_string_value(json_object_get(row, "interface")),
		       json_is_true(json_object_get(row, "lives")) ? "" : " (gone)",
		       num(row, "cached"), all, num(row, "fast"),
		       100 * json_real_value(json_object_get(row, "hit_rate")));
		print_slow(json_object_get(row, "slow"), all);
	}
}
