// SPDX-License-Identifier: GPL-2.0-only
/* The addresses of the interface, and the gateway's for each. */
#include <arpa/inet.h>

#include "cni/error.h"
#include "cni/iface_priv.h"

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

static struct up_addr gateway_for(const struct up_cni_iface_options *o, const struct up_cni_ip *ip)
{
	if (!o->gateway)
		return nobodys_gateway(up_addr_family(&ip->addr));
	return up_addr_set(&ip->gateway) ? ip->gateway : default_gateway(ip);
}

/* An endpoint has one address of each family. */
int up_cni_iface_set_addresses(const struct up_cni_iface_options *o, struct up_cni_ips *ips,
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
