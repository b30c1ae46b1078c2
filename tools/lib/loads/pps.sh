# shellcheck shell=bash
# shellcheck disable=SC2153 # tables of other files
# Packets per second, by the kernel's own generator (tools/xdpgen.c): small UDP datagrams of one flow
# from the client to a published port where nobody listens. One CPU makes, forwards and receives them
# all. What has arrived at the container's interface counts.

load pps "packets per second, 64 bytes, one flow" rate pps

declare -g PPS_COUNT=500000 PPS_PORT=7009

load_pps_missing() {
	mode_lacks ethtool "$XDPGEN"
}

# A veth takes frames from XDP only where it polls, which it does with GRO on.
load_pps_prepare() {
	topo_exec "${WORLD[$1.host]}" ethtool -K eth0 gro on
	topo_exec "${WORLD[$1.client]}" ping -c 1 -W 2 -q "${WORLD[$1.addr]}" >/dev/null
}

# _pps_arrived WORLD: packets that the server's interface has received
_pps_arrived() {
	topo_exec "${WORLD[$1.server]}" ip -s -j link show eth0 | jq '.[0].stats64.rx.packets'
}

# _pps_programs WORLD: options that name underpass's programs there, if any
_pps_programs() {
	local pin

	for pin in up_uplink_in up_ride_uplink; do
		pin=$TOPO_DIR/bpf-h-$1/underpass/progs/$pin
		[[ ! -e $pin ]] || printf -- '-p %s ' "$pin"
	done
}

# load_pps WORLD
load_pps() {
	local mac before out

	mac=$(topo_exec "${WORLD[$1.host]}" ip -j link show eth0 | jq -r '.[0].address')
	before=$(_pps_arrived "$1")
	# shellcheck disable=SC2046 # options
	out=$(topo_exec "${WORLD[$1.client]}" "$XDPGEN" -c "$BENCH_CPU" -n "$PPS_COUNT" \
		$(_pps_programs "$1") eth0 "$mac" 192.0.2.2 40000 "${WORLD[$1.addr]}" \
		$((PPS_PORT + WORLD[$1.offset])))
	jq -nc --argjson out "$out" --argjson n $(($(_pps_arrived "$1") - before)) '{
		rate: ($n / $out.seconds), cpu_ns: (1e9 * $out.seconds / $n),
		lost: ([$out.sent - $n, 0] | max), programs: $out.programs}'
}
