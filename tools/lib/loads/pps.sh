# shellcheck shell=bash
# shellcheck disable=SC2153 # tables of other files
# Packets per second, by the kernel's own generator (tools/xdpgen.c): small UDP datagrams of one flow
# from the client to a published port where nobody listens. One CPU makes, forwards and receives them
# all. What has arrived at the container's interface counts.

load pps "packets per second, 64 bytes, one flow" rate pps
load pps_drop "packets per second of a denied source, dropped" rate pps_drop

# In worlds of their own: polling changes what other loads cost.
load_scaled pps pps 1
load_scaled pps_drop denied 1
load_only pps_drop underpass bridge

declare -g PPS_COUNT=500000 PPS_PORT=7009 PPS_DENIED=198.51.100.7

load_pps_missing() {
	mode_lacks ethtool "$XDPGEN"
}

# A veth takes frames from XDP only where it polls, which it does with GRO on.
load_pps_prepare() {
	topo_exec "${WORLD[$1.host]}" ethtool -K eth0 gro on
	topo_exec "${WORLD[$1.client]}" ping -c 1 -W 2 -q "${WORLD[$1.addr]}" >/dev/null
}

# _pps_send WORLD SOURCE: send, and what xdpgen says
_pps_send() {
	local mac

	mac=$(topo_exec "${WORLD[$1.host]}" ip -j link show eth0 | jq -r '.[0].address')
	# shellcheck disable=SC2046 # options
	topo_exec "${WORLD[$1.client]}" "$XDPGEN" -c "$BENCH_CPU" -n "$PPS_COUNT" \
		$(_pps_programs "$1") eth0 "$mac" "$2" 40000 "${WORLD[$1.addr]}" \
		$((PPS_PORT + WORLD[$1.offset]))
}

# _pps_result WHAT_XDPGEN_SAID COUNT
_pps_result() {
	jq -c --argjson n "$2" '{rate: ($n / .seconds), cpu_ns: (1e9 * .seconds / $n),
		lost: ([.sent - $n, 0] | max), programs}' <<<"$1"
}

# _pps_arrived WORLD: packets that the server's interface has received
_pps_arrived() {
	topo_exec "${WORLD[$1.server]}" ip -s -j link show eth0 | jq '.[0].stats64.rx.packets'
}

# _pps_programs WORLD: options that name underpass's programs there, if any
_pps_programs() {
	local pin

	for pin in up_xdp up_uplink_in up_ride_uplink; do
		pin=$TOPO_DIR/bpf-h-$1/underpass/progs/$pin
		[[ ! -e $pin ]] || printf -- '-p %s ' "$pin"
	done
}

# load_pps WORLD
load_pps() {
	local before out

	before=$(_pps_arrived "$1")
	out=$(_pps_send "$1" 192.0.2.2)
	_pps_result "$out" $(($(_pps_arrived "$1") - before))
}

# Whom to deny, and who counts it: underpass's own list, and docker's host with one rule, as early as
# iptables has one.
_deny_underpass() {
	up_in "h-$1" deny add "$PPS_DENIED/32"
}

_denied_underpass() {
	up_in "h-$1" status --json | jq '.counters | .xdp_drop + .drop_denied'
}

_deny_bridge() {
	topo_exec "h-$1" iptables -t raw -I PREROUTING -s "$PPS_DENIED" -j DROP
}

_denied_bridge() {
	topo_exec "h-$1" iptables -t raw -nvxL PREROUTING | awk -v a="$PPS_DENIED" '$0 ~ a { print $1 }'
}

load_pps_drop_missing() {
	load_pps_missing
	"$UNDERPASS" deny --help >/dev/null 2>&1 || echo "this underpass has no list of denied sources"
}

load_pps_drop_prepare() {
	load_pps_prepare "$1"
	"_deny_${1%%-*}" "$1"
}

# load_pps_drop WORLD
load_pps_drop() {
	local before out

	before=$("_denied_${1%%-*}" "$1")
	out=$(_pps_send "$1" "$PPS_DENIED")
	_pps_result "$out" $(($("_denied_${1%%-*}" "$1") - before))
}
