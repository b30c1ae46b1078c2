#!/usr/bin/env bats
# Real traffic over client ─ uplink ─ host ─ containers: who reaches whom, and who sees whom.

load lib

setup_file() {
	export BATS_TEST_TIMEOUT=60
	make_world
	start a -p 8081:80/tcp -p 8081:80/udp -p 8082:80 -p 9000-9010:9000-9010 -p 9100-9101:81-82
	start b -p 8083:80
	serve client outside 7000
	serve host service 7100
	A=$(address_of a)
	B=$(address_of b)
	export A B
}

teardown_file() {
	end_world
}

@test "a published TCP port: the server sees the client, the client sees what it asked for" {
	run -0 ask client tcp "$HOST" 8081
	contains "$output" "a saw $CLIENT:"
	contains "$output" "peer $HOST:8081"
	contains "$(up logs a)" "tcp from $CLIENT:"
}

@test "a published TCP port carries megabytes both ways unharmed" {
	run -0 on client "$PROBE" pump "$HOST" 8081 20000000
	equals "$output" "ok 20000000"
}

@test "a published UDP port" {
	run -0 ask client udp "$HOST" 8081
	contains "$output" "a saw $CLIENT:"
	contains "$output" "hello | peer $HOST:8081"
}

@test "a port published for TCP only is closed for UDP" {
	run -1 ask client udp "$HOST" 8082
	contains "$output" "Connection refused"
}

@test "two host ports lead to one container port, and another to another container" {
	contains "$(ask client tcp "$HOST" 8081)" "a saw"
	contains "$(ask client tcp "$HOST" 8082)" "a saw"
	contains "$(ask client tcp "$HOST" 8083)" "b saw"
}

@test "a range is published port by port, shifted if so asked" {
	local port
	for port in 9000 9005 9010 9100 9101; do
		contains "$(ask client tcp "$HOST" "$port")" "a saw"
	done
	run -1 ask client tcp "$HOST" 9011
	contains "$output" "Connection refused"
	run -1 ask client tcp "$HOST" 9102
	contains "$output" "Connection refused"
}

@test "out of a container: TCP and UDP are masqueraded with the host's address" {
	contains "$(ctr a probe ask tcp "$CLIENT" 7000)" "outside saw $HOST:"
	contains "$(ctr b probe ask udp "$CLIENT" 7000)" "outside saw $HOST:"
	equals "$(ctr a probe pump "$CLIENT" 7000 20000000)" "ok 20000000"
}

@test "out of a container: ping" {
	contains "$(ctr a ping -c 2 -W 2 -A "$CLIENT")" "2 packets received"
}

@test "out of a container: a closed port is refused, not silent" {
	run -1 ctr a probe ask tcp "$CLIENT" 7999
	contains "$output" "Connection refused"
}

@test "container to container, both ways, with their own addresses" {
	contains "$(ctr a probe ask tcp "$B" 80)" "b saw $A:"
	contains "$(ctr b probe ask tcp "$A" 80)" "a saw $B:"
	contains "$(ctr a probe ask udp "$B" 80)" "b saw $A:"
	contains "$(ctr b probe ask udp "$A" 80)" "a saw $B:"
	contains "$(ctr a ping -c 2 -W 2 -A "$B")" "2 packets received"
	equals "$(ctr a probe pump "$B" 80 20000000)" "ok 20000000"
}

@test "container to container by the published port" {
	contains "$(ctr a probe ask tcp "$HOST" 8083)" "b saw $A:"
	contains "$(ctr b probe ask udp "$HOST" 8081)" "a saw $B:"
}

@test "a container reaches itself by its published port" {
	contains "$(ctr a probe ask tcp "$HOST" 8081)" "a saw"
	contains "$(ctr a probe ask udp "$HOST" 8081)" "a saw"
	equals "$(ctr a probe pump "$HOST" 8082 5000000)" "ok 5000000"
}

@test "host to a container's address" {
	contains "$(ask host tcp "$A" 80)" "a saw"
	contains "$(ask host udp "$B" 80)" "b saw"
	contains "$(on host busybox ping -c 2 -W 2 -A "$A")" "2 packets received"
	equals "$(on host "$PROBE" pump "$A" 80 20000000)" "ok 20000000"
}

@test "container to a service of the host, by its gateway and by the uplink's address" {
	local gateway
	gateway=$(up status --json | jq -r '.endpoints[] | select(.name == "a") | .gateway')
	contains "$(ctr a probe ask tcp "$gateway" 7100)" "service saw $A:"
	contains "$(ctr a probe ask tcp "$HOST" 7100)" "service saw $A:"
	# UDP by the gateway only: a service on every address answers from the nearest one, as it would
	# behind any bridge.
	contains "$(ctr a probe ask udp "$gateway" 7100)" "service saw $A:"
	contains "$(ctr a ping -c 2 -W 2 -A "$gateway")" "2 packets received"
	equals "$(ctr a probe pump "$HOST" 7100 20000000)" "ok 20000000"
}

@test "the host reaches published TCP ports by 127.0.0.1 and its address, and is shown those" {
	run -0 ask host tcp 127.0.0.1 8081
	contains "$output" "a saw"
	contains "$output" "peer 127.0.0.1:8081"
	run -0 ask host tcp "$HOST" 8083
	contains "$output" "b saw"
	contains "$output" "peer $HOST:8083"
	equals "$(on host "$PROBE" pump 127.0.0.1 8081 20000000)" "ok 20000000"
}

@test "the host reaches published UDP ports, connected" {
	run -0 ask host udp 127.0.0.1 8081
	contains "$output" "a saw"
	contains "$output" "hello | peer 127.0.0.1:8081"
	contains "$(ask host udp "$HOST" 8081)" "peer $HOST:8081"
}

@test "the host reaches published UDP ports, unconnected: answers come from what was asked" {
	run -0 on host "$PROBE" sendto 127.0.0.1 8081 "$HOST" 8081
	contains "${lines[0]}" "a saw"
	contains "${lines[0]}" "from 127.0.0.1:8081"
	contains "${lines[1]}" "a saw"
	contains "${lines[1]}" "from $HOST:8081"
}

@test "the host reaches published ports by IPv4-mapped addresses of IPv6 sockets" {
	local proto
	for proto in tcp udp; do
		run -0 on host "$PROBE" mapped "$proto" 127.0.0.1 8081
		contains "$output" "a saw"
		contains "$output" "peer ::ffff:127.0.0.1:8081"
	done
}

@test "one unconnected UDP socket of the host talks to published and other ports" {
	run -0 on host "$PROBE" sendto 127.0.0.1 8081 127.0.0.1 7100 "$CLIENT" 7000 127.0.0.1 8081
	contains "${lines[0]}" "from 127.0.0.1:8081"
	contains "${lines[1]}" "service saw 127.0.0.1"
	contains "${lines[1]}" "from 127.0.0.1:7100"
	contains "${lines[2]}" "from $CLIENT:7000"
	contains "${lines[3]}" "from 127.0.0.1:8081"
}

@test "another namespace's 127.0.0.1 is not redirected" {
	run -1 ask client tcp 127.0.0.1 8081
	contains "$output" "Connection refused"
	run -1 ask client udp 127.0.0.1 8081
	contains "$output" "Connection refused"
	run -1 ctr b probe ask tcp 127.0.0.1 8081
	contains "$output" "Connection refused"
}

@test "the host cannot bind a published port; others can, and so can it when it is withdrawn" {
	equals "$(on host "$PROBE" bind tcp 0.0.0.0 8081)" EADDRINUSE
	equals "$(on host "$PROBE" bind tcp "$HOST" 8081)" EADDRINUSE
	equals "$(on host "$PROBE" bind tcp 127.0.0.1 9005)" EADDRINUSE
	equals "$(on host "$PROBE" bind udp 0.0.0.0 8081)" EADDRINUSE
	equals "$(on host "$PROBE" bind udp 0.0.0.0 8082)" bound
	equals "$(on host "$PROBE" bind tcp 0.0.0.0 8090)" bound
	equals "$(on client "$PROBE" bind tcp 0.0.0.0 8081)" bound
	up port add b 8090:80
	equals "$(on host "$PROBE" bind tcp 0.0.0.0 8090)" EADDRINUSE
	contains "$(ask client tcp "$HOST" 8090)" "b saw"
	up port del b 8090:80
	equals "$(on host "$PROBE" bind tcp 0.0.0.0 8090)" bound
	run -1 ask client tcp "$HOST" 8090
	contains "$output" "Connection refused"
}

@test "a port that a socket of the host holds is not published" {
	local before
	before=$(up port list --json)
	run up port add a 7100:80
	((status != 0))
	contains "$output" 7100
	equals "${#lines[@]}" 1
	equals "$(up port list --json)" "$before"
	contains "$(ask client tcp "$HOST" 7100)" "service saw"
}

@test "a port that is published already is not published again" {
	local before
	before=$(up port list --json)
	run up port add b 8081:80
	((status != 0))
	contains "$output" 8081
	run up port add b 8999-9001:80-82
	((status != 0))
	equals "$(up port list --json)" "$before"
	contains "$(ask client tcp "$HOST" 8081)" "a saw"
}

@test "a container cannot send with another source address" {
	local pid drops echos b_echos
	pid=$(pid_of a)
	nsenter -t "$pid" -n ip addr add 10.215.200.200/32 dev eth0
	nsenter -t "$pid" -n ip addr add 198.51.100.9/32 dev eth0
	drops=$(counter drop_src_addr)
	echos=$(snmp client Icmp InEchos)
	b_echos=$(nsenter -t "$(pid_of b)" -n cat /proc/net/snmp | sha256sum)
	run ! nsenter -t "$pid" -n busybox ping -c 2 -W 1 -A -I 10.215.200.200 "$CLIENT"
	run ! nsenter -t "$pid" -n busybox ping -c 2 -W 1 -A -I 198.51.100.9 "$CLIENT"
	run ! nsenter -t "$pid" -n busybox ping -c 2 -W 1 -A -I 198.51.100.9 "$B"
	equals "$(snmp client Icmp InEchos)" "$echos"
	equals "$(nsenter -t "$(pid_of b)" -n cat /proc/net/snmp | sha256sum)" "$b_echos"
	(($(counter drop_src_addr) >= drops + 6))
	nsenter -t "$pid" -n ip addr del 10.215.200.200/32 dev eth0
	nsenter -t "$pid" -n ip addr del 198.51.100.9/32 dev eth0
	contains "$(ctr a ping -c 1 -W 2 "$CLIENT")" "1 packets received"
}

@test "a container cannot send with another MAC" {
	local pid mac drops echos
	pid=$(pid_of b)
	mac=$(nsenter -t "$pid" -n ip -j link show eth0 | jq -r '.[0].address')
	drops=$(counter drop_src_mac)
	echos=$(snmp client Icmp InEchos)
	nsenter -t "$pid" -n ip link set eth0 address 02:00:00:00:00:99
	run ! nsenter -t "$pid" -n busybox ping -c 2 -W 1 -A "$CLIENT"
	nsenter -t "$pid" -n ip link set eth0 address "$mac"
	equals "$(snmp client Icmp InEchos)" "$echos"
	(($(counter drop_src_mac) > drops))
	contains "$(ctr b ping -c 1 -W 2 "$CLIENT")" "1 packets received"
}

@test "other tcx programs on the uplink, before and after ours, keep seeing their packets" {
	local first=$TOPO_DIR/bpf-host/first last=$TOPO_DIR/bpf-host/last before after _
	on host "$TCX_COUNT" attach eth0 first "$first"
	on host "$TCX_COUNT" attach eth0 last "$last"
	for _ in 1 2 3; do
		ask client tcp "$HOST" 8081
	done
	before=$(on host "$TCX_COUNT" show "$first")
	((before >= 3 * 4))
	after=$(on host "$TCX_COUNT" show "$last")
	on client busybox ping -c 5 -W 2 -A "$HOST"
	ask client udp "$HOST" 7100
	(($(on host "$TCX_COUNT" show "$last") >= after + 6))
	(($(on host "$TCX_COUNT" show "$first") >= before + 6))
	rm "$first"-{link,map} "$last"-{link,map}
}

@test "the host's own traffic is not ours: services, ping, and connections outward" {
	contains "$(ask client tcp "$HOST" 7100)" "service saw $CLIENT:"
	contains "$(ask client udp "$HOST" 7100)" "service saw $CLIENT:"
	contains "$(ask host tcp 127.0.0.1 7100)" "service saw 127.0.0.1:"
	contains "$(ask host tcp "$CLIENT" 7000)" "outside saw $HOST:"
	contains "$(ask host udp "$CLIENT" 7000)" "outside saw $HOST:"
	contains "$(on client busybox ping -c 2 -W 2 -A "$HOST")" "2 packets received"
	contains "$(on host busybox ping -c 2 -W 2 -A "$CLIENT")" "2 packets received"
	equals "$(on client "$PROBE" pump "$HOST" 7100 20000000)" "ok 20000000"
	run -1 ask client tcp "$HOST" 7101
	contains "$output" "Connection refused"
}

@test "a masqueraded flow never takes the port of a connection that the host has" {
	PROBE_PORT=40000 live_start host "$CLIENT" 7000 1
	run -0 ctr a env PROBE_PORT=40000 probe ask tcp "$CLIENT" 7000
	contains "$output" "outside saw $HOST:"
	[[ $output != *"saw $HOST:40000 "* ]]
	live_end
}

@test "a masqueraded flow keeps its source port where that is free, and two share none" {
	run -0 ctr a env PROBE_PORT=41000 probe ask tcp "$CLIENT" 7000
	contains "$output" "outside saw $HOST:41000 "
	run -0 ctr b env PROBE_PORT=41000 probe ask tcp "$CLIENT" 7000
	contains "$output" "outside saw $HOST:"
	[[ $output != *"saw $HOST:41000 "* ]]
}

@test "no bridge, no iptables rule and no listener is on the path" {
	equals "$(on host ip link show type bridge)" ""
	equals "$(on host iptables-save | grep -- '^-A' || true)" ""
	equals "$(on host ss -Hltn sport = :8081)" ""
	equals "$(on host ss -Hlun sport = :8081)" ""
}
