#!/usr/bin/env bats
# podman and its generated configurations, unchanged, with our directory first in the plugin path.
# shellcheck disable=SC2030,SC2031 # bats sets output

load lib
load cni
load podman

setup_file() {
	export BATS_TEST_TIMEOUT=240 DEADLINE=60
	make_world
	cni_init
	private_start
	podman_start "$CNI_BIN"
	serve client outside 7000
}

teardown() {
	podman_end
}

teardown_file() {
	podman_end
	end_world
}

# all_gone: no endpoint, port, interface, attachment or lease is left, once podman has cleaned up
all_gone() {
	[[ $(up status --json | jq -c '[.endpoints, .ports]') == '[[],[]]' ]]
	[[ -z $(ls "$TOPO_DIR/run-host/cni") ]]
	[[ -z $(private find /var/lib/cni/networks -name '*.*.*.*' 2>/dev/null) ]]
}

gone() {
	topo_wait 20 all_gone
	equals "$(on host iptables-save | grep -c -- '-j' || true)" 0
	equals "$(on host ip -o link show type bridge)" ""
}

# ip_of CONTAINER [NETWORK]: its address there
ip_of() {
	pod inspect -f "{{(index .NetworkSettings.Networks \"${2:-podman}\").IPAddress}}" "$1"
}

@test "run -p with the default network: reached from outside, from the host, by itself; and outward" {
	box web -p 8080:80 -p 8081:81/udp -p 9000-9002:80-82
	contains "$(ask client tcp "$HOST" 8080)" "web saw $CLIENT:"
	contains "$(ask client udp "$HOST" 8081)" "web saw $CLIENT:"
	contains "$(ask client tcp "$HOST" 9002)" "web saw $CLIENT:"
	contains "$(ask host tcp 127.0.0.1 8080)" "web saw 10.88.0.1:"
	contains "$(ask host tcp "$HOST" 8080)" "web saw"
	contains "$(ask host tcp "$(ip_of web)" 80)" "web saw 10.88.0.1:"
	contains "$(pod_exec web "$PROBE" ask tcp "$HOST" 8080)" "web saw 10.88.0.1:"
	contains "$(pod_exec web "$PROBE" ask tcp "$CLIENT" 7000)" "outside saw $HOST:"
	contains "$(pod exec web probe ask tcp "$CLIENT" 7000)" "outside saw $HOST:"
	equals "$(up status --json | jq '.endpoints | length')" 1
	pod rm -f -t 0 web
	gone
}

@test "--ip, --mac-address, and what inspect says is so" {
	box web --ip 10.88.0.77 --mac-address 02:00:00:00:00:42 -p 127.0.0.1:8080:80
	equals "$(ip_of web)" 10.88.0.77
	contains "$(pod_exec web ip addr show eth0)" "inet 10.88.0.77/16"
	contains "$(pod_exec web ip addr show eth0)" "link/ether 02:00:00:00:00:42"
	equals "$(pod inspect -f '{{.NetworkSettings.Networks.podman.MacAddress}}' web)" 02:00:00:00:00:42
	contains "$(ask host tcp 127.0.0.1 8080)" "web saw"
	run -1 ask client tcp "$HOST" 8080
	run -126 pod run --rm --ip 10.88.0.77 box true
	contains "$output" "10.88.0.77 is not available"
	pod rm -f -t 0 web
	gone
}

@test "a network that podman generates, with IPv6 and isolation; connect and disconnect" {
	pod network create --subnet 10.91.0.0/24 --ipv6 --subnet fd91::/64 -o isolate=true n1
	pod network create --subnet 10.92.0.0/24 -o isolate=true n2
	contains "$(private cat /etc/cni/net.d/n1.conflist)" '"type": "bridge"'
	contains "$(private cat /etc/cni/net.d/n1.conflist)" '"ingressPolicy": "same-bridge"'
	box a --network n1 -p 8080:80
	box b --network n1
	box c --network n2
	contains "$(pod_exec a ip -6 addr show eth0)" "fd91::2/64"
	contains "$(pod_exec b "$PROBE" ask tcp "$(ip_of a n1)" 80)" "a saw $(ip_of b n1):"
	run ! pod_exec c "$PROBE" ask tcp "$(ip_of a n1)" 80
	pod_exec b ping -q -c 1 -W 2 fd91::2
	# One container in two networks: the ports are asked for twice, and served once.
	pod network connect n2 a
	contains "$(pod_exec c "$PROBE" ask tcp "$(ip_of a n2)" 80)" "a saw $(ip_of c n2):"
	contains "$(pod_exec b "$PROBE" ask tcp "$(ip_of a n1)" 80)" "a saw"
	contains "$(ask client tcp "$HOST" 8080)" "a saw $CLIENT:"
	pod network disconnect n2 a
	run ! pod_exec a ip link show eth1
	contains "$(ask client tcp "$HOST" 8080)" "a saw $CLIENT:"
	run ! pod_exec c "$PROBE" ask tcp "$(ip_of a n1)" 80
	pod rm -f -t 0 a b c
	pod network rm n1 n2
	gone
}

@test "the port moves to the other network when the first is disconnected" {
	pod network create --subnet 10.93.0.0/24 n3
	box a -p 8080:80
	pod network connect n3 a
	pod network disconnect podman a
	contains "$(ask client tcp "$HOST" 8080)" "a saw $CLIENT:"
	pod rm -f -t 0 a
	pod network rm n3
	gone
}

@test "reload keeps address and ports; restart, stop and start" {
	local before
	box web -p 8080:80
	before=$(ip_of web)
	pod network reload web
	equals "$(ip_of web)" "$before"
	contains "$(ask client tcp "$HOST" 8080)" "web saw"
	pod restart -t 0 web
	topo_wait 20 boxed web
	topo_wait 20 answers "$HOST" 8080 web
	pod stop -t 0 web
	run -1 ask client tcp "$HOST" 8080
	contains "$output" "Connection refused"
	pod start web
	topo_wait 20 answers "$HOST" 8080 web
	pod rm -f -t 0 web
	gone
}

answers() {
	[[ $(ask client tcp "$1" "$2" 2>&1) == *"$3 saw"* ]]
}

@test "a pod: its containers share the interface and the ports" {
	pod pod create --name p -p 8080:80 --infra-image localhost/box --infra-command "/bin/sleep 100000"
	box one --pod p
	contains "$(ask client tcp "$HOST" 8080)" "one saw"
	pod run --rm --pod p box /bin/probe ask tcp 127.0.0.1 80
	equals "$(up status --json | jq '.endpoints | length')" 1
	pod pod rm -f -t 0 p
	gone
}

@test "a port in use is refused, and its owner keeps it" {
	box one -p 8080:80
	run -126 pod run -d --name two -p 8080:80 box /bin/probe serve two 0.0.0.0 80
	contains "$output" "port *:8080->80/tcp: endpoint"
	contains "$(ask client tcp "$HOST" 8080)" "one saw"
	serve host service 8090
	run ! pod run -d --name three -p 8090:80 box /bin/probe serve three 0.0.0.0 80
	contains "$output" "address already in use"
	contains "$(ask client tcp "$HOST" 8090)" "service saw"
	pod rm -f -t 0 -a
	gone
}

@test "an internal network: no way out, none in" {
	pod network create --internal --subnet 10.94.0.0/24 n4
	box a --network n4
	box b --network n4
	contains "$(pod_exec b "$PROBE" ask tcp "$(ip_of a n4)" 80)" "a saw"
	run ! pod_exec a "$PROBE" ask tcp "$CLIENT" 7000
	pod rm -f -t 0 a b
	pod network rm n4
	gone
}

@test "a hand-written list with type underpass" {
	write_private /etc/cni/net.d/mine.conflist <<-END
		{"cniVersion": "0.4.0", "name": "mine", "plugins": [{"type": "underpass",
		 "ipam": {"type": "host-local", "subnet": "10.95.0.0/24"}, "capabilities": {"portMappings": true}}]}
	END
	box a --network mine -p 8080:80
	contains "$(ask client tcp "$HOST" 8080)" "a saw $CLIENT:"
	contains "$(pod_exec a ip addr show eth0)" "inet 10.95.0.2/24"
	pod rm -f -t 0 a
	private rm /etc/cni/net.d/mine.conflist
	gone
}
