/* SPDX-License-Identifier: GPL-2.0-only */
/* Host ports that nobody has, for ranges that leave them open. */
#ifndef UP_CORE_PORTFREE_H
#define UP_CORE_PORTFREE_H

#include <stddef.h>

#include "core/portspec.h"

struct up_datapath;
struct up_err;

/**
 * up_ports_choose() - give each range with @any a place among the host's ports
 * @dp:   open datapath
 * @pubs: @lo and @hi are changed, and @any is taken back
 * @n:    how many
 * @err:  why it failed
 *
 * The lowest place in net.ipv4.ip_local_port_range, as docker's, where nothing is published, no
 * socket of the host is bound, and nothing is reserved (net.ipv4.ip_local_reserved_ports). Callers
 * hold the lock. Return: 0; -ENOSPC where there is none; or another -errno
 */
int up_ports_choose(struct up_datapath *dp, struct up_publish *pubs, size_t n, struct up_err *err);

#endif
