/* SPDX-License-Identifier: GPL-2.0-only */
/* Published ports of endpoints. */
#ifndef UP_CORE_PORTS_H
#define UP_CORE_PORTS_H

#include <stddef.h>

#include "core/endpoint.h"
#include "core/portspec.h"

struct up_datapath;
struct up_err;

/**
 * up_ports_check() - may these ranges be published? Those that leave the host's ports open are
 * given some
 * @dp:       open datapath
 * @endpoint: who wants them, 0 for one that is not there yet
 * @netns_cookie: of its network namespace: what another endpoint of the same container has
 *            published, this one may too, and stands by with it
 * @pubs:     the ranges
 * @n:        how many
 * @err:      names the range, and the endpoint or the socket that holds it
 *
 * Return: 0; -EEXIST where an endpoint has it; -EADDRINUSE where a socket of the host does;
 * -EOPNOTSUPP where the protocol does not let the port change
 */
int up_ports_check(struct up_datapath *dp, uint32_t endpoint, uint64_t netns_cookie,
		   struct up_publish *pubs, size_t n, struct up_err *err);

/** up_ports_publish() - make checked ranges live, all at one instant. Callers hold the lock */
int up_ports_publish(struct up_datapath *dp, uint32_t endpoint, const struct up_publish *pubs,
		     size_t n, struct up_err *err);

/** up_ports_withdraw() - take all ranges of an endpoint away. Callers hold the lock */
void up_ports_withdraw(struct up_datapath *dp, uint32_t endpoint);

/**
 * up_port_add() - publish more ports of a live endpoint; established flows are kept
 * @dp:   open datapath
 * @name: the endpoint
 * @pubs: ranges; all of them or none
 * @n:    how many
 * @err:  why it failed
 *
 * Takes the state lock. Return: 0 or -errno as up_ports_check(), -ENOENT for no such endpoint
 */
int up_port_add(struct up_datapath *dp, const char *name, const struct up_publish *pubs, size_t n,
		struct up_err *err);

/**
 * up_port_del() - withdraw a published range; its flows end
 * @dp:   open datapath
 * @name: the owner
 * @pub:  a range exactly as it was published; @pub->to may be 0 for any
 * @err:  why it failed
 *
 * Takes the state lock. Return: 0; -ENOENT where the endpoint has no such range; or another -errno
 */
int up_port_del(struct up_datapath *dp, const char *name, const struct up_publish *pub,
		struct up_err *err);

/**
 * up_port_del_all() - withdraw every published range of an endpoint; all of its flows end
 *
 * Takes the state lock. Return: 0; -ENOENT for no such endpoint; or another -errno
 */
int up_port_del_all(struct up_datapath *dp, const char *name, struct up_err *err);

/**
 * up_port_allow() - replace the list of sources of a published range, at one instant
 * @dp:   open datapath
 * @name: the owner
 * @pub:  a range exactly as it was published, with the sources that may use it from now on
 * @err:  why it failed; the list is then what it was
 *
 * Connections that are established go on. Takes the state lock. Return: 0; -ENOENT where the
 * endpoint has no such range; -ENOSPC where UP_ALLOW_MAX networks are kept; or another -errno
 */
int up_port_allow(struct up_datapath *dp, const char *name, const struct up_publish *pub,
		  struct up_err *err);

/**
 * up_port_drain() - let an endpoint have no new connections of the ports that it shares, or let it
 * have them again. Its connections go on
 *
 * Takes the state lock. Return: 0 or -ENOENT
 */
int up_port_drain(struct up_datapath *dp, const char *name, bool drain, struct up_err *err);

/**
 * up_port_foreach() - hand every published range to a callback, by protocol, address and port
 * @fn: is given the owner's name; returns 0 to go on, another value stops and is returned
 */
int up_port_foreach(struct up_datapath *dp,
		    int (*fn)(const struct up_publish *pub, const char *endpoint, void *arg),
		    void *arg);

#endif
