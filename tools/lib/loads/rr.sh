# shellcheck shell=bash
# Request and response, by tools/rr.c.

load tcp_rr "TCP request/response" rate rr client tcp 1 1
load udp_rr "UDP request/response" rate rr client udp 1 1
load tcp_crr "TCP connect/request/close" rate rr client connect 1 1

load tcp_rr_1k "TCP request/response, 1 KB" rate rr client tcp 1024 1
load udp_rr_1k "UDP request/response, 1 KB" rate rr client udp 1024 1
load tcp_rr_c16 "TCP request/response, 16 connections" rate rr client tcp 1 16
load udp_rr_c16 "UDP request/response, 16 sockets" rate rr client udp 1 16
load tcp_rr_c256 "TCP request/response, 256 connections" rate rr client tcp 1 256
load udp_rr_c256 "UDP request/response, 256 sockets" rate rr client udp 1 256
load tcp_rr_1k_c16 "TCP request/response, 1 KB, 16 connections" rate rr client tcp 1024 16
load udp_rr_1k_c16 "UDP request/response, 1 KB, 16 sockets" rate rr client udp 1024 16
load tcp_rr_1k_c256 "TCP request/response, 1 KB, 256 connections" rate rr client tcp 1024 256
load udp_rr_1k_c256 "UDP request/response, 1 KB, 256 sockets" rate rr client udp 1024 256

load c2c_tcp_rr "container to container, TCP request/response" rate rr peer tcp 1 1
load c2c_udp_rr "container to container, UDP request/response" rate rr peer udp 1 1
load c2c_crr "container to container, TCP connect/request/close" rate rr peer connect 1 1
load h2c_tcp_rr "host to container, TCP request/response" rate rr host tcp 1 1
load h2c_udp_rr "host to container, UDP request/response" rate rr host udp 1 1
load h2c_crr "host to container, TCP connect/request/close" rate rr host connect 1 1

# By its own published port. Docker's rules alone do not lead there: docker has its proxy for it.
load hairpin_tcp_rr "container to itself, TCP request/response" rate rr server tcp 1 1
load hairpin_crr "container to itself, TCP connect/request/close" rate rr server connect 1 1
load_except hairpin_tcp_rr bridge
load_except hairpin_crr bridge

load_rr_missing() {
	mode_lacks "$RR"
}

load_rr_prepare() {
	service_start "$1" rr
}

# load_rr WORLD FROM tcp|udp|connect BYTES CONNECTIONS
load_rr() {
	local world=$1 from=$2 to

	read -ra to <<<"$(service_target "$world" "$from" rr)"
	(($5 == 1)) || to[1]=$((to[1] + 1))
	# shellcheck disable=SC2046,SC2153 # options; a table
	topo_exec "${WORLD[$world.$from]}" "$RR" -c "$BENCH_CPU" -s "$4" -n "$5" \
		-d "$BENCH_SECONDS" -w "$BENCH_WARMUP" $(load_accounts "$world" rr) \
		load "$3" "${to[@]}"
}
