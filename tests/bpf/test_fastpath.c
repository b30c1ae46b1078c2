// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fast path decides what the long way would. Each packet is put through twice: as the first in
 * a second, which no fast path takes, and as a later one. What comes out must be the same, and so
 * must what is left of the flow. Whether the long way is right is for the other tests.
 */
#include <netinet/in.h>
#include <string.h>

#include "fixture.h"

/**
 * struct variant - what a packet may have that the fast path must leave alone, or do as well
 * @name: what it is
 * @edit: changes the description, NULL for nothing
 * @byte: offset of a byte of the frame that is set to @value then; 0 for none
 * @seen: flags that the flow's direction has seen, 0 for those of an open connection
 */
struct variant {
	const char *name;
	void (*edit)(struct packet *p);
	size_t byte;
	uint8_t value;
	uint8_t seen;
};

static void last_hop(struct packet *p)
{
	p->ttl = 1;
}
static void dead(struct packet *p)
{
	p->ttl = 0;
}
static void last_but_one(struct packet *p)
{
	p->ttl = 2;
}
static void options(struct packet *p)
{
	p->options = 2;
}
static void first_fragment(struct packet *p)
{
	p->frag = 0x2000;
}
static void later_fragment(struct packet *p)
{
	p->frag = 0x2004;
}
static void dont_fragment(struct packet *p)
{
	p->frag = 0x4000;
}
static void finish(struct packet *p)
{
	p->flags = TCP_FIN | TCP_ACK;
}
static void reset(struct packet *p)
{
	p->flags = TCP_RST | TCP_ACK;
}
static void open_again(struct packet *p)
{
	p->flags = TCP_SYN;
}
static void no_flags(struct packet *p)
{
	p->flags = 0;
}
static void too_big(struct packet *p)
{
	p->payload = 1600;
}
static void empty(struct packet *p)
{
	p->payload = 0;
}
static void no_checksum(struct packet *p)
{
	p->no_csum = true;
}

/* Offsets: 14 bytes of Ethernet, 20 of IPv4. */
static const struct variant variants[] = {
	{.name = "plain"},
	{.name = "nothing in it", .edit = empty},
	{.name = "last hop", .edit = last_hop},
	{.name = "dead", .edit = dead},
	{.name = "last hop but one", .edit = last_but_one},
	{.name = "IP options", .edit = options},
	{.name = "first fragment", .edit = first_fragment},
	{.name = "later fragment", .edit = later_fragment},
	{.name = "not to be fragmented", .edit = dont_fragment},
	{.name = "FIN", .edit = finish},
	{.name = "RST", .edit = reset},
	{.name = "SYN", .edit = open_again},
	{.name = "no flags", .edit = no_flags},
	{.name = "larger than the MTU", .edit = too_big},
	{.name = "no UDP checksum", .edit = no_checksum},
	{.name = "IP version 6 in IPv4", .byte = 14, .value = 0x65},
	{.name = "IP header of 16 bytes", .byte = 14, .value = 0x44},
	{.name = "longer than the frame", .byte = 16, .value = 0x7f},
	{.name = "ends within the transport header", .byte = 17, .value = 27},
	{.name = "TCP header of 16 bytes", .byte = 14 + 20 + 12, .value = 4 << 4},
	{.name = "the other side has reset", .seen = UP_SEEN_SYN | UP_SEEN_ACK | UP_SEEN_PEER_RST},
	{.name = "the first ACK", .seen = UP_SEEN_SYN},
};

/**
 * struct lane - where packets go
 * @prog, @ifindex: the program and the interface that they come by
 * @key:            of their direction of the flow
 * @flow:           that direction, as it is on an open connection
 */
struct lane {
	struct bpf_program *prog;
	int ifindex;
	struct up_tuple key;
	struct up_flow flow;
};

/** struct outcome - what became of a packet, and of its flow */
struct outcome {
	int verdict;
	size_t len;
	uint8_t out[PACKET_MAX];
	struct up_flow flow;
};

static void put_through(struct fixture *f, const struct lane *lane, const struct variant *v,
			const struct packet *p, uint32_t last_seen, struct outcome *ret)
{
	struct up_flow flow = lane->flow;
	uint8_t buf[PACKET_MAX];
	size_t len = packet_build(p, buf);

	if (v->byte)
		buf[v->byte] = v->value;
	if (v->seen && p->proto == IPPROTO_TCP)
		flow.seen = v->seen;
	flow.last_seen = last_seen;
	assert_int_equal(flow_replace(f, &lane->key, &flow), 0);
	memset(ret, 0, sizeof(*ret));
	ret->verdict = run_bytes(f, lane->prog, lane->ifindex, buf, len);
	ret->len = f->len;
	memcpy(ret->out, f->out, f->len);
	assert_true(flow_find(f, &lane->key, &ret->flow));
}

static void compare(struct fixture *f, const struct lane *lane, const struct variant *v,
		    struct packet p)
{
	struct outcome slow, fast;
	uint32_t now;

	if (v->edit)
		v->edit(&p);
	do { /* a second may begin in between */
		now = clock_now(f);
		put_through(f, lane, v, &p, now - 5, &slow);
		put_through(f, lane, v, &p, now, &fast);
	} while (clock_now(f) != now);
	if (slow.verdict == REDIRECT)
		assert_int_equal(slow.flow.last_seen, now);
	slow.flow.last_seen = fast.flow.last_seen;
	if (slow.verdict != fast.verdict || memcmp(&slow.flow, &fast.flow, sizeof(slow.flow)))
		fail_msg("%s: verdict %d and %d, or another flow", v->name, slow.verdict,
			 fast.verdict);
	packet_assert_bytes(fast.out, fast.len, slow.out, slow.len);
}

static void compare_all(struct fixture *f, struct bpf_program *prog, int ifindex, uint32_t from,
			const struct packet *p)
{
	struct lane lane = {.prog = prog, .ifindex = ifindex, .key = tuple((int)from, p)};

	assert_true(flow_find(f, &lane.key, &lane.flow));
	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++)
		compare(f, &lane, &variants[i], *p);
}

static struct packet answer_to(struct fixture *f, const struct packet *p)
{
	struct packet answer = from_client(p->proto, p->dport, p->sport);

	(void)f;
	answer.src = p->dst;
	answer.dst = HOST;
	return answer;
}

/* A connection that is open: each side has said something. */
static void open_connection(struct fixture *f, struct packet *out, struct packet *in)
{
	assert_int_equal(run_veth(f, A, out), REDIRECT);
	*in = answer_to(f, out);
	in->flags = TCP_SYN | TCP_ACK;
	assert_int_equal(run_uplink(f, in), REDIRECT);
	out->flags = in->flags = TCP_ACK;
	assert_int_equal(run_veth(f, A, out), REDIRECT);
	assert_int_equal(run_uplink(f, in), REDIRECT);
}

static void both_ways(struct fixture *f, uint8_t proto)
{
	struct packet out = from_container(f, A, proto, OUTSIDE, 40000, 443), in;

	open_connection(f, &out, &in);
	compare_all(f, f->skel->progs.up_veth_in, f->veth[A], (uint32_t)f->veth[A], &out);
	compare_all(f, f->skel->progs.up_uplink_in, f->uplink, 0, &in);
}

static void tcp(void **state)
{
	both_ways(*state, IPPROTO_TCP);
}

static void udp(void **state)
{
	both_ways(*state, IPPROTO_UDP);
}

/* Where ports change, too: the destination inward, the source outward. */
static void published(void **state)
{
	struct fixture *f = *state;
	struct packet in = from_client(IPPROTO_UDP, 40000, 8080);
	struct packet out = from_container(f, A, IPPROTO_UDP, CLIENT, 80, 40000);

	publish(f, A, "8080:80/udp");
	assert_int_equal(run_uplink(f, &in), REDIRECT);
	assert_int_equal(run_veth(f, A, &out), REDIRECT);
	compare_all(f, f->skel->progs.up_uplink_in, f->uplink, 0, &in);
	compare_all(f, f->skel->progs.up_veth_in, f->veth[A], (uint32_t)f->veth[A], &out);
}

/* To the host itself: there is a flow, but nothing to rewrite. */
static void to_the_host(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_container(f, A, IPPROTO_UDP, HOST, 40000, 53);

	assert_int_equal(run_veth(f, A, &p), NEXT);
	compare_all(f, f->skel->progs.up_veth_in, f->veth[A], (uint32_t)f->veth[A], &p);
}

/* What comes later finds its ports only if the long way has seen the first fragment. */
static void a_first_fragment_is_noted(void **state)
{
	struct fixture *f = *state;
	struct packet out = from_container(f, A, IPPROTO_UDP, OUTSIDE, 40000, 443), in, first,
		      later;
	int verdict;
	uint32_t now;

	open_connection(f, &out, &in);
	do { /* within one second */
		now = clock_now(f);
		first = later = out;
		first.frag_id = later.frag_id = (uint16_t)now;
		first.frag = 0x2000;
		later.frag = 5; /* after 8 bytes of header and 32 of payload */
		assert_int_equal(run_veth(f, A, &out), REDIRECT);
		assert_int_equal(run_veth(f, A, &first), REDIRECT);
		verdict = run_veth(f, A, &later);
	} while (clock_now(f) != now);
	assert_int_equal(verdict, REDIRECT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(tcp),
		BOTH(udp),
		ONCE(published),
		ONCE(to_the_host),
		ONCE(a_first_fragment_is_noted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
