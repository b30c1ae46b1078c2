// SPDX-License-Identifier: GPL-2.0-only
/* The meter of what a container sends, and flows that are told to go through the queue. */
#include <bpf/bpf.h>
#include <linux/if_ether.h>
#include <string.h>
#include <time.h>

#include "fixture.h"

#define NSEC_PER_SEC 1000000000ULL

static int police(struct fixture *f, int endpoint, size_t len)
{
	static uint8_t frame[PACKET_MAX];

	return run_bytes(f, f->skel->progs.up_veth_police, f->veth[endpoint], frame, len);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NSEC_PER_SEC + (uint64_t)t.tv_nsec;
}

static void whoever_has_no_limit_passes(void **state)
{
	struct fixture *f = *state;

	f->endpoints[A].out_due = now_ns() + 3600 * NSEC_PER_SEC;
	assert_int_equal(police(f, A, ETH_HLEN + 1000), NEXT);
	assert_int_equal(counter(f, UP_CNT_DROP_RATE), 0);
	/* The interface of nobody is the next program's business. */
	assert_int_equal(
		run_bytes(f, f->skel->progs.up_veth_police, f->uplink, (uint8_t[64]){0}, 64), NEXT);
}

/* 8 kbit: a packet of 1000 bytes takes a second, less the 64th that the meter is generous by. */
static void the_meter_allows_its_slack_and_no_more(void **state)
{
	struct fixture *f = *state;
	uint64_t before;

	f->endpoints[A].rate_out = 8000;
	f->endpoints[A].out_slack = 3600 * NSEC_PER_SEC;
	before = now_ns();
	for (int i = 0; i < 10; i++)
		assert_int_equal(police(f, A, ETH_HLEN + 1000), NEXT);
	assert_in_range(f->endpoints[A].out_due, before + 9844 * (NSEC_PER_SEC / 1000),
			now_ns() + 9847 * (NSEC_PER_SEC / 1000));
	f->endpoints[A].out_slack = NSEC_PER_SEC;
	assert_int_equal(police(f, A, ETH_HLEN + 1000), DROP);
	assert_int_equal(counter(f, UP_CNT_DROP_RATE), 1);
	/* What was dropped is not charged, and who was silent for long has saved up no more. */
	f->endpoints[A].out_due = 1;
	before = now_ns();
	assert_int_equal(police(f, A, ETH_HLEN + 1000), NEXT);
	assert_in_range(f->endpoints[A].out_due, before, now_ns() + NSEC_PER_SEC);
	assert_int_equal(police(f, B, ETH_HLEN + 1000), NEXT);
	assert_int_equal(f->endpoints[B].out_due, 0);
}

static void steer(struct fixture *f, int endpoint, enum up_fwd fwd)
{
	struct up_steer r = {
		.endpoint = (uint32_t)endpoint,
		.ifindex = (uint32_t)f->veth[endpoint],
		.fwd = fwd,
	};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &r, .ctx_size_in = sizeof(r));

	do {
		assert_int_equal(
			bpf_prog_test_run_opts(bpf_program__fd(f->skel->progs.up_steer), &opts), 0);
		assert_int_equal(opts.retval, 0);
	} while (r.busy);
}

static enum up_fwd way_of(struct fixture *f, const struct up_tuple *key)
{
	struct up_flow flow;

	assert_true(flow_find(f, key, &flow));
	return flow.fwd;
}

/* Of each flow that touches A, the direction into A changes its way; nothing else does. */
static void flows_into_an_endpoint_change_their_way(void **state)
{
	struct fixture *f = *state;
	struct packet in = from_client(IPPROTO_UDP, 40000, 8080);
	struct packet out = from_container(f, A, IPPROTO_UDP, OUTSIDE, 5000, 53);
	struct packet between = from_container(f, B, IPPROTO_UDP, ADDR_A, 5001, 53);
	struct packet other = from_container(f, B, IPPROTO_UDP, OUTSIDE, 5002, 53);
	struct packet host = from_container(f, A, IPPROTO_UDP, HOST, 5003, 53);
	struct up_tuple key[5], reply[5];
	struct up_flow flow;

	publish(f, A, "8080:80/udp");
	key[0] = tuple(0, &in);
	key[1] = tuple(f->veth[A], &out);
	key[2] = tuple(f->veth[B], &between);
	key[3] = tuple(f->veth[B], &other);
	key[4] = tuple(f->veth[A], &host);
	assert_int_equal(run_uplink(f, &in), REDIRECT);
	assert_int_equal(run_veth(f, A, &out), REDIRECT);
	assert_int_equal(run_veth(f, B, &between), REDIRECT);
	assert_int_equal(run_veth(f, B, &other), REDIRECT);
	assert_int_equal(run_veth(f, A, &host), NEXT);
	for (int i = 0; i < 4; i++) {
		assert_true(flow_find(f, &key[i], &flow));
		reply[i] = reversed(&flow.out);
	}
	for (enum up_fwd way = UP_FWD_QUEUE;; way = UP_FWD_PEER) {
		steer(f, A, way);
		assert_int_equal(way_of(f, &key[0]), way);
		assert_int_equal(way_of(f, &reply[0]), UP_FWD_NEXTHOP);
		assert_int_equal(way_of(f, &key[1]), UP_FWD_NEXTHOP);
		assert_int_equal(way_of(f, &reply[1]), way);
		assert_int_equal(way_of(f, &key[2]), way);
		assert_int_equal(way_of(f, &reply[2]), UP_FWD_PEER);
		assert_int_equal(way_of(f, &reply[3]), UP_FWD_PEER);
		assert_int_equal(way_of(f, &key[4]), UP_FWD_HOST);
		if (way == UP_FWD_PEER)
			break;
	}
	assert_flows_consistent(f);
}

/* New flows ask the endpoint. */
static void a_shaped_endpoint_receives_through_its_queue(void **state)
{
	struct fixture *f = *state;
	struct packet in = from_client(IPPROTO_UDP, 40000, 8080);
	struct packet out = from_container(f, A, IPPROTO_UDP, OUTSIDE, 5000, 53);
	struct up_tuple key;
	struct up_flow flow;

	publish(f, A, "8080:80/udp");
	f->endpoints[A].flags |= UP_EP_SHAPED;
	assert_int_equal(run_uplink(f, &in), REDIRECT);
	key = tuple(0, &in);
	assert_int_equal(way_of(f, &key), UP_FWD_QUEUE);
	assert_int_equal(run_veth(f, A, &out), REDIRECT);
	key = tuple(f->veth[A], &out);
	assert_true(flow_find(f, &key, &flow));
	key = reversed(&flow.out);
	assert_int_equal(way_of(f, &key), UP_FWD_QUEUE);
}

static const struct CMUnitTest tests[] = {
	ONCE(whoever_has_no_limit_passes),
	ONCE(the_meter_allows_its_slack_and_no_more),
	ONCE(flows_into_an_endpoint_change_their_way),
	ONCE(a_shaped_endpoint_receives_through_its_queue),
};

int main(void)
{
	return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
