/* SPDX-License-Identifier: GPL-2.0-only */
/* ingressPolicy of the firewall plugin, and the limits of the bandwidth plugin. */
#ifndef UP_CNI_POLICY_H
#define UP_CNI_POLICY_H

#include "cni/cni.h"
#include "core/limit.h"

struct up_datapath;

enum up_cni_policy {
	UP_CNI_OPEN,        /* whoever has a route */
	UP_CNI_SAME_BRIDGE, /* only the same network's containers */
	UP_CNI_ISOLATED,    /* no container */
};

/** up_cni_policy_parse() - ingressPolicy. Return: 0 or -UP_CNI_BAD_CONFIG */
int up_cni_policy_parse(const struct up_cni *c, enum up_cni_policy *ret, struct up_err *err);

/** up_cni_policy_apply() - make an endpoint of this call's network keep to it */
int up_cni_policy_apply(const struct up_cni *c, struct up_datapath *dp, const char *endpoint,
			enum up_cni_policy policy, struct up_err *err);

/**
 * up_cni_limits_parse() - the configuration's ingressRate, ingressBurst, egressRate and
 * egressBurst, else those of runtimeConfig.bandwidth
 * @ret: @ret->set is 0 where there are none. Ingress is what the container receives
 *
 * Return: 0 or a CNI code
 */
int up_cni_limits_parse(const struct up_cni *c, struct up_limits *ret, struct up_err *err);

#endif
