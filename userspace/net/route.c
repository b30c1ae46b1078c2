// SPDX-License-Identifier: GPL-2.0-only
/* Addresses, routes and neighbours. */
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "net/link.h"

static struct nl_msg *new_msg(int type, int flags, void *hdr, size_t len)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);

	if (msg && nlmsg_append(msg, hdr, len, NLMSG_ALIGNTO)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

static int put_addr(struct nl_msg *msg, int type, const struct up_addr *addr)
{
	size_t len;
	const void *bytes = up_addr_bytes(addr, &len);

	return nla_put(msg, type, (int)len, bytes);
}

int up_addr_add(struct up_nl *nl, int ifindex, const struct up_addr *addr, uint8_t plen,
		struct up_err *err)
{
	struct ifaddrmsg ifa = {
		.ifa_family = (uint8_t)up_addr_af(addr),
		.ifa_prefixlen = plen,
		.ifa_index = (uint32_t)ifindex,
		.ifa_flags = up_addr_is_v4(addr) ? 0 : IFA_F_NODAD,
	};
	cleanup_msg struct nl_msg *msg =
		new_msg(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &ifa, sizeof(ifa));
	char text[UP_ADDR_TEXT];
	int ret;

	if (!msg || put_addr(msg, IFA_LOCAL, addr) || put_addr(msg, IFA_ADDRESS, addr) ||
	    nla_put_u32(msg, IFA_FLAGS, ifa.ifa_flags | IFA_F_NOPREFIXROUTE))
		return up_fail(err, ENOMEM, "address %s", up_addr_format(addr, text));
	ret = up_nl_do(nl, msg, err);
	return ret ? up_wrap(err, "address %s/%u: add", up_addr_format(addr, text), plen) : 0;
}

static int put_nonzero(struct nl_msg *msg, int type, uint32_t value)
{
	return value ? nla_put_u32(msg, type, value) : 0;
}

static int put_metrics(struct nl_msg *msg, const struct up_route *route)
{
	struct nlattr *metrics;

	if (!route->mtu && !route->advmss)
		return 0;
	metrics = nla_nest_start(msg, RTA_METRICS);
	if (!metrics || put_nonzero(msg, RTAX_MTU, route->mtu) ||
	    put_nonzero(msg, RTAX_ADVMSS, route->advmss))
		return -ENOMEM;
	return nla_nest_end(msg, metrics);
}

static int put_route(struct nl_msg *msg, const struct up_route *route)
{
	if ((route->plen && put_addr(msg, RTA_DST, &route->dst)) ||
	    (up_addr_set(&route->gateway) && put_addr(msg, RTA_GATEWAY, &route->gateway)) ||
	    (up_addr_set(&route->src) && put_addr(msg, RTA_PREFSRC, &route->src)) ||
	    nla_put_u32(msg, RTA_OIF, (uint32_t)route->ifindex) ||
	    put_nonzero(msg, RTA_TABLE, route->table) ||
	    put_nonzero(msg, RTA_PRIORITY, route->metric))
		return -ENOMEM;
	return put_metrics(msg, route);
}

int up_route_add(struct up_nl *nl, const struct up_route *route, struct up_err *err)
{
	uint8_t scope = up_addr_set(&route->gateway) ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	struct rtmsg rtm = {
		.rtm_family = (uint8_t)up_addr_af(&route->dst),
		.rtm_dst_len = route->plen,
		.rtm_table = route->table ? RT_TABLE_UNSPEC : RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_scope = route->scope ? route->scope : scope,
		.rtm_type = RTN_UNICAST,
		.rtm_flags = route->onlink ? RTNH_F_ONLINK : 0,
	};
	int flags = NLM_F_CREATE | (route->beside ? 0 : NLM_F_EXCL);
	cleanup_msg struct nl_msg *msg = new_msg(RTM_NEWROUTE, flags, &rtm, sizeof(rtm));
	char text[UP_ADDR_TEXT];
	int ret;

	if (!msg || put_route(msg, route))
		return up_fail(err, ENOMEM, "route %s", up_addr_format(&route->dst, text));
	ret = up_nl_do(nl, msg, err);
	return ret ? up_wrap(err, "route %s/%u: add", up_addr_format(&route->dst, text),
			     route->plen)
		   : 0;
}

int up_route_del(struct up_nl *nl, const struct up_route *route, struct up_err *err)
{
	struct rtmsg rtm = {
		.rtm_family = (uint8_t)up_addr_af(&route->dst),
		.rtm_dst_len = route->plen,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_scope = RT_SCOPE_NOWHERE,
	};
	cleanup_msg struct nl_msg *msg = new_msg(RTM_DELROUTE, 0, &rtm, sizeof(rtm));
	char text[UP_ADDR_TEXT];
	int ret;

	if (!msg || (route->plen && put_addr(msg, RTA_DST, &route->dst)) ||
	    nla_put_u32(msg, RTA_OIF, (uint32_t)route->ifindex))
		return up_fail(err, ENOMEM, "route %s", up_addr_format(&route->dst, text));
	ret = up_nl_do(nl, msg, err);
	return ret ? up_wrap(err, "route %s/%u: delete", up_addr_format(&route->dst, text),
			     route->plen)
		   : 0;
}

int up_neigh_del(struct up_nl *nl, int ifindex, const struct up_addr *addr, struct up_err *err)
{
	struct ndmsg ndm = {
		.ndm_family = (uint8_t)up_addr_af(addr),
		.ndm_ifindex = ifindex,
	};
	cleanup_msg struct nl_msg *msg = new_msg(RTM_DELNEIGH, 0, &ndm, sizeof(ndm));
	char text[UP_ADDR_TEXT];
	int ret;

	if (!msg || put_addr(msg, NDA_DST, addr))
		return up_fail(err, ENOMEM, "neighbour %s", up_addr_format(addr, text));
	ret = up_nl_do(nl, msg, err);
	return ret ? up_wrap(err, "neighbour %s: delete", up_addr_format(addr, text)) : 0;
}

int up_neigh_add(struct up_nl *nl, int ifindex, const struct up_addr *addr, const uint8_t mac[6],
		 struct up_err *err)
{
	struct ndmsg ndm = {
		.ndm_family = (uint8_t)up_addr_af(addr),
		.ndm_ifindex = ifindex,
		.ndm_state = NUD_PERMANENT,
	};
	cleanup_msg struct nl_msg *msg =
		new_msg(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, &ndm, sizeof(ndm));
	char text[UP_ADDR_TEXT];
	int ret;

	if (!msg || put_addr(msg, NDA_DST, addr) || nla_put(msg, NDA_LLADDR, 6, mac))
		return up_fail(err, ENOMEM, "neighbour %s", up_addr_format(addr, text));
	ret = up_nl_do(nl, msg, err);
	return ret ? up_wrap(err, "neighbour %s: add", up_addr_format(addr, text)) : 0;
}

struct addr_walk {
	int (*fn)(const struct up_ifaddr *addr, void *arg);
	void *arg;
};

static const struct nla_policy addr_policy[IFA_MAX + 1] = {
	[IFA_LOCAL] = {.type = NLA_UNSPEC},
	[IFA_ADDRESS] = {.type = NLA_UNSPEC},
	[IFA_FLAGS] = {.type = NLA_U32},
};

#define UNFIT_FLAGS (IFA_F_TEMPORARY | IFA_F_DEPRECATED | IFA_F_DADFAILED | IFA_F_TENTATIVE)

static bool is_primary(const struct ifaddrmsg *ifa, uint32_t flags)
{
	/* In IPv4 IFA_F_TEMPORARY is IFA_F_SECONDARY: also after the primary one. */
	return ifa->ifa_scope == RT_SCOPE_UNIVERSE && !(flags & UNFIT_FLAGS);
}

static int each_addr(struct nlmsghdr *nlh, void *arg)
{
	const struct addr_walk *w = arg;
	struct nlattr *tb[IFA_MAX + 1], *local;
	struct ifaddrmsg *ifa = nlmsg_data(nlh);
	struct up_ifaddr addr;

	if (nlh->nlmsg_type != RTM_NEWADDR ||
	    nlmsg_parse(nlh, sizeof(*ifa), tb, IFA_MAX, addr_policy))
		return -EBADMSG;
	local = tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS];
	if ((ifa->ifa_family != AF_INET && ifa->ifa_family != AF_INET6) || !local)
		return 0;
	addr = (struct up_ifaddr){
		.ifindex = (int)ifa->ifa_index,
		.addr = up_addr_from_bytes(nla_data(local), (size_t)nla_len(local)),
		.plen = ifa->ifa_prefixlen,
		.primary = is_primary(ifa,
				      tb[IFA_FLAGS] ? nla_get_u32(tb[IFA_FLAGS]) : ifa->ifa_flags),
	};
	return w->fn(&addr, w->arg);
}

static int dump_addrs(struct up_nl *nl, uint8_t family, struct addr_walk *w, struct up_err *err)
{
	struct ifaddrmsg ifa = {.ifa_family = family};
	cleanup_msg struct nl_msg *msg = new_msg(RTM_GETADDR, NLM_F_DUMP, &ifa, sizeof(ifa));

	return msg ? up_nl_query(nl, msg, each_addr, w, err)
		   : up_fail(err, ENOMEM, "list addresses");
}

int up_addr_foreach(struct up_nl *nl, int (*fn)(const struct up_ifaddr *addr, void *arg), void *arg,
		    struct up_err *err)
{
	struct addr_walk w = {fn, arg};
	int ret = dump_addrs(nl, AF_INET, &w, err);

	return ret ? ret : dump_addrs(nl, AF_INET6, &w, err);
}

static const struct nla_policy route_policy[RTA_MAX + 1] = {
	[RTA_OIF] = {.type = NLA_U32},        [RTA_PRIORITY] = {.type = NLA_U32},
	[RTA_TABLE] = {.type = NLA_U32},      [RTA_DST] = {.type = NLA_UNSPEC},
	[RTA_GATEWAY] = {.type = NLA_UNSPEC},
};

static struct up_addr get_addr(const struct nlattr *attr, struct up_addr none)
{
	return attr ? up_addr_from_bytes(nla_data(attr), (size_t)nla_len(attr)) : none;
}

static uint32_t get_u32(const struct nlattr *attr, uint32_t none)
{
	return attr ? nla_get_u32(attr) : none;
}

struct route_walk {
	int (*fn)(const struct up_route *route, void *arg);
	void *arg;
};

static int each_route(struct nlmsghdr *nlh, void *arg)
{
	const struct route_walk *w = arg;
	struct nlattr *tb[RTA_MAX + 1];
	struct rtmsg *rtm = nlmsg_data(nlh);
	struct up_route route;

	if (nlh->nlmsg_type != RTM_NEWROUTE ||
	    nlmsg_parse(nlh, sizeof(*rtm), tb, RTA_MAX, route_policy))
		return -EBADMSG;
	if (rtm->rtm_type != RTN_UNICAST || !tb[RTA_OIF])
		return 0;
	route = (struct up_route){
		.dst = get_addr(tb[RTA_DST], rtm->rtm_family == AF_INET ? UP_ANY_V4 : UP_ANY),
		.gateway = get_addr(tb[RTA_GATEWAY], UP_ANY),
		.plen = rtm->rtm_dst_len,
		.ifindex = (int)nla_get_u32(tb[RTA_OIF]),
		.table = get_u32(tb[RTA_TABLE], rtm->rtm_table),
		.metric = get_u32(tb[RTA_PRIORITY], 0),
	};
	return w->fn(&route, w->arg);
}

int up_route_foreach(struct up_nl *nl, enum up_family family,
		     int (*fn)(const struct up_route *route, void *arg), void *arg,
		     struct up_err *err)
{
	struct rtmsg rtm = {.rtm_family = family == UP_V4 ? AF_INET : AF_INET6};
	cleanup_msg struct nl_msg *msg = new_msg(RTM_GETROUTE, NLM_F_DUMP, &rtm, sizeof(rtm));
	struct route_walk w = {fn, arg};
	int ret = msg ? up_nl_query(nl, msg, each_route, &w, err) : up_fail(err, ENOMEM, "message");

	return ret ? up_wrap(err, "read the routing table") : 0;
}

static int note_default(const struct up_route *route, void *arg)
{
	struct up_route *best = arg;

	if (!route->plen && route->table == RT_TABLE_MAIN &&
	    (!best->ifindex || route->metric < best->metric))
		*best = *route;
	return 0;
}

int up_default_uplink(struct up_nl *nl, int *ret_ifindex, struct up_err *err)
{
	struct up_route best = {};
	int ret = up_route_foreach(nl, UP_V4, note_default, &best, err);

	if (!ret && !best.ifindex)
		ret = up_route_foreach(nl, UP_V6, note_default, &best, err);
	if (ret)
		return ret;
	if (!best.ifindex)
		return up_fail_msg(err, ENETUNREACH,
				   "no default route: name the uplink with --uplink IF");
	*ret_ifindex = best.ifindex;
	return 0;
}
