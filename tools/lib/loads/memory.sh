# shellcheck shell=bash
# shellcheck disable=SC2153 # tables of other files
# What underpass's maps hold in kernel memory, as the kernel accounts it; and, as ms, what it took to
# fill them.

load mem_idle "memory: two containers" bytes memory
load mem_endpoints_1000 "memory: 1,000 containers" bytes memory
load mem_flows_1000000 "memory: 1,000,000 flows" bytes memory

load_only mem_idle underpass
load_only mem_endpoints_1000 underpass
load_only mem_flows_1000000 underpass
load_scaled mem_endpoints_1000 endpoints 1000
load_scaled mem_flows_1000000 fill 1000000

load_memory_missing() {
	mode_lacks bpftool
}

# load_memory WORLD
load_memory() {
	local pin

	for pin in "$TOPO_DIR/bpf-h-$1/underpass/maps"/*; do
		bpftool -j map show pinned "$pin"
	done | jq -sc --argjson ms "${WORLD[$1.scale_ms]:-null}" \
		'{bytes: (map(.bytes_memlock | tonumber) | add), ms: $ms}'
}
