// SPDX-License-Identifier: GPL-2.0-only
/*
 * The plugins that make an interface: underpass, bridge and ptp. Theory of operation
 * ==================================================================================
 * ADD: the attachment is written down, addresses are got, the endpoint is added, which gives the
 * container its interface and the fast path, and routes are set in the container. Whatever fails
 * takes back all that was before it. DEL takes back the same in the opposite order, and is content
 * with whatever it finds, or does not. An ADD that was killed is taken back by the next ADD or DEL
 * of the same attachment, or by GC: what was written down first goes last.
 *
 * There is no bridge behind the name: each container has a link of its own to the host, which
 * answers for the gateway. The network's other containers are reached by a route to the network by
 * that gateway, instead of by a broadcast domain. A bridge that is no gateway (isGateway is false)
 * has no address to be one with; its containers reach each other by a link-local one, and nothing
 * outside.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cni/adopt.h"
#include "cni/child.h"
#include "cni/cni.h"
#include "cni/error.h"
#include "cni/hostlocal.h"
#include "cni/iface.h"
#include "cni/ipam.h"
#include "cni/json.h"
#include "cni/masquerade.h"
#include "cni/options.h"
#include "cni/place.h"
#include "cni/policy.h"
#include "cni/ports.h"
#include "cni/state.h"
#include "core/datapath.h"
#include "core/endpoint.h"
#include "core/network.h"
#include "core/ports.h"
#include "net/link.h"

/**
 * struct options - what the configuration says of the interface
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
struct options {
	bool gateway, default_route, masquerade, by_kernel, kernel;
	uint64_t mtu;
	uint8_t mac[6];
	enum up_cni_policy policy;
	struct up_limits limits;
};

/* What the reference plugins' configuration may have that we do not do, or do anyhow. */
static const struct up_cni_option bridge_table[] = {
	{"vlan", "there is no bridge that could have VLANs", true},
	{"vlanTrunk", "there is no bridge that could have VLANs", true},
	{"promiscMode", "there is no bridge that could be promiscuous", true},
	{"disableContainerInterface", "an interface without its address is of no use", true},
	{"portIsolation", "use the firewall plugin's ingressPolicy \"isolated\"", true},
	{"forceAddress", "every container has the gateway's address on a link of its own", false},
	{"ipMasqBackend", "masquerading is done by neither iptables nor nftables", false},
	{"enabledad", "on a link of two ends nobody else can have the address", false},
	{},
};

static const struct up_cni_option ptp_table[] = {
	{"ipMasqBackend", "masquerading is done by neither iptables nor nftables", false},
	{},
};

static int read_options(const struct up_cni *c, struct options *o, struct up_err *err)
{
	int ret = up_cni_get_bool(c->conf, "isGateway", &o->gateway, err);

	if (!ret)
		ret = up_cni_get_bool(c->conf, "isDefaultGateway", &o->default_route, err);
	if (!ret)
		ret = up_cni_get_bool(c->conf, "ipMasq", &o->masquerade, err);
	if (!ret)
		ret = up_cni_get_uint(c->conf, "mtu", 65535, &o->mtu, err);
	o->gateway |= o->default_route;
	return ret ? ret : up_cni_choose_mac(c, o->mac, err);
}

/* What such a container says and hears passes no program of ours but for its published ports. */
static int check_dhcp(const struct up_cni *c, const struct options *o, struct up_err *err)
{
	if (c->plugin != &up_cni_underpass)
		return up_cni_fail(
			err, UP_CNI_UNSUPPORTED,
			"ipam: type dhcp: no server can be at the other end of %s's link",
			c->plugin->name);
	if (o->policy != UP_CNI_OPEN)
		return up_cni_fail(err, UP_CNI_UNSUPPORTED,
				   "ingressPolicy: not with ipam of type dhcp");
	if (o->limits.set)
		return up_cni_fail(err, UP_CNI_UNSUPPORTED,
				   "bandwidth: not with ipam of type dhcp");
	return 0;
}

/* Each name has the reference plugin's defaults; our own those that one wants. */
static int options_of(const struct up_cni *c, struct options *o, struct up_err *err)
{
	bool ours = c->plugin == &up_cni_underpass, bridge = c->plugin == &up_cni_bridge;
	int ret;

	*o = (struct options){
		.gateway = !bridge,
		.default_route = ours,
		.masquerade = ours,
		.kernel = !ours || up_cni_in_cluster(c),
	};
	ret = read_options(c, o, err);
	if (!ret && !ours)
		ret = up_cni_options_check(c, bridge ? bridge_table : ptp_table, err);
	if (!ret && ours)
		ret = up_cni_policy_parse(c, &o->policy, err);
	if (!ret && ours)
		ret = up_cni_limits_parse(c, &o->limits, err);
	if (!ret && up_cni_ipam_is_dhcp(c))
		ret = check_dhcp(c, o, err);
	o->by_kernel = o->kernel && o->masquerade && up_cni_in_cluster(c);
	if (!ret && o->mtu && o->mtu < 68)
		ret = up_cni_fail(err, UP_CNI_BAD_CONFIG, "mtu: %llu is below 68 (RFC 791)",
				  (unsigned long long)o->mtu);
	return ret;
}

/* ---- addresses ---------------------------------------------------------------------------------
 */

/* Of a bridge without one: link-local, RFC 3927 and RFC 4291, so nobody else's. */
static struct up_addr nobodys_gateway(enum up_family family)
{
	if (family == UP_V4)
		return UP_MAPPED(htonl(0xa9fe0101)); /* 169.254.1.1 */
	return (struct up_addr){{htonl(0xfe800000), 0, 0, htonl(1)}};
}

struct up_cidr up_cni_network_of(const struct up_addr *addr, uint8_t plen)
{
	struct up_cidr net = {.addr = *addr, .plen = plen};
	uint8_t *bytes = (uint8_t *)net.addr.w;
	unsigned int bits = plen + (up_addr_is_v4(addr) ? 96U : 0U);

	for (unsigned int bit = bits; bit < 128; bit++)
		bytes[bit / 8] &= (uint8_t) ~(0x80 >> (bit % 8));
	return net;
}

/* The network's first address where nobody says, or the second where the container has that one. */
static struct up_addr default_gateway(const struct up_cni_ip *ip)
{
	const struct up_cidr net = up_cni_network_of(&ip->addr, ip->plen);
	struct up_addr first = up_addr_offset(&net.addr, 1);

	return up_addr_equal(&first, &ip->addr) ? up_addr_offset(&net.addr, 2) : first;
}

static struct up_addr gateway_for(const struct options *o, const struct up_cni_ip *ip)
{
	if (!o->gateway)
		return nobodys_gateway(up_addr_family(&ip->addr));
	return up_addr_set(&ip->gateway) ? ip->gateway : default_gateway(ip);
}

/* An endpoint has one address of each family. */
static int set_addresses(const struct options *o, struct up_cni_ips *ips,
			 struct up_endpoint_spec *spec, struct up_err *err)
{
	for (size_t i = 0; i < ips->n; i++) {
		struct up_cni_ip *ip = &ips->at[i];
		enum up_family f = up_addr_family(&ip->addr);

		if (up_addr_set(&spec->addr[f]))
			return up_cni_fail(err, UP_CNI_BAD_CONFIG,
					   "ipam: more than one IPv%d address for one interface",
					   f == UP_V4 ? 4 : 6);
		spec->addr[f] = ip->addr;
		spec->plen[f] = ip->plen;
		spec->gateway[f] = gateway_for(o, ip);
		if (up_addr_equal(&spec->gateway[f], &ip->addr))
			return up_cni_fail(err, UP_CNI_BAD_CONFIG,
					   "ipam: the container's address is its gateway's");
	}
	return 0;
}

/* ---- routes ------------------------------------------------------------------------------------
 */

static bool has_default(const json_t *result, enum up_family family)
{
	struct up_cni_route route;
	json_t *in;
	size_t i;

	json_array_foreach (up_cni_get(result, "routes"), i, in)
		if (!up_cni_route_parse(in, &route, NULL) && !route.dst.plen &&
		    up_addr_family(&route.dst.addr) == family)
			return true;
	return false;
}

/* isDefaultGateway: a default route of each family that has none. */
static void add_default_routes(json_t *result, const struct up_endpoint_spec *spec)
{
	static const char *const everywhere[UP_FAMILIES] = {"0.0.0.0/0", "::/0"};
	json_t *routes = up_cni_get(result, "routes");

	if (!routes) {
		routes = json_array();
		json_object_set_new(result, "routes", routes);
	}
	for (enum up_family f = UP_V4; f < UP_FAMILIES; f++)
		if (up_addr_set(&spec->addr[f]) && !has_default(result, f))
			json_array_append_new(routes,
					      json_pack("{s:s, s:o}", "dst", everywhere[f], "gw",
							up_cni_addr_json(&spec->gateway[f])));
}

static int add_route(struct up_nl *nl, int ifindex, const struct up_endpoint_info *info,
		     const struct up_cni_route *in, struct up_err *err)
{
	enum up_family f = up_addr_family(&in->dst.addr);
	struct up_route route = {
		.dst = in->dst.addr,
		.plen = in->dst.plen,
		.gateway = info->gateway[f],
		.onlink = true,
		.beside = true,
		.ifindex = ifindex,
		.scope = in->scope > 0 ? (uint8_t)in->scope : 0,
		.table = in->table,
		.metric = in->priority,
		.mtu = in->mtu,
		.advmss = in->advmss,
	};
	int ret;

	if (!up_addr_set(&info->addr[f]))
		return 0; /* a dual-stack configuration where the container has one family */
	ret = up_route_add(nl, &route, err);
	return ret == -EEXIST ? 0 : ret;
}

/* A next hop other than the gateway would have to be a neighbour, and there are none. */
static int check_next_hops(const json_t *result, const struct up_endpoint_spec *spec,
			   struct up_err *err)
{
	struct up_cni_route route;
	char text[UP_ADDR_TEXT];
	json_t *in;
	size_t i;

	json_array_foreach (up_cni_get(result, "routes"), i, in) {
		enum up_family f;

		if (up_cni_route_parse(in, &route, err))
			return -err->code;
		f = up_addr_family(&route.dst.addr);
		if (up_addr_set(&route.gateway) && up_addr_set(&spec->addr[f]) &&
		    !up_addr_equal(&route.gateway, &spec->gateway[f]))
			return up_cni_fail(err, UP_CNI_UNSUPPORTED,
					   "routes: gw: %s: only the network's gateway can be one",
					   up_addr_format(&route.gateway, text));
	}
	return 0;
}

static int add_routes(const struct up_endpoint_info *info, int netns, const char *ifname,
		      const json_t *result, struct up_err *err)
{
	cleanup_nl struct up_nl *nl = NULL;
	struct up_cni_route route;
	struct up_link link;
	json_t *in;
	size_t i;
	int ret = up_nl_open_in(NETLINK_ROUTE, netns, &nl, err);

	if (!ret)
		ret = up_link_get(nl, ifname, 0, &link, err);
	for (enum up_family f = UP_V4; !ret && f < UP_FAMILIES; f++) {
		route = (struct up_cni_route){
			.dst = up_cni_network_of(&info->addr[f], info->plen[f])};
		if (up_addr_set(&info->addr[f]) && info->plen[f] < (f == UP_V4 ? 32 : 128))
			ret = add_route(nl, link.ifindex, info, &route, err);
	}
	json_array_foreach (up_cni_get(result, "routes"), i, in) {
		if (!ret)
			ret = up_cni_route_parse(in, &route, err);
		if (!ret)
			ret = add_route(nl, link.ifindex, info, &route, err);
	}
	return ret;
}

/* ---- result ------------------------------------------------------------------------------------
 */

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
static void set_dns(const struct up_cni *c, json_t *result)
{
	json_auto_t *runtime = dns_of_runtime(c);
	json_t *conf = up_cni_get(c->conf, "dns");

	if (json_object_size(runtime))
		json_object_set(result, "dns", runtime);
	else if (json_object_size(conf))
		json_object_set(result, "dns", conf);
}

static void set_interfaces(const struct up_cni *c, const struct up_endpoint_info *info,
			   json_t *result)
{
	json_t *ip;
	size_t i;

	json_object_set_new(result, "interfaces", interfaces_json(c, info));
	json_array_foreach (up_cni_get(result, "ips"), i, ip)
		json_object_set_new(ip, "interface", json_integer(1));
}

/* The gateways that the endpoint really has. */
static void set_gateways(const struct options *o, const struct up_endpoint_info *info,
			 json_t *result)
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

/* ---- ADD ---------------------------------------------------------------------------------------
 */

/**
 * struct attach - one ADD under way
 * @c:      the call
 * @o:      the configuration's options
 * @netns:  fd of the container's namespace
 * @name:   the endpoint's
 * @dp:     this host's datapath
 * @ports:  to publish with it
 * @result: taking shape
 * @info:   the endpoint
 * @leased: there are addresses to be given back
 * @added:  there is an endpoint to be removed
 */
struct attach {
	struct up_cni *c;
	struct options o;
	int netns;
	char name[UP_NAME_MAX + 1];
	struct up_datapath *dp;
	struct up_publish_list ports;
	json_t *result;
	struct up_endpoint_info info;
	bool leased, added;
};

/* Where nobody manages addresses, they are of the network that all containers of this host share.
 */
static int own_addresses(struct attach *a, struct up_endpoint_spec *spec, struct up_err *err)
{
	struct up_cni_ips ips;
	int ret = up_cni_requested_ips(a->c, &ips, err);

	a->result = json_object();
	for (size_t i = 0; !ret && i < ips.n; i++)
		spec->addr[up_addr_family(&ips.at[i].addr)] = ips.at[i].addr;
	return ret;
}

static int managed_addresses(struct attach *a, struct up_endpoint_spec *spec, struct up_err *err)
{
	struct up_cni_ips ips;
	int ret = up_cni_ipam_add(a->c, &a->result, err);

	if (ret)
		return ret;
	a->leased = true;
	spec->foreign = true;
	ret = up_cni_result_ips(a->result, &ips, err);
	return ret ? ret : set_addresses(&a->o, &ips, spec, err);
}

static int get_addresses(struct attach *a, struct up_endpoint_spec *spec, struct up_err *err)
{
	if (up_cni_has_ipam(a->c))
		return managed_addresses(a, spec, err);
	if (a->c->plugin == &up_cni_underpass)
		return own_addresses(a, spec, err);
	return up_cni_fail(err, UP_CNI_BAD_CONFIG,
			   "ipam: an interface without an address is of no use here");
}

static uint32_t flags_of(const struct options *o)
{
	return (o->masquerade && !o->by_kernel ? 0 : UP_EP_ROUTED_V4 | UP_EP_ROUTED_V6) |
	       (o->gateway ? 0 : UP_EP_INTERNAL) | (o->kernel ? UP_EP_KERNEL : 0);
}

/* What takes the kernel's way goes out and comes back by its forwarding, which the reference
 * plugins switch on. */
static int enable_forwarding(const struct options *o, const struct up_endpoint_spec *spec,
			     struct up_err *err)
{
	int ret = 0;

	for (enum up_family f = UP_V4; !ret && f < UP_FAMILIES; f++)
		if (o->kernel && o->gateway && (!o->masquerade || o->by_kernel) &&
		    (!spec->foreign || up_addr_set(&spec->addr[f])))
			ret = up_forward_all(f, err);
	return ret;
}

/* Of the network that all containers of this host share, where nobody manages addresses. */
static int masquerade(const struct attach *a, const struct up_endpoint_spec *spec,
		      struct up_err *err)
{
	struct up_network own;
	int ret = up_network_get(a->dp, NULL, &own, err);

	for (enum up_family f = UP_V4; !ret && f < UP_FAMILIES; f++) {
		const struct up_cidr given = {.addr = spec->addr[f], .plen = spec->plen[f]};
		const struct up_cidr *net = spec->foreign ? &given : &own.subnet[f];

		if (up_addr_set(&net->addr))
			ret = up_cni_masquerade(a->c, net, err);
	}
	return ret;
}

static int add_endpoint(struct attach *a, struct up_endpoint_spec *spec, struct up_err *err)
{
	int ret = up_cni_datapath(a->c, &a->dp, err);

	spec->name = a->name;
	spec->netns_fd = a->netns;
	spec->ifname = a->c->env.ifname;
	spec->no_default_route = true;
	spec->settle_later = true;
	spec->mtu = (uint32_t)a->o.mtu;
	spec->flags = flags_of(&a->o);
	spec->rate_in = a->o.limits.rate_in;
	spec->rate_out = a->o.limits.rate_out;
	spec->burst_in = a->o.limits.burst_in;
	spec->burst_out = a->o.limits.burst_out;
	spec->ports = a->ports.pubs;
	spec->n_ports = a->ports.n;
	memcpy(spec->mac, a->o.mac, sizeof(spec->mac));
	if (!ret)
		ret = enable_forwarding(&a->o, spec, err);
	if (!ret && a->o.by_kernel)
		ret = masquerade(a, spec, err);
	if (!ret)
		ret = up_endpoint_add(a->dp, spec, &a->info, err);
	a->added = !ret;
	return ret ? ret : up_cni_policy_apply(a->c, a->dp, a->name, a->o.policy, err);
}

/* The result where the endpoint chose the addresses. */
static void describe_own(struct attach *a)
{
	json_t *ips = json_array();

	for (enum up_family f = UP_V4; f < UP_FAMILIES; f++) {
		const struct up_cni_ip ip = {a->info.addr[f], a->info.plen[f], a->info.gateway[f],
					     -1};

		if (up_addr_set(&ip.addr))
			json_array_append_new(ips, up_cni_ip_json(&ip));
	}
	json_object_set_new(a->result, "ips", ips);
}

/* Addresses by DHCP: see ipam.h. The interface comes with them. */
static int attach_child(struct attach *a, struct up_err *err)
{
	int ret = up_cni_child_add(a->c, a->netns, &a->result, err);

	if (ret)
		return ret;
	a->leased = true;
	json_decref(a->c->prev);
	a->c->prev = json_incref(a->result);
	ret = up_cni_datapath(a->c, &a->dp, err);
	if (!ret)
		ret = up_cni_adopt(a->c, &a->ports, err);
	if (!ret)
		ret = up_cni_fail(err, UP_CNI_BAD_CONFIG,
				  "ipam: dhcp: the master is no uplink of underpass");
	a->added = ret > 0;
	set_dns(a->c, a->result);
	return ret < 0 ? ret : 0;
}

static int attach(struct attach *a, struct up_err *err)
{
	struct up_endpoint_spec spec = {};
	int ret;

	if (up_cni_ipam_is_dhcp(a->c))
		return attach_child(a, err);
	ret = get_addresses(a, &spec, err);

	if (!ret && a->leased && a->o.default_route)
		add_default_routes(a->result, &spec);
	if (!ret)
		ret = check_next_hops(a->result, &spec, err);
	if (!ret)
		ret = add_endpoint(a, &spec, err);
	if (ret)
		return ret;
	if (!a->leased) {
		describe_own(a);
		memcpy(spec.addr, a->info.addr, sizeof(spec.addr));
		memcpy(spec.gateway, a->info.gateway, sizeof(spec.gateway));
		add_default_routes(a->result, &spec);
	}
	ret = add_routes(&a->info, a->netns, a->c->env.ifname, a->result, err);
	set_interfaces(a->c, &a->info, a->result);
	set_gateways(&a->o, &a->info, a->result);
	set_dns(a->c, a->result);
	return ret;
}

/* Errors on the way back are not the answer: why it failed is. */
static void undo(struct attach *a)
{
	json_t *relayed = json_incref(a->c->relayed);
	struct up_err ignored = {};

	if (a->added)
		up_endpoint_del(a->dp, a->name, &ignored);
	if (a->leased)
		up_cni_ipam_del(a->c, &ignored);
	up_cni_state_remove(a->name);
	up_cni_masquerade_end(a->c);
	json_decref(a->c->relayed);
	a->c->relayed = relayed;
}

/* Is there one already? What an ADD left that was killed goes first. */
static int clear_way(struct up_cni *c, struct up_err *err)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	char name[UP_NAME_MAX + 1];
	int ret;

	up_cni_own_name(c, name);
	if (!up_cni_state_has(name))
		return 0;
	if (up_cni_state_begun(c))
		return c->plugin->del(c, err);
	ret = up_cni_find(c, &dp, name, err);
	if (ret > 0)
		return up_cni_fail(err, UP_CNI_TAKEN, "%.64s is attached to %.64s by %s already",
				   c->env.container_id, c->name, c->env.ifname);
	return ret;
}

static int prepare(struct attach *a, struct up_err *err)
{
	int ret = options_of(a->c, &a->o, err);

	/* The reference plugins leave ports to portmap, which may be chained behind. */
	if (!ret && a->c->plugin == &up_cni_underpass)
		ret = up_cni_ports_parse(a->c, &a->ports, err);
	return ret ? ret : clear_way(a->c, err);
}

int up_cni_iface_add(struct up_cni *c, json_t **ret_result, struct up_err *err)
{
	cleanup_fd int netns = up_cni_netns_open(c, err);
	struct attach a = {.c = c, .netns = netns};
	int ret = netns < 0 ? netns : prepare(&a, err);

	up_cni_own_name(c, a.name);
	if (!ret)
		ret = up_cni_state_save(c, false, err);
	if (!ret) {
		ret = attach(&a, err);
		if (!ret)
			ret = up_cni_state_save(c, true, err);
		if (ret)
			undo(&a);
		else if (a.info.ifindex)
			up_endpoint_settle(a.dp, &a.info);
	}
	up_publish_list_free(&a.ports);
	up_datapath_close(&a.dp);
	if (ret)
		json_decref(a.result);
	else
		*ret_result = a.result;
	return ret;
}

/* ---- DEL, GC -----------------------------------------------------------------------------------
 */

/* Also where the maps are gone, or of another version: then the interface is all that is left. */
static int remove_endpoint(struct up_cni *c, const char *name, struct up_err *err)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	int ret = up_datapath_open(&dp, err);

	if (ret == -EPROTO || ret == -EXDEV)
		up_cni_note(c, "%s", err->msg);
	if (ret == -ENOENT || ret == -EPROTO || ret == -EXDEV)
		return up_endpoint_forget(name, err);
	if (!ret)
		ret = up_endpoint_del(dp, name, err);
	return ret == -ENOENT ? 0 : ret;
}

/* Addresses are given back even where the interface could not be removed. */
int up_cni_iface_del(struct up_cni *c, struct up_err *err)
{
	char name[UP_NAME_MAX + 1];
	struct up_err second = {};
	int ret, ipam;

	up_cni_own_name(c, name);
	ret = remove_endpoint(c, name, err);
	ipam = up_cni_ipam_del(c, ret ? &second : err);
	if (!ret && !ipam)
		up_cni_state_remove(name);
	up_cni_masquerade_end(c);
	return ret ? ret : ipam;
}

struct gc {
	struct up_cni *c;
	const char *plugin;
	bool release;
	struct up_err *err;
	int ret;
};

/* Go on where one cannot be removed; the first reason is the answer. */
static int remove_stale(const struct up_cni_attachment *at, void *arg)
{
	struct gc *gc = arg;
	struct up_err second = {}, *err = gc->ret ? &second : gc->err;
	int ret;

	if (strcmp(at->network, gc->c->name) || (gc->plugin && strcmp(at->plugin, gc->plugin)) ||
	    up_cni_is_valid(gc->c, at->id, at->ifname))
		return 0;
	ret = remove_endpoint(gc->c, at->endpoint, err);
	if (!ret && gc->release)
		ret = up_cni_ipam_release(gc->c, at->id, at->ifname, err);
	if (!ret)
		up_cni_state_remove(at->endpoint);
	if (!gc->ret)
		gc->ret = ret;
	return 0;
}

int up_cni_gc(struct up_cni *c, const char *plugin, bool release, struct up_err *err)
{
	struct gc gc = {.c = c, .plugin = plugin, .release = release, .err = err};

	up_cni_state_foreach(remove_stale, &gc);
	up_cni_state_sweep();
	return gc.ret;
}

int up_cni_iface_gc(struct up_cni *c, struct up_err *err)
{
	struct up_err second = {};
	int ret = up_cni_gc(c, NULL, true, err);
	int ipam = up_cni_ipam_gc(c, ret ? &second : err);

	up_cni_masquerade_end(c);
	return ret ? ret : ipam;
}

/* ---- STATUS ------------------------------------------------------------------------------------
 */

/* The datapath is brought up here, if it must be, so that "ready" is true. */
int up_cni_iface_status(struct up_cni *c, struct up_err *err)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	struct options o;
	int ret = options_of(c, &o, err);

	if (!ret)
		ret = up_cni_datapath(c, &dp, err);
	if (ret) {
		struct up_err why = *err;

		return up_cni_fail(err, UP_CNI_NOT_AVAILABLE, "%.480s", why.msg);
	}
	return up_cni_ipam_status(c, err);
}

const struct up_cni_plugin up_cni_underpass = {
	.name = "underpass",
	.add = up_cni_iface_add,
	.del = up_cni_iface_del,
	.check = up_cni_iface_check,
	.gc = up_cni_iface_gc,
	.status = up_cni_iface_status,
};

const struct up_cni_plugin up_cni_ptp = {
	.name = "ptp",
	.add = up_cni_iface_add,
	.del = up_cni_iface_del,
	.check = up_cni_iface_check,
	.gc = up_cni_iface_gc,
	.status = up_cni_iface_status,
};
