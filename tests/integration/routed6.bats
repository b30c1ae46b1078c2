#!/usr/bin/env bats
# Containers whose IPv6 addresses are known outside: routed, not masqueraded.

load lib

setup_file() {
	export BATS_TEST_TIMEOUT=60 SERVE_ON=::
	make_world --subnet6 2001:db8:1::/64
	ip -n "$TOPO_TAG-client" route add 2001:db8:1::/64 via "$HOST6"
	start a -p 8081:80 -p 8081:80/udp
	serve client outside 7000
	A=$(endpoint_of a address6)
	export A
}

teardown_file() {
	end_world
}

@test "out of a container: its own address is seen, of IPv6 only" {
	[[ $A == 2001:db8:1::* ]]
	contains "$(ctr a probe ask tcp "$CLIENT6" 7000)" "outside saw [$A]:"
	contains "$(ctr a probe ask udp "$CLIENT6" 7000)" "outside saw [$A]:"
	contains "$(ctr a ping -6 -c 2 -W 2 -A "$CLIENT6")" "2 packets received"
	equals "$(ctr a probe pump "$CLIENT6" 7000 20000000)" "ok 20000000"
	contains "$(ctr a probe ask tcp "$CLIENT" 7000)" "outside saw $HOST:"
}

@test "from outside a container is reached by its published ports, at its own address too" {
	contains "$(ask client tcp "$A" 8081)" "a saw [$CLIENT6]:"
	contains "$(ask client udp "$A" 8081)" "a saw [$CLIENT6]:"
	contains "$(ask client tcp "$HOST6" 8081)" "a saw [$CLIENT6]:"
}

@test "from outside nothing else of a container is reached" {
	run -1 ask client tcp "$A" 80
	run -1 on client busybox ping -6 -c 1 -W 1 "$A"
	run -1 ask client tcp "$A" 9000
}

@test "an answer from outside is taken only for what was asked" {
	contains "$(ctr a env PROBE_PORT=40001 probe ask udp "$CLIENT6" 7000)" "outside saw [$A]:40001"
	run -1 on client env PROBE_PORT=7001 "$PROBE" ask udp "$A" 40001
}
