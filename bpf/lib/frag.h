/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fragments. Only the first fragment of a packet has ports, so it leaves them under what all share;
 * the later ones fetch them and follow the same flow. Each is rewritten by itself: the checksum,
 * which the first one has, is of the whole packet, and its change does not depend on the rest.
 *
 * A later fragment that comes before the first cannot be placed. It is dropped by name where it
 * left a container, and handed on where it came by an uplink, because it may well be the host's
 * own.
 */
#ifndef UP_BPF_FRAG_H
#define UP_BPF_FRAG_H

#include <stdbool.h>

#include "lib/flow.h"

#define FRAG_SECONDS 30 /* net.ipv4.ipfrag_time */

static __always_inline void frag_key(const struct pkt *p, struct up_frag_key *ret)
{
	__builtin_memset(ret, 0, sizeof(*ret));
	ret->saddr = p->t.saddr;
	ret->daddr = p->t.daddr;
	ret->id = p->frag_id;
	ret->ifindex = p->t.ifindex;
	ret->proto = p->t.proto;
}

/** frag_note() - remember the ports of a first fragment whose flow is known */
static __noinline void frag_note(const struct pkt *p)
{
	struct up_frag frag = {
		.sport = p->t.sport,
		.dport = p->t.dport,
		.seen_at = now_sec(),
	};
	struct up_frag_key key;

	frag_key(p, &key);
	bpf_map_update_elem(&up_frags, &key, &frag, BPF_ANY);
}

/** frag_find() - fill in the ports of a later fragment. Return: false where they are not known */
static __noinline bool frag_find(struct pkt *p)
{
	struct up_frag_key key;
	struct up_frag *frag;

	frag_key(p, &key);
	frag = bpf_map_lookup_elem(&up_frags, &key);
	if (!frag || now_sec() - frag->seen_at > FRAG_SECONDS)
		return false;
	p->t.sport = frag->sport;
	p->t.dport = frag->dport;
	return true;
}

#endif
