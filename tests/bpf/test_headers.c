// SPDX-License-Identifier: GPL-2.0-only
/* Headers at their edges: options, checksums, truncation. */
#include <bpf/bpf.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#include "fixture.h"

static const uint8_t transports[] = {IPPROTO_TCP, IPPROTO_UDP};

static void ip_options(void **state)
{
	struct fixture *f = *state;

	publish(f, A, "8080:80/tcp");
	publish(f, A, "8080:80/udp");
	for (uint8_t words = 1; words <= 10; words++)
		for (int i = 0; i < 2; i++) {
			struct packet in = from_client(transports[i], 40000, 8080), want;
			struct packet out =
				from_container(f, A, transports[i], OUTSIDE, 40000, 443);

			in.options = out.options = words;
			assert_int_equal(run_uplink(f, &in), REDIRECT);
			want = into(f, A, &in);
			want.dport = 80;
			packet_assert_equal(f->out, f->len, &want);
			assert_int_equal(run_veth(f, A, &out), REDIRECT);
			want = out_by_uplink(f, &out);
			want.src = HOST;
			packet_assert_equal(f->out, f->len, &want);
		}
}

/* Destination options between the IPv6 header and what follows: @n headers of @size bytes.
 * Return: length of the frame */
static size_t insert_extensions(uint8_t *frame, size_t len, size_t n, size_t size)
{
	uint8_t *ip = frame + ETH_HLEN, *ext = ip + 40, next = ip[6];
	size_t room = n * size, payload = (size_t)(ip[4] << 8 | ip[5]) + room;

	memmove(ext + room, ext, len - ETH_HLEN - 40);
	memset(ext, 0, room);
	ip[4] = (uint8_t)(payload >> 8);
	ip[5] = (uint8_t)payload;
	ip[6] = IPPROTO_DSTOPTS;
	for (size_t i = 0; i < n; i++, ext += size) {
		ext[0] = i + 1 < n ? IPPROTO_DSTOPTS : next;
		ext[1] = (uint8_t)(size / 8 - 1);
		ext[2] = 1; /* PadN */
		ext[3] = (uint8_t)(size - 4);
	}
	return len + room;
}

/* As many extension headers as any real packet has, and no more: the walk has a bound. */
static void extension_headers(void **state)
{
	static const struct {
		size_t n, size;
		bool ours;
	} vectors[] = {{1, 8, true},   {2, 8, true},    {6, 8, true},  {7, 8, false},
		       {1, 128, true}, {1, 136, false}, {2, 64, true}, {2, 72, false}};
	struct fixture *f = *state;

	publish(f, A, "8080:80/tcp,udp");
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]) * 2; i++) {
		struct packet in = from_client(transports[i % 2], 40000, 8080),
			      want = into(f, A, &in);
		struct packet out = from_container(f, A, transports[i % 2], OUTSIDE, 41000, 443);
		uint8_t got[PACKET_MAX], expected[PACKET_MAX];
		size_t n = vectors[i / 2].n, size = vectors[i / 2].size, len, dropped;

		want.dport = 80;
		len = insert_extensions(got, packet_build(&in, got), n, size);
		assert_int_equal(run_bytes(f, f->skel->progs.up_uplink_in, f->uplink, got, len),
				 vectors[i / 2].ours ? REDIRECT : NEXT);
		len = insert_extensions(expected, packet_build(&want, expected), n, size);
		if (vectors[i / 2].ours)
			packet_assert_bytes(f->out, f->len, expected, len);
		dropped = counter(f, UP_CNT_DROP_MALFORMED);
		len = insert_extensions(got, packet_build(&out, got), n, size);
		assert_int_equal(run_bytes(f, f->skel->progs.up_veth_in, f->veth[A], got, len),
				 vectors[i / 2].ours ? REDIRECT : DROP);
		assert_int_equal(counter(f, UP_CNT_DROP_MALFORMED), dropped + !vectors[i / 2].ours);
	}
}

static void payload_of_any_length(void **state)
{
	struct fixture *f = *state;

	publish(f, A, "8080:80/udp");
	for (uint16_t payload = 0; payload < 70; payload++) {
		struct packet in = from_client(IPPROTO_UDP, 40000, 8080), want;

		in.payload = payload;
		assert_int_equal(run_uplink(f, &in), REDIRECT);
		want = into(f, A, &in);
		want.dport = 80;
		packet_assert_equal(f->out, f->len, &want);
	}
}

static void udp_without_a_checksum(void **state)
{
	struct fixture *f = *state;
	struct packet in = from_client(IPPROTO_UDP, 40000, 8080), want;

	publish(f, A, "8080:80/udp");
	in.no_csum = true;
	assert_int_equal(run_uplink(f, &in), REDIRECT);
	want = into(f, A, &in);
	want.dport = 80;
	packet_assert_equal(f->out, f->len, &want);
}

/* The sum of what leaves is 0 for one of these source ports: it must be written as 0xffff. */
static void udp_checksum_that_becomes_zero(void **state)
{
	struct fixture *f = *state;
	uint8_t buf[PACKET_MAX];
	struct packet in, want;
	uint32_t port;

	publish(f, A, "8080:80/udp");
	for (port = 1; port < 65536; port++) {
		in = from_client(IPPROTO_UDP, (uint16_t)port, 8080);
		want = into(f, A, &in);
		want.dport = 80;
		packet_build(&want, buf);
		if (buf[40] == 0xff && buf[41] == 0xff)
			break;
	}
	assert_in_range(port, 1, 65535);
	assert_int_equal(run_uplink(f, &in), REDIRECT);
	packet_assert_equal(f->out, f->len, &want);
}

static void assert_harmless(struct fixture *f, struct bpf_program *prog, int ifindex,
			    const uint8_t *data, size_t len)
{
	switch (run_bytes(f, prog, ifindex, data, len)) {
	case NEXT:
		packet_assert_bytes(f->out, f->len, data, len);
		break;
	case DROP:
		break;
	default:
		fail_msg("a packet cut to %zu bytes was forwarded", len);
	}
}

/* The shortest IPv4 frame that BPF_PROG_TEST_RUN takes; it varies with the kernel. */
static size_t shortest(struct fixture *f, const uint8_t *frame, size_t len)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame);

	for (size_t n = 14; n < len; n++) {
		opts.data_size_in = (uint32_t)n;
		if (!bpf_prog_test_run_opts(bpf_program__fd(f->skel->progs.up_uplink_in), &opts))
			return n;
	}
	return len;
}

static void truncated_anywhere(void **state)
{
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP};
	struct fixture *f = *state;
	uint8_t buf[PACKET_MAX];

	publish(f, A, "8080:80/tcp");
	publish(f, A, "8080:80/udp");
	for (int i = 0; i < 3; i++)
		for (uint8_t options = 0; options <= 10; options += 5) {
			struct packet in = from_client(protos[i], 40000, 8080);
			struct packet out = from_container(f, A, protos[i], OUTSIDE, 40000, 443);
			size_t len, from;

			in.options = out.options = options;
			len = packet_build(&in, buf);
			from = shortest(f, buf, len);
			assert_in_range(from, 14, 14 + 20);
			for (size_t cut = from; cut < len; cut++)
				assert_harmless(f, f->skel->progs.up_uplink_in, f->uplink, buf,
						cut);
			len = packet_build(&out, buf);
			for (size_t cut = from; cut < len; cut++)
				assert_harmless(f, f->skel->progs.up_veth_in, f->veth[A], buf, cut);
		}
	assert_int_equal(flow_entries(f), 0);
}

static void lengths_that_lie(void **state)
{
	struct fixture *f = *state;
	struct packet in = from_client(IPPROTO_TCP, 40000, 8080);
	uint8_t buf[PACKET_MAX];
	size_t len = packet_build(&in, buf);
	struct bpf_program *prog = f->skel->progs.up_uplink_in;

	publish(f, A, "8080:80/tcp");
	for (unsigned int ihl = 0; ihl < 5; ihl++) {
		buf[14] = (uint8_t)(0x40 | ihl);
		assert_harmless(f, prog, f->uplink, buf, len);
	}
	buf[14] = 0x4f; /* options that swallow the ports */
	assert_harmless(f, prog, f->uplink, buf, len);
	buf[14] = 0x65; /* version 6 in an IPv4 frame */
	assert_harmless(f, prog, f->uplink, buf, len);
	buf[14] = 0x45;
	buf[16] = 0xff; /* longer than the frame */
	assert_harmless(f, prog, f->uplink, buf, len);
	buf[16] = 0;
	buf[17] = 39; /* ends within the TCP header */
	assert_harmless(f, prog, f->uplink, buf, len);
	buf[17] = 51;
	buf[14 + 20 + 12] = 4 << 4; /* a TCP header of 16 bytes */
	assert_harmless(f, prog, f->uplink, buf, len);
}

/* With a header of 16 bytes the destination 192.0.2.1 would be read as ports, the second 513. */
static void addresses_are_not_ports(void **state)
{
	struct fixture *f = *state;
	struct packet in = from_client(IPPROTO_UDP, 40000, 8080);
	uint8_t buf[PACKET_MAX];
	size_t len = packet_build(&in, buf);

	publish(f, A, "513:80/udp");
	buf[14] = 0x44;
	assert_harmless(f, f->skel->progs.up_uplink_in, f->uplink, buf, len);
	assert_int_equal(flow_entries(f), 0);
}

/* Ethernet pads short frames: what follows the IP packet is not its business. */
static void padding_is_kept(void **state)
{
	struct fixture *f = *state;
	struct packet in = from_client(IPPROTO_TCP, 40000, 8080), want;
	uint8_t buf[PACKET_MAX], expected[PACKET_MAX];
	size_t len;

	publish(f, A, "8080:80/tcp");
	in.payload = 0;
	len = packet_build(&in, buf);
	memset(buf + len, 0xa5, 6);
	assert_int_equal(run_bytes(f, f->skel->progs.up_uplink_in, f->uplink, buf, len + 6),
			 REDIRECT);
	want = into(f, A, &in);
	want.dport = 80;
	packet_build(&want, expected);
	memset(expected + len, 0xa5, 6);
	packet_assert_bytes(f->out, f->len, expected, len + 6);
}

/* Such an address stands for an IPv4 one inside of the programs; on the wire it has no business. */
static void mapped_addresses(void **state)
{
	struct fixture *f = *state;
	struct packet p = from_container(f, A, IPPROTO_UDP, OUTSIDE, 40000, 53);
	const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	uint8_t buf[PACKET_MAX];

	for (size_t at = 14 + 8; at < 14 + 40; at += 16) {
		size_t len = packet_build(&p, buf);

		memcpy(buf + at, mapped, sizeof(mapped));
		assert_int_equal(run_bytes(f, f->skel->progs.up_veth_in, f->veth[A], buf, len),
				 DROP);
	}
	assert_int_equal(counter(f, UP_CNT_DROP_MALFORMED), 2);
	assert_int_equal(flow_entries(f), 0);
}

static const struct CMUnitTest tests[] = {
	V6(mapped_addresses),          BOTH(ip_options),
	V6(extension_headers),         BOTH(payload_of_any_length),
	BOTH(udp_without_a_checksum),  BOTH(udp_checksum_that_becomes_zero),
	BOTH(truncated_anywhere),      ONCE(lengths_that_lie),
	ONCE(addresses_are_not_ports), BOTH(padding_is_kept),
};

int main(void)
{
	return cmocka_run_group_tests_name("headers", tests, NULL, NULL);
}
