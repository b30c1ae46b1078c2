#!/usr/bin/env bats
# A host that forwards for everybody, as docker sets it up: what must not be reached all the same.

load lib

setup_file() {
	export BATS_TEST_TIMEOUT=60 SERVE_ON=::
	make_world
	topo_exec host sh -c 'echo 1 >/proc/sys/net/ipv4/conf/all/forwarding
		echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
	start a -p 8081:80 -p "8082:81,from=198.51.100.0/24"
	ip -n "$TOPO_TAG-client" route add 10.215.0.0/16 via "$HOST"
	serve client outside 7000
	A=$(address_of a) A6=$(endpoint_of a address6)
	ip -n "$TOPO_TAG-client" route add "$A6/128" via "$HOST6"
	export A A6
}

teardown_file() {
	end_world
}

@test "containers go on as they do on a host that does not forward" {
	contains "$(ask client tcp "$HOST" 8081)" "a saw $CLIENT:"
	contains "$(ask client tcp "$HOST6" 8081)" "a saw [$CLIENT6]:"
	contains "$(ctr a probe ask tcp "$CLIENT" 7000)" "outside saw $HOST:"
	contains "$(ctr a probe ask tcp "$CLIENT6" 7000)" "outside saw [$HOST6]:"
	contains "$(ask host tcp "$A" 80)" "a saw"
}

@test "from outside no port of a container is reached by its own address" {
	local to before heard
	before=$(counter drop_no_flow)
	heard=$(up logs a | wc -l)
	for to in "$A" "$A6"; do
		run -1 ask client tcp "$to" 82
		contains "$output" "Connection refused"
		run -1 ask client udp "$to" 82
		run -1 ask client tcp "$to" 81
		run -1 on client busybox ping -c 1 -W 1 "$to"
	done
	equals "$(up logs a | wc -l)" "$heard"
	(($(counter drop_no_flow) >= before + 8))
}

@test "nor a port whose list of sources one is not in, by any address" {
	local to
	for to in "$HOST" "$A"; do
		run -1 ask client tcp "$to" 8082
	done
	(($(counter drop_denied) > 0))
}
