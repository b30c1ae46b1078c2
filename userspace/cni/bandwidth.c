// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cni/error.h"
#include "cni/json.h"
#include "cni/place.h"
#include "cni/policy.h"
#include "core/datapath.h"
#include "core/endpoint.h"

#define RATE_MAX  (1ULL << 62)
#define BURST_MAX (8ULL * UINT32_MAX) /* as the reference plugin has it: 4 GB in bits */

static int parse_pair(const json_t *in, const char *rate_key, const char *burst_key, uint64_t *rate,
		      uint32_t *ret_burst, struct up_err *err)
{
	uint64_t burst = 0;
	int ret = up_cni_get_uint(in, rate_key, RATE_MAX, rate, err);

	if (!ret)
		ret = up_cni_get_uint(in, burst_key, BURST_MAX, &burst, err);
	if (!ret && !*rate != !burst)
		ret = up_cni_fail(err, UP_CNI_BAD_CONFIG, "%s and %s: want both or none", rate_key,
				  burst_key);
	*ret_burst = burst < UINT32_MAX ? (uint32_t)burst : UINT32_MAX;
	return ret;
}

static int parse_limits(const json_t *in, struct up_limits *l, struct up_err *err)
{
	int ret = parse_pair(in, "ingressRate", "ingressBurst", &l->rate_in, &l->burst_in, err);

	if (!ret)
		ret = parse_pair(in, "egressRate", "egressBurst", &l->rate_out, &l->burst_out, err);
	l->set = (l->rate_in ? UP_LIMIT_IN : 0U) | (l->rate_out ? UP_LIMIT_OUT : 0U);
	return ret;
}

int up_cni_limits_parse(const struct up_cni *c, struct up_limits *ret, struct up_err *err)
{
	json_t *runtime = NULL;
	int retval;

	*ret = (struct up_limits){};
	retval = parse_limits(c->conf, ret, err);
	if (retval || ret->set)
		return retval;
	retval = up_cni_get_object(c->runtime, "bandwidth", &runtime, err);
	return retval || !runtime ? retval : parse_limits(runtime, ret, err);
}

static int bandwidth_add(struct up_cni *c, json_t **ret_result, struct up_err *err)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	struct up_limits limits;
	char name[UP_NAME_MAX + 1];
	int ret = up_cni_prev_needed(c, err);

	if (!ret)
		ret = up_cni_limits_parse(c, &limits, err);
	if (ret)
		return ret;
	if (limits.set) {
		ret = up_cni_ours(c, &dp, name, ret_result, err);
		if (ret <= 0)
			return ret;
		ret = up_endpoint_limit(dp, name, &limits, err);
	}
	if (!ret)
		*ret_result = json_incref(c->prev);
	return ret;
}

static int bandwidth_check(struct up_cni *c, struct up_err *err)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	struct up_endpoint_info info = {};
	struct up_limits limits;
	char name[UP_NAME_MAX + 1];
	int ret = up_cni_prev_needed(c, err);

	if (!ret)
		ret = up_cni_limits_parse(c, &limits, err);
	if (ret || !limits.set)
		return ret;
	ret = up_cni_ours(c, &dp, name, NULL, err);
	if (ret > 0)
		ret = up_endpoint_get(dp, name, &info, err);
	if (ret)
		return ret;
	if (info.rate_in != limits.rate_in || info.rate_out != limits.rate_out)
		return up_cni_fail(err, UP_CNI_DAMAGED, "the limits are no longer those of ADD");
	return 0;
}

const struct up_cni_plugin up_cni_bandwidth = {
	"bandwidth", bandwidth_add, up_cni_chained_del, bandwidth_check, NULL, NULL,
};
