/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets for tests: built from a description, every checksum computed in full. The oracle is never
 * incremental and never a literal, so that it shares no mistake with what it judges.
 */
#ifndef UP_TESTS_PACKET_H
#define UP_TESTS_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_MAX 2048

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

/**
 * struct packet - a description; addresses and ports in host byte order
 * @smac, @dmac:  last byte of the MAC 02:00:00:00:00:XX; whole ones by @eth
 * @eth:          destination and source MAC, where it is not all 0
 * @ethertype:    0 for that of the IP version
 * @v6:           IPv6; see packet_addr()
 * @options:      32-bit words of IP options (NOPs); IPv6: that many of a destination options header
 *                beyond its first two
 * @frag:         flags and offset field of IPv4, host byte order; IPv6: the same in a fragment
 * header
 * @frag_id:      identification
 * @ttl:          0 is written as 0; the builders below give 64
 * @proto:        IPPROTO_TCP, _UDP, _ICMP (IPv6: ICMPv6), _SCTP, or any other with a payload only
 * @icmp_type:    8 request, 0 reply; @sport is the identifier
 * @flags:        of TCP
 * @payload:      bytes of payload
 * @fill:         the payload counts up from here
 * @no_csum:      UDP without a checksum
 */
struct packet {
	uint8_t eth[12];
	uint16_t ethertype;
	bool v6;
	uint8_t options;
	uint16_t frag;
	uint16_t frag_id;
	uint8_t ttl;
	uint8_t proto;
	uint32_t src, dst;
	uint16_t sport, dport;
	uint8_t icmp_type;
	uint8_t flags;
	uint16_t payload;
	uint8_t fill;
	bool no_csum;
};

/**
 * packet_addr() - the address that a number stands for: itself in IPv4; in IPv6 it is the end of
 * 2001:db8::, or of fd00:: where it is a container's (10.0.0.0/8)
 */
void packet_addr(bool v6, uint32_t addr, uint8_t ret[16]);

/** packet_proto() - @proto as the packet has it */
uint8_t packet_proto(const struct packet *p);

/** packet_build() - write a packet. Return: its length */
size_t packet_build(const struct packet *p, uint8_t buf[PACKET_MAX]);

/**
 * struct icmp_error - an ICMP error
 * @outer: who sends it to whom; its @proto, ports and payload do not count
 * @type, @code: of the family
 * @rest:  the second word of the ICMP header, host byte order: an MTU
 */
struct icmp_error {
	struct packet outer;
	uint8_t type, code;
	uint32_t rest;
};

/** packet_icmp_error() - write an error about the first @len bytes of an IP packet. Return: its
 * length
 */
size_t packet_icmp_error(const struct icmp_error *e, const uint8_t *about, size_t len,
			 uint8_t buf[PACKET_MAX]);

/** packet_assert_equal() - fail the test, with both packets in hex, unless they are the same */
void packet_assert_equal(const uint8_t *got, size_t got_len, const struct packet *want);

/** packet_assert_bytes() - the same against bytes */
void packet_assert_bytes(const uint8_t *got, size_t got_len, const uint8_t *want, size_t want_len);

/** packet_checksums_ok() - are all checksums of a TCP, UDP or ICMP packet without extension headers
 * right, in full? */
bool packet_checksums_ok(const uint8_t *pkt, size_t len);

/** packet_sum() - RFC 1071 over bytes, in network byte order, with a start value. Not folded away
 */
uint16_t packet_sum(const uint8_t *data, size_t len, uint32_t start);

#endif
