// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random sequences of packets through the programs and through a model of the same NAT (model.h):
 * the verdicts and the packets that come out must be the same, byte by byte. Few addresses and few
 * ports, so that flows meet, collide, fill the table and end. MODEL_SEED and MODEL_STEPS in
 * environment choose another sequence, or a longer one; a failure names its own.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "answer.h"
#include "model.h"

#define STEPS      4000
#define MORE_FRAGS 0x2000

/* So much less of a TCP segment with 40 bytes is half a checksum: nobody can update that. */
#define HALF_CHECKSUM (20 + 40 - 17)

static uint64_t seed;

/* xorshift64*: the same sequence everywhere */
static uint32_t any(uint32_t below)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (uint32_t)((seed * 0x2545f4914f6cdd1dULL) >> 32) % below;
}

static bool one_in(uint32_t n)
{
	return !any(n);
}

#define PICK(list) (list)[any(sizeof(list) / sizeof((list)[0]))]

static uint32_t number(const char *name, uint32_t otherwise)
{
	const char *text = getenv(name);

	return text ? (uint32_t)strtoul(text, NULL, 0) : otherwise;
}

static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_TCP,  IPPROTO_UDP,
				 IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_SCTP};
static const uint16_t sports[] = {80, 81, 1000, 8080, 40000, 40001};
static const uint16_t dports[] = {53, 80, 81, 8080, 8081, 8082};

static uint8_t random_flags(uint8_t proto)
{
	static const uint8_t tcp[] = {TCP_SYN,           TCP_SYN,          TCP_SYN,
				      TCP_ACK,           TCP_RST,          TCP_SYN | TCP_ACK,
				      TCP_FIN | TCP_ACK, TCP_RST | TCP_ACK};
	static const uint8_t chunks[] = {1, 1, 2, 3, 0, 6};

	return proto == IPPROTO_SCTP ? PICK(chunks) : PICK(tcp);
}

/* What makes packets of any kind unlike each other. */
static void vary(struct packet *p)
{
	static const uint8_t ttls[] = {0, 1, 2, 255};

	p->payload = (uint16_t)any(64);
	p->fill = (uint8_t)any(256);
	if (one_in(8))
		p->ttl = PICK(ttls);
	if (one_in(8))
		p->options = (uint8_t)(1 + any(4));
	if (!p->v6 && p->proto == IPPROTO_UDP && one_in(8))
		p->no_csum = true;
	if (one_in(6)) {
		p->frag_id = (uint16_t)(1 + any(4));
		p->frag = (uint16_t)(one_in(2) ? MORE_FRAGS
					       : (any(2) ? MORE_FRAGS : 0) | (1 + any(20)));
	}
}

/* A packet from anywhere to anywhere. Return: where it comes by */
static int random_packet(struct fixture *f, struct packet *ret)
{
	static const uint32_t out[] = {CLIENT,          OUTSIDE,        HOST,    HOST2,
				       GATEWAY,         ADDR_A,         ADDR_B,  ADDR_C,
				       NET_UNREACHABLE, NET_PROHIBITED, OUTSIDE, HOST};
	static const uint32_t in[] = {HOST, HOST, HOST2}, from[] = {CLIENT, CLIENT, OUTSIDE};
	int at = (int)any(4);
	uint8_t proto = PICK(protos);

	if (at == UPLINK) {
		*ret = from_client(proto, PICK(sports), PICK(dports));
		ret->src = PICK(from);
		ret->dst = PICK(in);
		ret->icmp_type = 0;
	} else {
		*ret = from_container(f, at, proto, PICK(out), PICK(sports), PICK(dports));
		ret->icmp_type = one_in(4) ? 0 : 8;
		if (one_in(20))
			ret->src = PICK(out);
		if (ret->dst == ret->src)
			ret->dst = OUTSIDE;
	}
	ret->flags = random_flags(proto);
	return at;
}

/* The step at hand, for a failure's report. */
static struct {
	uint32_t first, steps, done;
	uint32_t kinds[MODEL_KINDS], moved, errors;
	int at;
	struct packet p;
	struct model_answer a;
} step_at;

static int next_packet(struct model *m, struct fixture *f, struct packet *ret)
{
	int at = one_in(3) ? model_reply(m, f, any(FLOWS_MAX), ret) : -1;

	if (at < 0)
		at = random_packet(f, ret);
	else if (one_in(3))
		ret->flags = random_flags(ret->proto);
	vary(ret);
	return at;
}

/* Type and code of IPv4 and IPv6: unreachable, too big, expired. */
static const struct meaning errors[] = {{3, 1, 1, 0}, {3, 3, 1, 4}, {3, 4, 2, 0}, {11, 0, 3, 0}};

/* The error about the first @cut bytes of a packet. */
static size_t build_error(const struct packet *outer, const struct packet *about,
			  const struct meaning *m, size_t missing, uint8_t buf[PACKET_MAX])
{
	uint8_t quoted[PACKET_MAX];
	size_t len = packet_build(about, quoted) - 14 - missing;
	struct icmp_error e = {
		.outer = *outer,
		.type = outer->v6 ? m->type6 : m->type4,
		.code = outer->v6 ? m->code6 : m->code4,
		.rest = 1300,
	};

	return packet_icmp_error(&e, quoted + 14, len, buf);
}

/* Return: false where there is no flow that an error could be about */
static bool error_step(struct model *m, struct fixture *f)
{
	const struct meaning *meaning = &PICK(errors);
	uint8_t in[PACKET_MAX], want[PACKET_MAX];
	struct model_error e;
	size_t len, missing;

	if (!model_error(m, f, any(FLOWS_MAX), one_in(2), one_in(2), &e))
		return false;
	for (int i = 0; i < 2; i++) {
		e.about[i].payload = 40;
		e.about[i].ttl = 3;
		e.about[i].options = (uint8_t)(meaning->code4 * 2);
		e.about[i].no_csum = !e.about[i].v6 && meaning->type4 == 11;
	}
	/* At least 8 bytes of the transport header are there. */
	missing = any(40 + (e.about[0].proto == IPPROTO_TCP ? 13 : 1));
	if (missing == HALF_CHECKSUM)
		missing = 0;
	len = build_error(&e.outer[0], &e.about[0], meaning, missing, in);
	assert_int_equal(
		run_bytes(f,
			  e.at == UPLINK ? f->skel->progs.up_uplink_in : f->skel->progs.up_veth_in,
			  e.at == UPLINK ? f->uplink : f->veth[e.at], in, len),
		REDIRECT);
	len = build_error(&e.outer[1], &e.about[1], meaning, missing, want);
	packet_assert_bytes(f->out, f->len, want, len);
	step_at.errors++;
	return true;
}

static int run_at(struct fixture *f, int at, const struct packet *p)
{
	return at == UPLINK ? run_uplink(f, p) : run_veth(f, at, p);
}

/* The source port, or the identifier, of what came out. */
static uint16_t port_that_came_out(const struct fixture *f, const struct packet *p)
{
	struct packet bare = *p;
	uint8_t buf[PACKET_MAX];
	size_t l4;

	bare.payload = 0;
	l4 = packet_build(&bare, buf);
	l4 -= p->proto == IPPROTO_TCP ? 20 : 8;
	return word_at(f, p->proto == IPPROTO_ICMP ? l4 + 4 : l4);
}

static void expect_forwarded(struct model *m, struct fixture *f, struct model_answer *a)
{
	if (a->new_port)
		assert_true(model_adopt(m, port_that_came_out(f, &a->packet), a));
	packet_assert_equal(f->out, f->len, &a->packet);
}

static void expect(struct model *m, struct fixture *f, const struct packet *p,
		   struct model_answer *a)
{
	switch (a->kind) {
	case MODEL_DROP:
		break;
	case MODEL_NEXT:
		packet_assert_equal(f->out, f->len, p);
		break;
	case MODEL_FORWARD:
		expect_forwarded(m, f, a);
		break;
	case MODEL_TTL:
		assert_error(f, p, a->from, &ttl_expired, 0);
		break;
	case MODEL_NO_ROUTE:
		assert_error(f, p, a->from, &no_route, 0);
		break;
	case MODEL_PROHIBITED:
		assert_error(f, p, a->from, &prohibited, 0);
		break;
	case MODEL_RST:
		assert_reset(f, p);
		break;
	case MODEL_KINDS:
		fail();
	}
}

static int verdict_of(enum model_kind kind)
{
	return kind == MODEL_DROP ? DROP : kind == MODEL_NEXT ? NEXT : REDIRECT;
}

/* Answers are limited in rate, and that is for another test. */
static bool too_many_answers(struct fixture *f, enum model_kind kind)
{
	static uint64_t seen;
	uint64_t now = counter(f, UP_CNT_DROP_REPLY_RATE);
	bool more = kind >= MODEL_TTL && now == seen + 1;

	seen = now;
	return more;
}

/* The port of a flow whose first packet was not forwarded is not to be seen: it begins again. */
static void forget_unseen(struct model *m, struct fixture *f)
{
	assert_int_equal(reap(f, (struct up_reap){}), model_end(m, 0));
}

/* A flow to the host has one direction, the others two. */
static unsigned int entries_of(const struct model *m)
{
	unsigned int n = 0;

	for (size_t i = 0; i < m->n_flows; i++)
		n += m->flows[i].out.at == TO_HOST ? 1 : 2;
	return n;
}

static void step(struct model *m, struct fixture *f)
{
	struct model_answer a;
	struct packet p;
	int at, verdict;

	if (one_in(80)) {
		at = (int)any(4);
		assert_int_equal(reap(f, (struct up_reap){.endpoint = (uint32_t)at}),
				 model_end(m, at));
		return;
	}
	if (one_in(8) && error_step(m, f))
		return;
	at = next_packet(m, f, &p);
	a = model_packet(m, f, at, &p);
	step_at.at = at;
	step_at.p = p;
	step_at.a = a;
	step_at.kinds[a.kind]++;
	step_at.moved += a.new_port;
	verdict = run_at(f, at, &p);
	if (verdict != DROP || !too_many_answers(f, a.kind)) {
		assert_int_equal(verdict, verdict_of(a.kind));
		expect(m, f, &p, &a);
	}
	assert_int_equal(flow_entries(f), entries_of(m));
	if (a.new_port && a.kind != MODEL_FORWARD)
		forget_unseen(m, f);
}

static void publish_some(struct model *m, struct fixture *f)
{
	static const struct model_port ports[] = {
		{A, IPPROTO_TCP, 8080, 80},   {A, IPPROTO_UDP, 8080, 80},
		{A, IPPROTO_TCP, 8081, 80},   {B, IPPROTO_UDP, 8081, 81},
		{C, IPPROTO_TCP, 8082, 8082}, {B, IPPROTO_SCTP, 8082, 8082},
	};

	m->n_ports = sizeof(ports) / sizeof(ports[0]);
	memcpy(m->ports, ports, sizeof(ports));
	publish(f, A, "8080:80/tcp,udp");
	publish(f, A, "8081:80/tcp");
	publish(f, B, "8081:81/udp");
	publish(f, C, "8082:8082/tcp");
	publish(f, B, "8082:8082/sctp");
}

static void the_same_as_the_model(void **state)
{
	struct fixture *f = *state;
	struct model *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	step_at.first = number("MODEL_SEED", (uint32_t)time(NULL));
	step_at.steps = number("MODEL_STEPS", STEPS);
	seed = step_at.first * 0x9e3779b97f4a7c15ULL + 1;
	publish_some(m, f);
	for (int t = 0; t < UP_TMO_MAX; t++)
		set_timeout(f, t, 1000000);
	for (step_at.done = 0; step_at.done < step_at.steps; step_at.done++)
		step(m, f);
	assert_flows_consistent(f);
	free(m);
}

static void say_what(void)
{
	const uint32_t *n = step_at.kinds;

	fprintf(stderr,
		"# %u forwarded, %u of them new with another port; %u to the host, %u answered, "
		"%u dropped; %u errors translated\n",
		n[MODEL_FORWARD], step_at.moved, n[MODEL_NEXT],
		n[MODEL_TTL] + n[MODEL_NO_ROUTE] + n[MODEL_PROHIBITED] + n[MODEL_RST],
		n[MODEL_DROP], step_at.errors);
}

static void say_packet(const struct packet *p, const struct model_answer *a)
{
	fprintf(stderr,
		"# the last: by %d, protocol %u, %08x:%u > %08x:%u, type %u, flags %#x, ttl %u, "
		"fragment %#x of %u, options %u; expected: %d%s\n",
		step_at.at, p->proto, p->src, p->sport, p->dst, p->dport, p->icmp_type, p->flags,
		p->ttl, p->frag, p->frag_id, p->options, a->kind,
		a->new_port ? ", another port" : "");
}

/* How to see it again, and what the last packet was. */
static int say_how(void **state)
{
	fprintf(stderr, "# MODEL_SEED=%u: %u of %u steps\n", step_at.first, step_at.done,
		step_at.steps);
	say_what();
	if (step_at.done < step_at.steps)
		say_packet(&step_at.p, &step_at.a);
	memset(&step_at, 0, sizeof(step_at));
	return fixture_end(state);
}

static const struct CMUnitTest tests[] = {
	{"IPv4, checksum in place", the_same_as_the_model, fixture_in_place, say_how, NULL},
	{"IPv4, checksum by helper", the_same_as_the_model, fixture_by_helper, say_how, NULL},
	{"IPv6, checksum in place", the_same_as_the_model, fixture_v6_in_place, say_how, NULL},
	{"IPv6, checksum by helper", the_same_as_the_model, fixture_v6_by_helper, say_how, NULL},
};

int main(void)
{
	return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
