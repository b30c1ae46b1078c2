// SPDX-License-Identifier: GPL-2.0-only
/* A full hash without preallocation refuses, evicts nothing, and NOEXIST is a claim that one wins.
 */
#include "lib.h"

int main(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
	int map = bpf_map_create(BPF_MAP_TYPE_HASH, "platform", 4, 4, 64, &opts);
	uint32_t key, value = 1;

	EXPECT(map >= 0);
	for (key = 0; key < 64; key++)
		EXPECT(!bpf_map_update_elem(map, &key, &value, BPF_NOEXIST));
	EXPECT(bpf_map_update_elem(map, &key, &value, BPF_NOEXIST) && errno == E2BIG);
	for (key = 0; key < 64; key++)
		EXPECT(!bpf_map_lookup_elem(map, &key, &value));
	key = 5;
	EXPECT(bpf_map_update_elem(map, &key, &value, BPF_NOEXIST) && errno == EEXIST);
	return 0;
}
