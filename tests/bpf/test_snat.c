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
#define LISTENING    40000

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

/*
 * The worst case: all but the last few ports were kept without a search, so nothing is known of
 * which are free. What a refused packet finds out remains, so that its retransmission goes on where
 * it stopped: each finds out UP_SNAT_TRIES ports.
 */
static void the_last_few_ports(void **state)
{
	struct fixture *f = *state;
	unsigned int packets = 0;

	for (uint32_t sport = LO; sport < 65536 - 16; sport++)
		assert_int_equal(port_of(f, A, IPPROTO_UDP, (uint16_t)sport), sport);
	for (uint16_t i = 0; i < 16; packets++) {
		uint16_t port = port_of(f, B, IPPROTO_UDP, (uint16_t)(20000 + i));

		assert_true(!port || port >= 65536 - 16);
		i += port ? 1 : 0;
		assert_true(packets < PORTS / UP_SNAT_TRIES + 100);
	}
	print_histogram(f);
	fprintf(stderr, "# %u packets for the last 16 ports\n", packets);
	/* Ports that become free are found again. */
	reap(f, (struct up_reap){.endpoint = A});
	for (uint16_t sport = 30000; sport < 40000; sport++) {
		assert_int_not_equal(port_of(f, A, IPPROTO_UDP, sport), 0);
		assert_int_not_equal(port_of(f, B, IPPROTO_UDP, sport), 0);
	}
}

static const struct CMUnitTest tests[] = {
	{"every_port_of_a_destination", every_port_of_a_destination, fixture_large, fixture_end,
	 NULL},
	{"the_last_few_ports", the_last_few_ports, fixture_large, fixture_end, NULL},
};

int main(void)
{
	return cmocka_run_group_tests_name("snat", tests, NULL, NULL);
}
