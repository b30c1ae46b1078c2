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

void packet_addr(bool v6, uint32_t addr, uint8_t ret[16])
{
	memset(ret, 0, 16);
	if (!v6) {
		put32(ret, addr);
		return;
	}
	put32(ret, addr >> 24 == 10 ? 0xfd000000 : 0x20010db8);
	put32(ret + 12, addr);
}

uint8_t packet_proto(const struct packet *p)
{
	return p->v6 && p->proto == IPPROTO_ICMP ? IPPROTO_ICMPV6 : p->proto;
}

/* Sum of the pseudo header (RFC 9293, 3.1; RFC 8200, 8.1): both add up to the same words. */
static uint32_t pseudo(const uint8_t *ip, uint8_t proto, uint16_t l4_len)
{
	bool v6 = ip[0] >> 4 == 6;

	return packet_sum(ip + (v6 ? 8 : 12), v6 ? 32 : 8, 0) + proto + (uint32_t)l4_len;
}

static size_t csum_offset(uint8_t proto)
{
	return proto == IPPROTO_TCP ? 16 : proto == IPPROTO_UDP ? 6 : proto == IPPROTO_ICMP ? 2 : 0;
}

static size_t header_length(uint8_t proto)
{
	if (proto == IPPROTO_TCP)
		return 20;
	if (proto == IPPROTO_SCTP)
		return 16; /* with the first chunk's header */
	return proto == IPPROTO_UDP || proto == IPPROTO_ICMP ? 8 : 0;
}

static uint8_t icmp_type(const struct packet *p)
{
	if (!p->v6)
		return p->icmp_type;
	return p->icmp_type == 8 ? 128 : p->icmp_type ? p->icmp_type : 129;
}

static void write_l4(uint8_t *l4, const struct packet *p, uint16_t len)
{
	if (p->proto == IPPROTO_ICMP) {
		l4[0] = icmp_type(p);
		put16(l4 + 4, p->sport);
		put16(l4 + 6, 1);
		return;
	}
	if (!header_length(p->proto))
		return;
	put16(l4, p->sport);
	put16(l4 + 2, p->dport);
	if (p->proto == IPPROTO_UDP) {
		put16(l4 + 4, len);
		return;
	}
	put32(l4 + 4, 0x01020304);
	put32(l4 + 8, p->flags & TCP_ACK ? 0x0a0b0c0d : 0);
	if (p->proto == IPPROTO_SCTP) {
		l4[12] = p->flags; /* the first chunk */
		put16(l4 + 14, 4);
		return;
	}
	l4[12] = 5 << 4;
	l4[13] = p->flags;
	put16(l4 + 14, 0x7210);
}

static void seal_l4(uint8_t *ip, uint8_t *l4, const struct packet *p, uint16_t len)
{
	size_t at = csum_offset(p->proto);
	bool bare = p->proto == IPPROTO_ICMP && !p->v6;
	uint16_t sum;

	if (!at || (p->proto == IPPROTO_UDP && p->no_csum))
		return;
	sum = ~packet_sum(l4, len, bare ? 0 : pseudo(ip, packet_proto(p), len));
	if (p->proto == IPPROTO_UDP && !sum)
		sum = 0xffff;
	put16(l4 + at, sum);
}

static void put_addresses(uint8_t *at, const struct packet *p)
{
	uint8_t addr[16];
	size_t len = p->v6 ? 16 : 4;

	packet_addr(p->v6, p->src, addr);
	memcpy(at, addr, len);
	packet_addr(p->v6, p->dst, addr);
	memcpy(at + len, addr, len);
}

/* Return: length of the header */
static size_t write_ipv4(uint8_t *ip, const struct packet *p, uint16_t l4_len)
{
	uint16_t hlen = (uint16_t)(20 + 4 * p->options);

	ip[0] = (uint8_t)(4 << 4 | hlen / 4);
	put16(ip + 2, hlen + l4_len);
	put16(ip + 4, p->frag_id ? p->frag_id : 0x1234);
	put16(ip + 6, p->frag);
	ip[8] = p->ttl;
	ip[9] = p->proto;
	put_addresses(ip + 12, p);
	memset(ip + 20, 1, 4 * p->options); /* NOP */
	put16(ip + 10, ~packet_sum(ip, hlen, 0));
	return hlen;
}

/* RFC 8200, 4.6: destination options, padded. */
static uint8_t *write_options6(uint8_t *ext, uint8_t *next, uint8_t words)
{
	size_t len = (2 + words) / 2 * 8U;

	*next = 60;
	ext[1] = (uint8_t)(len / 8 - 1);
	ext[2] = 1; /* PadN */
	ext[3] = (uint8_t)(len - 4);
	return ext + len;
}

/* RFC 8200, 4.5 */
static uint8_t *write_fragment6(uint8_t *ext, uint8_t *next, const struct packet *p)
{
	*next = 44;
	put16(ext + 2, (uint16_t)((p->frag & 0x1fff) << 3 | (p->frag >> 13 & 1)));
	put32(ext + 4, p->frag_id);
	return ext + 8;
}

static size_t write_ipv6(uint8_t *ip, const struct packet *p, uint16_t l4_len)
{
	uint8_t *next = ip + 6, *ext = ip + 40, *end;

	ip[0] = 6 << 4;
	ip[7] = p->ttl;
	put_addresses(ip + 8, p);
	end = ext;
	if (p->options) {
		end = write_options6(ext, next, p->options);
		next = ext;
	}
	if (p->frag) {
		uint8_t *frag = end;

		end = write_fragment6(frag, next, p);
		next = frag;
	}
	*next = packet_proto(p);
	put16(ip + 4, (uint16_t)(end - ext + l4_len));
	return (size_t)(end - ip);
}

size_t packet_build(const struct packet *p, uint8_t buf[PACKET_MAX])
{
	bool later = p->frag & 0x1fff;
	uint16_t l4_len = (uint16_t)((later ? 0 : header_length(p->proto)) + p->payload);
	uint8_t *ip = buf + 14, *l4;
	size_t hlen;

	memset(buf, 0, PACKET_MAX);
	memcpy(buf, p->eth, 12);
	put16(buf + 12, p->ethertype ? p->ethertype : p->v6 ? 0x86dd : 0x0800);
	hlen = p->v6 ? write_ipv6(ip, p, l4_len) : write_ipv4(ip, p, l4_len);
	l4 = ip + hlen;
	for (size_t i = 0; i < p->payload; i++)
		l4[l4_len - p->payload + i] = (uint8_t)(p->fill + i);
	if (!later) {
		write_l4(l4, p, l4_len);
		seal_l4(ip, l4, p, l4_len);
	}
	return 14 + hlen + l4_len;
}

size_t packet_icmp_error(const struct icmp_error *e, const uint8_t *about, size_t len,
			 uint8_t buf[PACKET_MAX])
{
	struct packet p = e->outer;
	uint8_t *ip = buf + 14, *icmp;
	uint16_t l4_len;
	size_t total;

	p.proto = IPPROTO_ICMP;
	p.payload = (uint16_t)len;
	total = packet_build(&p, buf);
	l4_len = (uint16_t)(8 + len);
	icmp = buf + total - l4_len;
	icmp[0] = e->type;
	icmp[1] = e->code;
	put16(icmp + 2, 0);
	put32(icmp + 4, e->rest);
	memcpy(icmp + 8, about, len);
	put16(icmp + 2, ~packet_sum(icmp, l4_len, p.v6 ? pseudo(ip, IPPROTO_ICMPV6, l4_len) : 0));
	return total;
}

bool packet_checksums_ok(const uint8_t *pkt, size_t len)
{
	const uint8_t *ip = pkt + 14;
	bool v6 = ip[0] >> 4 == 6;
	size_t hlen = v6 ? 40 : (ip[0] & 15) * 4U;
	uint8_t proto = ip[v6 ? 6 : 9];
	uint16_t l4_len = (uint16_t)(v6 ? get16(ip + 4) : get16(ip + 2) - hlen);
	const uint8_t *l4 = ip + hlen;

	if (14 + hlen + l4_len > len || (!v6 && packet_sum(ip, hlen, 0) != 0xffff))
		return false;
	if (proto == IPPROTO_UDP && !v6 && !get16(l4 + 6))
		return true;
	return packet_sum(l4, l4_len, proto == IPPROTO_ICMP ? 0 : pseudo(ip, proto, l4_len)) ==
	       0xffff;
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
