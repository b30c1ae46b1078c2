/* SPDX-License-Identifier: GPL-2.0-only */
/* Which ports do the host's own sockets hold? One sock_diag dump, whatever the range's length. */
#ifndef UP_NET_SOCKDIAG_H
#define UP_NET_SOCKDIAG_H

#include <netinet/in.h>
#include <stdint.h>

struct up_err;

/**
 * up_sockdiag_holder() - find a socket of this namespace that holds a port of a range
 * @proto:    IPPROTO_TCP (only listeners count) or IPPROTO_UDP (every socket that is bound and not
 *            connected counts)
 * @addr:     the address that is wanted, network byte order; 0.0.0.0 conflicts with every address.
 *            A socket bound to 0.0.0.0, or to :: without IPV6_V6ONLY, conflicts with every @addr;
 *            an IPv4-mapped one as its IPv4 address
 * @lo, @hi:  inclusive range, host byte order
 * @ret_port: the lowest port in conflict, host byte order; 0 where there is none
 * @err:      why it failed
 *
 * Return: 0 or -errno
 */
int up_sockdiag_holder(uint8_t proto, struct in_addr addr, uint16_t lo, uint16_t hi,
		       uint16_t *ret_port, struct up_err *err);

#endif
