# shellcheck shell=bash
# shellcheck disable=SC2034 # the tables are read by bench.sh

# Modes: ways for a server to be reached from a client across an uplink. Needs topology.sh,
# docker-rules.sh and underpass.sh.
#
# A mode NAME is a row in MODE_TITLE and a function mode_NAME that builds it and says where its
# server is by mode_is. Each has a client, an uplink and a host of its own, so that none pays for
# another one's rules or programs; all are built alike.

declare -gA MODE_TITLE=(
	[host]="host network"
	[host-rules]="host network, docker's rules loaded"
	[host-up]="host network, underpass up"
	[bridge]="bridge + NAT, docker's rules"
	[underpass]="underpass, veth"
)
declare -gA MODE_CLIENT=() MODE_ADDR=() MODE_PORT=()
declare -g MODE_SERVER_PORT=7000

# mode_is MODE CLIENT ADDRESS PORT
mode_is() {
	MODE_CLIENT[$1]=$2
	MODE_ADDR[$1]=$3
	MODE_PORT[$1]=$4
}

# mode_server NAMESPACE: the server for a mode whose container is a bare namespace
mode_server() {
	topo_spawn "$1" "$TOPO_DIR/server-$1.log" "$RR" -c "$BENCH_CPU" -s "$BENCH_BYTES" \
		serve "$MODE_SERVER_PORT"
	topo_wait 5 grep -q ready "$TOPO_DIR/server-$1.log"
}

mode_host() {
	topo_pair c-host h-host 192.0.2
	mode_server h-host
	mode_is host c-host 192.0.2.1 "$MODE_SERVER_PORT"
}

mode_host-rules() {
	topo_pair c-rules h-rules 192.0.2
	docker_rules h-rules
	mode_server h-rules
	mode_is host-rules c-rules 192.0.2.1 "$MODE_SERVER_PORT"
}

mode_host-up() {
	topo_pair c-hostup h-hostup 192.0.2
	up_host h-hostup
	up_in h-hostup up >/dev/null
	mode_server h-hostup
	mode_is host-up c-hostup 192.0.2.1 "$MODE_SERVER_PORT"
}

mode_bridge() {
	local proto

	topo_pair c-bridge h-bridge 192.0.2
	docker_network h-bridge ctr-bridge
	for proto in tcp udp; do
		docker_publish h-bridge 172.17.0.2 8000 "$MODE_SERVER_PORT" "$proto"
	done
	mode_server ctr-bridge
	mode_is bridge c-bridge 192.0.2.1 8000
}

mode_underpass() {
	local root=$TOPO_DIR/rr-root

	topo_pair c-up h-up 192.0.2
	up_host h-up
	up_in h-up up >/dev/null
	mkdir "$root"
	install "$RR" "$root/rr"
	up_in h-up run -d --name bench -p "8000:$MODE_SERVER_PORT/tcp" \
		-p "8000:$MODE_SERVER_PORT/udp" "$root" -- \
		/rr -c "$BENCH_CPU" -s "$BENCH_BYTES" serve "$MODE_SERVER_PORT" >/dev/null
	topo_wait 5 up_logged h-up bench ready
	mode_is underpass c-up 192.0.2.1 8000
}
