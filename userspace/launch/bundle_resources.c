// SPDX-License-Identifier: GPL-2.0-only
/* "linux.resources": limits, and the devices that may be opened. */
#include "launch/bundle_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"

static uint32_t device_number(json_int_t n)
{
	return n < 0 ? UINT32_MAX : (uint32_t)n;
}

static int add_rule(struct up_bundle *b, char type, json_int_t major, json_int_t minor,
		    const char *access, struct up_err *err)
{
	if (b->n_devices == UP_BUNDLE_DEVICES)
		return up_fail_msg(err, E2BIG, "more than %d", UP_BUNDLE_DEVICES);
	b->devices[b->n_devices].type = type;
	b->devices[b->n_devices].major = device_number(major);
	b->devices[b->n_devices].minor = device_number(minor);
	b->devices[b->n_devices++].access = access;
	return 0;
}

/* "Nothing but the default ones" comes first in every bundle, and is how it is here anyway. */
static int take_device(struct up_bundle *b, json_t *value, struct up_err *err)
{
	const char *type = "a", *access = "rwm";
	json_int_t major = -1, minor = -1;
	json_error_t je;
	int allow;

	if (json_unpack_ex(value, &je, JSON_STRICT, "{s:b, s?s, s?I, s?I, s?s}", "allow", &allow,
			   "type", &type, "major", &major, "minor", &minor, "access", &access))
		return up_fail_msg(err, EINVAL, "%s", je.text);
	if (!allow && *type == 'a' && major < 0 && minor < 0)
		return 0;
	if (!strcmp(type, "a") && allow)
		return add_rule(b, 'c', major, minor, access, err)
			       ? -err->code
			       : add_rule(b, 'b', major, minor, access, err);
	if (!allow || (strcmp(type, "c") && strcmp(type, "b")))
		return up_fail_msg(err, EOPNOTSUPP,
				   "other than allowing a, c or b: not implemented");
	return add_rule(b, *type, major, minor, access, err);
}

static int take_devices(struct up_bundle *b, json_t *value, struct up_err *err)
{
	return up_bundle_each(b, value, take_device, err);
}

static int take_memory_limit(struct up_bundle *b, json_t *value, struct up_err *err)
{
	json_int_t n;
	int ret = up_json_number(value, -1, INT64_MAX, &n, err);

	if (!ret && n > 0)
		b->cgroup.memory = (uint64_t)n;
	return ret;
}

static int take_swap(struct up_bundle *b, json_t *value, struct up_err *err)
{
	json_int_t n;
	int ret = up_json_number(value, -1, INT64_MAX, &n, err);

	if (!ret && n > 0)
		b->cgroup.swap = (uint64_t)n;
	return ret;
}

static int take_memory(struct up_bundle *b, json_t *value, struct up_err *err)
{
	static const struct up_bundle_member members[] = {
		{"limit", take_memory_limit},
		{"swap", take_swap},
	};
	int ret = up_bundle_object(b, value, members, ARRAY_SIZE(members), err);

	if (!ret && b->cgroup.swap && b->cgroup.swap < b->cgroup.memory)
		return up_json_unlike("swap of at least limit: it is both together", err);
	return ret;
}

static int take_cpu(struct up_bundle *b, json_t *value, struct up_err *err)
{
	static const struct up_bundle_member members[] = {{"quota", NULL}, {"period", NULL}};
	const json_t *quota = json_object_get(value, "quota"),
		     *period = json_object_get(value, "period");
	json_int_t q = -1, p = 100000;
	int ret = up_bundle_object(b, value, members, ARRAY_SIZE(members), err);

	if (!ret && quota)
		ret = up_json_number(quota, -1, INT32_MAX, &q, err);
	if (!ret && period)
		ret = up_json_number(period, 1000, 1000000, &p, err);
	if (!ret && q > 0)
		b->cgroup.cpus = (uint64_t)(q * 1000 / p);
	return ret;
}

static int take_pids_limit(struct up_bundle *b, json_t *value, struct up_err *err)
{
	json_int_t n;
	int ret = up_json_number(value, -1, INT32_MAX, &n, err);

	if (!ret && n > 0)
		b->cgroup.pids = (uint64_t)n;
	return ret;
}

static int take_pids(struct up_bundle *b, json_t *value, struct up_err *err)
{
	static const struct up_bundle_member members[] = {{"limit", take_pids_limit}};

	return up_bundle_object(b, value, members, ARRAY_SIZE(members), err);
}

int up_bundle_resources(struct up_bundle *b, json_t *value, struct up_err *err)
{
	static const struct up_bundle_member members[] = {
		{"devices", take_devices},
		{"memory", take_memory},
		{"cpu", take_cpu},
		{"pids", take_pids},
	};

	return up_bundle_object(b, value, members, ARRAY_SIZE(members), err);
}
