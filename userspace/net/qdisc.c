// SPDX-License-Identifier: GPL-2.0-only
#include "net/qdisc.h"

#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "net/nl.h"

static struct nl_msg *qdisc_msg(int type, int flags, int ifindex)
{
	struct tcmsg tcm = {
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = ifindex,
		.tcm_parent = TC_H_ROOT,
	};
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);

	if (msg && nlmsg_append(msg, &tcm, sizeof(tcm), NLMSG_ALIGNTO)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

/* The bucket in bytes, so that the kernel needs no table of ours to convert it. */
static int put_tbf(struct nl_msg *msg, const struct up_tbf *tbf)
{
	struct tc_tbf_qopt opt = {
		.rate.rate = tbf->rate < UINT32_MAX ? (uint32_t)tbf->rate : UINT32_MAX,
		.rate.linklayer = TC_LINKLAYER_ETHERNET,
		.limit = tbf->queue,
	};
	struct nlattr *nest;

	if (nla_put_string(msg, TCA_KIND, "tbf"))
		return -ENOMEM;
	nest = nla_nest_start(msg, TCA_OPTIONS);
	if (!nest || nla_put(msg, TCA_TBF_PARMS, sizeof(opt), &opt) ||
	    nla_put_u32(msg, TCA_TBF_BURST, tbf->burst) ||
	    (tbf->rate >= UINT32_MAX && nla_put_u64(msg, TCA_TBF_RATE64, tbf->rate)))
		return -ENOMEM;
	nla_nest_end(msg, nest);
	return 0;
}

int up_qdisc_tbf(struct up_nl *nl, int ifindex, const struct up_tbf *tbf, struct up_err *err)
{
	cleanup_msg struct nl_msg *msg =
		qdisc_msg(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, ifindex);
	int ret;

	if (!msg || put_tbf(msg, tbf))
		return up_fail(err, ENOMEM, "token bucket");
	ret = up_nl_do(nl, msg, err);
	return ret ? up_wrap(err, "token bucket (tbf)") : 0;
}

/* The default is no qdisc that could be deleted: ENOENT, or EINVAL for its handle of 0. */
int up_qdisc_clear(struct up_nl *nl, int ifindex, struct up_err *err)
{
	cleanup_msg struct nl_msg *msg = qdisc_msg(RTM_DELQDISC, 0, ifindex);
	int ret = msg ? up_nl_do(nl, msg, err) : up_fail(err, ENOMEM, "queue");

	if (ret == -ENOENT || ret == -EINVAL)
		return 0;
	return ret ? up_wrap(err, "queue: delete") : 0;
}
