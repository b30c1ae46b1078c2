# shellcheck shell=bash
# shellcheck disable=SC2153 # tables of other files
# How the cost grows with what a host already carries: published ports, and live flows. For the
# modes that can publish ports one by one. Each size is a world of its own.

SCALE_MODES=(underpass macvlan bridge)

# _scale_load KIND N NAME TITLE METRIC FAMILY ARG...
_scale_load() {
	load "$3" "${@:4}"
	load_only "$3" "${SCALE_MODES[@]}"
	load_scaled "$3" "$1" "$2"
}

for n in 10 1000 10000; do
	_scale_load ports "$n" "crr_ports_$n" "TCP connect/request/close, $n more ports" rate \
		rr client connect 1 1
	_scale_load ports "$n" "rr_ports_$n" "TCP request/response, $n more ports" rate \
		rr client tcp 1 1
done
for n in 10 1000 100000; do
	_scale_load flows "$n" "rr_flows_$n" "TCP request/response, $n live flows" rate \
		flows "$n" tcp
	_scale_load flows "$n" "crr_flows_$n" "TCP connect/request/close, $n live flows" rate \
		flows "$n" connect
done
unset n

# scale_up WORLD MODE KIND N: load a world, after it was built. How long that took is left in the
# world's "scale_ms".
scale_up() {
	local start=${EPOCHREALTIME/[.,]/}

	case $3 in
	ports) "mode_$2_publish" "$1" "$4" ;;
	endpoints) scale_endpoints "$1" "$4" ;;
	fill) scale_fill "$1" "$4" ;;
	flows | pps | denied) ;; # the load does it: flows would be gone by then
	esac
	world_is "$1" scale_ms=$(((${EPOCHREALTIME/[.,]/} - start) / 1000))
}

# scale_endpoints WORLD N: so many more containers, by CNI
scale_endpoints() {
	local i

	for ((i = 0; i < $2; i++)); do
		topo_ns "many-$1-$i"
		setup_cni ADD "$1" "many-$1-$i" '{}'
	done
}

# scale_fill WORLD N: N UDP flows at once, from as many addresses of the client as it takes
scale_fill() {
	local world=$1 left=$2 i to part

	service_start "$world" rr
	read -ra to <<<"$(service_target "$world" client rr)"
	for ((i = 10; left > 0; i++, left -= part)); do
		part=$((left < 125000 ? left : 125000))
		ip -n "$TOPO_TAG-c-$world" addr add "192.0.2.$i/24" dev eth0
		topo_exec "${WORLD[$world.client]}" "$RR" -b "192.0.2.$i" flows "$part" "${to[@]}" >/dev/null
	done
}

load_flows_missing() {
	load_rr_missing
}

load_flows_prepare() {
	service_start "$1" rr
}

# load_flows WORLD N tcp|connect: N UDP flows that have just been used, and then the load
load_flows() {
	local to

	read -ra to <<<"$(service_target "$1" client rr)"
	topo_exec "${WORLD[$1.client]}" "$RR" flows "$2" "${to[@]}" >/dev/null
	load_rr "$1" client "$3" 1 1
}
