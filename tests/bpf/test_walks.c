// SPDX-License-Identifier: GPL-2.0-only
/* Every way that a packet can take through the host, there and back. */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "fixture.h"

static const uint8_t transports[] = {IPPROTO_TCP, IPPROTO_UDP};

/* The answer to a packet as its receiver got it. */
static struct packet answer(struct fixture *f, int endpoint, const struct packet *received)
{
	struct packet a = from_container(f, endpoint, received->proto, received->src,
					 received->dport, received->sport);

	a.flags = TCP_SYN | TCP_ACK;
	return a;
}

static void published_port_in_and_back(void **state)
{
	struct fixture *f = *state;

	publish(f, A, "8080:80/tcp");
	publish(f, A, "8080:80/udp");
	for (int i = 0; i < 2; i++) {
		struct packet in = from_client(transports[i], 40000, 8080), want, back;

		assert_int_equal(run_uplink(f, &in), REDIRECT);
		want = into(f, A, &in);
		want.dport = 80;
		packet_assert_equal(f->out, f->len, &want);

		back = answer(f, A, &want);
		assert_int_equal(run_veth(f, A, &back), REDIRECT);
		want = out_by_uplink(f, &back);
		want.src = HOST;
		want.sport = 8080;
		packet_assert_equal(f->out, f->len, &want);
	}
	assert_int_equal(counter(f, UP_CNT_FLOW_NEW), 2);
	assert_int_equal(flow_entries(f), 4);
	assert_flows_consistent(f);
}

static void masqueraded_out_and_back(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 2; i++) {
		struct packet out = from_container(f, A, transports[i], OUTSIDE, 40000, 443);
		struct packet want = out_by_uplink(f, &out),
			      back = from_client(transports[i], 443, 40000);

		want.src = HOST;
		assert_int_equal(run_veth(f, A, &out), REDIRECT);
		packet_assert_equal(f->out, f->len, &want);

		back.src = OUTSIDE;
		back.flags = TCP_SYN | TCP_ACK;
		assert_int_equal(run_uplink(f, &back), REDIRECT);
		want = into(f, A, &back);
		packet_assert_equal(f->out, f->len, &want);
	}
	assert_flows_consistent(f);
}

static void echo_out_and_back(void **state)
{
	struct fixture *f = *state;
	struct packet out = from_container(f, A, IPPROTO_ICMP, OUTSIDE, 77, 0);
	struct packet want = out_by_uplink(f, &out), back = from_client(IPPROTO_ICMP, 77, 0);

	want.src = HOST;
	assert_int_equal(run_veth(f, A, &out), REDIRECT);
	packet_assert_equal(f->out, f->len, &want);

	back.src = OUTSIDE;
	assert_int_equal(run_uplink(f, &back), REDIRECT);
	want = into(f, A, &back);
	packet_assert_equal(f->out, f->len, &want);
	assert_flows_consistent(f);
}

/* Two containers with one identifier to one destination: the second gets another one, both ways. */
static void echo_identifiers_are_kept_apart(void **state)
{
	struct fixture *f = *state;
	struct packet a = from_container(f, A, IPPROTO_ICMP, OUTSIDE, 77, 0);
	struct packet b = from_container(f, B, IPPROTO_ICMP, OUTSIDE, 77, 0);
	struct packet back = from_client(IPPROTO_ICMP, 0, 0), want;

	assert_int_equal(run_veth(f, A, &a), REDIRECT);
	assert_int_equal(run_veth(f, B, &b), REDIRECT);
	assert_true(packet_checksums_ok(f->out, f->len));
	back.src = OUTSIDE;
	back.sport = word_at(f, l4_at(f) + 4);
	assert_int_not_equal(back.sport, 77);
	assert_int_equal(run_uplink(f, &back), REDIRECT);
	want = into(f, B, &back);
	want.sport = 77;
	packet_assert_equal(f->out, f->len, &want);
	assert_flows_consistent(f);
}

static void container_to_container(void **state)
{
	struct fixture *f = *state;
	struct packet out = from_container(f, A, IPPROTO_TCP, ADDR_B, 40000, 80), want, back;

	assert_int_equal(run_veth(f, A, &out), REDIRECT);
	want = into(f, B, &out);
	packet_assert_equal(f->out, f->len, &want);
	back = answer(f, B, &want);
	assert_int_equal(run_veth(f, B, &back), REDIRECT);
	want = into(f, A, &back);
	packet_assert_equal(f->out, f->len, &want);
	assert_flows_consistent(f);
}

static void echo_between_containers(void **state)
{
	struct fixture *f = *state;
	struct packet out = from_container(f, A, IPPROTO_ICMP, ADDR_B, 5, 0), want;
	struct packet back = from_container(f, B, IPPROTO_ICMP, ADDR_A, 5, 0);

	assert_int_equal(run_veth(f, A, &out), REDIRECT);
	want = into(f, B, &out);
	packet_assert_equal(f->out, f->len, &want);
	back.icmp_type = 0;
	assert_int_equal(run_veth(f, B, &back), REDIRECT);
	want = into(f, A, &back);
	packet_assert_equal(f->out, f->len, &want);
}

static void container_to_a_published_port_of_another(void **state)
{
	struct fixture *f = *state;
	struct packet out = from_container(f, A, IPPROTO_UDP, HOST, 40000, 8081), want, back;

	publish(f, B, "8081:53/udp");
	assert_int_equal(run_veth(f, A, &out), REDIRECT);
	want = into(f, B, &out);
	want.dport = 53;
	packet_assert_equal(f->out, f->len, &want);
	back = answer(f, B, &want);
	assert_int_equal(run_veth(f, B, &back), REDIRECT);
	want = into(f, A, &back);
	want.src = HOST;
	want.sport = 8081;
	packet_assert_equal(f->out, f->len, &want);
	assert_flows_consistent(f);
}

/* A container that meets itself sees its gateway, or the answer would never leave it. */
static void container_to_its_own_published_port(void **state)
{
	struct fixture *f = *state;
	struct packet out = from_container(f, A, IPPROTO_TCP, HOST, 40000, 8080), want, back;

	publish(f, A, "8080:80/tcp");
	assert_int_equal(run_veth(f, A, &out), REDIRECT);
	want = into(f, A, &out);
	want.src = GATEWAY;
	want.dport = 80;
	packet_assert_equal(f->out, f->len, &want);
	back = answer(f, A, &want);
	assert_int_equal(run_veth(f, A, &back), REDIRECT);
	want = into(f, A, &back);
	want.src = HOST;
	want.sport = 8080;
	packet_assert_equal(f->out, f->len, &want);
	assert_flows_consistent(f);
}

/* The kernel takes it as it is; the second packet is known already. */
static void container_to_the_host(void **state)
{
	struct fixture *f = *state;
	struct packet out = from_container(f, A, IPPROTO_TCP, HOST, 40000, 22);

	for (int i = 0; i < 2; i++) {
		assert_int_equal(run_veth(f, A, &out), NEXT);
		packet_assert_equal(f->out, f->len, &out);
	}
	assert_int_equal(counter(f, UP_CNT_TO_HOST), 1);
	assert_int_equal(flow_entries(f), 1);
	assert_flows_consistent(f);
}

static void host_to_container_answers_reach_the_host(void **state)
{
	struct fixture *f = *state;
	struct packet back = from_container(f, A, IPPROTO_TCP, GATEWAY, 80, 50000);

	back.flags = TCP_SYN | TCP_ACK;
	assert_int_equal(run_veth(f, A, &back), NEXT);
	packet_assert_equal(f->out, f->len, &back);
}

/* Two host ports lead to one container port; a client uses one source port for both. */
static void two_ports_to_one_with_the_same_client_port(void **state)
{
	struct fixture *f = *state;
	struct packet first = from_client(IPPROTO_UDP, 40000, 8080);
	struct packet second = from_client(IPPROTO_UDP, 40000, 8081), want, back;

	publish(f, A, "8080:80/udp");
	publish(f, A, "8081:80/udp");
	assert_int_equal(run_uplink(f, &first), REDIRECT);
	assert_int_equal(run_uplink(f, &second), REDIRECT);
	assert_true(packet_checksums_ok(f->out, f->len));
	want = into(f, A, &second);
	want.dport = 80;
	want.sport = word_at(f, l4_at(f));
	assert_int_not_equal(want.sport, 40000);
	packet_assert_equal(f->out, f->len, &want);

	back = answer(f, A, &want);
	assert_int_equal(run_veth(f, A, &back), REDIRECT);
	want = out_by_uplink(f, &back);
	want.src = HOST;
	want.sport = 8081;
	want.dport = 40000;
	packet_assert_equal(f->out, f->len, &want);
	assert_flows_consistent(f);
}

/* Without a neighbour the kernel's neighbour layer takes over, with headers that are right already.
 */
static void unresolved_neighbour(void **state)
{
	struct fixture *f = *state;
	struct packet out = from_container(f, A, IPPROTO_UDP, 0xc0000263, 40000, 53), want;

	assert_int_equal(run_veth(f, A, &out), REDIRECT);
	want = out;
	want.src = HOST;
	want.ttl--;
	assert_true(packet_checksums_ok(f->out, f->len));
	for (int i = 0; i < 12; i++)
		want.eth[i] = f->out[i]; /* to be filled in by the neighbour layer */
	packet_assert_equal(f->out, f->len, &want);
}

static const struct CMUnitTest tests[] = {
	ALL(published_port_in_and_back),
	ALL(masqueraded_out_and_back),
	ALL(echo_out_and_back),
	ALL(echo_identifiers_are_kept_apart),
	ALL(container_to_container),
	ALL(echo_between_containers),
	ALL(container_to_a_published_port_of_another),
	ALL(container_to_its_own_published_port),
	ONCE(container_to_the_host),
	ONCE(host_to_container_answers_reach_the_host),
	ALL(two_ports_to_one_with_the_same_client_port),
	ALL(unresolved_neighbour),
};

int main(void)
{
	return cmocka_run_group_tests_name("walks", tests, NULL, NULL);
}
