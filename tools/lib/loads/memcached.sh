# shellcheck shell=bash
# Small requests: memcached, and libmemcached's memcaslap over 16 connections: keys of 16 to 24
# bytes, values of 32 to 64, nine reads to a write.

load memcached "memcached, small requests" rate memcached client 16

load_memcached_missing() {
	mode_lacks memcached memcaslap taskset
}

load_memcached_prepare() {
	service_start "$1" memcached
	printf '%s\n' key '16 24 1' value '32 64 1' cmd '0 0.1' '1 0.9' >"$TOPO_DIR/memcaslap.conf"
}

# load_memcached WORLD FROM CONNECTIONS
load_memcached() {
	local to out

	read -ra to <<<"$(service_target "$1" "$2" memcached)"
	out=$(load_in "$1" "$2" memcached memcaslap -s "${to[0]}:${to[1]}" -T 1 -c "$3" \
		-t "${BENCH_BULK_SECONDS}s" -S 1h -F "$TOPO_DIR/memcaslap.conf" |
		sed -n 's/^Run time: .* Ops: \([0-9]*\) TPS: \([0-9]*\) .*/\1 \2/p')
	jq -nc --arg out "$out" --slurpfile cpu "$TOPO_DIR/cpu" '$out / " " | map(tonumber)
		| {rate: .[1], cpu_ns: ($cpu[0].cpu_s * 1e9 / .[0])}'
}
