// SPDX-License-Identifier: GPL-2.0-only
/* The result of ADD. */
#include "cni/iface_priv.h"
#include "cni/json.h"
#include "cni/place.h"

static json_t *interfaces_json(const struct up_cni *c, const struct up_endpoint_info *info)
{
	static const uint8_t gateway_mac[6] = UP_GATEWAY_MAC;

	return json_pack("[{s:s, s:o}, {s:s, s:o, s:s}]", "name", info->host_if, "mac",
			 up_cni_mac_json(gateway_mac), "name", c->env.ifname, "mac",
			 up_cni_mac_json(info->mac), "sandbox", c->env.netns);
}

/* runtimeConfig.dns has other names for its keys (CONVENTIONS.md). */
static json_t *dns_of_runtime(const struct up_cni *c)
{
	static const char *const keys[][2] = {
		{"servers", "nameservers"}, {"searches", "search"}, {"options", "options"}};
	const json_t *in = up_cni_get(c->runtime, "dns");
	json_t *out = json_object();

	for (size_t i = 0; i < 3; i++)
		if (json_array_size(up_cni_get(in, keys[i][0])))
			json_object_set(out, keys[i][1], up_cni_get(in, keys[i][0]));
	return out;
}

/* The runtime's before the configuration's before the address manager's. */
void up_cni_iface_set_dns(const struct up_cni *c, json_t *result)
{
	json_auto_t *runtime = dns_of_runtime(c);
	json_t *conf = up_cni_get(c->conf, "dns");

	if (json_object_size(runtime))
		json_object_set(result, "dns", runtime);
	else if (json_object_size(conf))
		json_object_set(result, "dns", conf);
}

void up_cni_iface_set_interfaces(const struct up_cni *c, const struct up_endpoint_info *info,
				 json_t *result)
{
	json_t *ip;
	size_t i;

	json_object_set_new(result, "interfaces", interfaces_json(c, info));
	json_array_foreach (up_cni_get(result, "ips"), i, ip)
		json_object_set_new(ip, "interface", json_integer(1));
}

void up_cni_iface_set_ips(const struct up_endpoint_info *info, json_t *result)
{
	json_t *ips = json_array();

	for (enum up_family f = UP_V4; f < UP_FAMILIES; f++) {
		const struct up_cni_ip ip = {info->addr[f], info->plen[f], info->gateway[f], -1};

		if (up_addr_set(&ip.addr))
			json_array_append_new(ips, up_cni_ip_json(&ip));
	}
	json_object_set_new(result, "ips", ips);
}

void up_cni_iface_set_gateways(const struct up_cni_iface_options *o,
			       const struct up_endpoint_info *info, json_t *result)
{
	struct up_cni_ips ips;
	json_t *ip;
	size_t i;

	if (!o->gateway || up_cni_result_ips(result, &ips, NULL))
		return;
	json_array_foreach (up_cni_get(result, "ips"), i, ip)
		json_object_set_new(
			ip, "gateway",
			up_cni_addr_json(&info->gateway[up_addr_family(&ips.at[i].addr)]));
}
