// SPDX-License-Identifier: GPL-2.0-only
/* What is not ours passes unchanged; what must not pass is dropped under its own name. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "answer.h"

static void assert_untouched_on_uplink(struct fixture *f, const struct packet *p)
{
	assert_int_equal(run_uplink(f, p), NEXT);
	packet_assert_equal(f->out, f->len, p);
}

/* Exactly this counter, and by exactly one. */
static void assert_dropped(struct fixture *f, int endpoint, const struct packet *p,
			   enum up_counter why)
{
	uint64_t before[UP_CNT_MAX];

	for (int i = 0; i < UP_CNT_MAX; i++)
		before[i] = counter(f, (enum up_counter)i);
	assert_int_equal(run_veth(f, endpoint, p), DROP);
	for (int i = 0; i < UP_CNT_MAX; i++)
		assert_int_equal(counter(f, (enum up_counter)i) - before[i], i == (int)why);
	assert_int_equal(flow_entries(f), 0);
}

static void not_ours_on_the_uplink(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_client(IPPROTO_TCP, 40000, 8081);

	publish(f, A, "8080:80/tcp");
	assert_untouched_on_uplink(f, &p); /* not published */
	p = from_client(IPPROTO_UDP, 40000, 8080);
	assert_untouched_on_uplink(f, &p); /* published for TCP only */
	p = from_client(IPPROTO_TCP, 40000, 8080);
	p.flags = TCP_ACK;
	assert_untouched_on_uplink(f, &p); /* no connection */
	p.flags = TCP_SYN | TCP_ACK;
	assert_untouched_on_uplink(f, &p);
	p.flags = TCP_SYN | TCP_RST;
	assert_untouched_on_uplink(f, &p);
	p = from_client(IPPROTO_ICMP, 9, 0);
	p.icmp_type = 8;
	assert_untouched_on_uplink(f, &p); /* the host is pinged */
	p.icmp_type = 3;
	assert_untouched_on_uplink(f, &p);
	p = from_client(132, 40000, 8080); /* SCTP */
	assert_untouched_on_uplink(f, &p);
	assert_int_equal(flow_entries(f), 0);
}

static void other_protocols_on_the_uplink(void **state)
{
	static const uint16_t ethertypes[] = {0x0806, 0x86dd, 0x8100, 0x88cc};
	struct fixture *f = *state;

	publish(f, A, "8080:80/tcp");
	for (size_t i = 0; i < sizeof(ethertypes) / sizeof(ethertypes[0]); i++) {
		struct packet p = from_client(IPPROTO_TCP, 40000, 8080);

		p.ethertype = ethertypes[i];
		assert_untouched_on_uplink(f, &p);
	}
}

static void later_fragments_of_others_on_the_uplink(void **state)
{
	static const uint16_t frags[] = {0x2001, 0x0001, 0x1fff};
	struct fixture *f = *state;

	publish(f, A, "8080:80/udp");
	for (size_t i = 0; i < sizeof(frags) / sizeof(frags[0]); i++) {
		struct packet p = from_client(IPPROTO_UDP, 40000, 8080);

		p.frag = frags[i];
		assert_untouched_on_uplink(f, &p);
	}
}

/* "Don't fragment" alone is no fragment. */
static void dont_fragment_is_no_fragment(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_client(IPPROTO_UDP, 40000, 8080);

	publish(f, A, "8080:80/udp");
	p.frag = 0x4000;
	assert_int_equal(run_uplink(f, &p), REDIRECT);
}

static void foreign_destinations_on_the_uplink(void **state)
{
	static const uint32_t destinations[] = {0x7f000001, OUTSIDE, 0xe0000001, 0xffffffff};
	struct fixture *f = *state;

	publish(f, A, "8080:80/tcp");
	publish(f, A, "127.0.0.1:9090:80/tcp");
	for (size_t i = 0; i < sizeof(destinations) / sizeof(destinations[0]); i++) {
		struct packet p = from_client(IPPROTO_TCP, 40000, 8080);

		p.dst = destinations[i];
		assert_untouched_on_uplink(f, &p);
		p.dport = 9090;
		assert_untouched_on_uplink(f, &p);
	}
}

/* A kernel that forwards would take it there, past what is published. */
static void a_containers_own_address_on_the_uplink(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_client(IPPROTO_TCP, 40000, 8080);

	publish(f, A, "8080:80/tcp");
	p.dst = ADDR_B; /* the port is published, but that is not whose address this is */
	assert_int_equal(run_uplink(f, &p), REDIRECT);
	assert_reset(f, &p);
	p = from_client(IPPROTO_UDP, 40000, 80);
	p.dst = ADDR_A;
	assert_int_equal(run_uplink(f, &p), DROP);
	p = from_client(IPPROTO_ICMP, 40000, 0);
	p.dst = ADDR_A;
	p.icmp_type = 8;
	assert_int_equal(run_uplink(f, &p), DROP);
	p = from_client(253, 0, 0);
	p.dst = ADDR_A;
	assert_int_equal(run_uplink(f, &p), DROP);
	p = from_client(IPPROTO_UDP, 40000, 80);
	p.frag = 100;
	p.dst = ADDR_A;
	assert_int_equal(run_uplink(f, &p), DROP);
	assert_int_equal(counter(f, UP_CNT_DROP_NO_FLOW), 5);
	assert_int_equal(flow_entries(f), 0);
}

static void frame_for_another_host(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_client(IPPROTO_TCP, 40000, 8080);

	publish(f, A, "8080:80/tcp");
	p.eth[5] = 0x99;
	assert_untouched_on_uplink(f, &p);
}

static void spoofed_sources(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_container(f, A, IPPROTO_UDP, OUTSIDE, 40000, 53);

	p.src = ADDR_B;
	assert_dropped(f, A, &p, UP_CNT_DROP_SRC_ADDR);
	p.src = HOST;
	assert_dropped(f, A, &p, UP_CNT_DROP_SRC_ADDR);
	p.src = ADDR_A;
	p.eth[11] ^= 1;
	assert_dropped(f, A, &p, UP_CNT_DROP_SRC_MAC);
}

/* A live flow of A does not help B, though every field of the packet is A's. */
static void a_flow_cannot_be_borrowed(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_container(f, A, IPPROTO_UDP, OUTSIDE, 40000, 53);

	assert_int_equal(run_veth(f, A, &p), REDIRECT);
	assert_int_equal(run_veth(f, B, &p), DROP);
	memcpy(p.eth + 6, f->mac[B], 6);
	assert_int_equal(run_veth(f, B, &p), DROP);
	assert_int_equal(counter(f, UP_CNT_DROP_SRC_ADDR), 1);
	assert_int_equal(counter(f, UP_CNT_DROP_SRC_MAC), 1);
}

static void dropped_by_name(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_container(f, A, IPPROTO_UDP, 0xe00000fb, 5353, 5353);

	assert_dropped(f, A, &p, UP_CNT_DROP_NOT_UNICAST);
	p = from_container(f, A, IPPROTO_UDP, OUTSIDE, 40000, 53);
	p.frag = 100;
	assert_dropped(f, A, &p, UP_CNT_DROP_FRAGMENT);
	p = from_container(f, A, 47, OUTSIDE, 0, 0); /* GRE */
	assert_dropped(f, A, &p, UP_CNT_DROP_PROTO);
	p = from_container(f, A, IPPROTO_TCP, OUTSIDE, 40000, 443);
	p.flags = TCP_RST;
	assert_dropped(f, A, &p, UP_CNT_DROP_NO_FLOW);
	p.dst = ADDR_B;
	assert_dropped(f, A, &p, UP_CNT_DROP_NO_FLOW);
	p = from_container(f, A, IPPROTO_TCP, ADDR_C, 40000, 443);
	assert_dropped(f, A, &p, UP_CNT_DROP_NETWORK);
	p = from_container(f, A, IPPROTO_ICMP, OUTSIDE, 1, 0);
	p.icmp_type = 0;
	assert_dropped(f, A, &p, UP_CNT_DROP_NO_FLOW);
	p = from_container(f, A, IPPROTO_TCP, OUTSIDE, 1, 1);
	p.ethertype = 0x8864;
	assert_dropped(f, A, &p, UP_CNT_DROP_NOT_IP);
}

static void no_endpoint_no_passage(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_container(f, A, IPPROTO_UDP, OUTSIDE, 40000, 53);

	f->endpoints[A].state = UP_ENDPOINT_CLOSING;
	assert_dropped(f, A, &p, UP_CNT_DROP_NO_ENDPOINT);
	p = from_client(IPPROTO_UDP, 40000, 8080);
	publish(f, A, "8080:80/udp");
	assert_untouched_on_uplink(f, &p);
}

/* ARP: own address or a probe passes to the kernel; speaking for others does not. */
static void arp(void **state)
{
	struct fixture *f = *state;
	uint8_t frame[60] = {0};
	const uint8_t fixed[] = {0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1};
	struct bpf_program *prog = f->skel->progs.up_veth_in;

	memset(frame, 0xff, 6);
	memcpy(frame + 6, f->mac[A], 6);
	memcpy(frame + 12, fixed, sizeof(fixed));
	memcpy(frame + 22, f->mac[A], 6);
	assert_int_equal(run_bytes(f, prog, f->veth[A], frame, sizeof(frame)), NEXT); /* probe */
	memcpy(frame + 28, (uint8_t[]){10, 215, 0, 2}, 4);
	assert_int_equal(run_bytes(f, prog, f->veth[A], frame, sizeof(frame)), NEXT);
	frame[31] = 3;
	assert_int_equal(run_bytes(f, prog, f->veth[A], frame, sizeof(frame)), DROP);
	frame[31] = 2;
	frame[27] ^= 1;
	assert_int_equal(run_bytes(f, prog, f->veth[A], frame, sizeof(frame)), DROP);
	assert_int_equal(counter(f, UP_CNT_DROP_ARP), 2);
}

/* A neighbour discovery message of A about @target. */
static int discover(struct fixture *f, uint32_t type, uint32_t dst, uint32_t target, uint32_t ttl)
{
	struct packet p = from_container(f, A, IPPROTO_ICMP, dst, 0, 0);
	uint8_t buf[PACKET_MAX];
	size_t len;

	p.icmp_type = (uint8_t)type;
	p.payload = 16;
	p.ttl = (uint8_t)ttl;
	len = packet_build(&p, buf);
	packet_addr(true, target, buf + l4_at(f) + 8);
	return run_bytes(f, f->skel->progs.up_veth_in, f->veth[A], buf, len);
}

/* RFC 4861: asks for whom it likes, speaks for itself, and only to its link. */
static void neighbour_discovery(void **state)
{
	enum { RS = 133, RA, NS, NA, REDIRECTED };
	static const struct {
		uint32_t type, dst, target, ttl;
		int verdict;
	} cases[] = {
		{NS, GATEWAY, GATEWAY, 255, NEXT}, {NS, HOST, HOST, 255, NEXT},
		{RS, GATEWAY, GATEWAY, 255, NEXT}, {NA, GATEWAY, ADDR_A, 255, NEXT},
		{NA, GATEWAY, ADDR_B, 255, DROP},  {NA, GATEWAY, GATEWAY, 255, DROP},
		{RA, GATEWAY, ADDR_A, 255, DROP},  {REDIRECTED, GATEWAY, ADDR_A, 255, DROP},
		{NS, OUTSIDE, ADDR_A, 255, DROP},  {NA, CLIENT, ADDR_A, 255, DROP},
		{NS, GATEWAY, GATEWAY, 254, DROP}, {NA, GATEWAY, ADDR_A, 64, DROP},
	};
	struct fixture *f = *state;
	uint64_t drops = 0;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		drops += cases[i].verdict == DROP;
		assert_int_equal(
			discover(f, cases[i].type, cases[i].dst, cases[i].target, cases[i].ttl),
			cases[i].verdict);
		assert_int_equal(counter(f, UP_CNT_DROP_ND), drops);
	}
}

static const struct CMUnitTest tests[] = {
	ONCE(not_ours_on_the_uplink),
	ONCE(other_protocols_on_the_uplink),
	ALL(later_fragments_of_others_on_the_uplink),
	ONCE(dont_fragment_is_no_fragment),
	ONCE(foreign_destinations_on_the_uplink),
	ALL(a_containers_own_address_on_the_uplink),
	ONCE(frame_for_another_host),
	ALL(spoofed_sources),
	ALL(a_flow_cannot_be_borrowed),
	ONCE(dropped_by_name),
	ONCE(no_endpoint_no_passage),
	ONCE(arp),
	V6(neighbour_discovery),
};

int main(void)
{
	return cmocka_run_group_tests_name("untouched", tests, NULL, NULL);
}
