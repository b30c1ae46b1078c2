// SPDX-License-Identifier: GPL-2.0-only
#include "cni/result.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cni/error.h"
#include "cni/json.h"

static const char *const version_names[UP_CNI_VERSIONS] = {
	"0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0",
};

const char *up_cni_version_name(enum up_cni_version version)
{
	return version_names[version];
}

int up_cni_version_parse(const char *text, enum up_cni_version *ret, struct up_err *err)
{
	if (!*text)
		text = version_names[UP_CNI_0_1_0];
	for (int i = 0; i < UP_CNI_VERSIONS; i++)
		if (!strcmp(version_names[i], text)) {
			*ret = (enum up_cni_version)i;
			return 0;
		}
	return up_cni_fail(
		err, UP_CNI_INCOMPATIBLE,
		"incompatible CNI versions: config is \"%.40s\", plugin supports "
		"[\"0.1.0\" \"0.2.0\" \"0.3.0\" \"0.3.1\" \"0.4.0\" \"1.0.0\" \"1.1.0\"]",
		text);
}

json_t *up_cni_versions_json(void)
{
	json_t *list = json_array();

	for (int i = 0; i < UP_CNI_VERSIONS; i++)
		json_array_append_new(list, json_string(version_names[i]));
	return json_pack("{s:s, s:o}", "cniVersion", version_names[UP_CNI_LATEST],
			 "supportedVersions", list);
}

json_t *up_cni_addr_json(const struct up_addr *addr)
{
	char text[UP_ADDR_TEXT];

	return json_string(up_addr_format(addr, text));
}

json_t *up_cni_ip_json(const struct up_cni_ip *ip)
{
	char text[UP_ADDR_TEXT];
	json_t *out = json_pack("{s:o}", "address",
				json_sprintf("%s/%u", up_addr_format(&ip->addr, text), ip->plen));

	if (up_addr_set(&ip->gateway))
		json_object_set_new(out, "gateway", up_cni_addr_json(&ip->gateway));
	if (ip->interface >= 0)
		json_object_set_new(out, "interface", json_integer(ip->interface));
	return out;
}

/* ---- what a result says ------------------------------------------------------------------------
 */

static int parse_ip(const json_t *in, size_t interfaces, struct up_cni_ip *ret, struct up_err *err)
{
	json_t *interface = up_cni_get(in, "interface");
	struct up_cni_ip ip = {.interface = -1};
	const char *address = "";
	int retval = up_cni_get_string(in, "address", &address, err);

	if (!retval)
		retval = up_cni_get_addr(in, "gateway", &ip.gateway, err);
	if (retval)
		return retval;
	if (up_cni_parse_ip(address, &ip.addr, &ip.plen))
		return up_cni_fail(err, UP_CNI_BAD_CONFIG, "ips: '%.60s' is not an address",
				   address);
	if (interface && !json_is_integer(interface))
		return up_cni_fail(err, UP_CNI_DECODE, "ips: interface: want a number");
	if (interface && json_integer_value(interface) >= 0) {
		if ((json_int_t)interfaces <= json_integer_value(interface))
			return up_cni_fail(err, UP_CNI_BAD_CONFIG,
					   "ips: there is no interface %lld",
					   (long long)json_integer_value(interface));
		ip.interface = (int)json_integer_value(interface);
	}
	*ret = ip;
	return 0;
}

int up_cni_result_ips(const json_t *result, struct up_cni_ips *ret, struct up_err *err)
{
	json_t *ips = NULL, *interfaces = NULL, *ip;
	int retval = up_cni_get_array(result, "ips", &ips, err);
	size_t i;

	if (!retval)
		retval = up_cni_get_array(result, "interfaces", &interfaces, err);
	ret->n = 0;
	if (!retval && json_array_size(ips) > UP_CNI_IPS_MAX)
		return up_cni_fail(err, UP_CNI_BAD_CONFIG, "ips: more than %d", UP_CNI_IPS_MAX);
	json_array_foreach (ips, i, ip) {
		if (!retval)
			retval = parse_ip(ip, json_array_size(interfaces), &ret->at[i], err);
		ret->n = i + 1;
	}
	return retval;
}

static int parse_metrics(const json_t *in, struct up_cni_route *route, struct up_err *err)
{
	const struct {
		const char *key;
		uint32_t *value;
	} fields[] = {
		{"mtu", &route->mtu},
		{"advmss", &route->advmss},
		{"priority", &route->priority},
		{"table", &route->table},
	};
	int ret = 0;

	for (size_t i = 0; !ret && i < sizeof(fields) / sizeof(fields[0]); i++) {
		uint64_t value = 0;

		ret = up_cni_get_uint(in, fields[i].key, UINT32_MAX, &value, err);
		*fields[i].value = (uint32_t)value;
	}
	return ret;
}

int up_cni_route_parse(const json_t *in, struct up_cni_route *ret, struct up_err *err)
{
	struct up_cni_route route = {.scope = -1};
	const char *dst = "";
	uint64_t scope = UINT64_MAX;
	int retval = up_cni_get_string(in, "dst", &dst, err);

	if (!retval)
		retval = up_cni_get_addr(in, "gw", &route.gateway, err);
	if (!retval)
		retval = parse_metrics(in, &route, err);
	if (!retval)
		retval = up_cni_get_uint(in, "scope", 255, &scope, err);
	if (retval)
		return retval;
	if (up_cidr_parse(dst, &route.dst))
		return up_cni_fail(err, UP_CNI_BAD_CONFIG, "routes: '%.60s' is not a network", dst);
	if (scope != UINT64_MAX)
		route.scope = (int)scope;
	*ret = route;
	return 0;
}

static int check_routes(const json_t *result, struct up_err *err)
{
	struct up_cni_route route;
	json_t *routes = NULL, *in;
	int ret = up_cni_get_array(result, "routes", &routes, err);
	size_t i;

	json_array_foreach (routes, i, in)
		if (!ret)
			ret = up_cni_route_parse(in, &route, err);
	return ret;
}

static int check_interfaces(const json_t *result, struct up_err *err)
{
	json_t *interfaces = NULL, *in;
	int ret = up_cni_get_array(result, "interfaces", &interfaces, err);
	size_t i;

	json_array_foreach (interfaces, i, in) {
		const char *text = NULL;

		if (!ret)
			ret = up_cni_get_string(in, "name", &text, err);
		if (!ret && !text)
			ret = up_cni_fail(err, UP_CNI_BAD_CONFIG, "interfaces: one has no name");
		if (!ret)
			ret = up_cni_get_string(in, "sandbox", &text, err);
		if (!ret)
			ret = up_cni_get_string(in, "mac", &text, err);
	}
	return ret;
}

/* ---- other shapes ------------------------------------------------------------------------------
 */

/* Before 0.3.0: one address of a family, its gateway, and its routes. */
static void from_old_ip(const json_t *old, json_t *ips, json_t *routes)
{
	json_t *ip = json_object(), *list = up_cni_get(old, "routes"), *route;
	size_t i;

	json_object_set(ip, "address", up_cni_get(old, "ip"));
	if (up_cni_get(old, "gateway"))
		json_object_set(ip, "gateway", up_cni_get(old, "gateway"));
	json_array_append_new(ips, ip);
	json_array_foreach (list, i, route)
		json_array_append(routes, route);
}

static json_t *from_old(const json_t *in)
{
	static const char *const families[] = {"ip4", "ip6"};
	json_t *ips = json_array(), *routes = json_array();
	json_t *out = json_pack("{s:o, s:o}", "ips", ips, "routes", routes);

	for (size_t i = 0; i < 2; i++)
		if (json_is_object(up_cni_get(in, families[i])))
			from_old_ip(up_cni_get(in, families[i]), ips, routes);
	if (up_cni_get(in, "dns"))
		json_object_set(out, "dns", up_cni_get(in, "dns"));
	return out;
}

static void drop(json_t *list, const char *key)
{
	json_t *element;
	size_t i;

	json_array_foreach (list, i, element)
		json_object_del(element, key);
}

int up_cni_result_parse(const json_t *in, enum up_cni_version assumed, json_t **ret,
			struct up_err *err)
{
	enum up_cni_version version = assumed;
	json_auto_t *out = NULL;
	struct up_cni_ips ips;
	const char *text = NULL;
	int retval = json_is_object(in) ? up_cni_get_string(in, "cniVersion", &text, err)
					: up_cni_fail(err, UP_CNI_DECODE, "result: want an object");

	if (!retval && text && *text)
		retval = up_cni_version_parse(text, &version, err);
	if (retval)
		return retval;
	out = version < UP_CNI_0_3_0 ? from_old(in) : json_deep_copy(in);
	if (!out)
		return up_cni_fail(err, UP_CNI_FULL, "result: out of memory");
	retval = check_interfaces(out, err);
	if (!retval)
		retval = up_cni_result_ips(out, &ips, err);
	if (!retval)
		retval = check_routes(out, err);
	if (retval)
		return retval;
	drop(up_cni_get(out, "ips"), "version");
	*ret = json_incref(out);
	return 0;
}

/* The routes of a family, those without a destination of their own included. */
static json_t *routes_of(const json_t *result, enum up_family family)
{
	json_t *out = json_array(), *in;
	struct up_cni_route route;
	size_t i;

	json_array_foreach (up_cni_get(result, "routes"), i, in)
		if (!up_cni_route_parse(in, &route, NULL) &&
		    up_addr_family(&route.dst.addr) == family)
			json_array_append_new(out, json_deep_copy(in));
	return out;
}

static json_t *old_ip(const json_t *result, const struct up_cni_ip *ip)
{
	char text[UP_ADDR_TEXT];
	json_t *out = json_pack("{s:o}", "ip",
				json_sprintf("%s/%u", up_addr_format(&ip->addr, text), ip->plen));
	json_t *routes = routes_of(result, up_addr_family(&ip->addr));

	if (up_addr_set(&ip->gateway))
		json_object_set_new(out, "gateway", up_cni_addr_json(&ip->gateway));
	if (json_array_size(routes))
		json_object_set(out, "routes", routes);
	json_decref(routes);
	return out;
}

/* The first address of each family is all that it can say. */
static int to_old(const json_t *result, json_t *out, struct up_err *err)
{
	static const char *const keys[UP_FAMILIES] = {"ip4", "ip6"};
	struct up_cni_ips ips;
	int ret = up_cni_result_ips(result, &ips, err);

	if (ret)
		return ret;
	if (!ips.n)
		return up_cni_fail(err, UP_CNI_INTERNAL, "cannot convert: no valid IP addresses");
	for (size_t i = 0; i < ips.n; i++) {
		const char *key = keys[up_addr_family(&ips.at[i].addr)];

		if (!json_object_get(out, key))
			json_object_set_new(out, key, old_ip(result, &ips.at[i]));
	}
	return 0;
}

static void add_ip_versions(json_t *result)
{
	json_t *ip;
	size_t i;

	json_array_foreach (up_cni_get(result, "ips"), i, ip) {
		const char *address = json_string_value(up_cni_get(ip, "address"));

		json_object_set_new(ip, "version",
				    json_string(address && strchr(address, ':') ? "6" : "4"));
	}
}

static void drop_newer(json_t *result, enum up_cni_version version)
{
	static const char *const since_1_1_0[] = {"mtu", "socketPath", "pciID"};

	for (size_t i = 0; version < UP_CNI_1_1_0 && i < 3; i++)
		drop(up_cni_get(result, "interfaces"), since_1_1_0[i]);
	if (version < UP_CNI_1_0_0)
		add_ip_versions(result);
}

int up_cni_result_format(const json_t *result, enum up_cni_version version, json_t **ret,
			 struct up_err *err)
{
	json_auto_t *out = version < UP_CNI_0_3_0 ? json_object() : json_deep_copy(result);
	json_t *dns = up_cni_get(result, "dns");
	int retval = 0;

	if (!out)
		return up_cni_fail(err, UP_CNI_FULL, "result: out of memory");
	if (version < UP_CNI_0_3_0)
		retval = to_old(result, out, err);
	else
		drop_newer(out, version);
	if (retval)
		return retval;
	json_object_set_new(out, "cniVersion", json_string(version_names[version]));
	json_object_set_new(out, "dns", dns ? json_deep_copy(dns) : json_object());
	*ret = json_incref(out);
	return 0;
}
