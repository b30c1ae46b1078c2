// SPDX-License-Identifier: GPL-2.0-only
/* Published ports, and the source ports of masqueraded flows. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"

static uint16_t port_at(const struct fixture *f, size_t offset)
{
	return (uint16_t)(f->out[offset] << 8 | f->out[offset + 1]);
}

#define OUT_SPORT 34
#define OUT_DPORT 36

/* Where does a SYN to this port go? 0: not ours; else the container's port. */
static uint16_t target(struct fixture *f, uint16_t sport, uint32_t dst, uint16_t dport)
{
	struct packet in = from_client(IPPROTO_TCP, sport, dport);

	in.dst = dst;
	if (run_uplink(f, &in) == NEXT)
		return 0;
	return port_at(f, OUT_DPORT);
}

static void ranges(void **state)
{
	struct fixture *f = *state;

	publish(f, A, "8000-8999:3000-3999");
	publish(f, B, "9000-9001:70-71");
	publish(f, B, "65535:1");
	publish(f, A, "1:2");
	assert_int_equal(target(f, 1000, HOST, 7999), 0);
	assert_int_equal(target(f, 1001, HOST, 8000), 3000);
	assert_int_equal(target(f, 1002, HOST, 8500), 3500);
	assert_int_equal(target(f, 1003, HOST, 8999), 3999);
	assert_int_equal(target(f, 1004, HOST, 9000), 70);
	assert_int_equal(target(f, 1005, HOST, 9001), 71);
	assert_int_equal(target(f, 1006, HOST, 9002), 0);
	assert_int_equal(target(f, 1007, HOST, 65535), 1);
	assert_int_equal(target(f, 1008, HOST, 1), 2);
	assert_int_equal(target(f, 1009, HOST, 2), 0);
}

/* A port of one address before the same port of every address; other addresses are left alone. */
static void addresses(void **state)
{
	struct fixture *f = *state;

	publish(f, A, "192.0.2.3:8080:81");
	assert_int_equal(target(f, 1000, HOST, 8080), 0);
	assert_int_equal(target(f, 1001, HOST2, 8080), 81);
	publish(f, B, "8080:80");
	assert_int_equal(target(f, 1002, HOST, 8080), 80);
	assert_int_equal(target(f, 1003, HOST2, 8080), 81);
}

/* Ports that are published, but of another address: the range's own bounds decide. */
static void neighbours_of_another_address(void **state)
{
	struct fixture *f = *state;

	publish(f, A, "192.0.2.3:8001-8010:1001-1010");
	publish(f, B, "192.0.2.1:8000-8020:2000-2020");
	assert_int_equal(target(f, 1000, HOST2, 8000), 0);
	assert_int_equal(target(f, 1001, HOST2, 8001), 1001);
	assert_int_equal(target(f, 1002, HOST2, 8010), 1010);
	assert_int_equal(target(f, 1003, HOST2, 8011), 0);
	assert_int_equal(target(f, 1004, HOST, 8011), 2011);
}

/* The same port of the other protocol is published, but of another address. */
static void neighbours_of_another_protocol(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_client(IPPROTO_UDP, 1000, 8005);

	publish(f, A, "192.0.2.1:8000-8020:1000-1020/tcp");
	publish(f, B, "192.0.2.3:8005:2000/udp");
	assert_int_equal(run_uplink(f, &p), NEXT);
	assert_int_equal(target(f, 1001, HOST, 8005), 1005);
	p.dst = HOST2;
	assert_int_equal(run_uplink(f, &p), REDIRECT);
}

static void thousands_of_rows(void **state)
{
	struct fixture *f = *state;
	static struct up_publish pubs[10000];

	for (uint16_t i = 0; i < 10000; i++)
		pubs[i] = (struct up_publish){
			.proto = IPPROTO_TCP,
			.lo = (uint16_t)(20000 + 2 * i),
			.hi = (uint16_t)(20000 + 2 * i),
			.to = (uint16_t)(i + 1),
		};
	/* Each call checks its own ranges against each other: hundreds at a time. */
	for (int i = 0; i < 10000; i += 100)
		assert_int_equal(publish_all(f, A, pubs + i, 100), 0);
	for (uint16_t i = 0; i < 10000; i += 333) {
		assert_int_equal(target(f, (uint16_t)(2000 + i), HOST, (uint16_t)(20000 + 2 * i)),
				 i + 1);
		assert_int_equal(target(f, (uint16_t)(2000 + i), HOST, (uint16_t)(20001 + 2 * i)),
				 0);
	}
}

static void a_withdrawn_port_is_not_ours(void **state)
{
	struct fixture *f = *state;

	publish(f, A, "8080:80");
	publish(f, B, "8081:80");
	assert_int_equal(target(f, 1000, HOST, 8080), 80);
	unpublish(f, A);
	assert_int_equal(target(f, 1001, HOST, 8080), 0);
	assert_int_equal(target(f, 1002, HOST, 8081), 80);
}

/* ---- source ports -----------------------------------------------------------------------------
 */

/* The source port that a flow out of a container leaves with. */
static uint16_t source_port(struct fixture *f, int endpoint, uint8_t proto, uint16_t sport)
{
	struct packet out = from_container(f, endpoint, proto, OUTSIDE, sport, 443);

	if (run_veth(f, endpoint, &out) != REDIRECT)
		return 0;
	assert_true(packet_checksums_ok(f->out, f->len));
	return port_at(f, OUT_SPORT);
}

static void kept_where_it_is_free(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(source_port(f, A, IPPROTO_TCP, 40000), 40000);
	assert_int_equal(source_port(f, A, IPPROTO_UDP, 40000), 40000);
	assert_int_equal(source_port(f, A, IPPROTO_TCP, 40000), 40000); /* the same flow again */
	assert_int_equal(counter(f, UP_CNT_FLOW_NEW), 2);
}

static void another_where_a_flow_has_it(void **state)
{
	struct fixture *f = *state;
	uint16_t port;

	assert_int_equal(source_port(f, A, IPPROTO_TCP, 40000), 40000);
	port = source_port(f, B, IPPROTO_TCP, 40000);
	assert_int_not_equal(port, 0);
	assert_int_not_equal(port, 40000);
	assert_flows_consistent(f);
}

static void another_where_it_is_published(void **state)
{
	struct fixture *f = *state;
	uint16_t port;

	publish(f, B, "40000-40100:1-101/udp");
	port = source_port(f, A, IPPROTO_UDP, 40050);
	assert_int_not_equal(port, 0);
	assert_true(port < 40000 || port > 40100);
	assert_int_equal(source_port(f, A, IPPROTO_TCP, 40050), 40050);
}

static int bound_socket(int type, uint32_t addr, uint16_t port)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(addr),
		.sin_port = htons(port),
	};
	int fd = socket(AF_INET, type, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	return fd;
}

static void another_where_a_host_socket_owns_it(void **state)
{
	struct fixture *f = *state;
	int udp = bound_socket(SOCK_DGRAM, INADDR_ANY, 40000);
	int tcp = bound_socket(SOCK_STREAM, HOST, 40001);
	uint16_t port;

	assert_int_equal(listen(tcp, 1), 0);
	port = source_port(f, A, IPPROTO_UDP, 40000);
	assert_int_not_equal(port, 0);
	assert_int_not_equal(port, 40000);
	port = source_port(f, A, IPPROTO_TCP, 40001);
	assert_int_not_equal(port, 0);
	assert_int_not_equal(port, 40001);
	/* The other protocol's port is free. */
	assert_int_equal(source_port(f, A, IPPROTO_TCP, 40000), 40000);
	assert_int_equal(source_port(f, A, IPPROTO_UDP, 40001), 40001);
	close(udp);
	close(tcp);
}

/* A UDP socket of the host that is connected elsewhere owns another tuple. */
static void kept_where_a_host_socket_talks_to_others(void **state)
{
	struct sockaddr_in other = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(CLIENT),
		.sin_port = htons(443),
	};
	struct fixture *f = *state;
	int udp = bound_socket(SOCK_DGRAM, HOST, 40000);

	assert_int_equal(connect(udp, (struct sockaddr *)&other, sizeof(other)), 0);
	assert_int_equal(source_port(f, A, IPPROTO_UDP, 40000), 40000);
	close(udp);
}

/* Four ports for one destination: the fifth flow is refused, by name, and leaves nothing behind. */
static void refused_when_all_are_taken(void **state)
{
	struct fixture *f = *state;
	unsigned int seen = 0;

	set_snat_range(f, 50000, 50003);
	assert_int_equal(source_port(f, A, IPPROTO_UDP, 50000), 50000);
	for (uint16_t i = 1; i < 4; i++) {
		uint16_t port = source_port(f, B, IPPROTO_UDP, 50000 - i);

		/* Outside the range, a free port is kept all the same. */
		assert_int_equal(port, 50000 - i);
	}
	publish(f, C, "30000-39999:30000-39999/udp"); /* forces a choice out of the range */
	for (uint16_t i = 0; i < 3; i++)
		seen |= 1U << (source_port(f, B, IPPROTO_UDP, 30000 + i) - 50000);
	assert_int_equal(seen, 0xe);
	assert_int_equal(source_port(f, B, IPPROTO_UDP, 30003), 0);
	assert_int_equal(counter(f, UP_CNT_DROP_SNAT_PORTS), 1);
	assert_flows_consistent(f);
}

static const struct CMUnitTest tests[] = {
	ONCE(ranges),
	ONCE(addresses),
	ONCE(neighbours_of_another_address),
	ONCE(neighbours_of_another_protocol),
	ONCE(thousands_of_rows),
	ONCE(a_withdrawn_port_is_not_ours),
	ONCE(kept_where_it_is_free),
	BOTH(another_where_a_flow_has_it),
	ONCE(another_where_it_is_published),
	ONCE(another_where_a_host_socket_owns_it),
	ONCE(kept_where_a_host_socket_talks_to_others),
	ONCE(refused_when_all_are_taken),
};

int main(void)
{
	return cmocka_run_group_tests_name("ports", tests, NULL, NULL);
}
