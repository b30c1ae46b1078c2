// SPDX-License-Identifier: GPL-2.0-only
/* Source ports by the ten thousands: to the last free one, with bounded work for each packet. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"

#define LO    1024
#define PORTS (65536 - LO)

/* Ports that are nobody's: published ones of the protocol. */
#define PUBLISHED_LO 30000
#define PUBLISHED_HI 30511
#define LISTENING    10000

/* The port that the flow of a packet got; 0 where it was refused. */
static uint16_t port_of(struct fixture *f, int endpoint, uint8_t proto, uint16_t sport)
{
	struct packet p = from_container(f, endpoint, proto, OUTSIDE, sport, 443);

	return run_veth(f, endpoint, &p) == REDIRECT ? word_at(f, l4_at(f)) : 0;
}

/* A service of the host. Its port is not in the bitmap of what is taken. */
static int host_listens(void)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(LISTENING)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static uint64_t histogram(struct fixture *f, uint32_t row)
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t values[256], sum = 0;

	assert_in_range(cpus, 1, 256);
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(f->skel->maps.up_snat_hist), &row, values),
			 0);
	for (int i = 0; i < cpus; i++)
		sum += values[i];
	return sum;
}

static void print_histogram(struct fixture *f)
{
	static const char *const rows[UP_SNAT_HIST] = {"1",    "2",     "3-4",   "5-8",
						       "9-16", "17-32", "33-64", "refused"};

	fprintf(stderr, "# source ports tried:");
	for (uint32_t row = 0; row < UP_SNAT_HIST; row++)
		fprintf(stderr, " %s: %lu", rows[row], (unsigned long)histogram(f, row));
	fputc('\n', stderr);
}

/* Two containers, each using every port from 1024 up: half of them must change. */
static void every_port_of_a_destination(void **state)
{
	struct fixture *f = *state;
	static bool used[65536];
	const int free_ports = PORTS - (PUBLISHED_HI - PUBLISHED_LO + 1) - 1;
	int flows = 0, socket = host_listens();
	uint64_t refused;

	memset(used, 0, sizeof(used));
	publish(f, C, "30000-30511:30000-30511/tcp");
	for (uint32_t sport = LO; flows < free_ports; sport++)
		for (int endpoint = A; endpoint <= B && flows < free_ports; endpoint++) {
			uint16_t port = port_of(f, endpoint, IPPROTO_TCP, (uint16_t)sport);

			assert_in_range(port, LO, 65535);
			assert_false(port >= PUBLISHED_LO && port <= PUBLISHED_HI);
			assert_int_not_equal(port, LISTENING);
			assert_false(used[port]);
			used[port] = true;
			flows++;
		}
	print_histogram(f);
	assert_int_equal(f->endpoints[A].flows + f->endpoints[B].flows, free_ports);
	assert_int_equal(counter(f, UP_CNT_DROP_SNAT_PORTS), 0);
	/* The next one is refused and counted; another destination, or protocol, is not concerned.
	 */
	refused = histogram(f, UP_SNAT_HIST - 1);
	assert_int_equal(port_of(f, A, IPPROTO_TCP, 999), 999); /* below the range, but its own */
	assert_int_equal(port_of(f, B, IPPROTO_TCP, 999), 0);
	assert_int_equal(counter(f, UP_CNT_DROP_SNAT_PORTS), 1);
	assert_int_equal(histogram(f, UP_SNAT_HIST - 1), refused + 1);
	assert_int_equal(port_of(f, B, IPPROTO_UDP, 40000), 40000);
	close(socket);
}

static unsigned int bitmaps(struct fixture *f)
{
	int fd = bpf_map__fd(f->skel->maps.up_snat_maps);
	uint8_t key[64];
	unsigned int n = 0;

	for (void *at = NULL; !bpf_map_get_next_key(fd, at, key); at = key)
		n++;
	return n;
}

#define GAP 4096 /* one port in so many is left free */

static bool is_gap(uint32_t port)
{
	return port % GAP == GAP - 1;
}

/*
 * The worst case: all but a few ports here and there were kept without a search, one container
 * after the other. Each packet of the second one finds a port all the same, until none is left.
 */
static void the_last_few_ports(void **state)
{
	struct fixture *f = *state;
	static bool used[65536];

	memset(used, 0, sizeof(used));
	for (uint32_t sport = LO; sport < 65536; sport++)
		if (!is_gap(sport))
			assert_int_equal(port_of(f, A, IPPROTO_UDP, (uint16_t)sport), sport);
	assert_int_equal(bitmaps(f), 1);
	for (uint16_t i = 0; i < 65536 / GAP; i++) {
		uint16_t port = port_of(f, B, IPPROTO_UDP, (uint16_t)(20000 + i));

		assert_true(is_gap(port) && !used[port]);
		used[port] = true;
	}
	print_histogram(f);
	assert_int_equal(counter(f, UP_CNT_DROP_SNAT_PORTS), 0);
	for (uint64_t i = 1; i <= 3; i++) {
		assert_int_equal(port_of(f, B, IPPROTO_UDP, 30000), 0);
		assert_int_equal(counter(f, UP_CNT_DROP_SNAT_PORTS), i);
		assert_int_equal(histogram(f, UP_SNAT_HIST - 1), i);
	}
	/* Ports that become free are found again, and all of them. */
	reap(f, (struct up_reap){.endpoint = A});
	assert_int_equal(bitmaps(f), 0);
	for (uint32_t i = LO; i < 65536 - 65536 / GAP; i++)
		assert_int_not_equal(port_of(f, i % 2 ? A : B, IPPROTO_UDP, 30000 + i / 2), 0);
	assert_int_equal(counter(f, UP_CNT_DROP_SNAT_PORTS), 3);
	assert_int_equal(port_of(f, A, IPPROTO_UDP, 999), 999);
	assert_int_equal(port_of(f, B, IPPROTO_UDP, 999), 0);
}

/* A port that the host had when ports were looked for is found again when the host has it no more:
 * each packet that is refused looks at 128 ports again. */
static void a_port_that_the_host_gives_back(void **state)
{
	struct fixture *f = *state;
	int socket = host_listens();
	unsigned int packets = 0;

	set_snat_range(f, 1024, 1024 + 128 * 128 - 1);
	for (uint32_t sport = 1024; sport < 1024 + 128 * 128; sport++)
		if (sport != LISTENING)
			assert_int_equal(port_of(f, A, IPPROTO_TCP, (uint16_t)sport), sport);
	assert_int_equal(port_of(f, B, IPPROTO_TCP, LISTENING), 0);
	close(socket);
	while (port_of(f, B, IPPROTO_TCP, LISTENING - 1) != LISTENING)
		assert_in_range(++packets, 1, 130);
	assert_int_equal(port_of(f, B, IPPROTO_TCP, LISTENING), 0);
}

#define RANGE        64
#define DESTINATIONS (UP_SNAT_MAPS + 44)

static uint16_t port_towards(struct fixture *f, int endpoint, int destination, uint16_t sport)
{
	struct packet p = from_container(f, endpoint, IPPROTO_UDP,
					 OUTSIDE + 256 * (uint32_t)destination, sport, 443);

	return run_veth(f, endpoint, &p) == REDIRECT ? word_at(f, l4_at(f)) : 0;
}

/* More crowded destinations than there can be bitmaps: so many find their last port by one, and the
 * others do without; nothing grows, and with the flows all of it goes. */
static void many_crowded_destinations(void **state)
{
	struct fixture *f = *state;
	int found = 0;

	set_snat_range(f, 40000, 40000 + RANGE - 1);
	for (int d = 0; d < DESTINATIONS; d++)
		for (uint16_t i = 0; i < RANGE - 1; i++)
			assert_int_equal(port_towards(f, A, d, 40000 + i), 40000 + i);
	for (int d = 0; d < DESTINATIONS; d++) {
		uint16_t port = port_towards(f, B, d, 40000);

		assert_true(!port || port == 40000 + RANGE - 1);
		found += port ? 1 : 0;
	}
	assert_in_range(found, UP_SNAT_MAPS, DESTINATIONS);
	assert_int_equal(bitmaps(f), UP_SNAT_MAPS);
	assert_int_equal(flow_entries(f), 2 * (DESTINATIONS * (RANGE - 1) + found));
	reap(f, (struct up_reap){.endpoint = A});
	reap(f, (struct up_reap){.endpoint = B});
	assert_int_equal(bitmaps(f), 0);
	assert_int_equal(flow_entries(f), 0);
}

static const struct CMUnitTest tests[] = {
	{"every_port_of_a_destination", every_port_of_a_destination, fixture_large, fixture_end,
	 NULL},
	{"the_last_few_ports", the_last_few_ports, fixture_large, fixture_end, NULL},
	{"a_port_that_the_host_gives_back", a_port_that_the_host_gives_back, fixture_large,
	 fixture_end, NULL},
	{"many_crowded_destinations", many_crowded_destinations, fixture_large, fixture_end, NULL},
};

int main(void)
{
	return cmocka_run_group_tests_name("snat", tests, NULL, NULL);
}
