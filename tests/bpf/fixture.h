/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A host in a network namespace of its own, with the real programs loaded and nothing attached:
 *
 *	client 192.0.2.2 (permanent neighbour) -- uplink 192.0.2.1
 *	container A 10.215.0.2 -- veth A		gateway 10.215.0.1 on both
 *	container B 10.215.0.3 -- veth B
 *	container C 10.215.0.4 -- veth C, in another network
 *
 * Packets are put through the programs by BPF_PROG_TEST_RUN with the interface they "came by".
 */
#ifndef UP_TESTS_FIXTURE_H
#define UP_TESTS_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmocka_all.h"
#include "core/portspec.h"
#include "packet.h"
#include "underpass.skel.h"
#include "underpass/counter.h"
#include "underpass/endpoint.h"
#include "underpass/flow.h"
#include "underpass/port.h"
#include "underpass/reap.h"

#define CLIENT  0xc0000202 /* 192.0.2.2 */
#define HOST    0xc0000201 /* 192.0.2.1 */
#define HOST2   0xc0000203 /* 192.0.2.3, a second address of the uplink */
#define GATEWAY 0x0ad70001
#define ADDR_A  0x0ad70002
#define ADDR_B  0x0ad70003
#define ADDR_C  0x0ad70004
#define OUTSIDE 0xcb007107 /* 203.0.113.7, by the default route */

/* Routes that refuse. */
#define NET_UNREACHABLE 0xc6336401 /* 198.51.100.1 */
#define NET_PROHIBITED  0xc6120001 /* 198.18.0.1 */

enum { A = 1, B, C };

#define FLOWS_MAX   64
#define FLOWS_LARGE 131072

#define NEXT     (-1)
#define DROP     2
#define REDIRECT 7

/**
 * struct fixture - the state of one test
 * @skel:      the programs
 * @uplink:    ifindex
 * @veth:      ifindex by endpoint
 * @ports:     the port table, mapped
 * @endpoints: the endpoint table, mapped
 * @out, @len: what came out of the last run
 * @mark_in, @mark: of what is put through, and of what came out
 * @v6:        packets are IPv6
 * @gateway_mac, @uplink_mac, @client_mac, @mac: who is who
 */
struct fixture {
	struct underpass_bpf *skel;
	int uplink, veth[4];
	struct up_port_table *ports;
	struct up_endpoint *endpoints;
	uint8_t out[PACKET_MAX];
	size_t len;
	uint32_t mark_in, mark;
	bool v6;
	uint8_t gateway_mac[6], uplink_mac[6], client_mac[6], mac[4][6];
};

/*
 * Each test runs with the checksum updated in place and by the kernel's helpers, and in both
 * families: ALL(f) is four rows of a test table, BOTH(f) the two of IPv4, V6(f) those of IPv6.
 * ONCE(f) is one, for what does not depend on it.
 */
int fixture_in_place(void **state);
int fixture_by_helper(void **state);
int fixture_v6_in_place(void **state);
int fixture_v6_by_helper(void **state);
/** fixture_large() - with room for FLOWS_LARGE flows, and as many for each endpoint */
int fixture_large(void **state);
/** fixture_tight() - the flow table has an entry less than FLOWS_MAX flows have directions */
int fixture_tight(void **state);
int fixture_end(void **state);
#define BOTH(f)                                                                     \
	{#f " (checksum in place)", f, fixture_in_place, fixture_end, NULL},        \
	{                                                                           \
#f " (checksum by helper)", f, fixture_by_helper, fixture_end, NULL \
	}
#define V6(f)                                                                                \
	{#f " (IPv6, checksum in place)", f, fixture_v6_in_place, fixture_end, NULL},        \
	{                                                                                    \
#f " (IPv6, checksum by helper)", f, fixture_v6_by_helper, fixture_end, NULL \
	}
#define ALL(f) BOTH(f), V6(f)
#define ONCE(f)                                            \
	{                                                  \
#f, f, fixture_in_place, fixture_end, NULL \
	}

/** addr() - an address as the tables have it; see packet_addr() */
struct up_addr addr(const struct fixture *f, uint32_t number);

/** run_uplink(), run_veth() - put a packet through. Return: the verdict */
int run_uplink(struct fixture *f, const struct packet *p);
int run_veth(struct fixture *f, int endpoint, const struct packet *p);
int run_bytes(struct fixture *f, struct bpf_program *prog, int ifindex, const uint8_t *data,
	      size_t len);

/** publish() - publish docker's SPEC for an endpoint; publish_all() - many parsed ones;
 * unpublish() - withdraw all of an endpoint */
void publish(struct fixture *f, int endpoint, const char *spec);
int publish_all(struct fixture *f, int endpoint, const struct up_publish *pubs, size_t n);
void unpublish(struct fixture *f, int endpoint);

/** l4_at() - offset of the transport header of what came out, without options; word_at() - 16 bits
 * of it in host byte order */
size_t l4_at(const struct fixture *f);
uint16_t word_at(const struct fixture *f, size_t offset);

uint64_t counter(struct fixture *f, enum up_counter id);

/** Flows: number of entries, a lookup, an endpoint's count, and the checks of property F2 */
unsigned int flow_entries(struct fixture *f);
bool flow_find(struct fixture *f, const struct up_tuple *key, struct up_flow *ret);
int flow_replace(struct fixture *f, const struct up_tuple *key, const struct up_flow *flow);
struct up_tuple tuple(int ifindex, const struct packet *p);
struct up_tuple reversed(const struct up_tuple *t);
void assert_flows_consistent(struct fixture *f);

/** reap() - end the flows that match, as user space does, and once the sweeper lets it.
 * Return: how many */
uint32_t reap(struct fixture *f, struct up_reap r);

void set_timeout(struct fixture *f, enum up_timeout which, uint32_t seconds);
void set_snat_range(struct fixture *f, uint16_t lo, uint16_t hi);

/** wait_until() - poll a condition for at most @ms; fails the test after that */
void wait_until(struct fixture *f, bool (*cond)(struct fixture *f), int ms);

/* Packets as they arrive. */
/** clock_now() - the programs' clock, seconds */
uint32_t clock_now(struct fixture *f);

/** next_second() - wait until the programs' clock ticks */
void next_second(struct fixture *f);

struct packet from_client(uint8_t proto, uint16_t sport, uint16_t dport);
struct packet from_container(struct fixture *f, int endpoint, uint8_t proto, uint32_t dst,
			     uint16_t sport, uint16_t dport);

/* What becomes of a packet: into a container, or out by the uplink, one hop further. */
struct packet into(struct fixture *f, int endpoint, const struct packet *p);
struct packet out_by_uplink(struct fixture *f, const struct packet *p);

#endif
