// SPDX-License-Identifier: GPL-2.0-only
/* What the configuration says of the interface. */
#include "cni/error.h"
#include "cni/iface_priv.h"
#include "cni/ipam.h"
#include "cni/json.h"
#include "cni/masquerade.h"
#include "cni/options.h"
#include "cni/place.h"

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

static int read_options(const struct up_cni *c, struct up_cni_iface_options *o, struct up_err *err)
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
static int check_dhcp(const struct up_cni *c, const struct up_cni_iface_options *o,
		      struct up_err *err)
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
int up_cni_iface_options_parse(const struct up_cni *c, struct up_cni_iface_options *o,
			       struct up_err *err)
{
	bool ours = c->plugin == &up_cni_underpass, bridge = c->plugin == &up_cni_bridge;
	int ret;

	*o = (struct up_cni_iface_options){
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
