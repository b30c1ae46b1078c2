// SPDX-License-Identifier: GPL-2.0-only
/* The life of flows: design section 3, properties F1 to F4. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

static struct packet syn_to(uint16_t sport, uint16_t dport)
{
	return from_client(IPPROTO_TCP, sport, dport);
}

static struct up_sweep sweep(struct fixture *f)
{
	struct up_sweep s;
	uint32_t zero = 0;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(f->skel->maps.up_sweep), &zero, &s), 0);
	return s;
}

/* ---- F1: never evicted ------------------------------------------------------------------------
 */

static void a_full_table_refuses_and_keeps(void **state)
{
	struct fixture *f = *state;
	struct packet p;

	publish(f, A, "8080:80");
	for (uint16_t i = 0; i < 10 * FLOWS_MAX; i++) {
		p = syn_to((uint16_t)(1000 + i), 8080);
		assert_int_equal(run_uplink(f, &p), i < FLOWS_MAX ? REDIRECT : DROP);
	}
	/* With one endpoint, its quota and the table end together: the quota speaks first. */
	assert_int_equal(counter(f, UP_CNT_DROP_FLOW_QUOTA), 9 * FLOWS_MAX);
	for (uint16_t i = 0; i < FLOWS_MAX; i++) {
		p = syn_to((uint16_t)(1000 + i), 8080);
		p.flags = TCP_ACK;
		assert_int_equal(run_uplink(f, &p), REDIRECT);
	}
	assert_int_equal(flow_entries(f), 2 * FLOWS_MAX);
	assert_flows_consistent(f);
}

static void the_table_is_full_for_another_endpoint_too(void **state)
{
	struct fixture *f = *state;
	struct packet p;

	publish(f, A, "8080:80");
	publish(f, B, "8081:80");
	for (uint16_t i = 0; i < FLOWS_MAX; i++) {
		p = syn_to((uint16_t)(1000 + i), 8080);
		assert_int_equal(run_uplink(f, &p), REDIRECT);
	}
	p = syn_to(999, 8081);
	assert_int_equal(run_uplink(f, &p), DROP);
	assert_int_equal(counter(f, UP_CNT_DROP_FLOW_FULL), 1);
	assert_flows_consistent(f);
}

static void a_quota_leaves_room_for_others(void **state)
{
	struct fixture *f = *state;
	struct packet p;

	publish(f, A, "8080:80");
	publish(f, B, "8081:80");
	f->endpoints[A].flow_max = FLOWS_MAX / 2;
	for (uint16_t i = 0; i < FLOWS_MAX; i++) {
		p = syn_to((uint16_t)(1000 + i), 8080);
		run_uplink(f, &p);
	}
	assert_int_equal(f->endpoints[A].flows, FLOWS_MAX / 2);
	p = syn_to(999, 8081);
	assert_int_equal(run_uplink(f, &p), REDIRECT);
	assert_flows_consistent(f);
}

/* ---- F2: together -----------------------------------------------------------------------------
 */

struct racer {
	struct fixture *f;
	int endpoint;
	bool reaped; /* a flow may end before its first packet is forwarded */
};

/* Each run has a buffer of its own: struct fixture's is the main thread's. */
static void *race(void *arg)
{
	const struct racer *r = arg;
	struct bpf_program *prog = r->f->skel->progs.up_veth_in;
	struct __sk_buff ctx = {.ifindex = (uint32_t)r->f->veth[r->endpoint]};
	uint8_t in[PACKET_MAX], out[PACKET_MAX];

	for (uint16_t i = 0; i < 2000; i++) {
		struct packet p = from_container(r->f, r->endpoint, IPPROTO_UDP, OUTSIDE,
						 (uint16_t)(40000 + i % 20), 53);
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in,
			    .data_size_in = (uint32_t)packet_build(&p, in), .data_out = out,
			    .data_size_out = sizeof(out), .ctx_in = &ctx,
			    .ctx_size_in = sizeof(ctx));

		if (bpf_prog_test_run_opts(bpf_program__fd(prog), &opts) ||
		    (opts.retval != REDIRECT && !r->reaped))
			return "a packet was not forwarded";
	}
	return NULL;
}

/* The same flows of one container from two CPUs, and another container wanting the same ports. */
static void racing_packets_make_whole_flows(void **state)
{
	struct fixture *f = *state;
	struct racer racers[] = {{f, A, false}, {f, A, false}, {f, B, false}};
	pthread_t threads[3];
	void *failure;

	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pthread_join(threads[i], &failure), 0);
		assert_null(failure);
	}
	assert_int_equal(flow_entries(f), 2 * 40);
	assert_flows_consistent(f);
}

/* Flows are made as fast as they are ended: each slot that is free again is another flow's at once,
 * and at the end none is lost. */
static void flows_that_end_while_others_begin(void **state)
{
	struct fixture *f = *state;
	struct racer racers[] = {{f, A, true}, {f, B, true}};
	pthread_t threads[2];
	void *failure;

	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
	for (int i = 0; i < 500; i++)
		reap(f, (struct up_reap){.endpoint = A});
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(threads[i], &failure), 0);
		assert_null(failure);
	}
	assert_flows_consistent(f);
	reap(f, (struct up_reap){});
	assert_int_equal(flow_entries(f), 0);
	assert_int_equal(f->endpoints[A].flows + f->endpoints[B].flows, 0);
}

/* The answer's direction found room, the other did not: nothing of the flow stays. */
static void no_half_of_a_flow_where_there_is_no_room(void **state)
{
	struct fixture *f = *state;
	struct packet p;

	publish(f, A, "8080:80");
	for (uint16_t i = 0; i < FLOWS_MAX; i++) {
		p = syn_to((uint16_t)(1000 + i), 8080);
		assert_int_equal(run_uplink(f, &p), i < FLOWS_MAX - 1 ? REDIRECT : DROP);
	}
	assert_int_equal(counter(f, UP_CNT_DROP_FLOW_FULL), 1);
	assert_int_equal(flow_entries(f), 2 * (FLOWS_MAX - 1));
	assert_flows_consistent(f);
}

/* ---- F3: expiry -------------------------------------------------------------------------------
 */

static bool no_flows(struct fixture *f)
{
	return !flow_entries(f);
}

static bool only_one_flow(struct fixture *f)
{
	return flow_entries(f) == 2;
}

/* Has the sweeper given the first slot another time to be looked at? */
static bool slot_was_looked_at(struct fixture *f)
{
	struct up_slot slot;
	uint32_t zero = 0;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(f->skel->maps.up_slots), &zero, &slot), 0);
	return slot.check_at > sweep(f).now;
}

/* A sweep passes each slot once in four seconds; the clock ticks twice a second. */
#define SWEPT_MS 7000

static void an_idle_flow_expires_by_itself(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_container(f, A, IPPROTO_UDP, OUTSIDE, 40000, 53);

	set_timeout(f, UP_TMO_UDP, 1);
	assert_int_equal(run_veth(f, A, &p), REDIRECT);
	p.dst = HOST;
	assert_int_equal(run_veth(f, A, &p), NEXT);
	assert_int_equal(flow_entries(f), 3);
	wait_until(f, no_flows, 1000 + SWEPT_MS);
	assert_int_equal(f->endpoints[A].flows, 0);
	assert_int_equal(counter(f, UP_CNT_FLOW_EXPIRED), 2);
}

static void handshake(struct fixture *f, uint16_t sport)
{
	struct packet in = syn_to(sport, 8080), back;

	assert_int_equal(run_uplink(f, &in), REDIRECT);
	back = from_container(f, A, IPPROTO_TCP, CLIENT, 80, sport);
	back.flags = TCP_SYN | TCP_ACK;
	assert_int_equal(run_veth(f, A, &back), REDIRECT);
	in.flags = TCP_ACK;
	assert_int_equal(run_uplink(f, &in), REDIRECT);
}

static void send_both(struct fixture *f, uint16_t sport, uint8_t client_flags, uint8_t server_flags)
{
	struct packet in = syn_to(sport, 8080);
	struct packet back = from_container(f, A, IPPROTO_TCP, CLIENT, 80, sport);

	in.flags = client_flags;
	back.flags = server_flags;
	if (client_flags)
		assert_int_equal(run_uplink(f, &in), REDIRECT);
	if (server_flags)
		assert_int_equal(run_veth(f, A, &back), REDIRECT);
}

/* With every other timeout short, what is left tells the state that each connection is in. */
static void tcp_states(void **state)
{
	struct fixture *f = *state;
	struct packet in;

	publish(f, A, "8080:80");
	for (int t = 0; t < UP_TMO_MAX; t++)
		set_timeout(f, (enum up_timeout)t, t == UP_TMO_TCP_ESTABLISHED ? 1000 : 1);
	handshake(f, 1); /* stays */
	handshake(f, 2);
	send_both(f, 2, TCP_FIN | TCP_ACK, TCP_FIN | TCP_ACK); /* closed by both */
	handshake(f, 3);
	send_both(f, 3, 0, TCP_RST);
	handshake(f, 4);
	send_both(f, 4, TCP_FIN | TCP_ACK, 0); /* half closed */
	in = syn_to(5, 8080);
	assert_int_equal(run_uplink(f, &in), REDIRECT); /* never answered */
	assert_int_equal(f->endpoints[A].flows, 5);
	for (int i = 0; i < 9; i++) /* packets do not keep alive what is over */
		send_both(f, 3, 0, TCP_RST);
	wait_until(f, only_one_flow, 1000 + SWEPT_MS);
	send_both(f, 1, TCP_ACK, TCP_ACK);
	assert_flows_consistent(f);
}

static unsigned int flows_expected;

static bool so_many_flows(struct fixture *f)
{
	return f->endpoints[A].flows == flows_expected;
}

/* A flow in each state, and one timeout after the other made short: that flow ends, and no other.
 */
static void each_state_has_its_own_timeout(void **state)
{
	static const enum up_timeout order[] = {
		UP_TMO_TCP_TIME_WAIT, UP_TMO_TCP_FIN_WAIT, UP_TMO_TCP_SYN_RECV, UP_TMO_TCP_SYN_SENT,
		UP_TMO_UDP,           UP_TMO_UDP_STREAM,   UP_TMO_TCP_CLOSE};
	struct fixture *f = *state;
	struct packet p, udp = from_client(IPPROTO_UDP, 7, 8080);

	publish(f, A, "8080:80/tcp,udp");
	for (int t = 0; t < UP_TMO_MAX; t++)
		set_timeout(f, (enum up_timeout)t, 1000);
	for (uint16_t sport = 1; sport <= 4; sport++)
		handshake(f, sport); /* the first stays established */
	send_both(f, 2, TCP_FIN | TCP_ACK, TCP_FIN | TCP_ACK);
	send_both(f, 3, TCP_FIN | TCP_ACK, TCP_ACK);
	send_both(f, 4, TCP_RST, 0);
	p = syn_to(5, 8080);
	assert_int_equal(run_uplink(f, &p), REDIRECT);
	send_both(f, 5, 0, TCP_SYN | TCP_ACK); /* answered, not confirmed */
	p = syn_to(6, 8080);
	assert_int_equal(run_uplink(f, &p), REDIRECT);
	assert_int_equal(run_uplink(f, &udp), REDIRECT);
	udp.sport = 8;
	assert_int_equal(run_uplink(f, &udp), REDIRECT);
	p = from_container(f, A, IPPROTO_UDP, CLIENT, 80, 8);
	assert_int_equal(run_veth(f, A, &p), REDIRECT);
	flows_expected = 8;
	assert_true(so_many_flows(f));
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		set_timeout(f, order[i], 1);
		assert_int_equal(reap(f, (struct up_reap){.recheck = 1}), flows_expected);
		flows_expected--;
		wait_until(f, so_many_flows, 1000 + 2 * SWEPT_MS);
	}
	send_both(f, 1, TCP_ACK, TCP_ACK);
	assert_flows_consistent(f);
}

/* It is enough that one side speaks: a download, for instance. */
static void answers_keep_a_flow_alive(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_client(IPPROTO_UDP, 7, 8080);
	struct packet answer = from_container(f, A, IPPROTO_UDP, CLIENT, 80, 7);

	publish(f, A, "8080:80/udp");
	set_timeout(f, UP_TMO_UDP, 3);
	set_timeout(f, UP_TMO_UDP_STREAM, 3);
	assert_int_equal(run_uplink(f, &p), REDIRECT);
	for (int i = 0; i < 12; i++) {
		assert_int_equal(run_veth(f, A, &answer), REDIRECT);
		reap(f, (struct up_reap){.recheck = 1});
		next_second(f);
	}
	assert_int_equal(counter(f, UP_CNT_FLOW_EXPIRED), 0);
	assert_int_equal(counter(f, UP_CNT_FLOW_NEW), 1);
	wait_until(f, no_flows, 4000 + 2 * SWEPT_MS);
}

/* What a flow was allowed is asked again when a FIN or RST comes, not when it was to end before. */
static void a_closed_connection_does_not_wait_out_its_days(void **state)
{
	struct fixture *f = *state;

	publish(f, A, "8080:80");
	set_timeout(f, UP_TMO_TCP_SYN_SENT, 1000);
	set_timeout(f, UP_TMO_TCP_CLOSE, 1);
	handshake(f, 1);
	wait_until(f, slot_was_looked_at, SWEPT_MS);
	send_both(f, 1, 0, TCP_RST);
	wait_until(f, no_flows, 1000 + SWEPT_MS);
}

/* Flags that a connection has seen, in the direction of its first packet and in the other. */
static void assert_seen(struct fixture *f, const struct up_tuple *key, uint8_t orig, uint8_t reply)
{
	struct up_flow flow;
	struct up_tuple back;

	assert_true(flow_find(f, key, &flow));
	assert_int_equal(flow.seen, orig);
	back = reversed(&flow.out);
	assert_true(flow_find(f, &back, &flow));
	assert_int_equal(flow.seen, reply);
}

/* However it was closed, nothing of that is left: what follows is a connection like any other. */
static void a_syn_starts_a_closed_connection_over(void **state)
{
	static const uint8_t closing[] = {TCP_FIN | TCP_ACK, TCP_RST};
	struct fixture *f = *state;
	struct packet in = syn_to(1, 8080);
	struct up_tuple key = tuple(0, &in);

	publish(f, A, "8080:80");
	handshake(f, 1);
	assert_int_equal(run_uplink(f, &in), REDIRECT); /* not closed: just a SYN */
	assert_int_equal(counter(f, UP_CNT_FLOW_REUSED), 0);
	for (size_t i = 0; i < sizeof(closing); i++) {
		send_both(f, 1, closing[i], closing[i]);
		assert_int_equal(run_uplink(f, &in), REDIRECT);
		assert_int_equal(counter(f, UP_CNT_FLOW_REUSED), i + 1);
		assert_seen(f, &key, UP_SEEN_SYN, 0);
		handshake(f, 1);
		assert_seen(f, &key, UP_SEEN_SYN | UP_SEEN_ACK, UP_SEEN_SYN | UP_SEEN_ACK);
	}
	assert_int_equal(counter(f, UP_CNT_FLOW_NEW), 1);
	assert_flows_consistent(f);
}

static void slots_are_used_again(void **state)
{
	struct fixture *f = *state;

	publish(f, A, "8080:80");
	for (int round = 0; round < 3; round++) {
		for (uint16_t i = 0; i < FLOWS_MAX; i++) {
			struct packet p = syn_to((uint16_t)(1000 * round + i + 1), 8080);

			assert_int_equal(run_uplink(f, &p), REDIRECT);
		}
		assert_int_equal(reap(f, (struct up_reap){.endpoint = A}), FLOWS_MAX);
	}
	assert_int_equal(flow_entries(f), 0);
	assert_int_equal(f->endpoints[A].flows, 0);
}

/* ---- ended on request -------------------------------------------------------------------------
 */

static void reap_ends_what_matches(void **state)
{
	struct fixture *f = *state;
	struct packet p;

	publish(f, A, "8080-8090:80-90");
	publish(f, B, "8091:80");
	p = syn_to(1, 8080);
	assert_int_equal(run_uplink(f, &p), REDIRECT);
	p = syn_to(2, 8090);
	assert_int_equal(run_uplink(f, &p), REDIRECT);
	p = syn_to(3, 8091);
	assert_int_equal(run_uplink(f, &p), REDIRECT);
	p = from_container(f, A, IPPROTO_TCP, OUTSIDE, 40000, 8080); /* out, to the same port */
	assert_int_equal(run_veth(f, A, &p), REDIRECT);
	p = from_container(f, B, IPPROTO_TCP, ADDR_A, 40000, 8080);
	assert_int_equal(run_veth(f, B, &p), REDIRECT);
	assert_int_equal(flow_entries(f), 10);

	assert_int_equal(
		reap(f,
		     (struct up_reap){.endpoint = A, .proto = IPPROTO_UDP, .lo = 1, .hi = 65535}),
		0);
	assert_int_equal(reap(f, (struct up_reap){.endpoint = A,
						  .proto = IPPROTO_TCP,
						  .lo = 8080,
						  .hi = 8089,
						  .addr = addr(f, HOST2)}),
			 0);
	/* By the port as it was published: not what goes out, nor straight to the container. */
	assert_int_equal(
		reap(f,
		     (struct up_reap){.endpoint = A, .proto = IPPROTO_TCP, .lo = 8080, .hi = 8089}),
		1);
	assert_flows_consistent(f);
	/* Owner or peer: A's own, and B's connection to A. */
	assert_int_equal(reap(f, (struct up_reap){.endpoint = A}), 3);
	assert_int_equal(flow_entries(f), 2);
	assert_flows_consistent(f);
}

/* ---- F4: what the established path writes -----------------------------------------------------
 */

static void last_seen_is_written_once_a_second(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_container(f, A, IPPROTO_UDP, OUTSIDE, 40000, 53);
	struct up_tuple key = tuple(f->veth[A], &p);
	struct up_flow flow;

	assert_int_equal(run_veth(f, A, &p), REDIRECT);
	assert_true(flow_find(f, &key, &flow));
	assert_int_equal(flow.last_seen, sweep(f).now);
	next_second(f);
	assert_int_equal(run_veth(f, A, &p), REDIRECT);
	assert_true(flow_find(f, &key, &flow));
	assert_int_equal(flow.last_seen, sweep(f).now);
}

/* A route that changes takes effect within the second, also for a flow that lives. */
static void a_changed_neighbour_is_seen(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_container(f, A, IPPROTO_UDP, OUTSIDE, 40000, 53), want;

	assert_int_equal(run_veth(f, A, &p), REDIRECT);
	assert_int_equal(system("ip neigh replace 192.0.2.2 lladdr 02:00:00:00:00:77 dev uplink "
				"nud permanent"),
			 0);
	next_second(f);
	assert_int_equal(run_veth(f, A, &p), REDIRECT);
	f->client_mac[5] = 0x77;
	want = out_by_uplink(f, &p);
	want.src = HOST;
	packet_assert_equal(f->out, f->len, &want);
}

static const struct CMUnitTest tests[] = {
	ONCE(a_full_table_refuses_and_keeps),
	ONCE(the_table_is_full_for_another_endpoint_too),
	ONCE(a_quota_leaves_room_for_others),
	ONCE(racing_packets_make_whole_flows),
	ONCE(flows_that_end_while_others_begin),
	{"no_half_of_a_flow_where_there_is_no_room", no_half_of_a_flow_where_there_is_no_room,
	 fixture_tight, fixture_end, NULL},
	ONCE(an_idle_flow_expires_by_itself),
	ONCE(tcp_states),
	ONCE(each_state_has_its_own_timeout),
	ONCE(answers_keep_a_flow_alive),
	ONCE(a_closed_connection_does_not_wait_out_its_days),
	ONCE(a_syn_starts_a_closed_connection_over),
	ONCE(slots_are_used_again),
	ONCE(reap_ends_what_matches),
	ONCE(last_seen_is_written_once_a_second),
	ONCE(a_changed_neighbour_is_seen),
};

int main(void)
{
	return cmocka_run_group_tests_name("flows", tests, NULL, NULL);
}
