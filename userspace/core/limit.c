// SPDX-License-Identifier: GPL-2.0-only
/*
 * Limits of an endpoint. Theory of operation
 * ==========================================
 * A rate is held by the kernel's token bucket (tbf), in front of the interface that packets leave
 * by, where they can wait: TCP then reaches the rate and keeps to it.
 *
 *	in:  at the host's end of the veth. Packets that would be handed straight into the container
 *	     (UP_FWD_PEER) pass the queue instead (UP_FWD_QUEUE). Flows that are there are told so.
 *	out: at the container's end, where the socket that sends feels it. A container that may
 *	     configure interfaces could remove that bucket; police.bpf.c holds it to the rate then.
 *
 * The number of flows and of new flows are in the endpoint's row, where the programs read them.
 */
#include "core/limit.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "core/endpoint_priv.h"
#include "core/flows.h"
#include "core/hooks.h"
#include "net/link.h"
#include "net/netns.h"
#include "net/qdisc.h"
#include "underpass/flow.h"
#include "underpass/reap.h"

#define NSEC_PER_SEC  1000000000ULL
#define BURST_MS      50 /* of the rate, where no burst is given: for a timer that is late */
#define BURST_MIN     (32U << 10)  /* bytes; the same */
#define QUEUE_MS      50           /* how long a packet may wait */
#define QUEUE_MIN     (128U << 10) /* bytes: the largest packet of a local sender, twice */
#define HEADER_SHARE  56           /* one part in so many: half of the headers in TCP's packets */
#define SLACK_MS      100 /* how late the meter may see what the container's bucket let go */
#define STEER_TRIES   5000
#define STEER_POLL_NS 1000000L

static uint32_t bytes_in_ms(uint64_t rate, unsigned int ms)
{
	uint64_t bytes = rate / 8 * ms / 1000;

	return bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
}

static uint32_t max_u32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* Less than one packet at once would mean: none at all. */
static uint32_t burst_bytes(uint64_t rate, uint32_t burst_bits, uint32_t mtu)
{
	if (!burst_bits)
		return max_u32(bytes_in_ms(rate, BURST_MS), BURST_MIN);
	return max_u32(burst_bits / 8, mtu + ETH_HLEN);
}

/*
 * The bucket counts frames, as large as the link takes where TCP sends in bulk. Whoever measures a
 * rate counts IP packets or what TCP carries, 52 of 1500 bytes less: the rate is met halfway
 * between the two, so that neither is more than 2 % away. police.bpf.c allows for it.
 */
static uint64_t frame_rate(uint64_t rate, uint32_t mtu)
{
	uint64_t packets = rate / 8 + rate / 8 / HEADER_SHARE;

	return packets + packets * ETH_HLEN / mtu;
}

static struct up_tbf bucket(uint64_t rate, uint32_t burst_bits, uint32_t mtu)
{
	uint32_t burst = burst_bytes(rate, burst_bits, mtu);
	uint64_t queue = (uint64_t)max_u32(bytes_in_ms(rate, QUEUE_MS), QUEUE_MIN) + burst;

	return (struct up_tbf){
		.rate = frame_rate(rate, mtu),
		.burst = burst,
		.queue = queue < UINT32_MAX ? (uint32_t)queue : UINT32_MAX,
	};
}

/* The bucket's burst, what a late softirq lets pile up, and the two packets under way. */
static uint64_t slack_ns(uint64_t rate, uint32_t burst_bits, uint32_t mtu)
{
	uint64_t bytes = (uint64_t)burst_bytes(rate, burst_bits, mtu) + QUEUE_MIN;

	return SLACK_MS * (NSEC_PER_SEC / 1000) + bytes * 8 * NSEC_PER_SEC / rate;
}

/* Until nobody decides by what the row said before: programs run in RCU read sections. */
static void wait_for_programs(void)
{
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

static int steer(struct up_datapath *dp, uint32_t id, struct up_err *err)
{
	const struct timespec poll = {.tv_nsec = STEER_POLL_NS};
	const struct up_endpoint *ep = &dp->endpoints[id];
	struct up_steer r = {
		.endpoint = id,
		.ifindex = ep->ifindex,
		.fwd = ep->flags & UP_EP_SHAPED ? UP_FWD_QUEUE : UP_FWD_PEER,
	};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &r, .ctx_size_in = sizeof(r));

	for (int i = 0; i < STEER_TRIES; i++) {
		if (bpf_prog_test_run_opts(dp->prog[UP_PROG_steer], &opts))
			return up_fail(err, errno, "steer flows");
		if (!r.busy)
			return 0;
		nanosleep(&poll, NULL);
	}
	return up_fail(err, ETIMEDOUT, "steer flows");
}

static int limit_in(struct up_datapath *dp, struct up_nl *nl, uint32_t id,
		    const struct up_link *link, struct up_err *err)
{
	struct up_endpoint *ep = &dp->endpoints[id];
	const struct up_tbf tbf = bucket(ep->rate_in, ep->burst_in, link->mtu);
	uint32_t flags = ep->rate_in ? ep->flags | UP_EP_SHAPED : ep->flags & ~UP_EP_SHAPED;
	int ret = ep->rate_in ? up_qdisc_tbf(nl, link->ifindex, &tbf, err) : 0;

	if (!ret && flags != ep->flags) {
		__atomic_store_n(&ep->flags, flags, __ATOMIC_RELEASE);
		wait_for_programs();
		ret = steer(dp, id, err);
	}
	if (!ret && !ep->rate_in)
		ret = up_qdisc_clear(nl, link->ifindex, err);
	return ret;
}

static int police(struct up_datapath *dp, const struct up_endpoint *ep, struct up_err *err)
{
	int fd = dp->prog[UP_PROG_veth_police], ret;

	if (!ep->rate_out) {
		up_hook_police_remove(fd, (int)ep->ifindex);
		return 0;
	}
	ret = up_hook_police(fd, (int)ep->ifindex, -1, err);
	return ret == -EEXIST ? 0 : ret;
}

static int limit_out(struct up_datapath *dp, struct up_nl *nl, uint32_t id,
		     const struct up_link *link, int netns_fd, struct up_err *err)
{
	struct up_endpoint *ep = &dp->endpoints[id];
	const struct up_tbf tbf = bucket(ep->rate_out, ep->burst_out, link->mtu);
	cleanup_fd int found = netns_fd < 0 ? up_netns_find(nl, link->peer_nsid, err) : -1;
	cleanup_nl struct up_nl *inside = NULL;
	int ret = 0;

	if (netns_fd < 0 && found < 0)
		return found;
	ret = up_nl_open_in(NETLINK_ROUTE, netns_fd < 0 ? found : netns_fd, &inside, err);
	if (!ret)
		ret = ep->rate_out ? up_qdisc_tbf(inside, link->peer, &tbf, err)
				   : up_qdisc_clear(inside, link->peer, err);
	if (ret)
		return ret;
	if (ep->rate_out)
		ep->out_slack = slack_ns(ep->rate_out, ep->burst_out, link->mtu);
	return police(dp, ep, err);
}

int up_limit_apply(struct up_datapath *dp, struct up_nl *nl, uint32_t id, unsigned int which,
		   int netns_fd, struct up_err *err)
{
	struct up_link link;
	int ret;

	if (!(which & (UP_LIMIT_IN | UP_LIMIT_OUT)))
		return 0;
	if (dp->endpoints[id].device != UP_NETDEV_VETH)
		return up_fail_msg(err, EOPNOTSUPP, "a rate needs a veth: --net-device veth");
	ret = up_link_get(nl, NULL, (int)dp->endpoints[id].ifindex, &link, err);
	if (!ret && which & UP_LIMIT_OUT)
		ret = limit_out(dp, nl, id, &link, netns_fd, err);
	if (!ret && which & UP_LIMIT_IN)
		ret = limit_in(dp, nl, id, &link, err);
	return ret ? up_wrap(err, "limit") : 0;
}

static int check_rate(const char *what, uint64_t rate, uint32_t burst, struct up_err *err)
{
	if (rate ? rate < UP_RATE_MIN : burst != 0)
		return up_fail_msg(err, EINVAL, "limit %s: want at least %d bits in a second", what,
				   UP_RATE_MIN);
	return 0;
}

int up_limit_check(const struct up_limits *limits, struct up_err *err)
{
	int ret = check_rate("in", limits->rate_in, limits->burst_in, err);

	return ret ? ret : check_rate("out", limits->rate_out, limits->burst_out, err);
}

static void fill_row(struct up_datapath *dp, struct up_endpoint *ep, const struct up_limits *l)
{
	if (l->set & UP_LIMIT_IN) {
		ep->rate_in = l->rate_in;
		ep->burst_in = l->burst_in;
	}
	if (l->set & UP_LIMIT_OUT) {
		ep->rate_out = l->rate_out;
		ep->burst_out = l->burst_out;
	}
	if (l->set & UP_LIMIT_FLOWS)
		ep->flow_max = l->flow_max ? l->flow_max : up_endpoint_flow_quota(dp);
	if (l->set & UP_LIMIT_NEW)
		ep->new_rate = l->new_rate;
}

static int change(struct up_datapath *dp, struct up_nl *nl, uint32_t id,
		  const struct up_limits *limits, struct up_err *err)
{
	struct up_endpoint *ep = &dp->endpoints[id];
	const struct up_limits old = {
		.set = limits->set,
		.rate_in = ep->rate_in,
		.rate_out = ep->rate_out,
		.burst_in = ep->burst_in,
		.burst_out = ep->burst_out,
		.flow_max = ep->flow_max,
		.new_rate = ep->new_rate,
	};
	int ret;

	fill_row(dp, ep, limits);
	ret = up_limit_apply(dp, nl, id, limits->set, -1, err);
	if (ret) {
		fill_row(dp, ep, &old);
		up_limit_apply(dp, nl, id, limits->set, -1, NULL);
	}
	return ret;
}

int up_endpoint_limit(struct up_datapath *dp, const char *name, const struct up_limits *limits,
		      struct up_err *err)
{
	cleanup_nl struct up_nl *nl = NULL;
	cleanup_fd int lock = up_lock(err);
	uint32_t id = lock < 0 ? 0 : up_endpoint_find(dp, name);
	int ret = lock < 0 ? lock : up_limit_check(limits, err);

	if (!ret && (!id || dp->endpoints[id].state != UP_ENDPOINT_LIVE))
		return up_fail_msg(err, ENOENT, "endpoint %.80s: no such endpoint", name);
	if (!ret)
		ret = up_nl_open(NETLINK_ROUTE, &nl, err);
	if (!ret)
		ret = change(dp, nl, id, limits, err);
	return ret ? up_wrap(err, "endpoint %.80s", name) : 0;
}
