# shellcheck shell=bash
# Bulk transfer, by iperf3. Both sides share one CPU, so the rate of TCP is what a byte costs; UDP is
# sent at a fixed rate that every mode can carry, and compared by its CPU time.

load bulk_tcp_in "bulk TCP into the container" cpu_ns bulk client
load bulk_tcp_out "bulk TCP out of the container" cpu_ns bulk client -R
load bulk_udp_in "bulk UDP into the container, 200 Mbit/s" cpu_ns bulk client -u -b 200M -l 1400
load bulk_udp_out "bulk UDP out of the container, 200 Mbit/s" cpu_ns bulk client -R -u -b 200M -l 1400
load c2c_bulk_tcp "container to container, bulk TCP" cpu_ns bulk peer

load_bulk_missing() {
	mode_lacks iperf3 taskset
}

load_bulk_prepare() {
	service_start "$1" iperf3
}

# load_bulk WORLD FROM OPTION...: a unit is a kilobyte that was received
load_bulk() {
	local world=$1 from=$2 to out
	shift 2

	read -ra to <<<"$(service_target "$world" "$from" iperf3)"
	out=$(load_in "$world" "$from" iperf3 iperf3 -J -t "$BENCH_BULK_SECONDS" "$@" \
		-c "${to[0]}" -p "${to[1]}") || {
		jq -r .error <<<"$out" >&2
		return 1
	}
	jq -c --slurpfile cpu "$TOPO_DIR/cpu" '
		(.end.sum_received // .end.sum) as $r
		| ($r.bytes * (100 - ($r.lost_percent // 0)) / 100 / 1024) as $kb
		| {rate: ($kb / $r.seconds), cpu_ns: ($cpu[0].cpu_s * 1e9 / $kb),
			lost: ($r.lost_packets // 0)}' <<<"$out"
}
