/* SPDX-License-Identifier: GPL-2.0-only */
/* Of the plugins that make an interface: what only the files of ADD and STATUS share. */
#ifndef UP_CNI_IFACE_PRIV_H
#define UP_CNI_IFACE_PRIV_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cni/iface.h"
#include "cni/policy.h"
#include "cni/result.h"
#include "core/endpoint.h"

/**
 * struct up_cni_iface_options - what the configuration says of the interface
 * @gateway:       the host has the gateway's address
 * @default_route: the container's default route goes there
 * @masquerade:    what leaves the network has the host's address
 * @by_kernel:     the host's kernel sees to that: masquerade.h
 * @mtu:           bytes; 0 for the uplink's
 * @mac:           all 0 for one that follows from the address
 * @kernel:        others may translate addresses of this host's traffic: a cluster does
 * @policy:        who reaches it: only of our own, others chain a firewall behind
 * @limits:        the same with bandwidth
 */
struct up_cni_iface_options {
	bool gateway, default_route, masquerade, by_kernel, kernel;
	uint64_t mtu;
	uint8_t mac[6];
	enum up_cni_policy policy;
	struct up_limits limits;
};

/**
 * up_cni_iface_options_parse() - read them, and refuse what is not honoured
 *
 * Where the configuration is silent, it is as the plugin of the call's name has it. Return: 0 or a
 * CNI code
 */
int up_cni_iface_options_parse(const struct up_cni *c, struct up_cni_iface_options *o,
			       struct up_err *err);

/**
 * up_cni_iface_set_addresses() - the addresses, prefix lengths and gateways of an endpoint
 * @ips: what the address manager gave
 *
 * Return: 0; -UP_CNI_BAD_CONFIG for more than one address of a family, and for the gateway's own
 */
int up_cni_iface_set_addresses(const struct up_cni_iface_options *o, struct up_cni_ips *ips,
			       struct up_endpoint_spec *spec, struct up_err *err);

/**
 * up_cni_iface_add_default_routes() - isDefaultGateway: put a default route into the result for
 * each family of the endpoint that has none there
 */
void up_cni_iface_add_default_routes(json_t *result, const struct up_endpoint_spec *spec);

/**
 * up_cni_iface_check_next_hops() - do the result's routes go by the endpoint's gateways?
 * Return: 0 or a CNI code
 */
int up_cni_iface_check_next_hops(const json_t *result, const struct up_endpoint_spec *spec,
				 struct up_err *err);

/**
 * up_cni_iface_add_routes() - set routes in the container: to its networks, and the result's
 * @netns:  fd of its namespace
 * @ifname: its interface
 *
 * Those of a family that the endpoint has no address of are left out. Return: 0, a CNI code or
 * -errno
 */
int up_cni_iface_add_routes(const struct up_endpoint_info *info, int netns, const char *ifname,
			    const json_t *result, struct up_err *err);

/**
 * up_cni_iface_set_interfaces() - the result's interfaces: the host's end, and the container's,
 * which has all the ips
 */
void up_cni_iface_set_interfaces(const struct up_cni *c, const struct up_endpoint_info *info,
				 json_t *result);

/** up_cni_iface_set_ips() - the result's ips, where the endpoint chose them */
void up_cni_iface_set_ips(const struct up_endpoint_info *info, json_t *result);

/** up_cni_iface_set_gateways() - those that the endpoint really has, if the host is one */
void up_cni_iface_set_gateways(const struct up_cni_iface_options *o,
			       const struct up_endpoint_info *info, json_t *result);

/** up_cni_iface_set_dns() - the result's dns, where the runtime or the configuration has one */
void up_cni_iface_set_dns(const struct up_cni *c, json_t *result);

#endif
