// SPDX-License-Identifier: GPL-2.0-only
#include "packet.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "cmocka_all.h"

static void put16(uint8_t *at, uint16_t v)
{
	at[0] = v >> 8;
	at[1] = v & 0xff;
}

static void put32(uint8_t *at, uint32_t v)
{
	put16(at, v >> 16);
	put16(at + 2, v & 0xffff);
}

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

uint16_t packet_sum(const uint8_t *data, size_t len, uint32_t start)
{
	uint64_t sum = start;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += get16(data + i);
	if (len % 2)
		sum += (uint64_t)data[len - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* Sum of the pseudo header (RFC 9293, 3.1). */
static uint32_t pseudo(const uint8_t *ip, uint16_t l4_len)
{
	return packet_sum(ip + 12, 8, 0) + ip[9] + l4_len;
}

static size_t csum_offset(uint8_t proto)
{
	return proto == IPPROTO_TCP ? 16 : proto == IPPROTO_UDP ? 6 : 2;
}

static size_t header_length(uint8_t proto)
{
	return proto == IPPROTO_TCP ? 20 : proto == IPPROTO_UDP || proto == IPPROTO_ICMP ? 8 : 0;
}

static void write_l4(uint8_t *l4, const struct packet *p, uint16_t len)
{
	if (p->proto == IPPROTO_ICMP) {
		l4[0] = p->icmp_type;
		put16(l4 + 4, p->sport);
		put16(l4 + 6, 1);
		return;
	}
	if (p->proto != IPPROTO_TCP && p->proto != IPPROTO_UDP)
		return;
	put16(l4, p->sport);
	put16(l4 + 2, p->dport);
	if (p->proto == IPPROTO_UDP) {
		put16(l4 + 4, len);
		return;
	}
	put32(l4 + 4, 0x01020304);
	put32(l4 + 8, p->flags & TCP_ACK ? 0x0a0b0c0d : 0);
	l4[12] = 5 << 4;
	l4[13] = p->flags;
	put16(l4 + 14, 0x7210);
}

static void seal_l4(uint8_t *ip, uint8_t *l4, const struct packet *p, uint16_t len)
{
	size_t at = csum_offset(p->proto);
	uint16_t sum;

	if (!header_length(p->proto) || (p->proto == IPPROTO_UDP && p->no_csum))
		return;
	sum = ~packet_sum(l4, len, p->proto == IPPROTO_ICMP ? 0 : pseudo(ip, len));
	if (p->proto == IPPROTO_UDP && !sum)
		sum = 0xffff;
	put16(l4 + at, sum);
}

size_t packet_build(const struct packet *p, uint8_t buf[PACKET_MAX])
{
	uint8_t *ip = buf + 14, *l4 = ip + 20 + 4 * p->options;
	uint16_t l4_len = (uint16_t)(header_length(p->proto) + p->payload);
	uint16_t hlen = (uint16_t)(20 + 4 * p->options);

	memset(buf, 0, PACKET_MAX);
	memcpy(buf, p->eth, 12);
	put16(buf + 12, p->ethertype ? p->ethertype : 0x0800);
	ip[0] = (uint8_t)(4 << 4 | hlen / 4);
	put16(ip + 2, hlen + l4_len);
	put16(ip + 4, 0x1234);
	put16(ip + 6, p->frag);
	ip[8] = p->ttl;
	ip[9] = p->proto;
	put32(ip + 12, p->src);
	put32(ip + 16, p->dst);
	memset(ip + 20, 1, 4 * p->options); /* NOP */
	put16(ip + 10, ~packet_sum(ip, hlen, 0));
	for (size_t i = 0; i < p->payload; i++)
		l4[header_length(p->proto) + i] = (uint8_t)(p->fill + i);
	write_l4(l4, p, l4_len);
	seal_l4(ip, l4, p, l4_len);
	return 14U + hlen + l4_len;
}

bool packet_checksums_ok(const uint8_t *pkt, size_t len)
{
	const uint8_t *ip = pkt + 14;
	size_t hlen = (ip[0] & 15) * 4U;
	uint16_t l4_len = (uint16_t)(get16(ip + 2) - hlen);
	const uint8_t *l4 = ip + hlen;

	if (14 + hlen + l4_len > len || packet_sum(ip, hlen, 0) != 0xffff)
		return false;
	if (ip[9] == IPPROTO_UDP && !get16(l4 + 6))
		return true;
	return packet_sum(l4, l4_len, ip[9] == IPPROTO_ICMP ? 0 : pseudo(ip, l4_len)) == 0xffff;
}

static void dump(const char *what, const uint8_t *data, size_t len, const uint8_t *other,
		 size_t other_len)
{
	fprintf(stderr, "# %s (%zu bytes):", what, len);
	for (size_t i = 0; i < len; i++)
		fprintf(stderr, "%s%02x%s", i % 16 ? " " : "\n#   ", data[i],
			i >= other_len || data[i] != other[i] ? "*" : " ");
	fputc('\n', stderr);
}

void packet_assert_bytes(const uint8_t *got, size_t got_len, const uint8_t *want, size_t want_len)
{
	if (got_len == want_len && !memcmp(got, want, got_len))
		return;
	dump("got", got, got_len, want, want_len);
	dump("want", want, want_len, got, got_len);
	fail_msg("the packets differ (marked *)");
}

void packet_assert_equal(const uint8_t *got, size_t got_len, const struct packet *want)
{
	uint8_t buf[PACKET_MAX];

	packet_assert_bytes(got, got_len, buf, packet_build(want, buf));
}
