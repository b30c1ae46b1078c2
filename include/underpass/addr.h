/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Addresses. One type for both families, so that tuples, tables and rules exist once: an IPv4
 * address is kept IPv4-mapped (RFC 4291, 2.5.5.2). A packet that carries such an address on the
 * wire is refused, so that the two never meet.
 */
#ifndef UNDERPASS_ADDR_H
#define UNDERPASS_ADDR_H

#include <linux/types.h>
#include <stdbool.h>

enum up_family { UP_V4, UP_V6, UP_FAMILIES };

/**
 * struct up_addr - an IPv6 address, or an IPv4 one as ::ffff:a.b.c.d
 * @w: network byte order
 */
struct up_addr {
	__be32 w[4];
};

/* The same on the host and in a program. */
#define UP_HTONL(x)   ((__be32)__builtin_bswap32(x))
#define UP_V4_MARK    UP_HTONL(0xffff)
#define UP_MAPPED(a4) ((struct up_addr){{0, 0, UP_V4_MARK, (a4)}})

/*
 * What a port may be published on instead of one address: everything, or everything of a family.
 * The last is no address of any host (it is multicast).
 */
#define UP_ANY    ((struct up_addr){{0, 0, 0, 0}})
#define UP_ANY_V4 UP_MAPPED(0)
#define UP_ANY_V6 ((struct up_addr){{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}})

static inline bool up_addr_equal(const struct up_addr *a, const struct up_addr *b)
{
	return !((a->w[0] ^ b->w[0]) | (a->w[1] ^ b->w[1]) | (a->w[2] ^ b->w[2]) |
		 (a->w[3] ^ b->w[3]));
}

/** up_addr_set() - is there an address at all? */
static inline bool up_addr_set(const struct up_addr *a)
{
	return a->w[0] | a->w[1] | a->w[2] | a->w[3];
}

static inline bool up_addr_is_v4(const struct up_addr *a)
{
	return !(a->w[0] | a->w[1]) && a->w[2] == UP_V4_MARK;
}

static inline enum up_family up_addr_family(const struct up_addr *a)
{
	return up_addr_is_v4(a) ? UP_V4 : UP_V6;
}

/** up_addr_is_ula() - unique local (RFC 4193): means nothing outside, so it is masqueraded */
static inline bool up_addr_is_ula(const struct up_addr *a)
{
	return (a->w[0] & UP_HTONL(0xfe000000)) == UP_HTONL(0xfc000000);
}

static inline bool up_addr_is_linklocal(const struct up_addr *a)
{
	return (a->w[0] & UP_HTONL(0xffc00000)) == UP_HTONL(0xfe800000);
}

static inline bool up_addr_is_loopback(const struct up_addr *a)
{
	if (up_addr_is_v4(a))
		return (a->w[3] & UP_HTONL(0xff000000)) == UP_HTONL(0x7f000000);
	return !(a->w[0] | a->w[1] | a->w[2]) && a->w[3] == UP_HTONL(1);
}

/** up_addr_is_multicast() - or IPv4 broadcast, or reserved: 224.0.0.0 and above */
static inline bool up_addr_is_multicast(const struct up_addr *a)
{
	if (up_addr_is_v4(a))
		return (a->w[3] & UP_HTONL(0xe0000000)) == UP_HTONL(0xe0000000);
	return (a->w[0] & UP_HTONL(0xff000000)) == UP_HTONL(0xff000000);
}

#endif
