// SPDX-License-Identifier: GPL-2.0-only
/*
 * Containers with a macvlan child of the uplink: A and C are children, B has a veth. Where a packet
 * goes is told by verdict, MACs and mark: NEXT is the uplink it is at; REDIRECT with the mark is
 * into an uplink once more, without it into a veth.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <net/if.h>

#include "answer.h"

#define NOBODY_ID 77

static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t stranger[6] = {2, 0, 0, 0, 0, 0x99};

static void child_mac(int id, uint8_t ret[6])
{
	memcpy(ret, (uint8_t[])UP_CHILD_MAC(id), 6);
}

static void ip(const char *arguments)
{
	char command[256];

	snprintf(command, sizeof(command), "ip %s", arguments);
	assert_int_equal(system(command), 0);
}

/* The host's own child of the uplink; forwarding is on as it is at a veth. */
static uint32_t make_gateway(void)
{
	ip("link add gw link uplink address 02:75:70:00:00:01 type macvlan mode private");
	ip("link set gw up");
	assert_int_equal(system("echo 1 >/proc/sys/net/ipv4/conf/gw/forwarding"), 0);
	assert_int_equal(system("echo 1 >/proc/sys/net/ipv6/conf/gw/forwarding"), 0);
	return if_nametoindex("gw");
}

static void make_child(struct fixture *f, int id, uint32_t gateway)
{
	struct up_endpoint *ep = &f->endpoints[id];

	ep->device = UP_NETDEV_MACVLAN;
	ep->ifindex = UP_IF_CHILD | (uint32_t)id;
	ep->host_if = gateway;
	ep->uplink = (uint32_t)f->uplink;
	child_mac(id, f->mac[id]);
	memcpy(ep->mac, f->mac[id], 6);
}

static void make_children(struct fixture *f)
{
	uint32_t gateway = make_gateway();

	make_child(f, A, gateway);
	make_child(f, C, gateway);
	f->endpoints[C].net = 0;
}

/* At the uplink's egress. */
static int run_out(struct fixture *f, const struct packet *p)
{
	uint8_t buf[PACKET_MAX];
	size_t len = packet_build(p, buf);

	return run_bytes(f, f->skel->progs.up_macvlan_out, f->uplink, buf, len);
}

static void set_dmac(struct packet *p, const uint8_t mac[6])
{
	memcpy(p->eth, mac, 6);
}

static void set_smac(struct packet *p, const uint8_t mac[6])
{
	memcpy(p->eth + 6, mac, 6);
}

static struct packet answer(struct fixture *f, int endpoint, const struct packet *received)
{
	struct packet a = from_container(f, endpoint, received->proto, received->src,
					 received->dport, received->sport);

	a.flags = TCP_SYN | TCP_ACK;
	return a;
}

#define assert_round(f, verdict)                      \
	do {                                          \
		assert_int_equal(verdict, REDIRECT);  \
		assert_int_equal((f)->mark, UP_MARK); \
	} while (0)

#define assert_straight(f, verdict, want)        \
	do {                                     \
		assert_int_equal(verdict, want); \
		assert_int_equal((f)->mark, 0);  \
	} while (0)

static void published_port_in_and_back(void **state)
{
	struct fixture *f = *state;
	struct packet in = from_client(IPPROTO_TCP, 40000, 8080), want, back;

	make_children(f);
	publish(f, A, "8080:80/tcp");
	assert_straight(f, run_uplink(f, &in), NEXT);
	want = into(f, A, &in);
	want.dport = 80;
	packet_assert_equal(f->out, f->len, &want);

	back = answer(f, A, &want);
	assert_straight(f, run_out(f, &back), NEXT);
	want = out_by_uplink(f, &back);
	want.src = HOST;
	want.sport = 8080;
	packet_assert_equal(f->out, f->len, &want);
	assert_flows_consistent(f);
}

static void masqueraded_out_and_back(void **state)
{
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP};
	struct fixture *f = *state;

	make_children(f);
	for (int i = 0; i < 3; i++) {
		struct packet out = from_container(f, A, protos[i], OUTSIDE, 40000, 443);
		struct packet want = out_by_uplink(f, &out), back;

		want.src = HOST;
		assert_straight(f, run_out(f, &out), NEXT);
		packet_assert_equal(f->out, f->len, &want);

		back = from_client(protos[i], protos[i] == IPPROTO_ICMP ? 40000 : 443, 40000);
		back.src = OUTSIDE;
		back.flags = TCP_SYN | TCP_ACK;
		assert_straight(f, run_uplink(f, &back), NEXT);
		want = into(f, A, &back);
		packet_assert_equal(f->out, f->len, &want);
	}
	assert_flows_consistent(f);
}

/* Twice each: the first packet makes the flow. */
static void child_to_child(void **state)
{
	struct fixture *f = *state;
	struct packet out, back, want;

	make_children(f);
	out = from_container(f, A, IPPROTO_UDP, ADDR_C, 40000, 53);
	back = from_container(f, C, IPPROTO_UDP, ADDR_A, 53, 40000);
	for (int i = 0; i < 2; i++) {
		assert_round(f, run_out(f, &out));
		want = into(f, C, &out);
		packet_assert_equal(f->out, f->len, &want);
		assert_round(f, run_out(f, &back));
		want = into(f, A, &back);
		packet_assert_equal(f->out, f->len, &want);
	}
	assert_flows_consistent(f);
}

static void between_child_and_veth(void **state)
{
	struct fixture *f = *state;
	struct packet out, back, want;

	make_children(f);
	out = from_container(f, A, IPPROTO_UDP, ADDR_B, 40000, 53);
	assert_straight(f, run_out(f, &out), REDIRECT);
	want = into(f, B, &out);
	packet_assert_equal(f->out, f->len, &want);

	back = answer(f, B, &want);
	assert_round(f, run_veth(f, B, &back));
	want = into(f, A, &back);
	packet_assert_equal(f->out, f->len, &want);

	out = from_container(f, B, IPPROTO_TCP, ADDR_A, 41000, 80);
	assert_round(f, run_veth(f, B, &out));
	want = into(f, A, &out);
	back = answer(f, A, &want);
	assert_straight(f, run_out(f, &back), REDIRECT);
	assert_flows_consistent(f);
}

/* A to a published port of its own: it sees its gateway. */
static void assert_hairpin(struct fixture *f)
{
	struct packet out, want;

	publish(f, A, "8080:80/tcp");
	out = from_container(f, A, IPPROTO_TCP, HOST, 40000, 8080);
	assert_round(f, run_out(f, &out));
	want = into(f, A, &out);
	want.src = GATEWAY;
	want.dport = 80;
	packet_assert_equal(f->out, f->len, &want);
	assert_flows_consistent(f);
}

static void hairpin(void **state)
{
	make_children(*state);
	assert_hairpin(*state);
}

/* To the gateway's MAC, whatever the container wrote. */
static void to_the_host(void **state)
{
	static const uint32_t to[] = {GATEWAY, HOST};
	struct fixture *f = *state;

	make_children(f);
	for (int i = 0; i < 4; i++) {
		struct packet p = from_container(f, A, IPPROTO_UDP, to[i / 2], 40000, 53);

		set_dmac(&p, everybody);
		assert_round(f, run_out(f, &p));
		set_dmac(&p, f->gateway_mac);
		packet_assert_equal(f->out, f->len, &p);
	}
	assert_int_equal(counter(f, UP_CNT_TO_HOST), 2);
	assert_flows_consistent(f);
}

static void from_the_host(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_client(IPPROTO_TCP, 40000, 80);

	make_children(f);
	p.dst = ADDR_A;
	set_dmac(&p, f->mac[A]);
	set_smac(&p, f->gateway_mac);
	assert_round(f, run_out(f, &p));
	packet_assert_equal(f->out, f->len, &p);

	child_mac(NOBODY_ID, p.eth);
	assert_straight(f, run_out(f, &p), DROP);
	assert_int_equal(counter(f, UP_CNT_DROP_NO_ENDPOINT), 1);
	set_dmac(&p, everybody);
	assert_straight(f, run_out(f, &p), DROP);
	set_dmac(&p, stranger);
	assert_straight(f, run_out(f, &p), DROP);
	assert_int_equal(counter(f, UP_CNT_DROP_NOT_UNICAST), 2);
	assert_int_equal(flow_entries(f), 0);
}

static void others_children(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_client(IPPROTO_TCP, 40000, 80);

	make_children(f);
	set_smac(&p, stranger);
	set_dmac(&p, f->client_mac);
	assert_straight(f, run_out(f, &p), NEXT);
	packet_assert_equal(f->out, f->len, &p);
	memcpy(p.eth + 6, (uint8_t[]){0x02, 0x75, 0x70, 0x02, 0x00, A}, 6);
	assert_straight(f, run_out(f, &p), NEXT);
	packet_assert_equal(f->out, f->len, &p);
	assert_int_equal(flow_entries(f), 0);
}

/* Sent to another uplink, or by way of a neighbour that was not resolved. */
static void been_here_before(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_container(f, A, IPPROTO_TCP, OUTSIDE, 40000, 443);

	make_children(f);
	set_smac(&p, f->uplink_mac);
	set_dmac(&p, f->client_mac);
	f->mark_in = UP_MARK;
	assert_straight(f, run_out(f, &p), NEXT);
	packet_assert_equal(f->out, f->len, &p);
}

static void unresolved_neighbour(void **state)
{
	struct fixture *f = *state;
	struct packet p;

	make_children(f);
	p = from_container(f, A, IPPROTO_UDP, 0xc00002c8 /* 192.0.2.200 */, 40000, 53);
	assert_round(f, run_out(f, &p));
	assert_flows_consistent(f);
}

static void spoofed(void **state)
{
	struct fixture *f = *state;
	struct packet p;

	make_children(f);
	p = from_container(f, A, IPPROTO_TCP, OUTSIDE, 40000, 443);
	p.src = ADDR_C;
	f->mark_in = UP_MARK; /* a container's word */
	assert_int_equal(run_out(f, &p), DROP);
	assert_int_equal(counter(f, UP_CNT_DROP_SRC_ADDR), 1);
	f->mark_in = 0;
	p = from_container(f, A, IPPROTO_TCP, OUTSIDE, 40000, 443);
	child_mac(NOBODY_ID, p.eth + 6);
	assert_int_equal(run_out(f, &p), DROP);
	assert_int_equal(counter(f, UP_CNT_DROP_NO_ENDPOINT), 1);
	assert_int_equal(flow_entries(f), 0);
}

/* One that is not a child cannot be taken for one by its MAC. */
static void mac_of_a_veth(void **state)
{
	struct fixture *f = *state;
	struct packet p;

	make_children(f);
	p = from_container(f, B, IPPROTO_TCP, OUTSIDE, 40000, 443);
	child_mac(B, p.eth + 6);
	assert_int_equal(run_out(f, &p), DROP);
	assert_int_equal(flow_entries(f), 0);
}

static void other_network(void **state)
{
	struct fixture *f = *state;
	struct packet p;

	make_children(f);
	f->endpoints[C].net = 1;
	p = from_container(f, A, IPPROTO_UDP, ADDR_C, 40000, 53);
	assert_int_equal(run_out(f, &p), DROP);
	assert_int_equal(counter(f, UP_CNT_DROP_NETWORK), 1);
}

static void a_mark_of_the_containers_is_taken_off(void **state)
{
	struct fixture *f = *state;
	struct packet p;

	make_children(f);
	f->mark_in = 0x1234;
	p = from_container(f, A, IPPROTO_TCP, OUTSIDE, 40000, 443);
	assert_straight(f, run_out(f, &p), NEXT);
}

static void answered_by_us(void **state)
{
	struct fixture *f = *state;
	struct packet p;

	make_children(f);
	p = from_container(f, A, IPPROTO_UDP, OUTSIDE, 40000, 33434);
	p.ttl = 1;
	assert_round(f, run_out(f, &p));
	assert_error(f, &p, GATEWAY, &ttl_expired, 0);
	p = from_container(f, A, IPPROTO_TCP, OUTSIDE, 40000, 443);
	p.flags = TCP_ACK;
	assert_round(f, run_out(f, &p));
	assert_reset(f, &p);
}

/* What goes round goes on to its child; the wire does not reach one by its MAC. */
static void to_a_childs_mac(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_client(IPPROTO_TCP, 40000, 80);

	make_children(f);
	publish(f, A, "80:80/tcp");
	set_dmac(&p, f->mac[A]);
	f->mark_in = UP_MARK;
	assert_straight(f, run_uplink(f, &p), NEXT);
	packet_assert_equal(f->out, f->len, &p);
	f->mark_in = 0;
	assert_int_equal(run_uplink(f, &p), DROP);
	set_dmac(&p, f->gateway_mac);
	assert_int_equal(run_uplink(f, &p), DROP);
	assert_int_equal(counter(f, UP_CNT_DROP_DST_MAC), 2);
	set_dmac(&p, stranger);
	assert_straight(f, run_uplink(f, &p), NEXT);
	packet_assert_equal(f->out, f->len, &p);
	assert_int_equal(flow_entries(f), 0);
}

/* The hooks of the child itself; this one lives in the fixture's namespace. */
static void hooks_of_the_child(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_client(IPPROTO_UDP, 40000, 53);
	uint8_t buf[PACKET_MAX], mac[6];
	int ifindex;
	size_t len;

	ip("link add name ch index 1073741829 link uplink address 02:75:70:01:00:05 "
	   "type macvlan mode private");
	ip("link set ch up");
	ifindex = (int)if_nametoindex("ch");
	assert_int_equal(ifindex, UP_IF_CHILD | 5);
	child_mac(5, mac);
	set_smac(&p, mac);
	len = packet_build(&p, buf);
	assert_int_equal(run_bytes(f, f->skel->progs.up_child_out, ifindex, buf, len), NEXT);
	assert_int_equal(run_bytes(f, f->skel->progs.up_child_out, f->uplink, buf, len), DROP);
	for (int i = 0; i < 6; i++) {
		buf[6 + i] ^= 4;
		assert_int_equal(run_bytes(f, f->skel->progs.up_child_out, ifindex, buf, len),
				 DROP);
		buf[6 + i] ^= 4;
	}
	assert_int_equal(counter(f, UP_CNT_DROP_SRC_MAC), 7);

	memcpy(buf, mac, 6);
	assert_int_equal(run_bytes(f, f->skel->progs.up_child_in, ifindex, buf, len), NEXT);
	memcpy(buf, everybody, 6);
	assert_int_equal(run_bytes(f, f->skel->progs.up_child_in, ifindex, buf, len), DROP);
	memcpy(buf, (uint8_t[]){1, 0, 0x5e, 0, 0, 1}, 6);
	assert_int_equal(run_bytes(f, f->skel->progs.up_child_in, ifindex, buf, len), DROP);
}

/* ---- children that somebody else made -------------------------------------------------------- */

/* A has an address of the network, and a MAC of its own choice. */
static void make_adopted(struct fixture *f)
{
	static const uint8_t mac[] = {0x36, 0xe4, 0x49, 0x4f, 0xf2, 0x03};
	struct up_endpoint *ep = &f->endpoints[A];

	make_children(f);
	ep->device = UP_NETDEV_ADOPTED;
	ep->flags |= UP_EP_ROUTED_V4 | UP_EP_ROUTED_V6;
	memcpy(ep->mac, mac, sizeof(mac));
	memcpy(f->mac[A], mac, sizeof(mac));
}

static void adopted_in_and_back(void **state)
{
	struct fixture *f = *state;
	struct packet in = from_client(IPPROTO_TCP, 40000, 8080), want, back;

	make_adopted(f);
	publish(f, A, "8080:80/tcp");
	assert_straight(f, run_uplink(f, &in), NEXT);
	want = into(f, A, &in);
	want.dport = 80;
	packet_assert_equal(f->out, f->len, &want);

	/* It knows the client's MAC, or that of its own router. */
	back = answer(f, A, &want);
	set_dmac(&back, stranger);
	assert_straight(f, run_out(f, &back), NEXT);
	want = out_by_uplink(f, &back);
	want.src = HOST;
	want.sport = 8080;
	packet_assert_equal(f->out, f->len, &want);
	assert_flows_consistent(f);
}

/* Whoever has that address and not that MAC, or the other way round, is no container of ours. */
static void adopted_untouched(void **state)
{
	struct fixture *f = *state;
	struct packet in = from_client(IPPROTO_TCP, 40000, 8080), answered, p;

	make_adopted(f);
	publish(f, A, "8080:80/tcp");
	run_uplink(f, &in);
	in = into(f, A, &in);
	in.dport = 80;
	answered = answer(f, A, &in);
	set_dmac(&answered, f->client_mac);

	p = answered;
	set_smac(&p, stranger);
	assert_straight(f, run_out(f, &p), NEXT);
	packet_assert_equal(f->out, f->len, &p);
	p = answered;
	p.src = ADDR_B;
	assert_straight(f, run_out(f, &p), NEXT);
	packet_assert_equal(f->out, f->len, &p);
	/* What it says of its own, and to others. */
	p = answered;
	p.sport = 81;
	assert_straight(f, run_out(f, &p), NEXT);
	packet_assert_equal(f->out, f->len, &p);
	p.flags = TCP_SYN;
	assert_straight(f, run_out(f, &p), NEXT);
	packet_assert_equal(f->out, f->len, &p);
	assert_flows_consistent(f);
}

/* A bridge of children carries what one tells another past the host: so it is the host that asks.
 */
static void adopted_hairpin(void **state)
{
	make_adopted(*state);
	assert_hairpin(*state);
}

static void adopted_and_the_host(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_client(IPPROTO_TCP, 40000, 80);

	make_adopted(f);
	p.dst = ADDR_A;
	set_dmac(&p, f->mac[A]);
	set_smac(&p, f->gateway_mac);
	assert_round(f, run_out(f, &p));
	packet_assert_equal(f->out, f->len, &p);
	p = from_container(f, A, IPPROTO_UDP, HOST, 53, 40000);
	assert_round(f, run_out(f, &p));
	packet_assert_equal(f->out, f->len, &p);
	set_dmac(&p, f->client_mac);
	assert_straight(f, run_out(f, &p), NEXT);
	assert_int_equal(flow_entries(f), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ALL(published_port_in_and_back),
		ALL(masqueraded_out_and_back),
		ALL(child_to_child),
		ALL(between_child_and_veth),
		ALL(hairpin),
		ALL(to_the_host),
		ALL(from_the_host),
		ALL(others_children),
		ALL(been_here_before),
		ALL(unresolved_neighbour),
		ALL(spoofed),
		ALL(mac_of_a_veth),
		ALL(other_network),
		ONCE(a_mark_of_the_containers_is_taken_off),
		ALL(answered_by_us),
		ALL(to_a_childs_mac),
		ONCE(hooks_of_the_child),
		ALL(adopted_in_and_back),
		ALL(adopted_untouched),
		ALL(adopted_hairpin),
		ALL(adopted_and_the_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
