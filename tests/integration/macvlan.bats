#!/usr/bin/env bats
# Containers with a macvlan child of the uplink: what is particular to them. All that they have in
# common with those that have a veth is in macvlan_all.bats.

load lib

export NET_DEVICE=macvlan

# inside CONTAINER COMMAND...: as a container that may open raw sockets
inside() {
	nsenter -t "$(pid_of "$1")" -n -- "${@:2}"
}

# sniff NAMESPACE INTERFACE FILTER: note frames that match until sniffed
sniff() {
	topo_spawn "$1" "$TOPO_DIR/sniffed" tcpdump -l -e -nn -i "$2" "$3"
	SNIFF_PID=$TOPO_PID
	topo_wait 5 grep -q 'listening on' "$TOPO_DIR/sniffed"
}

# sniffed: what was noted
sniffed() {
	kill -INT "$SNIFF_PID"
	topo_wait 5 topo_gone "$SNIFF_PID"
	grep ' > ' "$TOPO_DIR/sniffed" || true
}

# received CONTAINER: packets that its IP layer was given
received() {
	inside "$1" cat /proc/net/snmp | awk '$1 == "Ip:" && $4 != "InReceives" { print $3 }'
}

setup_file() {
	export BATS_TEST_TIMEOUT=60
	make_world
	start a -p 8081:80/tcp -p 8081:80/udp -p 8082:80
	start b -p 8083:80
	NET_DEVICE='' start v -p 8084:80/tcp -p 8084:80/udp
	serve client outside 7000
	serve host service 7100
	A=$(address_of a)
	B=$(address_of b)
	V=$(address_of v)
	NIC=$(ip -n "$TOPO_TAG-host" -j link show eth0 | jq -r '.[0].address')
	A_MAC=$(endpoint_of a mac)
	B_MAC=$(endpoint_of b mac)
	export A B V NIC A_MAC B_MAC
}

teardown_file() {
	end_world
}

@test "it is a private child of the uplink" {
	equals "$(endpoint_of a device)" macvlan
	equals "$(endpoint_of v device)" veth
	contains "$(inside a ip -d link show eth0)" "macvlan mode private"
	equals "$(ip -n "$TOPO_TAG-host" -j link show "$(endpoint_of a interface)" | jq -r '.[0].link')" eth0
}

@test "the wire sees the NIC's MAC only" {
	sniff client eth0 'ether[0:4] & 0xffffff00 == 0x02757000 or ether[6:4] & 0xffffff00 == 0x02757000'
	start c -p 8090:80
	contains "$(ask client tcp "$HOST" 8090)" "c saw"
	contains "$(ctr c probe ask tcp "$CLIENT" 7000)" "outside saw $HOST:"
	contains "$(ctr c probe ask tcp "$B" 80)" "b saw"
	contains "$(ask host tcp "$(address_of c)" 80)" "c saw"
	contains "$(ctr c ping -c 2 -W 2 -A "$CLIENT")" "2 packets received"
	inside c busybox arping -c 1 -w 1 -I eth0 "$CLIENT" || true
	up rm -f c
	equals "$(sniffed)" ""
}

@test "macvlan and veth reach each other, by address and by published port" {
	contains "$(ctr a probe ask tcp "$V" 80)" "v saw $A:"
	contains "$(ctr v probe ask tcp "$A" 80)" "a saw $V:"
	contains "$(ctr a probe ask udp "$V" 80)" "v saw $A:"
	contains "$(ctr v probe ask udp "$A" 80)" "a saw $V:"
	contains "$(ctr a probe ask tcp "$HOST" 8084)" "v saw $A:"
	contains "$(ctr v probe ask udp "$HOST" 8081)" "a saw $V:"
	contains "$(ctr a ping -c 2 -W 2 -A "$V")" "2 packets received"
	equals "$(ctr a probe pump "$V" 80 20000000)" "ok 20000000"
	equals "$(ctr v probe pump "$A" 80 20000000)" "ok 20000000"
}

@test "a limit of a veth holds for what a macvlan sends it, and goes again" {
	up limit v --in 80mbit
	equals "$(ctr a probe pump "$V" 80 1000000)" "ok 1000000"
	up limit v --in none
	equals "$(ctr a probe pump "$V" 80 20000000)" "ok 20000000"
}

@test "the wire cannot speak to a container by its own MAC, nor to the gateway by its" {
	local drops before
	drops=$(counter drop_dst_mac)
	before=$(received a)
	equals "$(on client "$PROBE" frame eth0 "$A_MAC" 0 "$CLIENT" "$A" 80)" sent
	equals "$(on client "$PROBE" frame eth0 02:75:70:00:00:01 0 "$A" "$HOST" 7100)" sent
	topo_wait 5 counter_above drop_dst_mac "$((drops + 1))"
	equals "$(received a)" "$before"
}

@test "the wire cannot reach a container by a broadcast frame" {
	local before
	before=$(received a)
	equals "$(on client "$PROBE" frame eth0 ff:ff:ff:ff:ff:ff 0 "$CLIENT" "$A" 80)" sent
	equals "$(on client "$PROBE" frame eth0 01:00:5e:00:00:01 0 "$CLIENT" "$A" 80)" sent
	# What came after these has been seen when the answer is here.
	contains "$(ask client tcp "$HOST" 8083)" "b saw"
	equals "$(received a)" "$before"
}

@test "raw frames with the MAC of another container, of the NIC or of nobody go nowhere" {
	local mac drops before
	before=$(received b)
	sniff client eth0 'tcp port 4242'
	for mac in "$B_MAC" "$NIC" 02:00:00:00:00:99; do
		drops=$(counter drop_src_mac)
		inside a "$PROBE" frame eth0 02:75:70:00:00:01 0 "$B" "$CLIENT" 4242 "$mac" || true
		inside a "$PROBE" frame eth0 "$B_MAC" 0 "$B" "$CLIENT" 4242 "$mac" || true
		inside a "$PROBE" frame eth0 "$NIC" 0 "$HOST" "$CLIENT" 4242 "$mac" || true
		equals "$(counter drop_src_mac)" "$((drops + 3))"
	done
	# With its own MAC it is told by its address.
	drops=$(counter drop_src_addr)
	inside a "$PROBE" frame eth0 02:75:70:00:00:01 0 "$B" "$CLIENT" 4242 "$A_MAC" || true
	equals "$(counter drop_src_addr)" "$((drops + 1))"
	contains "$(ask client tcp "$HOST" 8081)" "a saw"
	equals "$(sniffed)" ""
	equals "$(received b)" "$before"
}

@test "other people's macvlan of the same uplink is left alone" {
	local server
	topo_ns other
	ip -n "$TOPO_TAG-host" link add link eth0 name mv0 address 02:00:00:00:00:77 \
		netns "$TOPO_TAG-other" type macvlan mode bridge
	ip -n "$TOPO_TAG-other" addr add 192.0.2.77/24 dev mv0
	ip -n "$TOPO_TAG-other" link set mv0 up
	serve other neighbour 80
	server=$TOPO_PID
	sniff client eth0 'ether src 02:00:00:00:00:77 and tcp'
	contains "$(ask client tcp 192.0.2.77 80)" "neighbour saw $CLIENT:"
	contains "$(ask client udp 192.0.2.77 80)" "neighbour saw $CLIENT:"
	contains "$(ask other tcp "$CLIENT" 7000)" "outside saw 192.0.2.77:"
	equals "$(on client "$PROBE" pump 192.0.2.77 80 5000000)" "ok 5000000"
	contains "$(sniffed)" "02:00:00:00:00:77 > "
	kill "$server"
	topo_wait 5 topo_gone "$server"
	ip netns del "$TOPO_TAG-other"
}

@test "a second uplink, in and out, of a container that is a child of the first" {
	topo_ns second
	topo_link second eth0 198.51.100.2/24 host eth1 198.51.100.1/24
	up up --uplink eth1
	serve second beyond 7000
	contains "$(ctr a probe ask tcp 198.51.100.2 7000)" "beyond saw 198.51.100.1:"
	contains "$(ctr a probe ask udp 198.51.100.2 7000)" "beyond saw 198.51.100.1:"
	contains "$(ask second tcp 198.51.100.1 8081)" "a saw 198.51.100.2:"
	contains "$(ask second udp 198.51.100.1 8081)" "a saw 198.51.100.2:"
	contains "$(ask client tcp "$HOST" 8081)" "a saw $CLIENT:"
	equals "$(ctr a probe pump 198.51.100.2 7000 20000000)" "ok 20000000"
	equals "$(on second "$PROBE" pump 198.51.100.1 8081 20000000)" "ok 20000000"
	# And where the neighbour is not known yet.
	ip -n "$TOPO_TAG-host" neigh flush dev eth1
	contains "$(ctr b probe ask tcp 198.51.100.2 7000)" "beyond saw 198.51.100.1:"
}

@test "an upgrade keeps connections in both directions" {
	live_start client "$HOST" 8081 20
	up up
	live_end
	live_start a "$CLIENT" 7000 20
	up up
	live_end
	contains "$(ask client tcp "$HOST" 8081)" "a saw"
}

@test "a rate is refused, and nothing has changed" {
	local before
	before=$(up status --json | jq -c .endpoints)
	run -125 up run --name r --net-device macvlan --limit-in 80mbit "$ROOT" -- true
	contains "$output" "limit"
	equals "${#lines[@]}" 1
	run ! up limit a --out 80mbit
	contains "$output" "veth"
	equals "$(up status --json | jq -c .endpoints)" "$before"
	contains "$(ask client tcp "$HOST" 8081)" "a saw"
}

@test "auto: a child of the uplink; a veth for a rate" {
	up run -d --name r1 --net-device auto "$ROOT" -- sleep 100
	up run -d --name r2 --net-device auto --limit-in 80mbit "$ROOT" -- sleep 100
	equals "$(endpoint_of r1 device)" macvlan
	equals "$(endpoint_of r2 device)" veth
	up rm -f r1 r2
}

@test "auto: a veth where another child wants the uplink for itself" {
	up down --force
	# The kernel takes a dead container's interface away in its own time.
	topo_wait 5 ip -n "$TOPO_TAG-host" link add link eth0 name mine type macvlan mode passthru
	up up
	up run -d --name r3 --net-device auto -p 8093:80 "$ROOT" -- probe serve r3 0.0.0.0 80
	equals "$(endpoint_of r3 device)" veth
	run -125 up run --name r4 --net-device macvlan "$ROOT" -- true
	equals "${#lines[@]}" 1
	up rm -f r3
	ip -n "$TOPO_TAG-host" link del mine
	start r5 --net-device auto -p 8093:80
	equals "$(endpoint_of r5 device)" macvlan
	contains "$(ask client tcp "$HOST" 8093)" "r5 saw $CLIENT:"
}

@test "an endpoint goes while its container lives" {
	start d -p 8091:80
	inside d ip link show eth0
	up down --force
	run ! inside d ip link show eth0
	equals "$(ip -n "$TOPO_TAG-host" link show type macvlan)" ""
	run ! ask client tcp "$HOST" 8081
}

@test "what another version left is taken away, containers' children first" {
	local conf value
	up up
	start e -p 8092:80
	# Of another ABI: the maps cannot be asked.
	conf=$TOPO_DIR/bpf-host/underpass/maps/up_conf
	mapfile -t value < <(bpftool -j map lookup pinned "$conf" key 0 0 0 0 |
		jq -r '.value[0] = "0xfe" | .value[]')
	bpftool map update pinned "$conf" key 0 0 0 0 value "${value[@]}"
	# It knew other maps, too.
	mv "${conf%conf}flows4" "${conf%conf}flows"
	for command in status up; do
		run ! up $command
		contains "$output" "has ABI 254"
	done
	[[ -e ${conf%conf}flows ]]
	up down --force
	run ! inside e ip link show eth0
	equals "$(ip -n "$TOPO_TAG-host" link show type macvlan)" ""
}
