// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any bytes as a network configuration, its prevResult included: read, or refused with a message;
 * what is read can be said in every version that has words for it, and read again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cni/cni.h"
#include "cni/compact.h"
#include "cni/error.h"
#include "cni/hostlocal.h"
#include "cni/json.h"
#include "cni/ports.h"
#include "cni/policy.h"
#include "cni/range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int ret, const struct up_err *err)
{
	if (ret && (!err->code || !*err->msg || up_cni_code(err) < 0))
		abort();
}

static void say_again(const json_t *result)
{
	for (int v = 0; v < UP_CNI_VERSIONS; v++) {
		enum up_cni_version version = (enum up_cni_version)v;
		json_auto_t *said = NULL, *again = NULL;
		struct up_err err = {};
		int ret = up_cni_result_format(result, version, &said, &err);

		check(ret, &err);
		if (ret && version >= UP_CNI_0_3_0)
			abort();
		if (!ret && up_cni_result_parse(said, version, &again, &err))
			abort();
	}
}

static void read_ports(const struct up_cni *c)
{
	cleanup_publish_list struct up_publish_list list = {};
	struct up_err err = {};
	int ret = up_cni_ports_parse(c, &list, &err);

	check(ret, &err);
	for (size_t i = 0; !ret && i < list.n; i++)
		if (!list.pubs[i].lo || list.pubs[i].hi < list.pubs[i].lo ||
		    list.pubs[i].to + (list.pubs[i].hi - list.pubs[i].lo) > 65535)
			abort();
}

static size_t list_ports(const char *text, size_t len, struct up_publish_list *list)
{
	json_auto_t *conf = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	struct up_cni c = {.runtime = up_cni_get(conf, "runtimeConfig")};
	struct up_err err = {};

	return json_is_object(c.runtime) && !up_cni_ports_parse(&c, list, &err);
}

/* What was joined as text is what would have been joined after parsing. */
static void join_ports(const char *text, size_t len)
{
	cleanup_publish_list struct up_publish_list plain = {}, joined = {};
	size_t small_len = 0;
	char *small = up_cni_compact(text, len, &small_len);

	if (small) {
		if (list_ports(text, len, &plain) != list_ports(small, small_len, &joined) ||
		    plain.n != joined.n ||
		    (plain.n &&
		     memcmp(plain.pubs, joined.pubs, plain.n * sizeof(*plain.pubs)) != 0))
			abort();
	}
	free(small);
}

static void read_ranges(const struct up_cni *c)
{
	struct up_cni_ranges ranges;
	struct up_err err = {};
	json_t *ipam = up_cni_get(c->conf, "ipam");
	int ret;

	if (!json_is_object(ipam))
		return;
	ret = up_cni_ranges_parse(ipam, c->runtime, c->version, &ranges, &err);
	check(ret, &err);
	for (size_t i = 0; !ret && i < ranges.n; i++) {
		struct up_addr addr = ranges.at[i].last;

		/* Wherever it goes on, it stays within the set. */
		for (int n = 0; n < 3; n++) {
			addr = up_cni_ranges_next(&ranges, ranges.at[i].set, &addr);
			if (!up_cni_range_of(&ranges, ranges.at[i].set, &addr))
				abort();
		}
	}
}

static void read_rest(const struct up_cni *c)
{
	enum up_cni_policy policy;
	struct up_limits limits;
	struct up_cni_ips ips;
	struct up_err err = {};

	check(up_cni_requested_ips(c, &ips, &err), &err);
	check(up_cni_limits_parse(c, &limits, &err), &err);
	check(up_cni_policy_parse(c, &policy, &err), &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct up_cni c = {
		.plugin = &up_cni_underpass,
		.env = {.verb = UP_CNI_ADD,
			.container_id = "id",
			.ifname = "eth0",
			.netns = "/n",
			.path = "",
			.args = "IP=10.0.0.1"},
	};
	struct up_err err = {};
	int ret = up_cni_parse(&c, (const char *)data, size, &err);

	join_ports((const char *)data, size);
	check(ret, &err);
	if (!ret) {
		if (c.prev)
			say_again(c.prev);
		read_ports(&c);
		read_ranges(&c);
		read_rest(&c);
	}
	up_cni_free(&c);
	return 0;
}
