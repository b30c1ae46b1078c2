/* SPDX-License-Identifier: GPL-2.0-only */
/* Sources: in a list or not, and those that are denied everything. */
#ifndef UP_BPF_DENY_H
#define UP_BPF_DENY_H

#include <stdbool.h>
#include <bpf/bpf_endian.h>

#include "lib/maps.h"

/** source_in() - is a source in a list? */
static __always_inline bool source_in(__u32 list, const struct up_addr *addr)
{
	struct up_allow_key key = {
		.plen = 32 + 128,
		.list = bpf_htonl(list),
		.addr = *addr,
	};

	return bpf_map_lookup_elem(&up_allow, &key);
}

/** is_denied() - is this address denied everything? */
static __always_inline bool is_denied(const struct up_addr *addr)
{
	const struct up_config *conf = config();

	return conf && conf->denied && source_in(UP_ALLOW_DENY_ALL, addr);
}

#endif
