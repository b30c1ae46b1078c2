/* SPDX-License-Identifier: GPL-2.0-only */
/* What is let in by an uplink: asked by XDP where it is attached, and by TC in any case. */
#ifndef UP_BPF_ADMIT_H
#define UP_BPF_ADMIT_H

#include <stdbool.h>

#include "lib/deny.h"
#include "lib/port.h"
#include "lib/source.h"

/** comes_from_denied() - of what has a source at all */
static __always_inline bool comes_from_denied(const struct pkt *p)
{
	return (p->res == PARSE_OK || p->res == PARSE_L3 || p->res == PARSE_LATER_FRAG ||
		p->res == PARSE_ICMP_ERROR) &&
	       is_denied(&p->t.saddr);
}

/** may_open() - only a SYN opens a connection; a loopback address never comes by a wire */
static __always_inline bool may_open(const struct pkt *p)
{
	if (up_addr_is_loopback(&p->t.daddr))
		return false;
	return p->t.proto == IPPROTO_UDP || (p->seen & ~UP_SEEN_FIN) == UP_SEEN_SYN;
}

/** may_be_published() - could this packet make a flow to a published port? One bit test */
static __always_inline bool may_be_published(const struct pkt *p)
{
	const struct up_port_half *half = port_half();

	return p->res == PARSE_OK && half && port_any(half, p->t.proto, p->t.dport) && may_open(p);
}

/**
 * refuses() - why a new connection to a published port is refused
 * @charge: count it as one of its source's; only one of XDP and TC does
 *
 * Return: a counter, or UP_CNT_MAX to let it in
 */
static __always_inline enum up_counter refuses(const struct up_port_row *row, const struct pkt *p,
					       bool charge)
{
	if (!port_allows(row, &p->t.saddr))
		return UP_CNT_DROP_DENIED;
	if (charge && !source_may_connect(&p->t.saddr))
		return UP_CNT_DROP_SRC_RATE;
	return UP_CNT_MAX;
}

#endif
