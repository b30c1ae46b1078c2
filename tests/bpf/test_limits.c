// SPDX-License-Identifier: GPL-2.0-only
/* Meters of containers and of sources, flows that are told to go through the queue, the denied. */
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

/* 8 kbit: a packet of 1000 bytes takes a second, less the 40th that the meter is generous by. */
static void the_meter_allows_its_slack_and_no_more(void **state)
{
	struct fixture *f = *state;
	uint64_t before;

	f->endpoints[A].rate_out = 8000;
	f->endpoints[A].out_slack = 3600 * NSEC_PER_SEC;
	before = now_ns();
	for (int i = 0; i < 10; i++)
		assert_int_equal(police(f, A, ETH_HLEN + 1000), NEXT);
	assert_in_range(f->endpoints[A].out_due, before + 9755 * (NSEC_PER_SEC / 1000),
			now_ns() + 9758 * (NSEC_PER_SEC / 1000));
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

/* ---- sources --------------------------------------------------------------------------------- */

static void edit_conf(struct fixture *f, uint32_t source_rate, uint32_t denied)
{
	int fd = bpf_map__fd(f->skel->maps.up_conf);
	struct up_config conf;
	uint32_t zero = 0;

	assert_int_equal(bpf_map_lookup_elem(fd, &zero, &conf), 0);
	conf.source_rate = source_rate;
	conf.denied = denied;
	assert_int_equal(bpf_map_update_elem(fd, &zero, &conf, BPF_ANY), 0);
}

static void deny(struct fixture *f, uint32_t net, uint32_t plen)
{
	struct up_allow_key key = {.plen = 32 + 96 + plen, .addr = addr(f, net)};
	uint8_t one = 1;

	assert_int_equal(bpf_map_update_elem(bpf_map__fd(f->skel->maps.up_allow), &key, &one, 0),
			 0);
	edit_conf(f, 0, 1);
}

/* Whatever it is, and whether it is for a container or for the host. */
static void nothing_is_let_in_from_the_denied(void **state)
{
	struct fixture *f = *state;
	struct packet published = from_client(IPPROTO_UDP, 40000, 8080);
	struct packet host = from_client(IPPROTO_TCP, 40000, 22);
	struct packet ping = from_client(IPPROTO_ICMP, 7, 0);
	struct packet near = from_client(IPPROTO_TCP, 40000, 22);
	struct packet out = from_container(f, A, IPPROTO_UDP, CLIENT, 5000, 53);

	publish(f, A, "8080:80/udp");
	ping.icmp_type = 8;
	near.src = HOST2;
	deny(f, CLIENT, 32);
	assert_int_equal(run_uplink(f, &published), DROP);
	assert_int_equal(run_uplink(f, &host), DROP);
	assert_int_equal(run_uplink(f, &ping), DROP);
	assert_int_equal(run_uplink(f, &near), NEXT);
	assert_int_equal(run_veth(f, A, &out), DROP); /* its answer would be dropped */
	assert_int_equal(counter(f, UP_CNT_DROP_DENIED), 4);
	assert_int_equal(flow_entries(f), 0);
	edit_conf(f, 0, 0); /* the list is not even asked */
	assert_int_equal(run_uplink(f, &published), REDIRECT);
}

/* Of two flows of one container, the one that is named. */
static void one_flow_can_be_ended(void **state)
{
	struct fixture *f = *state;
	struct packet in = from_client(IPPROTO_UDP, 40000, 8080);
	struct packet out = from_container(f, A, IPPROTO_UDP, CLIENT, 5000, 53);
	struct up_reap r = {.exact = 1};
	struct up_flow flow;

	publish(f, A, "8080:80/udp");
	assert_int_equal(run_uplink(f, &in), REDIRECT);
	assert_int_equal(run_veth(f, A, &out), REDIRECT);
	r.flow = tuple(0, &in);
	assert_true(flow_find(f, &r.flow, &flow));
	r.flow = reversed(&flow.out);
	assert_int_equal(reap(f, r), 0); /* by the direction of its first packet only */
	r.flow = tuple(0, &in);
	assert_int_equal(reap(f, r), 1);
	assert_int_equal(reap(f, r), 0);
	assert_int_equal(flow_entries(f), 2);
	assert_false(flow_find(f, &r.flow, &flow));
	assert_flows_consistent(f);
}

static int made(struct fixture *f, uint32_t src, uint16_t sport, int n)
{
	int done = 0;

	for (int i = 0; i < n; i++) {
		struct packet p = from_client(IPPROTO_UDP, (uint16_t)(sport + i), 8080);

		p.src = src;
		done += run_uplink(f, &p) == REDIRECT;
	}
	return done;
}

static void one_source_makes_so_many_connections_in_a_second(void **state)
{
	struct fixture *f = *state;
	int n;

	publish(f, A, "8080:80/udp");
	edit_conf(f, 10, 0);
	next_second(f);
	n = made(f, CLIENT, 40000, 30);
	assert_in_range(n, 10, 20); /* the clock may tick meanwhile */
	assert_int_equal(counter(f, UP_CNT_DROP_SRC_RATE), 30 - n);
	/* An IPv6 source is all of its /64, so the neighbour only counts apart in IPv4. */
	if (!f->v6)
		assert_int_equal(made(f, CLIENT + 1, 40000, 10), 10);
	next_second(f);
	assert_int_equal(made(f, CLIENT, 50000, 10), 10);
	edit_conf(f, 0, 0);
	assert_int_equal(made(f, CLIENT, 51000, 30), 30);
}

static const struct CMUnitTest tests[] = {
	ALL(nothing_is_let_in_from_the_denied),
	ALL(one_flow_can_be_ended),
	ALL(one_source_makes_so_many_connections_in_a_second),
	ONCE(whoever_has_no_limit_passes),
	ONCE(the_meter_allows_its_slack_and_no_more),
	ONCE(flows_into_an_endpoint_change_their_way),
	ONCE(a_shaped_endpoint_receives_through_its_queue),
};

int main(void)
{
	return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
