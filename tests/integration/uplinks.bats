#!/usr/bin/env bats
# Several uplinks, and what happens to them: policy routing, routes that change under a live flow,
# an interface that goes and comes back, another MTU, a container's interface down and up.
#
#	client, 203.0.113.1 ══ eth0, eth1 ══ host ── containers

load lib

export SECOND=198.51.100.1 SECOND6=2001:db8:2::1 FAR=203.0.113.1 FAR6=2001:db8:f::1

# second_link: another cable between the two
second_link() {
	topo_link client eth1 198.51.100.2/24 host eth1 $SECOND/24
	ip -n "$TOPO_TAG-client" addr add 2001:db8:2::2/64 dev eth1 nodad
	ip -n "$TOPO_TAG-host" addr add $SECOND6/64 dev eth1 nodad
}

setup_file() {
	export BATS_TEST_TIMEOUT=120 SERVE_ON=::
	topo_init
	topo_pair client host 192.0.2
	topo_pair6
	second_link
	# The client takes everything from everywhere.
	topo_exec client sh -c 'echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter
		echo 0 >/proc/sys/net/ipv4/conf/eth0/rp_filter
		echo 0 >/proc/sys/net/ipv4/conf/eth1/rp_filter'
	ip -n "$TOPO_TAG-client" addr add $FAR/32 dev lo
	ip -n "$TOPO_TAG-client" addr add $FAR6/128 dev lo nodad
	up_host host
	make_root
	up up --uplink eth0 --uplink eth1
	start a -p 8081:80 -p 8081:80/udp
	serve client outside 7000
}

teardown_file() {
	end_world
}

host_ip() {
	ip -n "$TOPO_TAG-host" "$@"
}

@test "a published port is reached by each uplink" {
	local to
	for to in "$HOST" "$HOST6" "$SECOND" "$SECOND6"; do
		contains "$(ask client tcp "$to" 8081)" "a saw"
		contains "$(ask client udp "$to" 8081)" "a saw"
	done
	equals "$(up status --json | jq -r '[.uplinks[].name] | sort | join(" ")')" "eth0 eth1"
}

@test "what leaves a container has the address of the uplink that its route names" {
	contains "$(ctr a probe ask tcp "$CLIENT" 7000)" "outside saw $HOST:"
	contains "$(ctr a probe ask tcp 198.51.100.2 7000)" "outside saw $SECOND:"
	contains "$(ctr a probe ask tcp "$CLIENT6" 7000)" "outside saw [$HOST6]:"
	contains "$(ctr a probe ask tcp 2001:db8:2::2 7000)" "outside saw [$SECOND6]:"
	contains "$(ctr a probe ask tcp $FAR 7000)" "outside saw $HOST:"
}

@test "rules by source: containers go by one uplink, the host by the other" {
	local sent
	host_ip rule add from 10.215.0.0/16 lookup 100
	host_ip route add default via 198.51.100.2 table 100
	host_ip -6 rule add from "$(endpoint_of a address6)" lookup 100
	host_ip -6 route add default via 2001:db8:2::2 table 100
	sent=$(packets eth1)
	contains "$(ctr a probe ask tcp $FAR 7000)" "outside saw $SECOND:"
	contains "$(ctr a probe ask tcp $FAR6 7000)" "outside saw [$SECOND6]:"
	contains "$(ctr a probe ask udp $FAR 7000)" "outside saw $SECOND:"
	contains "$(ctr a probe ask udp $FAR6 7000)" "outside saw [$SECOND6]:"
	contains "$(ask host tcp $FAR 7000)" "outside saw $HOST:"
	contains "$(ask host udp $FAR 7000)" "outside saw $HOST:"
	# By that interface, not only with its address.
	equals "$(on a "$PROBE" pump $FAR 7000 1000000)" "ok 1000000"
	equals "$(on a "$PROBE" pump $FAR6 7000 1000000)" "ok 1000000"
	equals "$(on a "$PROBE" datagram $FAR 7000 60000)" "ok 60000"
	equals "$(on a "$PROBE" datagram $FAR6 7000 60000)" "ok 60000"
	(($(packets eth1) >= sent + 180))
	host_ip rule del from 10.215.0.0/16 lookup 100
	host_ip -6 rule del from "$(endpoint_of a address6)" lookup 100
	host_ip route flush table 100
	host_ip -6 route flush table 100
}

# packets INTERFACE: that the host has sent
packets() {
	on host cat /proc/net/dev | awk -v name="$1:" '$1 == name { print $11 }'
}

@test "rules by the host's address: answers leave by the uplink that the question came by" {
	local sent
	host_ip rule add from $SECOND lookup 101
	host_ip route add default via 198.51.100.2 table 101
	host_ip route add 198.51.100.0/24 dev eth1 table 101
	sent=$(packets eth1)
	# The client asks from an address that the main table has behind eth0.
	equals "$(on client "$PROBE" pump "$SECOND" 8081 1000000)" "ok 1000000"
	equals "$(on client "$PROBE" datagram "$SECOND" 8081 60000)" "ok 60000"
	(($(packets eth1) >= sent + 40))
	host_ip rule del from $SECOND lookup 101
	host_ip route flush table 101
}

@test "a route changes under a live flow, and back" {
	local sent to
	for to in $FAR $FAR6; do
		live_start a "$to" 7000 3
		sent=$(packets eth1)
		if [[ $to == "$FAR" ]]; then
			host_ip route add $FAR via 198.51.100.2
		else
			host_ip -6 route add $FAR6 via 2001:db8:2::2
		fi
		topo_wait 10 packets_above eth1 $((sent + 20))
		host_ip route del "$to"
		sent=$(packets eth0)
		topo_wait 10 packets_above eth0 $((sent + 20))
		live_end
	done
}

packets_above() {
	(($(packets "$1") > $2))
}

@test "an uplink disappears and comes back with another index" {
	local before
	before=$(host_ip -j link show eth1 | jq '.[0].ifindex')
	live_start client "$HOST" 8081 3
	host_ip link del eth1
	contains "$(ask client tcp "$HOST" 8081)" "a saw"
	contains "$(ctr a probe ask tcp "$CLIENT" 7000)" "outside saw $HOST:"
	second_link
	(($(host_ip -j link show eth1 | jq '.[0].ifindex') != before))
	up up
	contains "$(ask client tcp "$SECOND" 8081)" "a saw"
	contains "$(ask client tcp "$SECOND6" 8081)" "a saw"
	contains "$(ctr a probe ask tcp 198.51.100.2 7000)" "outside saw $SECOND:"
	equals "$(up status --json | jq -r '[.uplinks[].name] | sort | join(" ")')" "eth0 eth1"
	live_end
}

@test "another MTU on the uplink: what is too large is told, in flows that exist too" {
	local told to
	told=$(counter drop_too_big)
	live_start a "$CLIENT" 7000 1
	host_ip link set eth0 mtu 1300
	ip -n "$TOPO_TAG-client" link set eth0 mtu 1300
	for to in "$CLIENT" "$CLIENT6"; do
		equals "$(on a "$PROBE" pump "$to" 7000 5000000)" "ok 5000000"
		equals "$(on a "$PROBE" pmtu "$to" 7000)" "mtu 1300"
	done
	for to in "$HOST" "$HOST6"; do
		equals "$(on client "$PROBE" pump "$to" 8081 5000000)" "ok 5000000"
	done
	# The kernel has a macvlan child's MTU follow its uplink's: nothing is too large then.
	[[ ${NET_DEVICE:-} == macvlan ]] || (($(counter drop_too_big) > told))
	live_end
	host_ip link set eth0 mtu 1500
	ip -n "$TOPO_TAG-client" link set eth0 mtu 1500
}

@test "a container's interface goes down and up: its connections go on" {
	local gateway
	gateway=$(endpoint_of a gateway)
	live_start client "$HOST" 8081 3
	on a ip link set eth0 down
	on a ip link set eth0 up
	# The kernel forgets routes through an interface that is down; this is the container's to repair.
	on a ip route add default via "$gateway" dev eth0 onlink
	live_end
	contains "$(ask client tcp "$HOST" 8081)" "a saw"
	contains "$(ctr a probe ask tcp "$CLIENT" 7000)" "outside saw $HOST:"
}

# Some of so many share a bucket of the table, and a walk that writes as it goes never ends there.
@test "two dozen uplinks more: up, up again, and without them" {
	local i more=()
	for i in {1..24}; do
		host_ip link add "u$i" type veth peer name "v$i"
		host_ip link set "u$i" up
		more+=(--uplink "u$i")
	done
	up up "${more[@]}"
	up up
	equals "$(up status --json | jq '.uplinks | length')" 26
	for i in {1..24}; do
		host_ip link del "u$i"
	done
	up up
	equals "$(up status --json | jq -r '[.uplinks[].name] | sort | join(" ")')" "eth0 eth1"
	contains "$(ask client tcp "$HOST" 8081)" "a saw"
}
