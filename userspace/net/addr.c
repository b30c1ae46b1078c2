// SPDX-License-Identifier: GPL-2.0-only
#include "net/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAPPED_BITS 96 /* of an IPv4-mapped address, before the IPv4 one */

int up_addr_af(const struct up_addr *addr)
{
	return up_addr_is_v4(addr) ? AF_INET : AF_INET6;
}

const void *up_addr_bytes(const struct up_addr *addr, size_t *ret_len)
{
	*ret_len = up_addr_is_v4(addr) ? 4 : 16;
	return up_addr_is_v4(addr) ? &addr->w[3] : &addr->w[0];
}

struct up_addr up_addr_from_bytes(const void *bytes, size_t len)
{
	struct up_addr addr = UP_ANY;

	if (len == 4) {
		addr = UP_ANY_V4;
		memcpy(&addr.w[3], bytes, 4);
	} else if (len == 16) {
		memcpy(addr.w, bytes, 16);
	}
	return addr;
}

int up_addr_parse(const char *text, struct up_addr *ret)
{
	struct up_addr addr = UP_ANY_V4;

	if (inet_pton(AF_INET, text, &addr.w[3]) != 1 && inet_pton(AF_INET6, text, addr.w) != 1)
		return -EINVAL;
	*ret = addr;
	return 0;
}

const char *up_addr_format(const struct up_addr *addr, char buf[UP_ADDR_TEXT])
{
	const struct up_addr any6 = UP_ANY_V6, any = UP_ANY;
	const struct up_addr *shown = up_addr_equal(addr, &any6) ? &any : addr;
	size_t len;
	const void *bytes = up_addr_bytes(shown, &len);

	return inet_ntop(up_addr_af(shown), bytes, buf, UP_ADDR_TEXT);
}

static bool is_any(const struct up_addr *addr)
{
	const struct up_addr any = UP_ANY, any4 = UP_ANY_V4, any6 = UP_ANY_V6;

	return up_addr_equal(addr, &any) || up_addr_equal(addr, &any4) ||
	       up_addr_equal(addr, &any6);
}

bool up_addr_conflicts(const struct up_addr *a, const struct up_addr *b)
{
	if (!up_addr_set(a) || !up_addr_set(b))
		return true;
	if (up_addr_is_v4(a) != up_addr_is_v4(b))
		return false;
	return is_any(a) || is_any(b) || up_addr_equal(a, b);
}

struct up_addr up_addr_offset(const struct up_addr *base, uint32_t offset)
{
	struct up_addr addr = *base;

	addr.w[3] = htonl(ntohl(addr.w[3]) + offset);
	return addr;
}

/* Word @i of a netmask of @bits bits over the whole mapped address. */
static uint32_t mask_word(unsigned int bits, int i)
{
	unsigned int before = (unsigned int)i * 32;

	if (bits <= before)
		return 0;
	return bits - before >= 32 ? 0xffffffff : htonl(~(0xffffffffU >> (bits - before)));
}

static unsigned int mapped_bits(const struct up_cidr *net)
{
	return net->plen + (up_addr_is_v4(&net->addr) ? MAPPED_BITS : 0U);
}

bool up_cidr_contains(const struct up_cidr *net, const struct up_addr *addr)
{
	if (up_addr_is_v4(&net->addr) != up_addr_is_v4(addr))
		return false;
	for (int i = 0; i < 4; i++)
		if ((net->addr.w[i] ^ addr->w[i]) & mask_word(mapped_bits(net), i))
			return false;
	return true;
}

static bool host_bits_set(const struct up_cidr *net)
{
	for (int i = 0; i < 4; i++)
		if (net->addr.w[i] & ~mask_word(mapped_bits(net), i))
			return true;
	return false;
}

int up_cidr_parse(const char *text, struct up_cidr *ret)
{
	char buf[UP_ADDR_TEXT + 4], *slash, *end;
	struct up_cidr net = {};
	unsigned long plen;

	if ((size_t)snprintf(buf, sizeof(buf), "%s", text) >= sizeof(buf))
		return -EINVAL;
	slash = strchr(buf, '/');
	if (slash)
		*slash = '\0';
	if (up_addr_parse(buf, &net.addr))
		return -EINVAL;
	plen = up_addr_is_v4(&net.addr) ? 32 : 128;
	if (slash) {
		unsigned long max = plen;

		plen = strtoul(slash + 1, &end, 10);
		if (slash[1] < '0' || slash[1] > '9' || *end || plen > max)
			return -EINVAL;
	}
	net.plen = (uint8_t)plen;
	if (host_bits_set(&net))
		return -EINVAL;
	*ret = net;
	return 0;
}
