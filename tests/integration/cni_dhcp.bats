#!/usr/bin/env bats
# Addresses by DHCP: the reference dhcp plugin with its daemon, and a DHCP server on the network.
# shellcheck disable=SC2030,SC2031 # bats sets output

load lib
load cni

PORT='{"runtimeConfig":{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]}}'

setup_file() {
	export BATS_TEST_TIMEOUT=120 DHCP=$BATS_FILE_TMPDIR
	make_world
	cni_init
	topo_ns c1
	topo_ns c2
	topo_ns lan
	serve c1 c1 80
	serve client outside 7000
	server client eth0 192.0.2
	topo_spawn host "$DHCP/daemon.log" "$CNI_REFERENCE/dhcp" daemon -socketpath "$DHCP/sock"
	topo_wait 10 test -S "$DHCP/sock"
}

teardown() {
	cni underpass DEL c1 "$(dhcp_conf underpass)" || true
}

teardown_file() {
	end_world
}

# server NAMESPACE INTERFACE PREFIX: busybox's DHCP server, whose leases last ten seconds
server() {
	cat >"$DHCP/$1.conf" <<-END
		interface $2
		start $3.100
		end $3.110
		min_lease 1
		lease_file $DHCP/$1.leases
		pidfile $DHCP/$1.pid
		option lease 10
		option subnet 255.255.255.0
		option router $3.2
	END
	: >"$DHCP/$1.leases"
	topo_spawn "$1" "$DHCP/$1.log" busybox udhcpd -f "$DHCP/$1.conf"
	topo_wait 10 grep -q started "$DHCP/$1.log"
}

# acks NAMESPACE COUNT: for topo_wait: has its server confirmed that many leases?
acks() {
	(($(grep -c "sending ACK to" "$DHCP/$1.log") >= $2))
}

dhcp_conf() {
	jq -nc --arg type "$1" --arg socket "$DHCP/sock" --argjson more "${2:-{\}}" \
		'{cniVersion: "1.0.0", name: "net", type: $type, ipam: {type: "dhcp", daemonSocketPath: $socket}} * $more'
}

# address RESULT PREFIX: one of the server's, with its prefix length; left in ADDRESS without it
address() {
	ADDRESS=$(jq -r '.ips[0].address' <<<"$1")
	[[ $ADDRESS =~ ^"$2".1(0[0-9]|10)/24$ ]]
	ADDRESS=${ADDRESS%/*}
}

@test "type underpass: an address of the network that the uplink is in, renewed, and given back" {
	local config result n
	config=$(dhcp_conf underpass "$PORT")
	result=$(cni underpass ADD c1 "$config")
	address "$result" 192.0.2
	equals "$(jq -r '.ips[0].gateway' <<<"$result")" 192.0.2.2
	contains "$(on c1 ip -4 addr show eth0)" "inet $ADDRESS/24"
	contains "$(ask client tcp "$HOST" 8080)" "c1 saw $CLIENT:"
	contains "$(ask host tcp 127.0.0.1 8080)" "c1 saw $HOST:"
	contains "$(ask client tcp "$ADDRESS" 80)" "c1 saw $CLIENT:"
	contains "$(ask c1 tcp "$CLIENT" 7000)" "outside saw $ADDRESS:"
	cni underpass CHECK c1 "$(with "$config" "{\"prevResult\":$result}")"
	n=$(grep -c "sending ACK to" "$DHCP/client.log")
	topo_wait 30 acks client $((n + 2))
	cni underpass CHECK c1 "$(with "$config" "{\"prevResult\":$result}")"
	on c1 ip link set eth0 down
	run -1 cni underpass CHECK c1 "$(with "$config" "{\"prevResult\":$result}")"
	equals "$(code "$output")" 103
	on c1 ip link set eth0 up
	topo_spawn client "$DHCP/wire" tcpdump -lnvi eth0 udp port 67
	topo_wait 10 grep -q "listening on" "$DHCP/wire"
	cni underpass DEL c1 "$config"
	topo_wait 10 grep -q "DHCP-Message.*Release" "$DHCP/wire"
	run -1 on c1 ip link show eth0
	run -1 ask client tcp "$HOST" 8080
	contains "$output" "Connection refused"
	cni underpass DEL c1 "$config"
	nothing_left
}

@test "type underpass: what fails after the address is got gives it back; and DEL without a namespace" {
	local config owner
	config=$(dhcp_conf underpass "$PORT")
	owner=$(conf underpass "$PORT")
	cni underpass ADD c2 "$owner"
	run -1 cni underpass ADD c1 "$config"
	equals "$(code "$output")" 101
	run -1 on c1 ip link show eth0
	equals "$(endpoints)" 1
	cni underpass DEL c2 "$owner"
	cni underpass ADD c1 "$config"
	on c1 ip link del eth0
	cni underpass DEL c1 "$config" CNI_NETNS=
	nothing_left
}

@test "without a server, a daemon or the possibility it fails, says why, and leaves nothing" {
	run -1 cni underpass ADD c1 "$(dhcp_conf underpass '{"ipam":{"daemonSocketPath":"/nonexistent"}}')"
	contains "$output" "error dialing DHCP daemon"
	run -1 cni underpass ADD c1 "$(dhcp_conf underpass '{"ingressPolicy":"isolated"}')"
	equals "$(code "$output")" 2
	run -1 cni underpass ADD c1 "$(dhcp_conf underpass '{"ingressRate":1000000,"ingressBurst":100000}')"
	equals "$(code "$output")" 2
	run -1 cni ptp ADD c1 "$(dhcp_conf ptp)"
	equals "$(code "$output")" 2
	contains "$output" "no server can be at the other end"
	run -1 on c1 ip link show eth0
	nothing_left
}

@test "bridge: the next plugin of that name makes a bridge indeed, and portmap adopts what it made" {
	local config result
	on host ip link add cni8 type bridge
	on host ip link set cni8 up
	topo_link lan eth0 10.48.0.1/24 host lan0 10.48.9.9/32
	on host ip addr flush dev lan0
	on host ip link set lan0 master cni8
	on host ip addr add 10.48.0.2/24 dev cni8
	server lan eth0 10.48.0
	config=$(dhcp_conf bridge '{"bridge":"cni8"}')
	result=$(cni bridge ADD c1 "$config")
	address "$result" 10.48.0
	on host ip link show type veth master cni8 | grep -q veth
	cni portmap ADD c1 "$(with "$(conf portmap "$PORT")" "{\"prevResult\":$result}")"
	contains "$(ask client tcp "$HOST" 8080)" "c1 saw $CLIENT:"
	contains "$(ask lan tcp "$ADDRESS" 80)" "c1 saw 10.48.0.1:"
	cni bridge CHECK c1 "$(with "$config" "{\"prevResult\":$result}")"
	cni bridge STATUS c1 "$(with "$config" '{"cniVersion":"1.1.0"}')"
	cni portmap DEL c1 "$(conf portmap "$PORT")"
	cni bridge DEL c1 "$config"
	run -1 on c1 ip link show eth0
	on host ip link del cni8
	nothing_left
}
