// SPDX-License-Identifier: GPL-2.0-only
/* Packets that cannot go on are answered: ICMP errors and TCP resets, compared byte by byte. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

#define UNREACHABLE 0xc6336401 /* 198.51.100.1 */
#define PROHIBITED  0xc6120001 /* 198.18.0.1 */

/* Type and code by family, and what they mean. */
struct meaning {
	uint8_t type4, code4, type6, code6;
};

static const struct meaning ttl_expired = {11, 0, 3, 0};
static const struct meaning too_big = {3, 4, 2, 0};
static const struct meaning no_route = {3, 1, 1, 0}; /* of an unreachable one, as Linux says it */
static const struct meaning prohibited = {3, 13, 1, 1};

/* What came out is the error about @p, from @from, by the way that @p came. */
static void assert_error(struct fixture *f, const struct packet *p, uint32_t from,
			 const struct meaning *m, uint32_t mtu)
{
	struct icmp_error e = {
		.outer = {.v6 = p->v6, .ttl = 64, .src = from, .dst = p->src},
		.type = p->v6 ? m->type6 : m->type4,
		.code = p->v6 ? m->code6 : m->code4,
		.rest = mtu,
	};
	uint8_t about[PACKET_MAX], want[PACKET_MAX];
	size_t len = packet_build(p, about) - 14, max = p->v6 ? 1232 : 548;

	memcpy(e.outer.eth, p->eth + 6, 6);
	memcpy(e.outer.eth + 6, p->eth, 6);
	len = packet_icmp_error(&e, about + 14, len < max ? len : max, want);
	if (!p->v6) { /* not a fragment, so it needs no identification (RFC 6864) */
		want[18] = want[19] = 0;
		want[24] = want[25] = 0;
		*(uint16_t *)(void *)(want + 24) = htons((uint16_t)~packet_sum(want + 14, 20, 0));
	}
	packet_assert_bytes(f->out, f->len, want, len);
}

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
	struct packet p = from_container(f, A, IPPROTO_UDP, UNREACHABLE, 40000, 53);

	assert_int_equal(run_veth(f, A, &p), REDIRECT);
	assert_error(f, &p, GATEWAY, &no_route, 0);
	p.dst = PROHIBITED;
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
	p = from_container(f, A, IPPROTO_UDP, UNREACHABLE, 40000, 53);
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

static void put32(uint8_t *at, uint32_t v)
{
	v = htonl(v);
	memcpy(at, &v, 4);
}

/* RFC 9293, 3.10.7.1: as packet_build() numbers its segments. */
static void assert_reset(struct fixture *f, const struct packet *p)
{
	struct packet r = {
		.v6 = p->v6,
		.ttl = 64,
		.proto = IPPROTO_TCP,
		.src = p->dst,
		.dst = p->src,
		.sport = p->dport,
		.dport = p->sport,
		.flags = p->flags & TCP_ACK ? TCP_RST : TCP_RST | TCP_ACK,
	};
	uint8_t want[PACKET_MAX], *tcp;
	uint16_t sum;
	size_t len;

	memcpy(r.eth, p->eth + 6, 6);
	memcpy(r.eth + 6, p->eth, 6);
	len = packet_build(&r, want);
	tcp = want + len - 20;
	put32(tcp + 4, p->flags & TCP_ACK ? 0x0a0b0c0d : 0);
	put32(tcp + 8, p->flags & TCP_ACK ? 0
					  : 0x01020304 + p->payload + !!(p->flags & TCP_SYN) +
						    !!(p->flags & TCP_FIN));
	memset(tcp + 14, 0, 4); /* window and checksum */
	sum = packet_sum(want + 14 + (p->v6 ? 8 : 12), p->v6 ? 32 : 8, IPPROTO_TCP + 20);
	sum = (uint16_t)~packet_sum(tcp, 20, sum);
	tcp[16] = (uint8_t)(sum >> 8);
	tcp[17] = (uint8_t)sum;
	if (!p->v6) {
		want[18] = want[19] = want[24] = want[25] = 0;
		sum = (uint16_t)~packet_sum(want + 14, 20, 0);
		want[24] = (uint8_t)(sum >> 8);
		want[25] = (uint8_t)sum;
	}
	packet_assert_bytes(f->out, f->len, want, len);
}

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

static const struct CMUnitTest tests[] = {
	ALL(ttl_on_the_way_out),    ALL(ttl_in_a_flow),
	ALL(ttl_on_the_way_in),     ALL(unreachable),
	ALL(unreachable_in_a_flow), ALL(larger_than_the_path),
	ALL(not_answered),          ALL(a_segment_of_no_connection),
};

int main(void)
{
	return cmocka_run_group_tests_name("replies", tests, NULL, NULL);
}
