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
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cni/adopt.h"
#include "cni/child.h"
#include "cni/error.h"
#include "cni/hostlocal.h"
#include "cni/iface_priv.h"
#include "cni/ipam.h"
#include "cni/masquerade.h"
#include "cni/place.h"
#include "cni/ports.h"
#include "cni/state.h"
#include "core/datapath.h"
#include "core/network.h"
#include "net/link.h"

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
	struct up_cni_iface_options o;
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
	return ret ? ret : up_cni_iface_set_addresses(&a->o, &ips, spec, err);
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

static uint32_t flags_of(const struct up_cni_iface_options *o)
{
	return (o->masquerade && !o->by_kernel ? 0 : UP_EP_ROUTED_V4 | UP_EP_ROUTED_V6) |
	       (o->gateway ? 0 : UP_EP_INTERNAL) | (o->kernel ? UP_EP_KERNEL : 0);
}

/* What takes the kernel's way goes out and comes back by its forwarding, which the reference
 * plugins switch on. */
static int enable_forwarding(const struct up_cni_iface_options *o,
			     const struct up_endpoint_spec *spec, struct up_err *err)
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
	up_cni_iface_set_dns(a->c, a->result);
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
		up_cni_iface_add_default_routes(a->result, &spec);
	if (!ret)
		ret = up_cni_iface_check_next_hops(a->result, &spec, err);
	if (!ret)
		ret = add_endpoint(a, &spec, err);
	if (ret)
		return ret;
	if (!a->leased) {
		up_cni_iface_set_ips(&a->info, a->result);
		memcpy(spec.addr, a->info.addr, sizeof(spec.addr));
		memcpy(spec.gateway, a->info.gateway, sizeof(spec.gateway));
		up_cni_iface_add_default_routes(a->result, &spec);
	}
	ret = up_cni_iface_add_routes(&a->info, a->netns, a->c->env.ifname, a->result, err);
	up_cni_iface_set_interfaces(a->c, &a->info, a->result);
	up_cni_iface_set_gateways(&a->o, &a->info, a->result);
	up_cni_iface_set_dns(a->c, a->result);
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
	int ret = up_cni_iface_options_parse(a->c, &a->o, err);

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

/* The datapath is brought up here, if it must be, so that "ready" is true. */
int up_cni_iface_status(struct up_cni *c, struct up_err *err)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	struct up_cni_iface_options o;
	int ret = up_cni_iface_options_parse(c, &o, err);

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
