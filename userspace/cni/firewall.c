// SPDX-License-Identifier: GPL-2.0-only
/*
 * firewall: who reaches the container. The reference plugin's plain mode only makes holes into
 * other people's FORWARD chains, where our packets do not come by; what is left is ingressPolicy.
 *
 * A network with such a policy gets a number of its own from the upper half of what
 * up_endpoint.net has; networks without one share 0. The reference plugin keeps networks apart that
 * both have a policy: from one without, and to it, the way is open.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cni/error.h"
#include "cni/json.h"
#include "cni/options.h"
#include "cni/place.h"
#include "cni/policy.h"
#include "cni/state.h"
#include "core/change.h"
#include "core/datapath.h"
#include "core/endpoint.h"

#define NET_FIRST UP_NET_POLICY /* below are named networks */
#define NET_LAST  0xffff

static const struct up_cni_option table[] = {
	{"backend", "neither iptables nor firewalld is on the path", false},
	{"iptablesAdminChainName", "iptables is not on the path", false},
	{"firewalldZone", "firewalld is not on the path", false},
	{},
};

int up_cni_policy_parse(const struct up_cni *c, enum up_cni_policy *ret, struct up_err *err)
{
	static const char *const names[] = {
		[UP_CNI_OPEN] = "open",
		[UP_CNI_SAME_BRIDGE] = "same-bridge",
		[UP_CNI_ISOLATED] = "isolated",
	};
	const char *text = "";
	int retval = up_cni_get_string(c->conf, "ingressPolicy", &text, err);

	if (retval || !*text)
		return retval;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i], text)) {
			*ret = (enum up_cni_policy)i;
			return 0;
		}
	return up_cni_fail(err, UP_CNI_BAD_CONFIG,
			   "ingressPolicy: '%.40s': want open, same-bridge or isolated", text);
}

/**
 * struct choice - looking for a network's number
 * @dp:    the datapath
 * @name:  of the network
 * @net:   what its endpoints have
 * @taken: bits of those that any endpoint has
 */
struct choice {
	struct up_datapath *dp;
	const char *name;
	uint16_t net;
	uint64_t taken[(NET_LAST - NET_FIRST + 1) / 64];
};

static int note_taken(const struct up_endpoint_info *info, void *arg)
{
	struct choice *ch = arg;

	if (info->net >= NET_FIRST)
		ch->taken[(info->net - NET_FIRST) / 64] |= 1ULL << (info->net % 64);
	return 0;
}

static int note_network(const struct up_cni_attachment *a, void *arg)
{
	struct choice *ch = arg;
	struct up_endpoint_info info;

	if (!strcmp(a->network, ch->name) && !up_endpoint_get(ch->dp, a->endpoint, &info, NULL) &&
	    info.net >= NET_FIRST)
		ch->net = info.net;
	return ch->net;
}

static uint16_t choose(struct up_datapath *dp, void *arg)
{
	struct choice *ch = arg;

	ch->dp = dp;
	if (up_cni_state_foreach(note_network, ch))
		return ch->net;
	up_endpoint_foreach(dp, note_taken, ch);
	for (uint32_t net = NET_FIRST; net <= NET_LAST; net++)
		if (!(ch->taken[(net - NET_FIRST) / 64] & 1ULL << (net % 64)))
			return (uint16_t)net;
	return 0;
}

int up_cni_policy_apply(const struct up_cni *c, struct up_datapath *dp, const char *endpoint,
			enum up_cni_policy policy, struct up_err *err)
{
	struct choice ch = {.name = c->name};

	if (policy == UP_CNI_OPEN)
		return 0;
	return up_endpoint_isolate(dp, endpoint, choose, &ch, policy == UP_CNI_ISOLATED, err);
}

static int firewall_add(struct up_cni *c, json_t **ret_result, struct up_err *err)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	enum up_cni_policy policy = UP_CNI_OPEN;
	char name[UP_NAME_MAX + 1];
	int ret = up_cni_prev_needed(c, err);

	if (!ret)
		ret = up_cni_policy_parse(c, &policy, err);
	if (ret)
		return ret;
	ret = up_cni_ours(c, &dp, name, ret_result, err);
	if (ret <= 0)
		return ret;
	ret = up_cni_options_check(c, table, err);
	if (!ret)
		ret = up_cni_policy_apply(c, dp, name, policy, err);
	if (!ret)
		*ret_result = json_incref(c->prev);
	return ret;
}

static int firewall_check(struct up_cni *c, struct up_err *err)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	enum up_cni_policy policy = UP_CNI_OPEN;
	struct up_endpoint_info info = {};
	char name[UP_NAME_MAX + 1];
	int ret = up_cni_prev_needed(c, err);

	if (!ret)
		ret = up_cni_policy_parse(c, &policy, err);
	if (ret)
		return ret;
	ret = up_cni_ours(c, &dp, name, NULL, err);
	if (ret > 0)
		ret = up_endpoint_get(dp, name, &info, err);
	if (ret)
		return ret;
	if ((policy != UP_CNI_OPEN && info.net < NET_FIRST) ||
	    (policy == UP_CNI_ISOLATED && !(info.flags & UP_EP_ISOLATED)))
		return up_cni_fail(err, UP_CNI_DAMAGED, "the ingress policy is no longer kept");
	return 0;
}

const struct up_cni_plugin up_cni_firewall = {
	"firewall", firewall_add, up_cni_chained_del, firewall_check, NULL, NULL,
};
