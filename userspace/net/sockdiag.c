// SPDX-License-Identifier: GPL-2.0-only
#include "net/sockdiag.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "net/nl.h"

/* States of <net/tcp_states.h>; an unconnected UDP socket is in "close". */
#define STATE_LISTEN 10
#define STATE_CLOSE  7

struct search {
	struct in_addr addr;
	uint16_t lo, hi, found;
};

static bool is_zero(const uint32_t *words, int n)
{
	for (int i = 0; i < n; i++)
		if (words[i])
			return false;
	return true;
}

/*
 * The IPv4 address that a socket occupies, if any. Return: false for a socket that leaves IPv4
 * alone: bound to an IPv6 address, or to :: with IPV6_V6ONLY
 */
static bool ipv4_of(struct nlmsghdr *nlh, const struct inet_diag_msg *m, struct in_addr *ret_addr)
{
	struct nlattr *v6only;

	if (m->idiag_family == AF_INET) {
		ret_addr->s_addr = m->id.idiag_src[0];
		return true;
	}
	if (!is_zero(m->id.idiag_src, 2))
		return false;
	ret_addr->s_addr = m->id.idiag_src[3];
	if (m->id.idiag_src[2] == htonl(0xffff))
		return true;
	v6only = nlmsg_find_attr(nlh, sizeof(*m), INET_DIAG_SKV6ONLY);
	return is_zero(m->id.idiag_src, 4) && !(v6only && nla_len(v6only) && nla_get_u8(v6only));
}

static int each_socket(struct nlmsghdr *nlh, void *arg)
{
	const struct inet_diag_msg *m = nlmsg_data(nlh);
	struct search *s = arg;
	struct in_addr addr;
	uint16_t port;

	if (nlmsg_datalen(nlh) < (int)sizeof(*m))
		return -EBADMSG;
	port = ntohs(m->id.idiag_sport);
	if (port < s->lo || port > s->hi || !ipv4_of(nlh, m, &addr))
		return 0;
	if (addr.s_addr && s->addr.s_addr && addr.s_addr != s->addr.s_addr)
		return 0;
	if (!s->found || port < s->found)
		s->found = port;
	return 0;
}

static int dump(struct up_nl *nl, uint8_t family, uint8_t proto, struct search *s,
		struct up_err *err)
{
	cleanup_msg struct nl_msg *msg = nlmsg_alloc_simple(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP);
	struct inet_diag_req_v2 req = {
		.sdiag_family = family,
		.sdiag_protocol = proto,
		.idiag_states = 1U << (proto == IPPROTO_TCP ? STATE_LISTEN : STATE_CLOSE),
	};
	int ret;

	if (!msg || nlmsg_append(msg, &req, sizeof(req), NLMSG_ALIGNTO))
		return up_fail(err, ENOMEM, "list the host's sockets");
	ret = up_nl_query(nl, msg, each_socket, s, err);
	/* A kernel without IPv6 has no such sockets. */
	if (ret == -ENOENT && family == AF_INET6)
		return 0;
	return ret ? up_wrap(err, "list the host's sockets") : 0;
}

int up_sockdiag_holder(uint8_t proto, struct in_addr addr, uint16_t lo, uint16_t hi,
		       uint16_t *ret_port, struct up_err *err)
{
	struct search s = {.addr = addr, .lo = lo, .hi = hi};
	cleanup_nl struct up_nl *nl = NULL;
	int ret = up_nl_open(NETLINK_SOCK_DIAG, &nl, err);

	if (!ret)
		ret = dump(nl, AF_INET, proto, &s, err);
	if (!ret)
		ret = dump(nl, AF_INET6, proto, &s, err);
	if (!ret)
		*ret_port = s.found;
	return ret;
}
