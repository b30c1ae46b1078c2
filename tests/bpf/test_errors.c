// SPDX-License-Identifier: GPL-2.0-only
/*
 * ICMP errors about flows: the embedded packet is rewritten back to what its sender sent, and every
 * checksum stays right. RFC 5508 section 3 and 4, RFC 5927, and where other NATs were seen to fail:
 * eight bytes of TCP, UDP without a checksum, options within, echo within.
 */
#include <netinet/in.h>
#include <string.h>

#include "fixture.h"

#define ROUTER 0xc0000263 /* 192.0.2.99: on the way, and no party to any flow */

enum { UNREACHABLE, TOO_BIG, TTL, ERRORS };

static const struct {
	uint8_t type4, code4, type6, code6;
	uint32_t rest;
} errors[ERRORS] = {
	[UNREACHABLE] = {3, 3, 1, 4, 0},
	[TOO_BIG] = {3, 4, 2, 0, 1300},
	[TTL] = {11, 0, 3, 0, 0},
};

/* The embedded packets that matter: how much of one is quoted, in bytes from its transport header;
 * 0 for all of it. */
static const struct variant {
	uint16_t quoted;
	uint8_t proto;
	uint8_t options;
	bool no_csum, v4_only;
} variants[] = {
	{.proto = IPPROTO_TCP, .quoted = 8},
	{.proto = IPPROTO_TCP, .quoted = 15},
	{.proto = IPPROTO_TCP, .quoted = 18},
	{.proto = IPPROTO_TCP, .quoted = 20},
	{.proto = IPPROTO_TCP},
	{.proto = IPPROTO_TCP, .options = 3},
	{.proto = IPPROTO_TCP, .quoted = 8, .options = 10},
	{.proto = IPPROTO_UDP, .quoted = 8},
	{.proto = IPPROTO_UDP},
	{.proto = IPPROTO_UDP, .options = 1},
	{.proto = IPPROTO_UDP, .no_csum = true, .v4_only = true},
	{.proto = IPPROTO_ICMP, .quoted = 8},
	{.proto = IPPROTO_ICMP},
	{.proto = IPPROTO_SCTP, .quoted = 8},
	{.proto = IPPROTO_SCTP},
};

#define VARIANTS (sizeof(variants) / sizeof(variants[0]))

/**
 * struct error - an error on its way
 * @outer: addresses, MACs and TTL
 * @kind:  UNREACHABLE, ...
 * @about: the embedded packet
 * @cut:   as in struct variant
 */
struct error {
	struct packet outer;
	int kind;
	struct packet about;
	uint16_t cut;
};

static size_t error_build(const struct error *e, uint8_t buf[PACKET_MAX])
{
	struct icmp_error icmp = {
		.outer = e->outer,
		.type = e->outer.v6 ? errors[e->kind].type6 : errors[e->kind].type4,
		.code = e->outer.v6 ? errors[e->kind].code6 : errors[e->kind].code4,
		.rest = errors[e->kind].rest,
	};
	size_t l4 = e->about.v6 ? 40U + (e->about.options ? 8U + 4U * e->about.options : 0)
				: 20U + 4U * e->about.options;
	uint8_t about[PACKET_MAX];
	size_t len = packet_build(&e->about, about) - 14;

	return packet_icmp_error(&icmp, about + 14, e->cut ? l4 + e->cut : len, buf);
}

static int run_error(struct fixture *f, int endpoint, const struct error *e)
{
	uint8_t buf[PACKET_MAX];
	size_t len = error_build(e, buf);

	if (endpoint)
		return run_bytes(f, f->skel->progs.up_veth_in, f->veth[endpoint], buf, len);
	return run_bytes(f, f->skel->progs.up_uplink_in, f->uplink, buf, len);
}

static void assert_error(struct fixture *f, const struct error *want)
{
	uint8_t buf[PACKET_MAX];

	packet_assert_bytes(f->out, f->len, buf, error_build(want, buf));
}

/* An even number of words: the options header of IPv6 is a multiple of eight bytes. */
static struct packet varied(struct packet p, const struct variant *v)
{
	p.options = p.v6 ? v->options & ~1 : v->options;
	p.no_csum = v->no_csum;
	if (v->proto == IPPROTO_SCTP)
		p.flags = 1; /* INIT */
	return p;
}

/* A container's packet went out and was masqueraded; somebody outside complains. */
static void error_about_masqueraded(struct fixture *f, const struct variant *v, int kind,
				    uint32_t from, uint16_t port)
{
	struct packet out = varied(from_container(f, A, v->proto, OUTSIDE, port, 443), v), sent;
	struct error e = {.kind = kind, .cut = v->quoted}, want;

	if (v->proto == IPPROTO_ICMP)
		out.dport = 0;
	assert_int_equal(run_veth(f, A, &out), REDIRECT);
	sent = out_by_uplink(f, &out);
	sent.src = HOST;
	packet_assert_equal(f->out, f->len, &sent);

	e.outer = from_client(0, 0, 0);
	e.outer.src = from;
	e.about = sent;
	assert_int_equal(run_error(f, 0, &e), REDIRECT);
	want = e;
	want.outer = into(f, A, &e.outer);
	want.about.src = ADDR_A;
	assert_error(f, &want);
}

static void about_a_masqueraded_packet(void **state)
{
	struct fixture *f = *state;
	uint16_t port = 40000;
	uint64_t n = 0;

	for (size_t i = 0; i < VARIANTS; i++)
		for (int kind = 0; kind < ERRORS; kind++) {
			if (variants[i].v4_only && f->v6)
				continue;
			error_about_masqueraded(f, &variants[i], kind,
						kind == UNREACHABLE ? OUTSIDE : ROUTER, port++);
			n++;
		}
	assert_int_equal(counter(f, UP_CNT_ICMP_FORWARDED), n);
	assert_flows_consistent(f);
}

/* The same where the source port had to be changed: ports differ within, too. */
static void about_a_packet_with_another_port(void **state)
{
	struct fixture *f = *state;
	struct packet b = from_container(f, B, IPPROTO_TCP, OUTSIDE, 40000, 443);
	struct packet a = from_container(f, A, IPPROTO_TCP, OUTSIDE, 40000, 443), sent;
	struct error e = {.kind = TOO_BIG}, want;

	for (uint16_t cut = 0; cut <= 20; cut += 4) {
		if (cut == 4)
			cut = 8;
		a.sport = b.sport = (uint16_t)(40000 + cut);
		assert_int_equal(run_veth(f, B, &b), REDIRECT);
		assert_int_equal(run_veth(f, A, &a), REDIRECT);
		sent = out_by_uplink(f, &a);
		sent.src = HOST;
		sent.sport = word_at(f, l4_at(f));
		assert_int_not_equal(sent.sport, a.sport);
		e.outer = from_client(0, 0, 0);
		e.outer.src = ROUTER;
		e.about = sent;
		e.cut = cut;
		assert_int_equal(run_error(f, 0, &e), REDIRECT);
		want = e;
		want.outer = into(f, A, &e.outer);
		want.about.src = ADDR_A;
		want.about.sport = a.sport;
		assert_error(f, &want);
	}
}

/* An identifier that was changed. */
static void about_an_echo_with_another_identifier(void **state)
{
	struct fixture *f = *state;
	struct packet b = from_container(f, B, IPPROTO_ICMP, OUTSIDE, 77, 0);
	struct packet a = from_container(f, A, IPPROTO_ICMP, OUTSIDE, 77, 0);
	struct error e = {.kind = TTL}, want;

	assert_int_equal(run_veth(f, B, &b), REDIRECT);
	assert_int_equal(run_veth(f, A, &a), REDIRECT);
	e.about = out_by_uplink(f, &a);
	e.about.src = HOST;
	e.about.sport = word_at(f, l4_at(f) + 4);
	assert_int_not_equal(e.about.sport, 77);
	e.outer = from_client(0, 0, 0);
	e.outer.src = ROUTER;
	assert_int_equal(run_error(f, 0, &e), REDIRECT);
	want = e;
	want.outer = into(f, A, &e.outer);
	want.about.src = ADDR_A;
	want.about.sport = 77;
	assert_error(f, &want);
}

/* Somebody outside complains about what came from a published port. */
static void about_a_reply_of_a_published_port(void **state)
{
	struct fixture *f = *state;

	publish(f, A, "8080:80/tcp,udp");
	for (size_t i = 0; i < VARIANTS; i++) {
		const struct variant *v = &variants[i];
		struct packet in = from_client(v->proto, (uint16_t)(40000 + i), 8080), reply;
		struct error e = {.kind = TOO_BIG, .cut = v->quoted}, want;

		if (v->proto == IPPROTO_ICMP || v->proto == IPPROTO_SCTP || (v->v4_only && f->v6))
			continue;
		assert_int_equal(run_uplink(f, &in), REDIRECT);
		reply = varied(from_container(f, A, v->proto, CLIENT, 80, in.sport), v);
		reply.flags = TCP_ACK;
		assert_int_equal(run_veth(f, A, &reply), REDIRECT);
		e.outer = from_client(0, 0, 0);
		e.outer.src = ROUTER;
		e.about = out_by_uplink(f, &reply);
		e.about.src = HOST;
		e.about.sport = 8080;
		packet_assert_equal(f->out, f->len, &e.about);
		assert_int_equal(run_error(f, 0, &e), REDIRECT);
		want = e;
		want.outer = into(f, A, &e.outer);
		want.about.src = ADDR_A;
		want.about.sport = 80;
		assert_error(f, &want);
	}
}

/* A container complains: nothing listens on its port. Outside sees the published one. */
static void by_a_container_about_a_published_port(void **state)
{
	struct fixture *f = *state;

	publish(f, A, "8080:80/tcp,udp");
	for (size_t i = 0; i < VARIANTS; i++) {
		const struct variant *v = &variants[i];
		struct packet in = varied(from_client(v->proto, (uint16_t)(40000 + i), 8080), v);
		struct error e = {.kind = UNREACHABLE, .cut = v->quoted}, want;

		if (v->proto == IPPROTO_ICMP || v->proto == IPPROTO_SCTP || (v->v4_only && f->v6))
			continue;
		assert_int_equal(run_uplink(f, &in), REDIRECT);
		e.about = into(f, A, &in);
		e.about.dport = 80;
		packet_assert_equal(f->out, f->len, &e.about);
		e.outer = from_container(f, A, 0, CLIENT, 0, 0);
		assert_int_equal(run_error(f, A, &e), REDIRECT);
		want = e;
		want.outer = out_by_uplink(f, &e.outer);
		want.outer.src = HOST;
		want.about.dst = HOST;
		want.about.dport = 8080;
		assert_error(f, &want);
	}
}

/* A container complains about what came back to a masqueraded connection of its own. */
static void by_a_container_about_an_answer(void **state)
{
	struct fixture *f = *state;
	struct packet out = from_container(f, A, IPPROTO_UDP, OUTSIDE, 40000, 53);
	struct packet back = from_client(IPPROTO_UDP, 53, 40000);
	struct error e = {.kind = UNREACHABLE}, want;

	assert_int_equal(run_veth(f, A, &out), REDIRECT);
	back.src = OUTSIDE;
	assert_int_equal(run_uplink(f, &back), REDIRECT);
	e.about = into(f, A, &back);
	e.outer = from_container(f, A, 0, OUTSIDE, 0, 0);
	assert_int_equal(run_error(f, A, &e), REDIRECT);
	want = e;
	want.outer = out_by_uplink(f, &e.outer);
	want.outer.src = HOST;
	want.about.dst = HOST;
	assert_error(f, &want);
}

static void between_containers(void **state)
{
	struct fixture *f = *state;
	struct packet out = from_container(f, A, IPPROTO_UDP, ADDR_B, 40000, 53);
	struct error e = {.kind = UNREACHABLE}, want;

	assert_int_equal(run_veth(f, A, &out), REDIRECT);
	e.about = into(f, B, &out);
	e.outer = from_container(f, B, 0, ADDR_A, 0, 0);
	assert_int_equal(run_error(f, B, &e), REDIRECT);
	want = e;
	want.outer = into(f, A, &e.outer);
	assert_error(f, &want);
}

/* A published port of B, reached by A: A knows the host, and not B. */
static void through_a_published_port_between_containers(void **state)
{
	struct fixture *f = *state;
	struct packet out = from_container(f, A, IPPROTO_UDP, HOST, 40000, 8053);
	struct error e = {.kind = UNREACHABLE}, want;

	publish(f, B, "8053:53/udp");
	assert_int_equal(run_veth(f, A, &out), REDIRECT);
	e.about = into(f, B, &out);
	e.about.dport = 53;
	packet_assert_equal(f->out, f->len, &e.about);
	e.outer = from_container(f, B, 0, ADDR_A, 0, 0);
	assert_int_equal(run_error(f, B, &e), REDIRECT);
	want = e;
	want.outer = into(f, A, &e.outer);
	want.outer.src = HOST;
	want.about.dst = HOST;
	want.about.dport = 8053;
	assert_error(f, &want);
}

/* What nobody can have sent, or is about nothing of ours. */
static void not_about_a_flow(void **state)
{
	struct fixture *f = *state;
	struct packet out = from_container(f, A, IPPROTO_UDP, OUTSIDE, 40000, 53);
	struct error e = {.kind = UNREACHABLE};

	assert_int_equal(run_veth(f, A, &out), REDIRECT);
	e.outer = from_client(0, 0, 0);
	e.about = out_by_uplink(f, &out);
	e.about.src = HOST;
	e.about.sport = 40001; /* the host's own, perhaps */
	assert_int_equal(run_error(f, 0, &e), NEXT);
	e.about.sport = 40000;
	e.cut = 4; /* no ports to go by, or not both */
	assert_int_equal(run_error(f, 0, &e), NEXT);
	e.outer = from_container(f, B, 0, OUTSIDE, 0, 0);
	e.cut = 0; /* B is told nothing of A's flows, and cannot speak about them */
	assert_int_equal(run_error(f, B, &e), DROP);
	e.outer = from_container(f, A, 0, OUTSIDE, 0, 0);
	e.outer.src = ADDR_B;
	assert_int_equal(run_error(f, A, &e), DROP);
	assert_int_equal(counter(f, UP_CNT_DROP_SRC_ADDR), 1);
	assert_int_equal(counter(f, UP_CNT_ICMP_FORWARDED), 0);
}

/* At every length: either nothing is done, or all checksums are right. */
static void cut_short_at_every_byte(void **state)
{
	struct fixture *f = *state;
	struct packet out = from_container(f, A, IPPROTO_TCP, OUTSIDE, 40000, 443);
	struct error e = {.kind = UNREACHABLE};
	uint8_t buf[PACKET_MAX];
	size_t len;

	assert_int_equal(run_veth(f, A, &out), REDIRECT);
	e.outer = from_client(0, 0, 0);
	e.about = out_by_uplink(f, &out);
	e.about.src = HOST;
	len = error_build(&e, buf);
	for (size_t cut = f->v6 ? 54 : 34; cut < len; cut++)
		assert_true(run_bytes(f, f->skel->progs.up_uplink_in, f->uplink, buf, cut) !=
			    REDIRECT);
	for (uint16_t quoted = 1; quoted < 52; quoted++) {
		e.cut = quoted;
		assert_int_equal(run_error(f, 0, &e), quoted < 8 ? NEXT : REDIRECT);
		if (quoted >= 8)
			assert_true(packet_checksums_ok(f->out, f->len));
	}
}

static void ttl_of_the_error_itself(void **state)
{
	struct fixture *f = *state;
	struct packet out = from_container(f, A, IPPROTO_UDP, OUTSIDE, 40000, 53);
	struct error e = {.kind = UNREACHABLE};

	assert_int_equal(run_veth(f, A, &out), REDIRECT);
	e.outer = from_client(0, 0, 0);
	e.outer.ttl = 1;
	e.about = out_by_uplink(f, &out);
	e.about.src = HOST;
	assert_int_equal(run_error(f, 0, &e), DROP);
	assert_int_equal(counter(f, UP_CNT_DROP_TTL), 1);
}

static const struct CMUnitTest tests[] = {
	ALL(about_a_masqueraded_packet),
	ALL(about_a_packet_with_another_port),
	ALL(about_an_echo_with_another_identifier),
	ALL(about_a_reply_of_a_published_port),
	ALL(by_a_container_about_a_published_port),
	ALL(by_a_container_about_an_answer),
	ALL(between_containers),
	ALL(through_a_published_port_between_containers),
	ALL(not_about_a_flow),
	ALL(cut_short_at_every_byte),
	ALL(ttl_of_the_error_itself),
};

int main(void)
{
	return cmocka_run_group_tests_name("errors", tests, NULL, NULL);
}
