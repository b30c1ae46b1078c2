// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a container sends by a netkit is still on its way out when our program sees it. A veth with
 * the index that a netkit would have stands in for one, because not every kernel has it.
 */
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

static void make_netkit(struct fixture *f, int id)
{
	uint32_t ifindex = UP_IF_NETKIT | (uint32_t)id, key = (uint32_t)id;
	char command[256];

	snprintf(command, sizeof(command),
		 "ip link add nk%d index %u type veth peer name nkp%d && ip link set nk%d up && "
		 "ip link set nkp%d up && echo 1 >/proc/sys/net/ipv4/conf/nk%d/forwarding",
		 id, ifindex, id, id, id, id);
	assert_int_equal(system(command), 0);
	f->endpoints[id].device = UP_NETDEV_NETKIT;
	f->endpoints[id].ifindex = f->endpoints[id].host_if = ifindex;
	f->veth[id] = (int)ifindex;
	assert_int_equal(bpf_map__update_elem(f->skel->maps.up_ep_by_if, &ifindex, sizeof(ifindex),
					      &key, sizeof(key), BPF_ANY),
			 0);
}

static int run_netkit(struct fixture *f, int id, const struct packet *p)
{
	uint8_t buf[PACKET_MAX];
	size_t len = packet_build(p, buf);

	return run_bytes(f, f->skel->progs.up_netkit, f->veth[id], buf, len);
}

static uint8_t fwd_of(struct fixture *f, int id, const struct packet *p)
{
	const struct up_tuple key = tuple(f->veth[id], p);
	struct up_flow flow;

	assert_true(flow_find(f, &key, &flow));
	return flow.fwd;
}

/* Outward it is marked, so that the uplink does not take it for the host's own. */
static void outward(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_container(f, A, IPPROTO_UDP, OUTSIDE, 40000, 53), want;

	make_netkit(f, A);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(run_netkit(f, A, &p), REDIRECT);
		assert_int_equal(f->mark, UP_MARK);
		want = out_by_uplink(f, &p);
		want.src = HOST;
		packet_assert_equal(f->out, f->len, &want);
	}
	f->mark_in = UP_MARK;
	assert_int_equal(run_bytes(f, f->skel->progs.up_uplink_out, f->uplink, f->out, f->len),
			 NEXT);
	assert_int_equal(f->mark, 0);
	packet_assert_equal(f->out, f->len, &want);
	assert_int_equal(counter(f, UP_CNT_HOST_MOVED), 0);
}

/* The host's stack gets it as the container sent it. */
static void to_the_host(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_container(f, A, IPPROTO_UDP, HOST, 40000, 53);

	make_netkit(f, A);
	assert_int_equal(run_netkit(f, A, &p), NEXT);
	assert_int_equal(f->mark, 0);
	packet_assert_equal(f->out, f->len, &p);
}

/* Into another container by its device's queue, from where bpf_redirect_peer() would lose it. */
static void to_another_container(void **state)
{
	struct fixture *f = *state;
	struct packet there = from_container(f, A, IPPROTO_UDP, ADDR_B, 40000, 53);
	struct packet back = from_container(f, B, IPPROTO_UDP, ADDR_A, 53, 40000);

	make_netkit(f, A);
	assert_int_equal(run_netkit(f, A, &there), REDIRECT);
	assert_int_equal(fwd_of(f, A, &there), UP_FWD_QUEUE);
	assert_int_equal(run_veth(f, B, &back), REDIRECT);
	assert_int_equal(fwd_of(f, B, &back), UP_FWD_PEER);
	assert_flows_consistent(f);
}

static void spoofed(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_container(f, A, IPPROTO_UDP, OUTSIDE, 40000, 53);

	make_netkit(f, A);
	p.src = ADDR_B;
	assert_int_equal(run_netkit(f, A, &p), DROP);
	assert_int_equal(counter(f, UP_CNT_DROP_SRC_ADDR), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(outward),
		ONCE(to_the_host),
		ONCE(to_another_container),
		ONCE(spoofed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
