#!/usr/bin/env bats
# Beside the host's own NAT, and its own choice of ports.

load lib

setup_file() {
	export BATS_TEST_TIMEOUT=60 SERVE_ON=::
	make_world
	# A network behind the host's own masquerading, as docker or libvirt make them.
	topo_ns lan
	topo_link lan eth0 10.99.0.2/24 host lan0 10.99.0.1/24
	ip -n "$TOPO_TAG-lan" route add default via 10.99.0.1
	ip -n "$TOPO_TAG-lan" addr add fd99::2/64 dev eth0 nodad
	ip -n "$TOPO_TAG-host" addr add fd99::1/64 dev lan0 nodad
	ip -n "$TOPO_TAG-lan" -6 route add default via fd99::1
	topo_exec host sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward
		echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
	on host iptables -t nat -A POSTROUTING -s 10.99.0.0/24 -o eth0 -j MASQUERADE
	on host ip6tables -t nat -A POSTROUTING -s fd99::/64 -o eth0 -j MASQUERADE
	start a -p 8081:80 -p 40000-40001:9000-9001/udp
	serve client outside 7000
}

teardown_file() {
	end_world
}

@test "the host's own NAT works on beside ours, and the other way round" {
	contains "$(on lan "$PROBE" ask tcp "$CLIENT" 7000)" "outside saw $HOST:"
	contains "$(on lan "$PROBE" ask udp "$CLIENT" 7000)" "outside saw $HOST:"
	contains "$(on lan ping -n -c 1 -W 5 "$CLIENT")" "1 received"
	contains "$(on a "$PROBE" ask tcp "$CLIENT" 7000)" "outside saw $HOST:"
	contains "$(ask client tcp "$HOST" 8081)" "a saw $CLIENT:"
}

@test "a container reaches the host's other networks, by the host's routes and rules" {
	serve lan neighbour 7000
	contains "$(on a "$PROBE" ask tcp 10.99.0.2 7000)" "neighbour saw $(address_of a):"
	contains "$(on a "$PROBE" ask udp fd99::2 7000)" "neighbour saw [$(endpoint_of a address6)]:"
}

# has_other_port OUTPUT PORT: the server saw the host's address, and another port
has_other_port() {
	[[ $1 == *"outside saw $HOST:"* || $1 == *"outside saw [$HOST6]:"* ]]
	[[ ! $1 =~ "saw "[^\ ]+":$2"[\ :] ]]
}

@test "a source port that the host's own NAT uses towards a peer is not given to a container" {
	local proto to port=46000
	for to in "$CLIENT" "$CLIENT6"; do
		for proto in tcp udp; do
			port=$((port + 1))
			PROBE_PORT=$port live_start lan "$to" 7000 1 "$proto"
			run -0 on a env PROBE_PORT=$port "$PROBE" ask "$proto" "$to" 7000
			has_other_port "$output" $port
			live_end
		done
	done
}

@test "a container's source port that the host's own NAT chooses too: that connection gets another" {
	local proto to port=46100 moved
	for to in "$CLIENT" "$CLIENT6"; do
		for proto in tcp udp; do
			port=$((port + 1))
			moved=$(counter host_moved)
			PROBE_PORT=$port live_start a "$to" 7000 1 "$proto"
			run -0 on lan env PROBE_PORT=$port "$PROBE" ask "$proto" "$to" 7000
			has_other_port "$output" $port
			equals "$(counter host_moved)" $((moved + 1))
			run -0 on lan env PROBE_PORT=$port "$PROBE" pump "$to" 7000 1000000
			live_end
		done
	done
}

@test "the host may choose a published UDP port for a socket of its own: answers find it" {
	local moved
	moved=$(counter host_moved)
	on host sh -c 'echo 40000 40001 >/proc/sys/net/ipv4/ip_local_port_range'
	contains "$(ask host udp "$CLIENT" 7000)" "outside saw $HOST:"
	contains "$(ask host tcp "$CLIENT" 7000)" "outside saw $HOST:"
	on host sh -c 'echo 1024 65535 >/proc/sys/net/ipv4/ip_local_port_range'
	(($(counter host_moved) > moved))
	contains "$(ask client udp "$HOST" 40000)" "a saw"
}
