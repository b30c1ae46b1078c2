// SPDX-License-Identifier: GPL-2.0-only
/* Who may connect, to whom, how often: shared ports, lists of sources, quotas, networks, SCTP. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <netinet/in.h>
#include <string.h>

#include "fixture.h"

#define SCTP_INIT     1
#define SCTP_INIT_ACK 2
#define SCTP_ABORT    6

/* Which container did a packet that was let in go to? 0: none */
static int receiver(struct fixture *f, const struct packet *p)
{
	if (run_uplink(f, p) != REDIRECT)
		return 0;
	for (int id = A; id <= C; id++)
		if (!memcmp(f->out, f->mac[id], 6))
			return id;
	return 0;
}

static int receiver_of(struct fixture *f, uint16_t sport)
{
	struct packet p = from_client(IPPROTO_UDP, sport, 8080);

	return receiver(f, &p);
}

/* ---- one port, several containers ------------------------------------------------------------ */

#define CONNECTIONS 48

static void share_port(struct fixture *f)
{
	publish(f, A, "8080:80/udp,share");
	publish(f, B, "8080:80/udp,share");
	publish(f, C, "8080:80/udp,share");
}

static void owners_of(struct fixture *f, int ret_owner[CONNECTIONS], int ret_count[4])
{
	memset(ret_count, 0, 4 * sizeof(*ret_count));
	for (uint16_t i = 0; i < CONNECTIONS; i++) {
		ret_owner[i] = receiver_of(f, (uint16_t)(40000 + i));
		ret_count[ret_owner[i]]++;
	}
}

static void forget_flows(struct fixture *f)
{
	for (uint32_t id = A; id <= C; id++)
		reap(f, (struct up_reap){.endpoint = id});
	assert_int_equal(flow_entries(f), 0);
}

static void a_shared_port_is_balanced(void **state)
{
	struct fixture *f = *state;
	int owner[CONNECTIONS], again[CONNECTIONS], count[4];

	share_port(f);
	owners_of(f, owner, count);
	assert_int_equal(count[0], 0);
	for (int id = A; id <= C; id++)
		assert_in_range(count[id], CONNECTIONS / 6, CONNECTIONS / 2);
	forget_flows(f); /* the choice depends on the connection alone */
	owners_of(f, again, count);
	assert_memory_equal(owner, again, sizeof(owner));
}

/* The others keep theirs: only the connections of the owner that went are dealt out again. */
static void an_owner_that_goes_moves_no_other(void **state)
{
	struct fixture *f = *state;
	int before[CONNECTIONS], after[CONNECTIONS], count[4];

	share_port(f);
	owners_of(f, before, count);
	forget_flows(f);
	unpublish(f, B);
	owners_of(f, after, count);
	assert_int_equal(count[B] + count[0], 0);
	for (int i = 0; i < CONNECTIONS; i++)
		assert_true(before[i] == B || after[i] == before[i]);
}

static void a_drained_owner_gets_no_new_ones(void **state)
{
	struct fixture *f = *state;
	int owner[CONNECTIONS], count[4];
	uint16_t kept = 0;

	share_port(f);
	while (receiver_of(f, (uint16_t)(30000 + kept)) != B)
		kept++;
	f->endpoints[B].flags |= UP_EP_DRAINED;
	assert_int_equal(receiver_of(f, (uint16_t)(30000 + kept)), B); /* its flow goes on */
	forget_flows(f);
	owners_of(f, owner, count);
	assert_int_equal(count[B] + count[0], 0);
	f->endpoints[A].flags |= UP_EP_DRAINED;
	f->endpoints[C].flags |= UP_EP_DRAINED;
	assert_int_not_equal(receiver_of(f, 50000), 0); /* better than nobody */
}

/* Whoever answers a SYN with a reset has no service there: the next ones go to others. */
static void an_owner_that_refuses_is_avoided(void **state)
{
	struct fixture *f = *state;
	int first;

	publish(f, A, "8080:80,share");
	publish(f, B, "8080:80,share");
	struct packet in = from_client(IPPROTO_TCP, 40000, 8080), reset;

	first = receiver(f, &in);
	assert_int_not_equal(first, 0);
	reset = from_container(f, first, IPPROTO_TCP, CLIENT, 80, 40000);
	reset.flags = TCP_RST | TCP_ACK;
	assert_int_equal(run_veth(f, first, &reset), REDIRECT);
	for (uint16_t i = 1; i < 30; i++) {
		in.sport = (uint16_t)(40000 + i);
		assert_int_equal(receiver(f, &in), first == A ? B : A);
	}
}

/* An accepted connection that is reset later says nothing about the service. */
static void a_reset_later_is_no_refusal(void **state)
{
	struct fixture *f = *state;
	struct packet in = from_client(IPPROTO_TCP, 40000, 8080), back;

	publish(f, A, "8080:80,share");
	assert_int_equal(receiver(f, &in), A);
	back = from_container(f, A, IPPROTO_TCP, CLIENT, 80, 40000);
	back.flags = TCP_SYN | TCP_ACK;
	assert_int_equal(run_veth(f, A, &back), REDIRECT);
	back.flags = TCP_RST;
	assert_int_equal(run_veth(f, A, &back), REDIRECT);
	assert_int_equal(f->endpoints[A].sick_until, 0);
}

/* ---- lists of sources ------------------------------------------------------------------------ */

/* As core/allow.c writes them. */
static void allow(struct fixture *f, uint32_t list, uint32_t net, uint32_t plen)
{
	struct up_allow_key key = {
		.plen = 32 + 96 + plen,
		.list = htonl(list),
		.addr = addr(f, net),
	};
	uint8_t one = 1;

	assert_int_equal(bpf_map_update_elem(bpf_map__fd(f->skel->maps.up_allow), &key, &one, 0),
			 0);
}

static void publish_to(struct fixture *f, uint32_t list)
{
	cleanup_publish_list struct up_publish_list pubs = {};

	assert_int_equal(up_portspec_parse("8080:80/udp", &pubs, NULL), 0);
	pubs.pubs[0].allow = list;
	assert_int_equal(publish_all(f, A, pubs.pubs, pubs.n), 0);
}

static void only_listed_sources_may(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_client(IPPROTO_UDP, 40000, 8080);

	publish_to(f, 7);
	assert_int_equal(run_uplink(f, &p), DROP);
	allow(f, 8, CLIENT, 32); /* another port's list */
	assert_int_equal(run_uplink(f, &p), DROP);
	assert_int_equal(counter(f, UP_CNT_DROP_DENIED), 2);
	assert_int_equal(flow_entries(f), 0);
	allow(f, 7, CLIENT & ~0xffU, 24);
	assert_int_equal(run_uplink(f, &p), REDIRECT);
	p.src = OUTSIDE;
	assert_int_equal(run_uplink(f, &p), DROP);
	allow(f, 7, OUTSIDE, 32);
	assert_int_equal(run_uplink(f, &p), REDIRECT);
	p.src = OUTSIDE + 1;
	assert_int_equal(run_uplink(f, &p), DROP);
}

static void thousands_of_sources(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_client(IPPROTO_UDP, 40000, 8080);

	publish_to(f, 1);
	for (uint32_t i = 0; i < 5000; i++)
		allow(f, 1, 0x64400000 + 2 * i, 32);
	for (uint32_t i = 0; i < 20; i++) {
		p.src = 0x64400000 + 500 * i;
		p.sport++;
		assert_int_equal(run_uplink(f, &p), REDIRECT);
		p.src++;
		assert_int_equal(run_uplink(f, &p), DROP);
	}
}

/* A container is a source like any other. */
static void a_container_must_be_listed_too(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_container(f, B, IPPROTO_UDP, HOST, 40000, 8080);

	publish_to(f, 7);
	assert_int_equal(run_veth(f, B, &p), DROP);
	allow(f, 7, ADDR_B, 32);
	assert_int_equal(run_veth(f, B, &p), REDIRECT);
}

/* ---- ranges and protocols -------------------------------------------------------------------- */

static void a_range_to_one_port(void **state)
{
	struct fixture *f = *state;

	publish(f, A, "8000-8010:80/udp");
	for (uint16_t i = 0; i <= 10; i++) {
		struct packet p = from_client(IPPROTO_UDP, 40000, (uint16_t)(8000 + i)), want, back;

		p.sport = (uint16_t)(40000 + i); /* else they would meet in one reply tuple */
		assert_int_equal(run_uplink(f, &p), REDIRECT);
		want = into(f, A, &p);
		want.dport = 80;
		packet_assert_equal(f->out, f->len, &want);
		back = from_container(f, A, IPPROTO_UDP, CLIENT, 80, p.sport);
		assert_int_equal(run_veth(f, A, &back), REDIRECT);
		want = out_by_uplink(f, &back);
		want.src = HOST;
		want.sport = p.dport;
		packet_assert_equal(f->out, f->len, &want);
	}
}

/* One client port towards two host ports that lead to the same container port: the container sees
 * two different ones, and each answer finds its way back. */
static void two_host_ports_meet_in_one_container_port(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_client(IPPROTO_UDP, 40000, 8000), back, want;
	uint16_t seen;

	publish(f, A, "8000-8010:80/udp");
	assert_int_equal(run_uplink(f, &p), REDIRECT);
	p.dport = 8001;
	assert_int_equal(run_uplink(f, &p), REDIRECT);
	seen = word_at(f, l4_at(f));
	assert_int_not_equal(seen, 40000);
	back = from_container(f, A, IPPROTO_UDP, CLIENT, 80, seen);
	assert_int_equal(run_veth(f, A, &back), REDIRECT);
	want = out_by_uplink(f, &back);
	want.src = HOST;
	want.sport = 8001;
	want.dport = 40000;
	packet_assert_equal(f->out, f->len, &want);
	assert_flows_consistent(f);
}

/* ---- SCTP: its checksum covers the ports and not the addresses ------------------------------- */

static void sctp_is_published(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_client(IPPROTO_SCTP, 40000, 3868), want, back;

	publish(f, A, "3868:3868/sctp");
	p.flags = SCTP_INIT_ACK; /* opens nothing */
	assert_int_equal(run_uplink(f, &p), NEXT);
	p.flags = SCTP_INIT;
	assert_int_equal(run_uplink(f, &p), REDIRECT);
	want = into(f, A, &p);
	packet_assert_equal(f->out, f->len, &want);
	back = from_container(f, A, IPPROTO_SCTP, CLIENT, 3868, 40000);
	back.flags = SCTP_INIT_ACK;
	assert_int_equal(run_veth(f, A, &back), REDIRECT);
	want = out_by_uplink(f, &back);
	want.src = HOST;
	packet_assert_equal(f->out, f->len, &want);
	assert_flows_consistent(f);
}

/* The port cannot be changed, so whoever comes second is refused, and it is said why. */
static void sctp_is_masqueraded_with_its_port(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_container(f, A, IPPROTO_SCTP, OUTSIDE, 40000, 3868), want;

	p.flags = SCTP_INIT;
	assert_int_equal(run_veth(f, A, &p), REDIRECT);
	want = out_by_uplink(f, &p);
	want.src = HOST;
	packet_assert_equal(f->out, f->len, &want);
	p = from_container(f, B, IPPROTO_SCTP, OUTSIDE, 40000, 3868);
	p.flags = SCTP_INIT;
	assert_int_equal(run_veth(f, B, &p), DROP);
	assert_int_equal(counter(f, UP_CNT_DROP_SNAT_PORTS), 1);
	p.sport = 40001;
	assert_int_equal(run_veth(f, B, &p), REDIRECT);
	assert_flows_consistent(f);
}

/* ---- networks and quotas --------------------------------------------------------------------- */

static void networks_do_not_reach_each_other(void **state)
{
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP};
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++) {
		struct packet p = from_container(f, A, protos[i], ADDR_C, 40000, 80);

		assert_int_equal(run_veth(f, A, &p), DROP);
	}
	assert_int_equal(counter(f, UP_CNT_DROP_NETWORK), 3);
	assert_int_equal(flow_entries(f), 0);
}

/* Apart from its like and from named networks, and not from what has neither name nor policy. */
static void a_network_with_a_policy(void **state)
{
	static const struct {
		uint16_t a, c;
		int verdict;
	} cases[] = {
		{0, UP_NET_POLICY, REDIRECT},
		{UP_NET_POLICY, 0, REDIRECT},
		{UP_NET_POLICY | 1, UP_NET_POLICY | 1, REDIRECT},
		{UP_NET_POLICY, UP_NET_POLICY | 1, DROP},
		{1, UP_NET_POLICY, DROP},
		{UP_NET_POLICY, 1, DROP},
		{0, 1, DROP},
		{1, 0, DROP},
		{1, 2, DROP},
		{2, 2, REDIRECT},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct packet p = from_container(f, A, IPPROTO_UDP, ADDR_C, 40000 + i, 53);

		f->endpoints[A].net = cases[i].a;
		f->endpoints[C].net = cases[i].c;
		assert_int_equal(run_veth(f, A, &p), cases[i].verdict);
	}
	assert_flows_consistent(f);
}

/* Internal: its own network and the host, and nothing beyond. */
static void an_internal_network_ends_at_the_host(void **state)
{
	struct fixture *f = *state;
	struct packet out = from_container(f, A, IPPROTO_UDP, OUTSIDE, 40000, 53);
	struct packet near = from_container(f, A, IPPROTO_UDP, CLIENT, 40000, 53);
	struct packet to_b = from_container(f, A, IPPROTO_UDP, ADDR_B, 40000, 53);
	struct packet host = from_container(f, A, IPPROTO_UDP, HOST, 40000, 53);

	f->endpoints[A].flags |= UP_EP_INTERNAL;
	assert_int_equal(run_veth(f, A, &out), DROP);
	assert_int_equal(run_veth(f, A, &near), DROP);
	assert_int_equal(counter(f, UP_CNT_DROP_NETWORK), 2);
	assert_int_equal(run_veth(f, A, &to_b), REDIRECT);
	assert_int_equal(run_veth(f, A, &host), NEXT);
}

static void so_many_new_flows_in_a_second(void **state)
{
	struct fixture *f = *state;
	int made = 0;

	f->endpoints[A].new_rate = 10;
	next_second(f);
	for (uint16_t i = 0; i < 30; i++) {
		struct packet p = from_container(f, A, IPPROTO_UDP, OUTSIDE, 40000 + i, 53);

		made += run_veth(f, A, &p) == REDIRECT;
	}
	/* The clock may tick meanwhile. */
	assert_in_range(made, 10, 20);
	assert_int_equal(counter(f, UP_CNT_DROP_FLOW_RATE), 30 - made);
	next_second(f);
	struct packet p = from_container(f, A, IPPROTO_UDP, OUTSIDE, 50000, 53);

	assert_int_equal(run_veth(f, A, &p), REDIRECT);
}

static const struct CMUnitTest tests[] = {
	ONCE(a_shared_port_is_balanced),
	ONCE(an_owner_that_goes_moves_no_other),
	ONCE(a_drained_owner_gets_no_new_ones),
	ONCE(an_owner_that_refuses_is_avoided),
	ONCE(a_reset_later_is_no_refusal),
	ALL(only_listed_sources_may),
	ONCE(thousands_of_sources),
	ALL(a_container_must_be_listed_too),
	ALL(a_range_to_one_port),
	ALL(two_host_ports_meet_in_one_container_port),
	ALL(sctp_is_published),
	ALL(sctp_is_masqueraded_with_its_port),
	ALL(networks_do_not_reach_each_other),
	ALL(a_network_with_a_policy),
	ALL(an_internal_network_ends_at_the_host),
	ONCE(so_many_new_flows_in_a_second),
};

int main(void)
{
	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
