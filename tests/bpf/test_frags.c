// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fragments. Each is rewritten by itself: what is compared is the whole packet, put together again
 * from what came out, with the checksum computed in full.
 */
#include <netinet/in.h>
#include <string.h>

#include "fixture.h"

#define MORE 0x2000
#define HEAD (14 + 60) /* more than any header before the fragment's payload */

/**
 * struct cut - a packet as its fragments carry it
 * @whole: the packet, unfragmented
 * @bytes: from its transport header on
 * @len:   how many
 */
struct cut {
	struct packet whole;
	uint8_t bytes[PACKET_MAX];
	size_t len;
};

static size_t header_of(const struct packet *p)
{
	return 14 + (p->v6 ? 40 : 20);
}

static struct cut cut(const struct packet *p)
{
	struct cut c = {.whole = *p};
	uint8_t buf[PACKET_MAX];

	c.len = packet_build(p, buf) - header_of(p);
	memcpy(c.bytes, buf + header_of(p), c.len);
	return c;
}

/* A fragment: its IP header, and the bytes [from, to) of the packet's. */
static size_t fragment(const struct cut *c, size_t from, size_t to, uint8_t buf[PACKET_MAX])
{
	struct packet p = c->whole;
	size_t header;

	p.frag = (uint16_t)((to < c->len ? MORE : 0) | from / 8);
	p.frag_id = 0x4321;
	p.proto = p.v6 ? packet_proto(&c->whole) : c->whole.proto;
	p.payload = (uint16_t)(to - from);
	/* Built as a packet of another protocol, so that the payload is all there is. */
	p.proto = 253;
	header = packet_build(&p, buf) - p.payload;
	if (p.v6) {
		buf[14 + 40] = packet_proto(&c->whole);
	} else {
		uint16_t sum;

		buf[23] = c->whole.proto;
		buf[24] = buf[25] = 0;
		sum = (uint16_t)~packet_sum(buf + 14, 20, 0);
		buf[24] = (uint8_t)(sum >> 8);
		buf[25] = (uint8_t)sum;
	}
	memcpy(buf + header, c->bytes + from, to - from);
	return header + to - from;
}

typedef int (*run_fn)(struct fixture *f, const uint8_t *data, size_t len);

static int by_uplink(struct fixture *f, const uint8_t *data, size_t len)
{
	return run_bytes(f, f->skel->progs.up_uplink_in, f->uplink, data, len);
}

static int by_veth_a(struct fixture *f, const uint8_t *data, size_t len)
{
	return run_bytes(f, f->skel->progs.up_veth_in, f->veth[A], data, len);
}

/* Send bytes [from, to) of @in; what comes out is the same fragment of @want. */
static void assert_follows(struct fixture *f, run_fn run, const struct cut *in,
			   const struct cut *want, size_t from, size_t to)
{
	uint8_t buf[PACKET_MAX], expected[PACKET_MAX];
	size_t len = fragment(in, from, to, buf);

	assert_int_equal(run(f, buf, len), REDIRECT);
	len = fragment(want, from, to, expected);
	packet_assert_bytes(f->out, f->len, expected, len);
}

static void into_a_published_port(void **state)
{
	static const uint8_t protos[] = {IPPROTO_UDP, IPPROTO_TCP};
	struct fixture *f = *state;

	publish(f, A, "8080:80/tcp,udp");
	for (int i = 0; i < 2; i++) {
		struct packet p = from_client(protos[i], 40000, 8080), out;
		struct cut in, want;

		p.payload = 200;
		out = into(f, A, &p);
		out.dport = 80;
		in = cut(&p);
		want = cut(&out);
		assert_follows(f, by_uplink, &in, &want, 0, 64);
		assert_follows(f, by_uplink, &in, &want, 128,
			       in.len); /* the last before the middle */
		assert_follows(f, by_uplink, &in, &want, 64, 128);
	}
	assert_int_equal(flow_entries(f), 4);
}

static void masqueraded(void **state)
{
	static const uint8_t protos[] = {IPPROTO_UDP, IPPROTO_ICMP};
	struct fixture *f = *state;

	for (int i = 0; i < 2; i++) {
		struct packet p = from_container(f, A, protos[i], OUTSIDE, 40000, 53), out;
		struct cut in, want;

		p.payload = 300;
		if (protos[i] == IPPROTO_ICMP)
			p.dport = 0;
		out = out_by_uplink(f, &p);
		out.src = HOST;
		in = cut(&p);
		want = cut(&out);
		assert_follows(f, by_veth_a, &in, &want, 0, 96);
		assert_follows(f, by_veth_a, &in, &want, 96, in.len);
	}
}

/* Nobody knows whose it is. */
static void a_later_one_before_the_first(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_client(IPPROTO_UDP, 40000, 8080);
	uint8_t buf[PACKET_MAX];
	struct cut c;
	size_t len;

	publish(f, A, "8080:80/udp");
	p.payload = 200;
	c = cut(&p);
	len = fragment(&c, 64, c.len, buf);
	assert_int_equal(by_uplink(f, buf, len), NEXT);
	packet_assert_bytes(f->out, f->len, buf, len);
	p = from_container(f, A, IPPROTO_UDP, OUTSIDE, 40000, 53);
	p.payload = 200;
	c = cut(&p);
	len = fragment(&c, 64, c.len, buf);
	assert_int_equal(by_veth_a(f, buf, len), DROP);
	assert_int_equal(counter(f, UP_CNT_DROP_FRAGMENT), 1);
	assert_int_equal(flow_entries(f), 0);
}

/* Another container's identification is another packet's. */
static void not_of_another_sender(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_container(f, A, IPPROTO_UDP, OUTSIDE, 40000, 53);
	uint8_t buf[PACKET_MAX];
	struct cut c;
	size_t len;

	p.payload = 200;
	c = cut(&p);
	len = fragment(&c, 0, 64, buf);
	assert_int_equal(by_veth_a(f, buf, len), REDIRECT);
	p = from_container(f, B, IPPROTO_UDP, OUTSIDE, 40000, 53);
	p.src = ADDR_A; /* spoofed, to borrow A's */
	p.payload = 200;
	c = cut(&p);
	len = fragment(&c, 64, c.len, buf);
	assert_int_equal(run_bytes(f, f->skel->progs.up_veth_in, f->veth[B], buf, len), DROP);
	assert_int_equal(counter(f, UP_CNT_DROP_SRC_ADDR), 1);
}

/* Somebody outside uses a container's address and its identification: that is another packet's. */
static void not_of_an_impostor_outside(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_container(f, A, IPPROTO_UDP, HOST, 40000, 8080), want;
	struct packet other = from_client(IPPROTO_UDP, 40000, 8081);
	uint8_t buf[PACKET_MAX];
	struct cut c, d, w;
	size_t len;

	publish(f, B, "8080:80/udp");
	publish(f, B, "8081:81/udp");
	p.payload = other.payload = 200;
	other.src = ADDR_A;
	c = cut(&p);
	d = cut(&other);
	len = fragment(&c, 0, 64, buf);
	assert_int_equal(by_veth_a(f, buf, len), REDIRECT);
	len = fragment(&d, 0, 64, buf);
	assert_int_equal(by_uplink(f, buf, len), REDIRECT);
	want = into(f, B, &p);
	want.dport = 80;
	w = cut(&want);
	assert_follows(f, by_veth_a, &c, &w, 64, c.len);
}

/* A flood of first fragments costs fragments, never a flow: 64 flows is all that fits here. */
static void a_flood_evicts_no_flow(void **state)
{
	struct fixture *f = *state;
	struct packet live = from_container(f, B, IPPROTO_UDP, OUTSIDE, 40000, 53), want;
	uint8_t buf[PACKET_MAX];

	assert_int_equal(run_veth(f, B, &live), REDIRECT);
	f->endpoints[A].flow_max = 8;
	for (uint32_t i = 0; i < 20000; i++) {
		struct packet p = from_container(f, A, IPPROTO_UDP, OUTSIDE,
						 (uint16_t)(1024 + i % 50000), 53);
		struct cut c;
		size_t len;

		p.payload = 100;
		c = cut(&p);
		len = fragment(&c, 0, 64, buf);
		buf[f->v6 ? 14 + 40 + 4 : 18] = (uint8_t)(i >> 8); /* identification; IPv4: any */
		by_veth_a(f, buf, len);
	}
	assert_int_equal(counter(f, UP_CNT_FLOW_EXPIRED), 0);
	assert_int_equal(run_veth(f, B, &live), REDIRECT);
	want = out_by_uplink(f, &live);
	want.src = HOST;
	packet_assert_equal(f->out, f->len, &want);
	assert_flows_consistent(f);
}

/* RFC 1858: a first fragment that ends within the transport header. */
static void tiny_fragments(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_container(f, A, IPPROTO_TCP, OUTSIDE, 40000, 443);
	uint8_t buf[PACKET_MAX];
	struct cut c;
	size_t len;

	p.payload = 100;
	c = cut(&p);
	len = fragment(&c, 0, 8, buf);
	assert_int_equal(by_veth_a(f, buf, len), DROP);
	assert_int_equal(counter(f, UP_CNT_DROP_MALFORMED), 1);
	assert_int_equal(flow_entries(f), 0);
}

static const struct CMUnitTest tests[] = {
	ALL(into_a_published_port),
	ALL(masqueraded),
	ALL(a_later_one_before_the_first),
	ALL(not_of_another_sender),
	ALL(not_of_an_impostor_outside),
	ALL(a_flood_evicts_no_flow),
	ALL(tiny_fragments),
};

int main(void)
{
	return cmocka_run_group_tests_name("frags", tests, NULL, NULL);
}
