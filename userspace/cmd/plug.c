// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/plug.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "core/datapath.h"
#include "core/members.h"
#include "core/network.h"

#define FIRST_IFNAME "eth0"

/* What all interfaces of a container have in common. */
static struct up_endpoint_spec spec_of(const struct up_run *r, int netns)
{
	return (struct up_endpoint_spec){
		.netns_fd = netns,
		.device = r->netdev,
		.confined = !(r->sandbox.command.caps.bounding & 1ULL << CAP_NET_ADMIN),
		.mtu = r->mtu,
		.rate_in = r->limits.rate_in,
		.rate_out = r->limits.rate_out,
		.burst_in = r->limits.burst_in,
		.burst_out = r->limits.burst_out,
		.flow_max = r->limits.flow_max,
		.new_rate = r->limits.new_rate,
	};
}

int up_plug_first(struct up_run *r, int netns, struct up_endpoint_info *info, struct up_err *err)
{
	struct up_endpoint_spec spec = spec_of(r, netns);

	spec.name = r->record.name;
	spec.ifname = FIRST_IFNAME;
	spec.network = r->record.net;
	spec.ports = r->ports.pubs;
	spec.n_ports = r->ports.n;
	spec.settle_later = true;
	memcpy(spec.addr, r->addr, sizeof(spec.addr));
	memcpy(spec.mac, r->mac, sizeof(spec.mac));
	return up_endpoint_add(r->dp, &spec, info, err);
}

/* ---- which one is in a network ----------------------------------------------------------------
 */

struct search {
	const char *container;
	uint16_t net;
	struct up_endpoint_info found;
};

static int is_it(const struct up_endpoint_info *info, void *arg)
{
	struct search *s = arg;

	if (info->net != s->net || !up_member_of(info->name, s->container))
		return 0;
	s->found = *info;
	return 1;
}

/* Return: 1 where there is one, 0 where there is none, or -errno */
static int find(struct up_datapath *dp, const char *container, const char *network,
		struct up_endpoint_info *ret, struct up_err *err)
{
	struct search s = {.container = container};
	struct up_network net;
	int found = up_network_get(dp, network, &net, err);

	if (found)
		return found;
	s.net = net.id;
	found = up_endpoint_foreach(dp, is_it, &s);
	if (found)
		*ret = s.found;
	return found;
}

/* ---- further ones -----------------------------------------------------------------------------
 */

static int write_lines(const struct up_run *r, const struct up_endpoint_info *info,
		       struct up_err *err)
{
	char path[PATH_MAX], text[UP_ADDR_TEXT];
	int ret = 0;

	up_container_path(r->record.name, "hosts", path);
	for (enum up_family f = UP_V4; !ret && f < UP_FAMILIES; f++)
		if (up_addr_set(&info->addr[f]))
			ret = up_etcfiles_add_line(path, up_addr_format(&info->addr[f], text),
						   r->record.hostname, err);
	return ret;
}

static int remove_lines(const char *container, const struct up_endpoint_info *info,
			struct up_err *err)
{
	char path[PATH_MAX], text[UP_ADDR_TEXT];
	int ret = 0;

	up_container_path(container, "hosts", path);
	for (enum up_family f = UP_V4; !ret && f < UP_FAMILIES; f++)
		if (up_addr_set(&info->addr[f]))
			ret = up_etcfiles_remove_line(path, up_addr_format(&info->addr[f], text),
						      err);
	return ret;
}

static int is_member(const struct up_endpoint_info *info, void *container)
{
	return up_member_of(info->name, container);
}

/* Where it has no other interface, what "run" published is published again, as in docker. */
static int set_ports(const struct up_run *r, struct up_endpoint_spec *spec, struct up_err *err)
{
	struct up_network net;
	int ret = up_network_get(r->dp, spec->network, &net, err);

	if (ret || net.internal || up_endpoint_foreach(r->dp, is_member, (void *)r->record.name))
		return ret;
	spec->ports = r->ports.pubs;
	spec->n_ports = r->ports.n;
	return 0;
}

/* That of the container where its first endpoint is gone, else one that tells of the network. */
static int choose_name(struct up_run *r, const char *network, char buf[UP_NAME_MAX + 1],
		       struct up_err *err)
{
	struct up_endpoint_info info;

	if (!up_endpoint_get(r->dp, r->record.name, &info, NULL))
		return up_member_name(r->record.name, network, buf, err);
	snprintf(buf, UP_NAME_MAX + 1, "%s", r->record.name);
	return 0;
}

int up_plug_further(struct up_run *r, int netns, const char *network, const struct up_addr *addr,
		    enum up_netdev_mode device, struct up_err *err)
{
	struct up_endpoint_spec spec = spec_of(r, netns);
	char name[UP_NAME_MAX + 1];
	struct up_endpoint_info info;
	struct up_err ignored;
	int ret = find(r->dp, r->record.name, network, &info, err);

	if (ret > 0)
		return up_fail_msg(err, EEXIST, "it is in network %s already", network);
	if (!ret)
		ret = choose_name(r, network, name, err);
	if (ret)
		return ret;
	spec.name = name;
	spec.network = network;
	spec.device = device;
	spec.further = true;
	memcpy(spec.addr, addr, sizeof(spec.addr));
	ret = set_ports(r, &spec, err);
	if (!ret)
		ret = up_endpoint_add(r->dp, &spec, &info, err);
	if (ret)
		return ret;
	ret = up_members_route(r->dp, r->record.name, netns, err);
	if (!ret)
		ret = write_lines(r, &info, err);
	if (ret)
		up_unplug(r->dp, r->record.name, network, netns, &ignored);
	return ret;
}

/* Where one was killed that had come as far, the next finishes with the routes. */
int up_unplug(struct up_datapath *dp, const char *container, const char *network, int netns,
	      struct up_err *err)
{
	struct up_endpoint_info info;
	int found = find(dp, container, network, &info, err), ret = found;

	if (found > 0)
		ret = up_member_del(dp, container, info.name, err);
	if (!ret && netns >= 0)
		ret = up_members_route(dp, container, netns, err);
	if (!ret && !found)
		return up_fail_msg(err, ENOENT, "it is not in network %s", network);
	return ret || netns < 0 ? ret : remove_lines(container, &info, err);
}
