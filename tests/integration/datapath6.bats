#!/usr/bin/env bats
# The walks of datapath.bats over IPv6: a unique local network behind global addresses of the host.

load lib

setup_file() {
	export BATS_TEST_TIMEOUT=60 SERVE_ON=::
	make_world
	start a -p 8081:80/tcp -p 8081:80/udp -p 8082:80 -p 9000-9010:9000-9010 -p 9100-9101:81-82
	start b -p 8083:80 -p "[$HOST6]:8084:80" -p "$HOST:8085:80"
	serve client outside 7000
	serve host service 7100
	A=$(endpoint_of a address6)
	B=$(endpoint_of b address6)
	export A B
}

teardown_file() {
	end_world
}

@test "containers have unique local addresses" {
	[[ $A =~ ^fd && $B =~ ^fd && $A != "$B" ]]
	contains "$(ctr a ip -6 addr show dev eth0)" "inet6 $A/128"
	contains "$(ctr a ip -6 route)" "default via $(endpoint_of a gateway6) dev eth0"
}

@test "a published TCP port: the server sees the client, the client sees what it asked for" {
	run -0 ask client tcp "$HOST6" 8081
	contains "$output" "a saw [$CLIENT6]:"
	contains "$output" "peer [$HOST6]:8081"
	contains "$(up logs a)" "tcp from [$CLIENT6]:"
}

@test "a published TCP port carries megabytes both ways unharmed" {
	run -0 on client "$PROBE" pump "$HOST6" 8081 20000000
	equals "$output" "ok 20000000"
}

@test "a published UDP port" {
	run -0 ask client udp "$HOST6" 8081
	contains "$output" "a saw [$CLIENT6]:"
	contains "$output" "hello | peer [$HOST6]:8081"
}

@test "a port published for TCP only is closed for UDP" {
	run -1 ask client udp "$HOST6" 8082
	contains "$output" "Connection refused"
}

@test "two host ports lead to one container port, and another to another container" {
	contains "$(ask client tcp "$HOST6" 8081)" "a saw"
	contains "$(ask client tcp "$HOST6" 8082)" "a saw"
	contains "$(ask client tcp "$HOST6" 8083)" "b saw"
}

@test "a range is published port by port, shifted if so asked" {
	local port
	for port in 9000 9005 9010 9100 9101; do
		contains "$(ask client tcp "$HOST6" "$port")" "a saw"
	done
	run -1 ask client tcp "$HOST6" 9011
	contains "$output" "Connection refused"
}

@test "a port published on one address of one family is closed on every other" {
	contains "$(ask client tcp "$HOST6" 8084)" "b saw"
	run -1 ask client tcp "$HOST" 8084
	contains "$output" "Connection refused"
	contains "$(ask client tcp "$HOST" 8085)" "b saw"
	run -1 ask client tcp "$HOST6" 8085
	contains "$output" "Connection refused"
	ip -n "$TOPO_TAG-host" addr add 2001:db8::5/64 dev eth0 nodad
	run -1 ask client tcp 2001:db8::5 8084
	contains "$output" "Connection refused"
	contains "$(ask client tcp 2001:db8::5 8083)" "b saw"
	ip -n "$TOPO_TAG-host" addr del 2001:db8::5/64 dev eth0
}

@test "a published port by the uplink's link-local address is the kernel's business, and not silent" {
	local ll
	ll=$(ip -n "$TOPO_TAG-host" -j -6 addr show dev eth0 |
		jq -r '.[].addr_info[] | select(.scope == "link") | .local')
	run -0 on client ping -6 -c 2 -W 5 -i 0.2 "$ll%eth0"
	contains "$output" "2 received"
}

@test "out of a container: TCP and UDP are masqueraded with the host's address" {
	contains "$(ctr a probe ask tcp "$CLIENT6" 7000)" "outside saw [$HOST6]:"
	contains "$(ctr b probe ask udp "$CLIENT6" 7000)" "outside saw [$HOST6]:"
	equals "$(ctr a probe pump "$CLIENT6" 7000 20000000)" "ok 20000000"
}

@test "out of a container: ping" {
	contains "$(ctr a ping -6 -c 2 -W 2 -A "$CLIENT6")" "2 packets received"
}

@test "out of a container: a closed port is refused, not silent" {
	run -1 ctr a probe ask tcp "$CLIENT6" 7999
	contains "$output" "Connection refused"
	run -1 ctr a probe ask udp "$CLIENT6" 7999
	contains "$output" "Connection refused"
}

@test "container to container, both ways, with their own addresses" {
	contains "$(ctr a probe ask tcp "$B" 80)" "b saw [$A]:"
	contains "$(ctr b probe ask tcp "$A" 80)" "a saw [$B]:"
	contains "$(ctr a probe ask udp "$B" 80)" "b saw [$A]:"
	contains "$(ctr b probe ask udp "$A" 80)" "a saw [$B]:"
	contains "$(ctr a ping -6 -c 2 -W 2 -A "$B")" "2 packets received"
	equals "$(ctr a probe pump "$B" 80 20000000)" "ok 20000000"
}

@test "container to container by the published port" {
	contains "$(ctr a probe ask tcp "$HOST6" 8083)" "b saw [$A]:"
	contains "$(ctr a probe ask tcp "$HOST6" 8084)" "b saw [$A]:"
	contains "$(ctr b probe ask udp "$HOST6" 8081)" "a saw [$B]:"
}

@test "a container reaches itself by its published port" {
	contains "$(ctr a probe ask tcp "$HOST6" 8081)" "a saw [$(endpoint_of a gateway6)]:"
	contains "$(ctr a probe ask udp "$HOST6" 8081)" "a saw"
	equals "$(ctr a probe pump "$HOST6" 8082 5000000)" "ok 5000000"
}

@test "host to a container's address" {
	contains "$(ask host tcp "$A" 80)" "a saw"
	contains "$(ask host udp "$B" 80)" "b saw"
	contains "$(on host busybox ping -6 -c 2 -W 2 -A "$A")" "2 packets received"
	equals "$(on host "$PROBE" pump "$A" 80 20000000)" "ok 20000000"
}

@test "container to a service of the host, by its gateway and by the uplink's address" {
	local gateway
	gateway=$(endpoint_of a gateway6)
	contains "$(ctr a probe ask tcp "$gateway" 7100)" "service saw [$A]:"
	contains "$(ctr a probe ask tcp "$HOST6" 7100)" "service saw [$A]:"
	contains "$(ctr a probe ask udp "$gateway" 7100)" "service saw [$A]:"
	contains "$(ctr a ping -6 -c 2 -W 2 -A "$gateway")" "2 packets received"
	equals "$(ctr a probe pump "$HOST6" 7100 20000000)" "ok 20000000"
}

@test "the host reaches published TCP ports by ::1 and its address, and is shown those" {
	run -0 ask host tcp ::1 8081
	contains "$output" "a saw"
	contains "$output" "peer [::1]:8081"
	run -0 ask host tcp "$HOST6" 8084
	contains "$output" "b saw"
	contains "$output" "peer [$HOST6]:8084"
	equals "$(on host "$PROBE" pump ::1 8081 20000000)" "ok 20000000"
}

@test "the host reaches published UDP ports, connected" {
	run -0 ask host udp ::1 8081
	contains "$output" "a saw"
	contains "$output" "hello | peer [::1]:8081"
	contains "$(ask host udp "$HOST6" 8081)" "peer [$HOST6]:8081"
}

@test "the host reaches published UDP ports, unconnected: answers come from what was asked" {
	run -0 on host "$PROBE" sendto ::1 8081 "$HOST6" 8081 ::1 7100 "$CLIENT6" 7000 ::1 8081
	contains "${lines[0]}" "from [::1]:8081"
	contains "${lines[1]}" "from [$HOST6]:8081"
	contains "${lines[2]}" "from [::1]:7100"
	contains "${lines[3]}" "from [$CLIENT6]:7000"
	contains "${lines[4]}" "from [::1]:8081"
}

@test "another namespace's ::1 is not redirected" {
	run -1 ask client tcp ::1 8081
	contains "$output" "Connection refused"
	run -1 ctr b probe ask tcp ::1 8081
	contains "$output" "Connection refused"
}

@test "the host cannot bind a published port of either family" {
	equals "$(on host "$PROBE" bind tcp :: 8081)" EADDRINUSE
	equals "$(on host "$PROBE" bind tcp "$HOST6" 8081)" EADDRINUSE
	equals "$(on host "$PROBE" bind udp ::1 8081)" EADDRINUSE
	equals "$(on host "$PROBE" bind tcp "$HOST6" 8084)" EADDRINUSE
	equals "$(on host "$PROBE" bind tcp :: 8084)" EADDRINUSE
	equals "$(on host "$PROBE" bind tcp "$HOST" 8084)" bound
	equals "$(on host "$PROBE" bind tcp :: 8090)" bound
}

@test "a container cannot send with another source address" {
	local pid drops in_pkts
	pid=$(pid_of a)
	nsenter -t "$pid" -n ip addr add 2001:db8:9::9/128 dev eth0 nodad
	drops=$(counter drop_src_addr)
	in_pkts=$(snmp6 client Icmp6InEchos)
	run ! nsenter -t "$pid" -n busybox ping -6 -c 2 -W 1 -A -I 2001:db8:9::9 "$CLIENT6"
	run ! nsenter -t "$pid" -n busybox ping -6 -c 2 -W 1 -A -I 2001:db8:9::9 "$B"
	equals "$(snmp6 client Icmp6InEchos)" "$in_pkts"
	(($(counter drop_src_addr) >= drops + 2)) # ping gives up where it is told at once
	nsenter -t "$pid" -n ip addr del 2001:db8:9::9/128 dev eth0
	contains "$(ctr a ping -6 -c 1 -W 2 "$CLIENT6")" "1 packets received"
}

@test "neighbour discovery: a container speaks for itself only, and needs none" {
	local pid drops
	pid=$(pid_of a)
	equals "$(nsenter -t "$pid" -n ip -6 neigh show "$(endpoint_of a gateway6)" | grep -c PERMANENT)" 1
	equals "$(ip -n "$TOPO_TAG-host" -6 neigh show "$A" | grep -c PERMANENT)" 1
	# Unsolicited advertisement for the neighbour's address.
	nsenter -t "$pid" -n ip addr add "$B/128" dev eth0 nodad
	drops=$(counter drop_nd)
	nsenter -t "$pid" -n "$PROBE" advertise eth0 "$B"
	topo_wait 5 counter_above drop_nd "$drops"
	contains "$(ip -n "$TOPO_TAG-host" -6 neigh show "$B")" "$(endpoint_of b mac)"
	nsenter -t "$pid" -n ip addr del "$B/128" dev eth0
	# What it may ask: its gateway, by a solicitation that the kernel answers.
	nsenter -t "$pid" -n ip neigh del "$(endpoint_of a gateway6)" dev eth0
	contains "$(ctr a ping -6 -c 1 -W 5 "$CLIENT6")" "1 packets received"
	nsenter -t "$pid" -n ip neigh replace "$(endpoint_of a gateway6)" \
		lladdr 02:75:70:00:00:01 nud permanent dev eth0
}

@test "neighbour discovery on the uplink stays the kernel's, in both directions" {
	ip -n "$TOPO_TAG-client" neigh flush dev eth0
	ip -n "$TOPO_TAG-host" neigh flush dev eth0
	contains "$(ask client tcp "$HOST6" 8081)" "a saw"
	ip -n "$TOPO_TAG-client" neigh flush dev eth0
	ip -n "$TOPO_TAG-host" neigh flush dev eth0
	contains "$(ctr a probe ask tcp "$CLIENT6" 7000)" "outside saw"
}

@test "a masqueraded flow keeps its source port where that is free, and two share none" {
	run -0 ctr a env PROBE_PORT=41000 probe ask tcp "$CLIENT6" 7000
	contains "$output" "outside saw [$HOST6]:41000 "
	run -0 ctr b env PROBE_PORT=41000 probe ask tcp "$CLIENT6" 7000
	contains "$output" "outside saw [$HOST6]:"
	[[ $output != *"saw [$HOST6]:41000 "* ]]
}

@test "a masqueraded flow never takes the port of a connection that the host has" {
	PROBE_PORT=40000 live_start host "$CLIENT6" 7000 1
	run -0 ctr a env PROBE_PORT=40000 probe ask tcp "$CLIENT6" 7000
	contains "$output" "outside saw [$HOST6]:"
	[[ $output != *"saw [$HOST6]:40000 "* ]]
	live_end
}

@test "a connection of the host never takes the port of a masqueraded flow, of both protocols and families" {
	local to proto port=42000
	for to in "$CLIENT" "$CLIENT6"; do
		for proto in tcp udp; do
			port=$((port + 1))
			PROBE_PORT=$port live_start a "$to" 7000 1 "$proto"
			run -0 on host env PROBE_PORT=$port "$PROBE" ask "$proto" "$to" 7000
			contains "$output" "outside saw"
			[[ ! $output =~ "saw "[^\ ]+":$port"[\ :] ]]
			live_end
		done
	done
}

@test "the host's own traffic is not ours: services, ping, and connections outward" {
	contains "$(ask client tcp "$HOST6" 7100)" "service saw [$CLIENT6]:"
	contains "$(ask client udp "$HOST6" 7100)" "service saw [$CLIENT6]:"
	contains "$(ask host tcp ::1 7100)" "service saw [::1]:"
	contains "$(ask host tcp "$CLIENT6" 7000)" "outside saw [$HOST6]:"
	contains "$(ask host udp "$CLIENT6" 7000)" "outside saw [$HOST6]:"
	contains "$(on client busybox ping -6 -c 2 -W 2 -A "$HOST6")" "2 packets received"
	contains "$(on host busybox ping -6 -c 2 -W 2 -A "$CLIENT6")" "2 packets received"
	equals "$(on client "$PROBE" pump "$HOST6" 7100 20000000)" "ok 20000000"
	run -1 ask client tcp "$HOST6" 7101
	contains "$output" "Connection refused"
}

@test "a container whose IPv6 is switched off keeps IPv4" {
	local pid
	start c -p 8090:80
	pid=$(pid_of c)
	nsenter -t "$pid" -n sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6'
	contains "$(ask client tcp "$HOST" 8090)" "c saw $CLIENT:"
	contains "$(ctr c probe ask tcp "$CLIENT" 7000)" "outside saw $HOST:"
	run -1 ctr c probe ask tcp "$CLIENT6" 7000
	up stop c
	up rm c
}
