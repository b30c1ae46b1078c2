/* SPDX-License-Identifier: GPL-2.0-only */
/* Which ports do the host's own sockets hold? One sock_diag dump, whatever the range's length. */
#ifndef UP_NET_SOCKDIAG_H
#define UP_NET_SOCKDIAG_H

#include <netinet/in.h>
#include <stdint.h>

#include "net/addr.h"

struct up_err;

/**
 * up_sockdiag_holder() - find a socket of this namespace that holds a port of a range
 * @proto:    IPPROTO_TCP (only listeners count) or IPPROTO_UDP (every socket that is bound and not
 *            connected counts); of another protocol there are none
 * @addr:     the address that is wanted. UP_ANY conflicts with every address, UP_ANY_V4 and
 * UP_ANY_V6 with every one of the family. A socket bound to 0.0.0.0 conflicts with every IPv4
 *            @addr, one bound to :: with every @addr, or with every IPv6 one if IPV6_V6ONLY is set
 * @lo, @hi:  inclusive range, host byte order
 * @ret_port: the lowest port in conflict, host byte order; 0 where there is none
 * @err:      why it failed
 *
 * Return: 0 or -errno
 */
int up_sockdiag_holder(uint8_t proto, const struct up_addr *addr, uint16_t lo, uint16_t hi,
		       uint16_t *ret_port, struct up_err *err);

#endif
