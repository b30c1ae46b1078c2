// SPDX-License-Identifier: GPL-2.0-only
#include "net/link.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "compat/if_link.h"
#include "net/netns.h"

static const struct nla_policy link_policy[IFLA_MAX + 1] = {
	[IFLA_IFNAME] = {.type = NLA_STRING, .maxlen = IFNAMSIZ},
	[IFLA_IFALIAS] = {.type = NLA_STRING, .maxlen = 256},
	[IFLA_ADDRESS] = {.type = NLA_UNSPEC},
	[IFLA_MTU] = {.type = NLA_U32},
	[IFLA_LINK] = {.type = NLA_U32},
	[IFLA_LINK_NETNSID] = {.type = NLA_S32},
	[IFLA_MASTER] = {.type = NLA_U32},
	[IFLA_LINKINFO] = {.type = NLA_NESTED},
	[IFLA_QDISC] = {.type = NLA_STRING},
};

static void parse_kind(struct nlattr *info, struct up_link *link)
{
	struct nlattr *kind = nla_find(nla_data(info), nla_len(info), IFLA_INFO_KIND);

	if (kind)
		nla_strlcpy(link->kind, kind, sizeof(link->kind));
}

static int parse_link(struct nlmsghdr *nlh, struct up_link *link)
{
	struct nlattr *tb[IFLA_MAX + 1];
	struct ifinfomsg *ifi = nlmsg_data(nlh);

	if (nlh->nlmsg_type != RTM_NEWLINK ||
	    nlmsg_parse(nlh, sizeof(*ifi), tb, IFLA_MAX, link_policy) || !tb[IFLA_IFNAME])
		return -EBADMSG;
	*link = (struct up_link){
		.ifindex = ifi->ifi_index,
		.flags = ifi->ifi_flags,
		.ethernet = ifi->ifi_type == ARPHRD_ETHER,
		.mtu = tb[IFLA_MTU] ? nla_get_u32(tb[IFLA_MTU]) : 0,
		.peer = tb[IFLA_LINK] ? (int)nla_get_u32(tb[IFLA_LINK]) : 0,
		.peer_nsid = tb[IFLA_LINK_NETNSID] ? nla_get_s32(tb[IFLA_LINK_NETNSID]) : -1,
		.master = tb[IFLA_MASTER] ? (int)nla_get_u32(tb[IFLA_MASTER]) : 0,
		.queued = tb[IFLA_QDISC] && nla_strcmp(tb[IFLA_QDISC], "noqueue"),
	};
	nla_strlcpy(link->name, tb[IFLA_IFNAME], sizeof(link->name));
	if (tb[IFLA_IFALIAS])
		nla_strlcpy(link->alias, tb[IFLA_IFALIAS], sizeof(link->alias));
	if (tb[IFLA_ADDRESS] && nla_len(tb[IFLA_ADDRESS]) == sizeof(link->mac))
		memcpy(link->mac, nla_data(tb[IFLA_ADDRESS]), sizeof(link->mac));
	if (tb[IFLA_LINKINFO])
		parse_kind(tb[IFLA_LINKINFO], link);
	return 0;
}

static struct nl_msg *link_msg(int type, int flags, int ifindex, uint32_t up)
{
	struct ifinfomsg ifi = {.ifi_index = ifindex, .ifi_flags = up, .ifi_change = up};
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);

	if (msg && nlmsg_append(msg, &ifi, sizeof(ifi), NLMSG_ALIGNTO)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

static int one_link(struct nlmsghdr *nlh, void *arg)
{
	return parse_link(nlh, arg);
}

int up_link_get(struct up_nl *nl, const char *name, int ifindex, struct up_link *ret_link,
		struct up_err *err)
{
	cleanup_msg struct nl_msg *msg = link_msg(RTM_GETLINK, 0, name ? 0 : ifindex, 0);
	struct up_link link = {};
	int ret;

	if (name && strlen(name) >= IFNAMSIZ)
		return up_fail(err, ENODEV, "interface %.40s", name);
	if (!msg || (name && nla_put_string(msg, IFLA_IFNAME, name)))
		return up_fail(err, ENOMEM, "look up an interface");
	ret = up_nl_query(nl, msg, one_link, &link, err);
	if (ret == -EBADMSG)
		up_fail(err, EBADMSG, "answer of the kernel");
	if (ret)
		return name ? up_wrap(err, "interface %s", name)
			    : up_wrap(err, "interface %d", ifindex);
	*ret_link = link;
	return 0;
}

struct walk {
	int (*fn)(const struct up_link *link, void *arg);
	void *arg;
};

static int each_link(struct nlmsghdr *nlh, void *arg)
{
	struct walk *w = arg;
	struct up_link link;
	int ret = parse_link(nlh, &link);

	return ret ? ret : w->fn(&link, w->arg);
}

int up_link_foreach(struct up_nl *nl, int (*fn)(const struct up_link *link, void *arg), void *arg,
		    struct up_err *err)
{
	return up_link_foreach_in(nl, -1, fn, arg, err);
}

int up_link_foreach_in(struct up_nl *nl, int nsid, int (*fn)(const struct up_link *link, void *arg),
		       void *arg, struct up_err *err)
{
	cleanup_msg struct nl_msg *msg = link_msg(RTM_GETLINK, NLM_F_DUMP, 0, 0);
	struct walk w = {fn, arg};

	if (!msg || (nsid >= 0 && nla_put_s32(msg, IFLA_TARGET_NETNSID, nsid)))
		return up_fail(err, ENOMEM, "list interfaces");
	return up_nl_query(nl, msg, each_link, &w, err);
}

/* The peer's attributes are a message of their own, header included, inside VETH_INFO_PEER. */
static int put_peer(struct nl_msg *msg, const struct up_pair_spec *spec)
{
	struct ifinfomsg ifi = {};
	struct nlattr *peer =
		nla_nest_start(msg, spec->netkit ? UP_IFLA_NETKIT_PEER_INFO : VETH_INFO_PEER);

	if (!peer || nlmsg_append(msg, &ifi, sizeof(ifi), NLMSG_ALIGNTO) ||
	    nla_put_string(msg, IFLA_IFNAME, spec->peer_name) ||
	    nla_put(msg, IFLA_ADDRESS, sizeof(spec->peer_mac), spec->peer_mac) ||
	    nla_put_u32(msg, IFLA_NET_NS_FD, (uint32_t)spec->peer_netns) ||
	    (spec->mtu && nla_put_u32(msg, IFLA_MTU, spec->mtu)))
		return -ENOMEM;
	nla_nest_end(msg, peer);
	return 0;
}

/* With Ethernet headers; and while there is no program, nothing leaves the peer. */
static int put_netkit(struct nl_msg *msg)
{
	return nla_put_u32(msg, UP_IFLA_NETKIT_MODE, UP_NETKIT_L2) ||
			       nla_put_u32(msg, UP_IFLA_NETKIT_PEER_POLICY, UP_NETKIT_DROP)
		       ? -ENOMEM
		       : 0;
}

static int put_pair(struct nl_msg *msg, const struct up_pair_spec *spec)
{
	struct nlattr *info, *data;

	if (nla_put_string(msg, IFLA_IFNAME, spec->host_name) ||
	    nla_put(msg, IFLA_ADDRESS, sizeof(spec->host_mac), spec->host_mac) ||
	    (spec->mtu && nla_put_u32(msg, IFLA_MTU, spec->mtu)))
		return -ENOMEM;
	info = nla_nest_start(msg, IFLA_LINKINFO);
	if (!info || nla_put_string(msg, IFLA_INFO_KIND, spec->netkit ? "netkit" : "veth"))
		return -ENOMEM;
	data = nla_nest_start(msg, IFLA_INFO_DATA);
	if (!data || put_peer(msg, spec) || (spec->netkit && put_netkit(msg)))
		return -ENOMEM;
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
	return 0;
}

/* RTM_NEWLINK takes no alias for a new device; until it is set, the name alone tells ours. */
static int set_alias(struct up_nl *nl, const char *name, const char *alias, struct up_err *err)
{
	cleanup_msg struct nl_msg *msg = link_msg(RTM_SETLINK, 0, 0, 0);

	if (!msg || nla_put_string(msg, IFLA_IFNAME, name) ||
	    nla_put(msg, IFLA_IFALIAS, (int)strlen(alias), alias))
		return up_fail(err, ENOMEM, "alias");
	return up_nl_do(nl, msg, err);
}

int up_pair_create(struct up_nl *nl, const struct up_pair_spec *spec, struct up_err *err)
{
	cleanup_msg struct nl_msg *msg =
		link_msg(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, spec->host_ifindex, 0);
	const char *kind = spec->netkit ? "netkit" : "veth";
	int ret;

	if (!msg || put_pair(msg, spec))
		return up_fail(err, ENOMEM, "%s %s: create", kind, spec->host_name);
	ret = up_nl_do(nl, msg, err);
	if (!ret && spec->host_alias)
		ret = set_alias(nl, spec->host_name, spec->host_alias, err);
	return ret ? up_wrap(err, "%s %s: create", kind, spec->host_name) : 0;
}

int up_link_change(struct up_nl *nl, int ifindex, const struct up_link_change *change,
		   struct up_err *err)
{
	static const uint8_t keep[6];
	const struct ifinfomsg ifi = {
		.ifi_index = ifindex,
		.ifi_flags = change->flags,
		.ifi_change = change->flag_mask,
	};
	cleanup_msg struct nl_msg *msg = nlmsg_alloc_simple(RTM_SETLINK, 0);
	int ret;

	if (!msg || nlmsg_append(msg, (void *)&ifi, sizeof(ifi), NLMSG_ALIGNTO) ||
	    (memcmp(change->mac, keep, sizeof(keep)) &&
	     nla_put(msg, IFLA_ADDRESS, sizeof(change->mac), change->mac)) ||
	    (change->mtu && nla_put_u32(msg, IFLA_MTU, change->mtu)) ||
	    (change->set_tx_queue && nla_put_u32(msg, IFLA_TXQLEN, change->tx_queue)))
		return up_fail(err, ENOMEM, "message");
	ret = up_nl_do(nl, msg, err);
	return ret ? up_wrap(err, "interface %d: change", ifindex) : 0;
}

static int put_macvlan(struct nl_msg *msg, const struct up_macvlan_spec *spec)
{
	struct nlattr *info, *data;

	if (nla_put_string(msg, IFLA_IFNAME, spec->name) ||
	    nla_put(msg, IFLA_ADDRESS, sizeof(spec->mac), spec->mac) ||
	    nla_put_u32(msg, IFLA_LINK, spec->parent) ||
	    (spec->netns >= 0 && nla_put_u32(msg, IFLA_NET_NS_FD, (uint32_t)spec->netns)) ||
	    (spec->mtu && nla_put_u32(msg, IFLA_MTU, spec->mtu)))
		return -ENOMEM;
	info = nla_nest_start(msg, IFLA_LINKINFO);
	if (!info || nla_put_string(msg, IFLA_INFO_KIND, "macvlan"))
		return -ENOMEM;
	data = nla_nest_start(msg, IFLA_INFO_DATA);
	if (!data || nla_put_u32(msg, IFLA_MACVLAN_MODE, MACVLAN_MODE_PRIVATE))
		return -ENOMEM;
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
	return 0;
}

int up_macvlan_create(struct up_nl *nl, const struct up_macvlan_spec *spec, struct up_err *err)
{
	cleanup_msg struct nl_msg *msg =
		link_msg(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, spec->ifindex, 0);
	int ret;

	if (!msg || put_macvlan(msg, spec))
		return up_fail(err, ENOMEM, "macvlan %s: create", spec->name);
	ret = up_nl_do(nl, msg, err);
	return ret ? up_wrap(err, "macvlan %s: create", spec->name) : 0;
}

int up_link_get_in(struct up_nl *nl, int nsid, int ifindex, struct up_link *ret_link,
		   struct up_err *err)
{
	cleanup_msg struct nl_msg *msg = link_msg(RTM_GETLINK, 0, ifindex, 0);
	struct up_link link = {};
	int ret;

	if (!msg || nla_put_s32(msg, IFLA_TARGET_NETNSID, nsid))
		return up_fail(err, ENOMEM, "look up an interface");
	ret = up_nl_query(nl, msg, one_link, &link, err);
	if (!ret)
		*ret_link = link;
	return ret;
}

int up_link_del_in(struct up_nl *nl, int nsid, int ifindex, struct up_err *err)
{
	cleanup_msg struct nl_msg *msg = link_msg(RTM_DELLINK, 0, ifindex, 0);

	if (!msg || nla_put_s32(msg, IFLA_TARGET_NETNSID, nsid))
		return up_fail(err, ENOMEM, "delete an interface");
	return up_nl_do(nl, msg, err);
}

int up_link_set_up(struct up_nl *nl, int ifindex, struct up_err *err)
{
	cleanup_msg struct nl_msg *msg = link_msg(RTM_NEWLINK, 0, ifindex, IFF_UP);
	int ret = msg ? up_nl_do(nl, msg, err) : up_fail(err, ENOMEM, "message");

	return ret ? up_wrap(err, "interface %d: set up", ifindex) : 0;
}

int up_link_del(struct up_nl *nl, int ifindex, struct up_err *err)
{
	cleanup_msg struct nl_msg *msg = link_msg(RTM_DELLINK, 0, ifindex, 0);
	int ret = msg ? up_nl_do(nl, msg, err) : up_fail(err, ENOMEM, "message");

	return ret ? up_wrap(err, "interface %d: delete", ifindex) : 0;
}

/* IFLA_AF_SPEC { AF_INET { IFLA_INET_CONF { IPV4_DEVCONF_FORWARDING } } } */
static int put_forwarding(struct nl_msg *msg)
{
	struct nlattr *spec = nla_nest_start(msg, IFLA_AF_SPEC);
	struct nlattr *inet = spec ? nla_nest_start(msg, AF_INET) : NULL;
	struct nlattr *conf = inet ? nla_nest_start(msg, IFLA_INET_CONF) : NULL;

	if (!conf || nla_put_u32(msg, IPV4_DEVCONF_FORWARDING, 1))
		return -ENOMEM;
	nla_nest_end(msg, conf);
	nla_nest_end(msg, inet);
	nla_nest_end(msg, spec);
	return 0;
}

int up_link_set_forwarding(struct up_nl *nl, int ifindex, struct up_err *err)
{
	cleanup_msg struct nl_msg *msg = link_msg(RTM_SETLINK, 0, ifindex, 0);
	int ret;

	if (!msg || put_forwarding(msg))
		return up_fail(err, ENOMEM, "interface %d: forwarding", ifindex);
	ret = up_nl_do(nl, msg, err);
	return ret ? up_wrap(err, "interface %d: forwarding", ifindex) : 0;
}

bool up_have_ipv6(void)
{
	return !access("/proc/sys/net/ipv6/conf/all", F_OK);
}

/* Return: 0, or -errno; -ENOENT for a setting that this kernel does not have */
static int write_conf6(const char *name, const char *setting, const char *value)
{
	char path[128];
	cleanup_fd int fd = -1;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/%s", name, setting);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		return -errno;
	return 0;
}

int up_link_allow_ipv6(int netns_fd, const char *name, struct up_err *err)
{
	cleanup_netns int old = -1;
	int ret = up_netns_enter(netns_fd, &old, err);

	if (ret)
		return ret;
	ret = write_conf6(name, "disable_ipv6", "0");
	return ret ? up_fail(err, ret, "interface %s: allow IPv6", name) : 0;
}

int up_forward_all(enum up_family family, struct up_err *err)
{
	static const char *const paths[UP_FAMILIES] = {
		"/proc/sys/net/ipv4/ip_forward",
		"/proc/sys/net/ipv6/conf/all/forwarding",
	};
	cleanup_fd int fd = open(paths[family], O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "1", 1) < 0)
		return up_fail(err, errno, "%s", paths[family]);
	return 0;
}

int up_link_set_forwarding6(const char *name, struct up_err *err)
{
	int ret = write_conf6(name, "forwarding", "1");

	if (!ret)
		ret = write_conf6(name, "accept_ra", "0");
	return ret ? up_fail(err, ret, "interface %s: IPv6 forwarding", name) : 0;
}
