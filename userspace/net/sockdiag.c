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
	struct up_addr addr;
	uint16_t lo, hi, found;
};

static bool is_v6only(struct nlmsghdr *nlh, const struct inet_diag_msg *m)
{
	struct nlattr *v6only = nlmsg_find_attr(nlh, sizeof(*m), INET_DIAG_SKV6ONLY);

	return v6only && nla_len(v6only) && nla_get_u8(v6only);
}

/* What a socket occupies: an address, or every one (of a family), in the words of a published port.
 */
static struct up_addr occupied(struct nlmsghdr *nlh, const struct inet_diag_msg *m)
{
	struct up_addr addr =
		up_addr_from_bytes(m->id.idiag_src, m->idiag_family == AF_INET ? 4 : 16);

	if (!up_addr_set(&addr) && is_v6only(nlh, m))
		return UP_ANY_V6;
	return addr;
}

static int each_socket(struct nlmsghdr *nlh, void *arg)
{
	const struct inet_diag_msg *m = nlmsg_data(nlh);
	struct search *s = arg;
	struct up_addr addr;
	uint16_t port;

	if (nlmsg_datalen(nlh) < (int)sizeof(*m))
		return -EBADMSG;
	port = ntohs(m->id.idiag_sport);
	if (port < s->lo || port > s->hi)
		return 0;
	addr = occupied(nlh, m);
	if (up_addr_conflicts(&addr, &s->addr) && (!s->found || port < s->found))
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

int up_sockdiag_holder(uint8_t proto, const struct up_addr *addr, uint16_t lo, uint16_t hi,
		       uint16_t *ret_port, struct up_err *err)
{
	struct search s = {.addr = *addr, .lo = lo, .hi = hi};
	cleanup_nl struct up_nl *nl = NULL;
	int ret = 0;

	if (proto == IPPROTO_TCP || proto == IPPROTO_UDP)
		ret = up_nl_open(NETLINK_SOCK_DIAG, &nl, err);
	if (!ret && nl)
		ret = dump(nl, AF_INET, proto, &s, err);
	if (!ret && nl)
		ret = dump(nl, AF_INET6, proto, &s, err);
	if (!ret)
		*ret_port = s.found;
	return ret;
}
