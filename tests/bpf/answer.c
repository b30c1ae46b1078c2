// SPDX-License-Identifier: GPL-2.0-only
#include "answer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

const struct meaning ttl_expired = {11, 0, 3, 0};
const struct meaning too_big = {3, 4, 2, 0};
const struct meaning no_route = {3, 1, 1, 0}; /* of an unreachable one, as Linux says it */
const struct meaning prohibited = {3, 13, 1, 1};

void assert_error(struct fixture *f, const struct packet *p, uint32_t from, const struct meaning *m,
		  uint32_t mtu)
{
	struct icmp_error e = {
		.outer = {.v6 = p->v6, .ttl = 64, .src = from, .dst = p->src},
		.type = p->v6 ? m->type6 : m->type4,
		.code = p->v6 ? m->code6 : m->code4,
		.rest = mtu,
	};
	uint8_t about[PACKET_MAX], want[PACKET_MAX];
	size_t len = packet_build(p, about) - 14, max = p->v6 ? 1232 : 548;

	memcpy(e.outer.eth, p->eth + 6, 6);
	memcpy(e.outer.eth + 6, p->eth, 6);
	len = packet_icmp_error(&e, about + 14, len < max ? len : max, want);
	if (!p->v6) { /* not a fragment, so it needs no identification (RFC 6864) */
		want[18] = want[19] = 0;
		want[24] = want[25] = 0;
		*(uint16_t *)(void *)(want + 24) = htons((uint16_t)~packet_sum(want + 14, 20, 0));
	}
	packet_assert_bytes(f->out, f->len, want, len);
}

static void put32(uint8_t *at, uint32_t v)
{
	v = htonl(v);
	memcpy(at, &v, 4);
}

/* As packet_build() numbers its segments. */
void assert_reset(struct fixture *f, const struct packet *p)
{
	struct packet r = {
		.v6 = p->v6,
		.ttl = 64,
		.proto = IPPROTO_TCP,
		.src = p->dst,
		.dst = p->src,
		.sport = p->dport,
		.dport = p->sport,
		.flags = p->flags & TCP_ACK ? TCP_RST : TCP_RST | TCP_ACK,
	};
	uint8_t want[PACKET_MAX], *tcp;
	uint16_t sum;
	size_t len;

	memcpy(r.eth, p->eth + 6, 6);
	memcpy(r.eth + 6, p->eth, 6);
	len = packet_build(&r, want);
	tcp = want + len - 20;
	put32(tcp + 4, p->flags & TCP_ACK ? 0x0a0b0c0d : 0);
	put32(tcp + 8, p->flags & TCP_ACK ? 0
					  : 0x01020304 + p->payload + !!(p->flags & TCP_SYN) +
						    !!(p->flags & TCP_FIN));
	memset(tcp + 14, 0, 4); /* window and checksum */
	sum = packet_sum(want + 14 + (p->v6 ? 8 : 12), p->v6 ? 32 : 8, IPPROTO_TCP + 20);
	sum = (uint16_t)~packet_sum(tcp, 20, sum);
	tcp[16] = (uint8_t)(sum >> 8);
	tcp[17] = (uint8_t)sum;
	if (!p->v6) {
		want[18] = want[19] = want[24] = want[25] = 0;
		sum = (uint16_t)~packet_sum(want + 14, 20, 0);
		want[24] = (uint8_t)(sum >> 8);
		want[25] = (uint8_t)sum;
	}
	packet_assert_bytes(f->out, f->len, want, len);
}
