// SPDX-License-Identifier: GPL-2.0-only
/* Packets that cannot go on are answered: ICMP errors and TCP resets, compared byte by byte. */
#include <netinet/in.h>
#include <stdlib.h>

#include "answer.h"

static void ttl_on_the_way_out(void **state)
{
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP};
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++)
		for (uint8_t ttl = 0; ttl < 2; ttl++) {
			struct packet p = from_container(f, A, protos[i], OUTSIDE, 40000, 443);

			p.ttl = ttl;
			assert_int_equal(run_veth(f, A, &p), REDIRECT);
			assert_error(f, &p, GATEWAY, &ttl_expired, 0);
		}
	assert_int_equal(counter(f, UP_CNT_DROP_TTL), 6);
	assert_int_equal(counter(f, UP_CNT_ICMP_SENT), 6);
	assert_int_equal(flow_entries(f), 0);
}

/* RFC 1812, 4.2.2.9: what has arrived does not expire. */
static void ttl_of_what_is_for_the_host(void **state)
{
	static const uint32_t to[] = {GATEWAY, HOST, HOST2};
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++)
		for (uint16_t port = 53; port < 55; port++) {
			struct packet p = from_container(f, A, IPPROTO_UDP, to[i], 40000, port);

			p.ttl = 1;
			assert_int_equal(run_veth(f, A, &p), NEXT);
			packet_assert_equal(f->out, f->len, &p);
		}
	assert_int_equal(counter(f, UP_CNT_DROP_TTL), 0);
}

/* Nobody expires on a way that there is not. */
static void unreachable_with_the_last_ttl(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_container(f, A, IPPROTO_UDP, NET_UNREACHABLE, 40000, 53);

	p.ttl = 1;
	assert_int_equal(run_veth(f, A, &p), REDIRECT);
	assert_error(f, &p, GATEWAY, &no_route, 0);
}

/* Also within a flow: traceroute sends from one port. */
static void ttl_in_a_flow(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_container(f, A, IPPROTO_UDP, OUTSIDE, 40000, 33434);

	assert_int_equal(run_veth(f, A, &p), REDIRECT);
	p.ttl = 1;
	assert_int_equal(run_veth(f, A, &p), REDIRECT);
	assert_error(f, &p, GATEWAY, &ttl_expired, 0);
}

/* The error about a packet that came in shows it as it came: nothing was rewritten yet. */
static void ttl_on_the_way_in(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_client(IPPROTO_UDP, 40000, 8080);

	publish(f, A, "8080:80/udp");
	p.ttl = 1;
	assert_int_equal(run_uplink(f, &p), REDIRECT);
	assert_error(f, &p, HOST, &ttl_expired, 0);
	assert_int_equal(counter(f, UP_CNT_DROP_TTL), 1);
}

static void unreachable(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_container(f, A, IPPROTO_UDP, NET_UNREACHABLE, 40000, 53);

	assert_int_equal(run_veth(f, A, &p), REDIRECT);
	assert_error(f, &p, GATEWAY, &no_route, 0);
	p.dst = NET_PROHIBITED;
	assert_int_equal(run_veth(f, A, &p), REDIRECT);
	assert_error(f, &p, GATEWAY, &prohibited, 0);
	assert_int_equal(counter(f, UP_CNT_DROP_NO_ROUTE), 2);
	assert_int_equal(flow_entries(f), 0);
}

/* A route that becomes unreachable under a live flow. */
static void unreachable_in_a_flow(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_container(f, A, IPPROTO_UDP, OUTSIDE, 40000, 53);
	struct up_tuple key = tuple(f->veth[A], &p);
	struct up_flow flow;

	assert_int_equal(run_veth(f, A, &p), REDIRECT);
	assert_int_equal(system(f->v6 ? "ip -6 route replace unreachable 2001:db8::cb00:7107/128"
				      : "ip route replace unreachable 203.0.113.7"),
			 0);
	assert_true(flow_find(f, &key, &flow));
	flow.last_seen -= 5; /* as if a second had passed: the route is asked for again */
	assert_int_equal(flow_replace(f, &key, &flow), 0);
	assert_int_equal(run_veth(f, A, &p), REDIRECT);
	assert_error(f, &p, GATEWAY, &no_route, 0);
}

static void larger_than_the_path(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_container(f, A, IPPROTO_UDP, OUTSIDE, 40000, 53);

	assert_int_equal(run_veth(f, A, &p), REDIRECT); /* the flow exists, and knows the MTU */
	p.payload = 1500;
	p.frag = f->v6 ? 0 : 0x4000;
	assert_int_equal(run_veth(f, A, &p), REDIRECT);
	assert_error(f, &p, GATEWAY, &too_big, 1500);
	assert_int_equal(system("ip link set uplink mtu 1400"), 0);
	p.payload = 1390;
	next_second(f);
	assert_int_equal(run_veth(f, A, &p), REDIRECT);
	assert_error(f, &p, GATEWAY, &too_big, 1400);
	p.payload = 1300;
	assert_int_equal(run_veth(f, A, &p), REDIRECT);
	assert_true(f->len > 1300); /* itself, not an error */
	assert_int_equal(counter(f, UP_CNT_DROP_TOO_BIG), 2);
}

/* RFC 1122, 3.2.2: never about an error, a later fragment or a multicast; and the rate is limited.
 */
static void not_answered(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_container(f, A, IPPROTO_ICMP, OUTSIDE, 1, 0);
	struct icmp_error e = {.outer = p, .type = f->v6 ? 1 : 3, .code = 1};
	uint8_t about[64] = {0}, buf[PACKET_MAX];
	size_t len;

	e.outer.ttl = 1;
	len = packet_icmp_error(&e, about, sizeof(about), buf);
	assert_int_equal(run_bytes(f, f->skel->progs.up_veth_in, f->veth[A], buf, len), DROP);
	p = from_container(f, A, IPPROTO_UDP, NET_UNREACHABLE, 40000, 53);
	p.frag = 100;
	p.frag_id = 7;
	assert_int_equal(run_veth(f, A, &p), DROP);
	assert_int_equal(counter(f, UP_CNT_ICMP_SENT), 0);
	p.frag = 0;
	for (int i = 0; i < 3 * UP_REPLY_RATE; i++)
		run_veth(f, A, &p);
	assert_true(counter(f, UP_CNT_DROP_REPLY_RATE) > 0);
	assert_int_equal(counter(f, UP_CNT_ICMP_SENT) + counter(f, UP_CNT_DROP_REPLY_RATE),
			 3 * UP_REPLY_RATE);
}

/* ---- TCP resets -------------------------------------------------------------------------------
 */

static void a_segment_of_no_connection(void **state)
{
	static const uint8_t flags[] = {TCP_ACK, TCP_ACK | TCP_FIN, TCP_FIN, TCP_SYN | TCP_ACK};
	static const uint32_t to[] = {OUTSIDE, ADDR_B};
	struct fixture *f = *state;

	for (int i = 0; i < 4; i++)
		for (int j = 0; j < 2; j++) {
			struct packet p = from_container(f, A, IPPROTO_TCP, to[j], 40000, 443);

			p.flags = flags[i];
			p.payload = (uint16_t)(i * 7);
			assert_int_equal(run_veth(f, A, &p), REDIRECT);
			assert_reset(f, &p);
		}
	assert_int_equal(counter(f, UP_CNT_RST_SENT), 8);
	assert_int_equal(counter(f, UP_CNT_DROP_NO_FLOW), 8);
	assert_int_equal(flow_entries(f), 0);
}

/* ---- CHECKSUM_PARTIAL -------------------------------------------------------------------------
 */

static uint16_t pseudo_of(const uint8_t *ip, uint8_t proto, size_t len)
{
	bool v6 = ip[0] >> 4 == 6;

	return packet_sum(ip + (v6 ? 8 : 12), v6 ? 32 : 8, proto + (uint32_t)len);
}

static void put_word(uint8_t *at, uint16_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

/* A packet as its sender hands it to a NIC that computes checksums: only the pseudo header's sum.
 */
static size_t build_partial(const struct fixture *f, const struct packet *p, uint8_t *buf)
{
	size_t len = packet_build(p, buf), l4 = l4_at(f), at = p->proto == IPPROTO_TCP ? 16 : 6;

	put_word(buf + l4 + at, pseudo_of(buf + 14, p->proto, len - l4));
	return len;
}

/* Where the kernel does not say that a checksum is incomplete, the field itself does. */
static void an_error_about_an_incomplete_checksum(void **state)
{
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP};
	struct fixture *f = *state;

	for (int i = 0; i < 2; i++) {
		struct packet p = from_container(f, A, protos[i], NET_UNREACHABLE, 40000, 443);
		size_t at = protos[i] == IPPROTO_TCP ? 16 : 6, inner;
		uint8_t buf[PACKET_MAX];
		size_t len = build_partial(f, &p, buf);

		assert_int_equal(run_bytes(f, f->skel->progs.up_veth_in, f->veth[A], buf, len),
				 REDIRECT);
		inner = l4_at(f) + 8 + (l4_at(f) - 14);
		assert_int_equal(f->len, len + l4_at(f) - 14 + 8);
		/* What the NIC does, if the packet meets one. */
		put_word(f->out + inner + at,
			 (uint16_t)~packet_sum(f->out + inner, f->len - inner, 0));
		assert_true(packet_checksums_ok(f->out, f->len));
	}
}

static void a_reset_for_an_incomplete_checksum(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_container(f, A, IPPROTO_TCP, OUTSIDE, 40000, 443);
	uint8_t buf[PACKET_MAX];
	size_t len;

	p.flags = TCP_ACK;
	len = build_partial(f, &p, buf);
	assert_int_equal(run_bytes(f, f->skel->progs.up_veth_in, f->veth[A], buf, len), REDIRECT);
	assert_int_equal(f->len, l4_at(f) + 20);
	assert_int_equal(word_at(f, l4_at(f) + 16), pseudo_of(f->out + 14, IPPROTO_TCP, 20));
}

/* The test's packets are complete for a kernel that tells; only where it does not. */
#define BY_HELPER(f)                                                                         \
	{#f " (checksum by helper)", f, fixture_by_helper, fixture_end, NULL},               \
	{                                                                                    \
#f " (IPv6, checksum by helper)", f, fixture_v6_by_helper, fixture_end, NULL \
	}

static const struct CMUnitTest tests[] = {
	BY_HELPER(an_error_about_an_incomplete_checksum),
	BY_HELPER(a_reset_for_an_incomplete_checksum),
	ALL(ttl_on_the_way_out),
	ALL(ttl_in_a_flow),
	ALL(ttl_on_the_way_in),
	ALL(unreachable),
	ALL(ttl_of_what_is_for_the_host),
	ALL(unreachable_with_the_last_ttl),
	ALL(unreachable_in_a_flow),
	ALL(larger_than_the_path),
	ALL(not_answered),
	ALL(a_segment_of_no_connection),
};

int main(void)
{
	return cmocka_run_group_tests_name("replies", tests, NULL, NULL);
}
