// SPDX-License-Identifier: GPL-2.0-only
/* XDP on the uplink: what it drops, and that it hands on whatever it is not sure of. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <string.h>

#include "fixture.h"

static int run_frame(struct fixture *f, const uint8_t *data, size_t len)
{
	struct xdp_md ctx = {.data_end = (uint32_t)len, .ingress_ifindex = (uint32_t)f->uplink};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = data, .data_size_in = (uint32_t)len,
		    .data_out = f->out, .data_size_out = sizeof(f->out), .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx));

	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(f->skel->progs.up_xdp), &opts), 0);
	assert_int_equal(opts.data_size_out, len);
	assert_memory_equal(f->out, data, len);
	return (int)opts.retval;
}

static int run_xdp(struct fixture *f, const struct packet *p)
{
	uint8_t buf[PACKET_MAX];
	size_t len = packet_build(p, buf);

	return run_frame(f, buf, len);
}

static void set_conf(struct fixture *f, uint32_t source_rate, uint32_t denied)
{
	int fd = bpf_map__fd(f->skel->maps.up_conf);
	struct up_config conf;
	uint32_t zero = 0;

	assert_int_equal(bpf_map_lookup_elem(fd, &zero, &conf), 0);
	conf.source_rate = source_rate;
	conf.denied = denied;
	assert_int_equal(bpf_map_update_elem(fd, &zero, &conf, BPF_ANY), 0);
}

static void list(struct fixture *f, uint32_t number, uint32_t net, uint32_t plen)
{
	struct up_allow_key key = {
		.plen = 32 + 96 + plen,
		.list = htonl(number),
		.addr = addr(f, net),
	};
	uint8_t one = 1;

	assert_int_equal(bpf_map_update_elem(bpf_map__fd(f->skel->maps.up_allow), &key, &one, 0),
			 0);
}

static void publish_to(struct fixture *f, uint32_t number)
{
	cleanup_publish_list struct up_publish_list pubs = {};

	assert_int_equal(up_portspec_parse("8080:80/tcp,udp", &pubs, NULL), 0);
	for (size_t i = 0; i < pubs.n; i++)
		pubs.pubs[i].allow = number;
	assert_int_equal(publish_all(f, A, pubs.pubs, pubs.n), 0);
}

static void the_denied_are_dropped(void **state)
{
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_SCTP};
	struct fixture *f = *state;
	struct packet p;

	list(f, UP_ALLOW_DENY_ALL, CLIENT, 32);
	for (size_t i = 0; i < sizeof(protos); i++) {
		p = from_client(protos[i], 40000, 22);
		set_conf(f, 0, 0);
		assert_int_equal(run_xdp(f, &p), XDP_PASS); /* the list is not asked */
		set_conf(f, 0, 1);
		assert_int_equal(run_xdp(f, &p), XDP_DROP);
		p.src = CLIENT + 1;
		assert_int_equal(run_xdp(f, &p), XDP_PASS);
	}
	assert_int_equal(counter(f, UP_CNT_DROP_DENIED), sizeof(protos));
	assert_int_equal(counter(f, UP_CNT_XDP_DROP), sizeof(protos));
}

/* A promiscuous uplink sees what is for others: for virtual machines on a bridge, for example. */
static void what_is_for_others_passes(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_client(IPPROTO_TCP, 40000, 8080);

	list(f, UP_ALLOW_DENY_ALL, CLIENT, 32);
	set_conf(f, 0, 1);
	publish_to(f, 7);
	p.eth[5] = 9;
	assert_int_equal(run_xdp(f, &p), XDP_PASS);
	memset(p.eth, 0xff, 6);
	assert_int_equal(run_xdp(f, &p), XDP_PASS);
	assert_int_equal(counter(f, UP_CNT_XDP_DROP), 0);
}

static void unlisted_sources_are_dropped(void **state)
{
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP};
	struct fixture *f = *state;

	publish_to(f, 7);
	for (size_t i = 0; i < 2; i++) {
		struct packet p = from_client(protos[i], 40000, 8080);

		assert_int_equal(run_xdp(f, &p), XDP_DROP);
		p.dport = 8081; /* not published */
		assert_int_equal(run_xdp(f, &p), XDP_PASS);
		p.dport = 8080;
		p.dst = OUTSIDE; /* on its way through: this host is a router too */
		assert_int_equal(run_xdp(f, &p), XDP_PASS);
	}
	list(f, 7, CLIENT, 32);
	for (size_t i = 0; i < 2; i++) {
		struct packet p = from_client(protos[i], 40000, 8080);

		assert_int_equal(run_xdp(f, &p), XDP_PASS);
		p.src = CLIENT + 1;
		assert_int_equal(run_xdp(f, &p), XDP_DROP);
	}
	assert_int_equal(counter(f, UP_CNT_XDP_DROP), 4);
}

/* A change of the list does not break connections: what is of a flow passes. */
static void established_flows_pass(void **state)
{
	struct fixture *f = *state;
	struct packet udp = from_client(IPPROTO_UDP, 40000, 8080);
	struct packet tcp = from_client(IPPROTO_TCP, 40000, 8080);

	publish(f, A, "8080:80/tcp,udp");
	assert_int_equal(run_uplink(f, &udp), REDIRECT);
	assert_int_equal(run_uplink(f, &tcp), REDIRECT);
	unpublish(f, A);
	publish_to(f, 7);
	assert_int_equal(run_xdp(f, &udp), XDP_PASS);
	tcp.flags = TCP_ACK;
	assert_int_equal(run_xdp(f, &tcp), XDP_PASS);
	tcp.sport++; /* of no connection, and opens none: TC answers it */
	assert_int_equal(run_xdp(f, &tcp), XDP_PASS);
}

static void set_uplink_state(struct fixture *f, enum up_xdp_state xdp)
{
	int fd = bpf_map__fd(f->skel->maps.up_uplinks);
	uint32_t key = (uint32_t)f->uplink;
	struct up_uplink uplink;

	assert_int_equal(bpf_map_lookup_elem(fd, &key, &uplink), 0);
	uplink.xdp = xdp;
	assert_int_equal(bpf_map_update_elem(fd, &key, &uplink, BPF_ANY), 0);
}

/* Both in a row, as packets pass them: a connection is charged to its source once. */
static void a_source_is_charged_once(void **state)
{
	struct fixture *f = *state;
	int passed = 0;

	publish(f, A, "8080:80/udp");
	set_uplink_state(f, UP_XDP_IS_GENERIC);
	set_conf(f, 10, 0);
	next_second(f);
	for (uint16_t i = 0; i < 30; i++) {
		struct packet p = from_client(IPPROTO_UDP, 40000 + i, 8080);

		if (run_xdp(f, &p) != XDP_PASS)
			continue;
		assert_int_equal(run_uplink(f, &p), REDIRECT);
		passed++;
	}
	assert_in_range(passed, 10, 20); /* the clock may tick meanwhile */
	assert_int_equal(counter(f, UP_CNT_DROP_SRC_RATE), 30 - passed);
	assert_int_equal(counter(f, UP_CNT_XDP_DROP), 30 - passed);
}

/* Of whatever is cut short nothing is known, so it is TC's. */
static void truncated_frames_pass(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_client(IPPROTO_TCP, 40000, 8080);
	uint8_t buf[PACKET_MAX];
	size_t len = packet_build(&p, buf) - p.payload;

	list(f, UP_ALLOW_DENY_ALL, CLIENT, 32);
	set_conf(f, 0, 1);
	publish_to(f, 7);
	for (size_t cut = 14; cut < len; cut++)
		assert_int_equal(run_frame(f, buf, cut), XDP_PASS);
	assert_int_equal(run_xdp(f, &p), XDP_DROP);
}

static const struct CMUnitTest tests[] = {
	ALL(the_denied_are_dropped),       ALL(what_is_for_others_passes),
	ALL(unlisted_sources_are_dropped), ALL(established_flows_pass),
	ALL(a_source_is_charged_once),     ALL(truncated_frames_pass),
};

int main(void)
{
	return cmocka_run_group_tests_name("xdp", tests, NULL, NULL);
}
