// SPDX-License-Identifier: GPL-2.0-only
#include "net/conntrack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "net/nl.h"

#define LIBERAL "/proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal"

int up_conntrack_liberal(bool *ret_liberal, struct up_err *err)
{
	cleanup_fd int fd = open(LIBERAL, O_RDONLY | O_CLOEXEC);
	char value;

	if (fd < 0 || read(fd, &value, 1) != 1)
		return up_fail(err, errno ? errno : EIO, "read " LIBERAL);
	*ret_liberal = value != '0';
	return 0;
}

int up_conntrack_set_liberal(bool liberal, struct up_err *err)
{
	cleanup_fd int fd = open(LIBERAL, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, liberal ? "1" : "0", 1) != 1)
		return up_fail(err, errno ? errno : EIO, "write " LIBERAL);
	return 0;
}

static struct nl_msg *ct_msg(int type, int flags, uint8_t family)
{
	struct nfgenmsg gen = {.nfgen_family = family, .version = NFNETLINK_V0};
	struct nl_msg *msg = nlmsg_alloc_simple(NFNL_SUBSYS_CTNETLINK << 8 | type, flags);

	if (msg && nlmsg_append(msg, &gen, sizeof(gen), NLMSG_ALIGNTO)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

/* CTA_PROTOINFO { CTA_PROTOINFO_TCP { flags of both directions } }; the state is left as it is. */
static int put_liberal(struct nl_msg *msg)
{
	const struct nf_ct_tcp_flags flags = {IP_CT_TCP_FLAG_BE_LIBERAL, IP_CT_TCP_FLAG_BE_LIBERAL};
	struct nlattr *info = nla_nest_start(msg, CTA_PROTOINFO);
	struct nlattr *tcp = info ? nla_nest_start(msg, CTA_PROTOINFO_TCP) : NULL;

	if (!tcp || nla_put(msg, CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, sizeof(flags), &flags) ||
	    nla_put(msg, CTA_PROTOINFO_TCP_FLAGS_REPLY, sizeof(flags), &flags))
		return -ENOMEM;
	nla_nest_end(msg, tcp);
	nla_nest_end(msg, info);
	return 0;
}

static int put_copy(struct nl_msg *msg, struct nlattr *attr)
{
	return attr ? nla_put(msg, nla_type(attr) | (attr->nla_type & NLA_F_NESTED), nla_len(attr),
			      nla_data(attr))
		    : 0;
}

/**
 * struct update - a walk over the connections that changes them
 * @nl:  a second socket: the first is busy with the walk
 * @err: of the caller
 */
struct update {
	struct up_nl *nl;
	struct up_err *err;
};

/* A connection of the list: TCP has protocol information, others have none or another's. */
static int update_one(struct nlmsghdr *nlh, void *arg)
{
	const struct nfgenmsg *gen = nlmsg_data(nlh);
	struct update *u = arg;
	struct nlattr *tb[CTA_MAX + 1];
	cleanup_msg struct nl_msg *msg = ct_msg(IPCTNL_MSG_CT_NEW, 0, gen->nfgen_family);
	int ret;

	if (nlmsg_parse(nlh, sizeof(*gen), tb, CTA_MAX, NULL) || !tb[CTA_TUPLE_ORIG])
		return up_fail(u->err, EBADMSG, "list of connections");
	if (!tb[CTA_PROTOINFO] ||
	    !nla_find(nla_data(tb[CTA_PROTOINFO]), nla_len(tb[CTA_PROTOINFO]), CTA_PROTOINFO_TCP))
		return 0;
	if (!msg || put_copy(msg, tb[CTA_TUPLE_ORIG]) || put_copy(msg, tb[CTA_ZONE]) ||
	    put_liberal(msg))
		return up_fail(u->err, ENOMEM, "change a connection");
	ret = up_nl_do(u->nl, msg, u->err);
	return ret == -ENOENT ? 0 : ret; /* it has ended meanwhile */
}

int up_conntrack_keep_liberal(struct up_err *err)
{
	cleanup_msg struct nl_msg *msg = ct_msg(IPCTNL_MSG_CT_GET, NLM_F_DUMP, AF_UNSPEC);
	cleanup_nl struct up_nl *list = NULL, *change = NULL;
	struct update u = {.err = err};
	int ret = msg ? up_nl_open(NETLINK_NETFILTER, &list, err)
		      : up_fail(err, ENOMEM, "list the connections");

	if (!ret)
		ret = up_nl_open(NETLINK_NETFILTER, &change, err);
	if (ret)
		return ret;
	u.nl = change;
	ret = up_nl_query(list, msg, update_one, &u, err);
	return ret ? up_wrap(err, "conntrack") : 0;
}
