/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses as people write them. */
#ifndef UP_NET_ADDR_H
#define UP_NET_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "underpass/addr.h"

/** up_addr_af() - AF_INET or AF_INET6 */
int up_addr_af(const struct up_addr *addr);

/**
 * up_addr_bytes() - the address as its family's packets and netlink messages carry it
 * @addr:    an address
 * @ret_len: 4 or 16
 */
const void *up_addr_bytes(const struct up_addr *addr, size_t *ret_len);

/** up_addr_from_bytes() - the other way round; @len is 4 or 16, anything else gives UP_ANY */
struct up_addr up_addr_from_bytes(const void *bytes, size_t len);

/** up_addr_parse() - "192.0.2.1" or "2001:db8::1". Return: 0 or -EINVAL */
int up_addr_parse(const char *text, struct up_addr *ret);

/** up_addr_format() - write it back; UP_ANY_V6 as "::" */
#define UP_ADDR_TEXT INET6_ADDRSTRLEN
const char *up_addr_format(const struct up_addr *addr, char buf[UP_ADDR_TEXT]);

/**
 * up_addr_conflicts() - can two not have the same port? Each is an address, UP_ANY, UP_ANY_V4 or
 * UP_ANY_V6
 */
bool up_addr_conflicts(const struct up_addr *a, const struct up_addr *b);

/** up_addr_offset() - the address that is @offset behind @base */
struct up_addr up_addr_offset(const struct up_addr *base, uint32_t offset);

/**
 * struct up_cidr - a network
 * @addr: all bits beyond the prefix are 0
 * @plen: bits of the family
 */
struct up_cidr {
	struct up_addr addr;
	uint8_t plen;
};

/**
 * up_cidr_parse() - "10.0.0.0/8", "2001:db8::/32", or an address alone
 *
 * Return: 0; -EINVAL for anything else, and where bits beyond the prefix are set, so that a typing
 * error is seen
 */
int up_cidr_parse(const char *text, struct up_cidr *ret);

/** up_cidr_contains() - is an address in a network? */
bool up_cidr_contains(const struct up_cidr *net, const struct up_addr *addr);

#endif
