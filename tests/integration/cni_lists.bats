#!/usr/bin/env bats
# Lists of plugins as others write them, run as a runtime runs them: the examples of the reference
# plugins' documentation, results of calico's and flannel's shape, what runtimes send beside.
# shellcheck disable=SC2030,SC2031 # bats sets output

load lib
load cni

setup_file() {
	export BATS_TEST_TIMEOUT=120
	make_world
	cni_init
	topo_ns c1
	topo_ns c2
	SERVE_ON=:: serve c1 c1 80 81
	serve client outside 7000
}

teardown() {
	local network
	for network in net mynet; do
		cni underpass GC c1 "$(conf underpass "{\"cniVersion\":\"1.1.0\",\"name\":\"$network\"}")" || true
	done
	on c1 ip link del eth0 2>/dev/null || true
}

teardown_file() {
	end_world
}

# plugin LIST INDEX RESULT RUNTIME: the configuration that a runtime makes of a plugin of a list; it
# hands on what the plugin has the capability for
plugin() {
	jq -c --argjson i "$2" --argjson prev "$3" --argjson runtime "$4" --arg dir "$CNI_DATA" '
		. as $list | .plugins[$i] + {name: $list.name, cniVersion: $list.cniVersion} |
		if .ipam.type == "host-local" then .ipam.dataDir = $dir else . end |
		(.capabilities // {}) as $can | del(.capabilities) |
		($runtime | with_entries(select($can[.key]))) as $rt |
		if $rt == {} then . else .runtimeConfig = $rt end |
		if $prev then .prevResult = $prev else . end' <<<"$1"
}

# add LIST [RUNTIME]: ADD of each; the result is left in RESULT
add() {
	local i type
	RESULT=null
	for ((i = 0; i < $(jq '.plugins | length' <<<"$1"); i++)); do
		type=$(jq -r ".plugins[$i].type" <<<"$1")
		RESULT=$(cni "$type" ADD c1 "$(plugin "$1" "$i" "$RESULT" "${2:-{\}}")") || {
			echo "$RESULT"
			return 1
		}
	done
}

# check LIST [RUNTIME]
check() {
	local i
	for ((i = 0; i < $(jq '.plugins | length' <<<"$1"); i++)); do
		cni "$(jq -r ".plugins[$i].type" <<<"$1")" CHECK c1 "$(plugin "$1" "$i" "$RESULT" "${2:-{\}}")"
	done
}

# del LIST [RUNTIME]: in the opposite order, printing nothing
del() {
	local i
	for ((i = $(jq '.plugins | length' <<<"$1") - 1; i >= 0; i--)); do
		equals "$(cni "$(jq -r ".plugins[$i].type" <<<"$1")" DEL c1 "$(plugin "$1" "$i" "$RESULT" "${2:-{\}}")")" ""
	done
}

list() {
	jq -nc --argjson plugins "[$1]" '{cniVersion: "1.0.0", name: "mynet", plugins: $plugins}'
}

round() {
	add "$1" "${2:-{\}}"
	check "$1" "${2:-{\}}"
	del "$1" "${2:-{\}}"
	nothing_left
	equals "$(leases mynet)" ""
}

BRIDGE='{"type":"bridge","bridge":"mynet0","isDefaultGateway":true,"forceAddress":false,"ipMasq":true,
	"hairpinMode":true,"ipam":{"type":"host-local","subnet":"10.10.0.0/16"}}'
PTP='{"type":"ptp","ipam":{"type":"host-local","subnet":"10.1.1.0/24"},
	"dns":{"nameservers":["10.1.1.1","8.8.8.8"]}}'

@test "the examples of the plugins' documentation, each behind each" {
	local first next
	for first in "$BRIDGE" "$PTP" \
		'{"type":"ptp","ipMasq":true,"ipam":{"type":"host-local","subnet":"172.16.30.0/24","routes":[{"dst":"0.0.0.0/0"}]}}'; do
		round "$(list "$first")"
		for next in \
			'{"type":"portmap","capabilities":{"portMappings":true},"externalSetMarkChain":"KUBE-MARK-MASQ"}' \
			'{"type":"portmap","capabilities":{"portMappings":true},"snat":true,"markMasqBit":13}' \
			'{"type":"firewall"}' '{"type":"firewall","backend":"firewalld","firewalldZone":"trusted"}' \
			'{"type":"firewall","backend":"iptables","iptablesAdminChainName":"CNI-ADMIN"}' \
			'{"type":"firewall","ingressPolicy":"same-bridge"}' \
			'{"name":"slowdown","type":"bandwidth","ingressRate":123,"ingressBurst":456,"egressRate":123,"egressBurst":456}' \
			'{"type":"bandwidth","capabilities":{"bandwidth":true}}' \
			'{"name":"mytuning","type":"tuning","sysctl":{"net.core.somaxconn":"500"}}' \
			'{"type":"tuning","capabilities":{"mac":true},"mac":"c2:b0:57:49:47:f1","mtu":1454,"allmulti":true}'; do
			round "$(list "$first,$next")" \
				'{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]}'
		done
	done
}

@test "every capability, as podman, containerd and CRI-O send it" {
	local config runtime caps='"capabilities":{"portMappings":true,"ips":true,"mac":true,"bandwidth":true,
		"aliases":true,"dns":true,"ipRanges":true,"cgroupPath":true,"io.kubernetes.cri.pod-annotations":true}'
	config=$(list "{\"type\":\"underpass\",\"ipam\":{\"type\":\"host-local\"},$caps}")
	runtime='{"portMappings":[
			{"hostPort":8080,"containerPort":80,"protocol":"tcp","hostIP":""},
			{"HostPort":8081,"ContainerPort":81,"Protocol":"udp","HostIP":"192.0.2.1"},
			{"hostPort":8082,"containerPort":80,"protocol":"tcp","hostIP":"127.0.0.1"},
			{"hostPort":8083,"containerPort":8083,"protocol":"sctp"}],
		"ips":["10.50.0.77","10.50.0.77/24"],
		"mac":"02:00:00:00:00:77",
		"bandwidth":{"ingressRate":1000000000,"ingressBurst":4294967295,"egressRate":1000000000,"egressBurst":4294967295},
		"aliases":{"mynet":["web","www"]},
		"dns":{"Servers":["192.0.2.54"],"Searches":["x.test"],"Options":["ndots:2"]},
		"ipRanges":[[{"subnet":"10.50.0.0/24"}]],
		"cgroupPath":"/kubepods/pod1",
		"io.kubernetes.cri.pod-annotations":{"a":"b"}}'
	add "$config" "$runtime"
	equals "$(jq -c '[.ips[0].address, .dns]' <<<"$RESULT")" \
		'["10.50.0.77/24",{"nameservers":["192.0.2.54"],"search":["x.test"],"options":["ndots:2"]}]'
	contains "$(on c1 ip addr show eth0)" "link/ether 02:00:00:00:00:77"
	contains "$(ask client tcp "$HOST" 8080)" "c1 saw"
	contains "$(ask client udp "$HOST" 8081)" "c1 saw"
	contains "$(ask host tcp 127.0.0.1 8082)" "c1 saw"
	run -1 ask client tcp "$HOST" 8082
	equals "$(up status --json | jq -c '[.ports[] | select(.protocol == "sctp") | .host_port]')" '[8083]'
	equals "$(up status --json | jq -c '.endpoints[0].limits | [.in, .out]')" '[1000000000,1000000000]'
	check "$config" "$runtime"
	del "$config" "$runtime"
	nothing_left
}

# What calico leaves: a veth with an address of its own, a gateway that no interface has, and a result
# that has neither the container's interface nor indices.
@test "portmap behind what calico makes" {
	local config prev
	on host ip link add cali1 type veth peer name eth0 netns "$TOPO_TAG-c1"
	on host ip link set cali1 address ee:ee:ee:ee:ee:ee up
	on host sh -c 'echo 1 >/proc/sys/net/ipv4/conf/cali1/proxy_arp'
	on host sh -c 'echo 1 >/proc/sys/net/ipv4/conf/cali1/forwarding; echo 1 >/proc/sys/net/ipv4/conf/eth0/forwarding'
	on host ip route add 192.168.1.5 dev cali1
	on c1 ip link set eth0 up
	on c1 ip addr add 192.168.1.5/32 dev eth0
	on c1 ip route add 169.254.1.1 dev eth0
	on c1 ip route add default via 169.254.1.1
	prev='{"cniVersion":"0.3.1","interfaces":[{"name":"cali1"}],"ips":[{"version":"4","address":"192.168.1.5/32"}],"dns":{}}'
	config=$(conf portmap '{"cniVersion":"0.3.1","snat":true,"runtimeConfig":{"portMappings":[
		{"hostPort":8080,"containerPort":80,"protocol":"tcp"},{"hostPort":8081,"containerPort":81,"protocol":"udp"}]}}')
	RESULT=$(cni portmap ADD c1 "$(with "$config" "{\"prevResult\":$prev}")")
	equals "$(jq -c '[.interfaces[0].name, .ips[0].address]' <<<"$RESULT")" '["cali1","192.168.1.5/32"]'
	contains "$(ask client tcp "$HOST" 8080)" "c1 saw $CLIENT:"
	contains "$(ask client udp "$HOST" 8081)" "c1 saw $CLIENT:"
	contains "$(ask host tcp 127.0.0.1 8080)" "c1 saw"
	contains "$(ask c1 tcp "$HOST" 8080)" "c1 saw"
	# Felix has its way with the rest.
	contains "$(ask host tcp 192.168.1.5 80)" "c1 saw"
	on client ip route add 192.168.1.5 via "$HOST"
	contains "$(ask c1 tcp "$CLIENT" 7000)" "outside saw 192.168.1.5:"
	contains "$(ask client tcp 192.168.1.5 80)" "c1 saw $CLIENT:"
	on client ip route del 192.168.1.5
	# Its CHECK is ours, since nobody else knows of the program.
	config=$(with "$config" '{"cniVersion":"0.4.0"}')
	cni portmap CHECK c1 "$(with "$config" "{\"prevResult\":$prev}")"
	on host ip link del cali1
	run -1 cni portmap CHECK c1 "$(with "$config" "{\"prevResult\":$prev}")"
	equals "$(code "$output")" 103
	cni portmap DEL c1 "$config"
	nothing_left
}

@test "portmap killed at any system call behind somebody else's interface is repaired by the next, by DEL, by GC" {
	local n ended=0 config prev
	on host ip link add veth1 type veth peer name eth0 netns "$TOPO_TAG-c1"
	on host ip link set veth1 up
	on c1 ip link set eth0 up
	prev='{"cniVersion":"1.1.0","interfaces":[{"name":"eth0","sandbox":"x"}],"ips":[{"interface":0,"address":"192.168.1.5/24"}]}'
	config=$(conf portmap '{"cniVersion":"1.1.0","runtimeConfig":{"portMappings":[
		{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]}}')
	for ((n = 1; n < 2000 && !ended; n += 7)); do
		run cni_env "$KILLAT" "$n" env CNI_COMMAND=ADD CNI_CONTAINERID=id-c1 CNI_NETNS="$(topo_file c1)" \
			CNI_IFNAME=eth0 CNI_PATH="$CNI_BIN" "$CNI_BIN/portmap" <<<"$(with "$config" "{\"prevResult\":$prev}")"
		((status == 137)) || ended=1
		case $((n % 3)) in
		0) cni portmap DEL c1 "$config" ;;
		1) cni portmap GC c1 "$config" ;;
		2) # complete, but for its answer: the runtime begins with DEL then
			if grep -qs '"complete": true' "$TOPO_DIR/run-host/cni"/*.json; then
				cni portmap DEL c1 "$config"
			fi
			cni portmap ADD c1 "$(with "$config" "{\"prevResult\":$prev}")"
			equals "$(up status --json | jq '.ports | length')" 1
			cni portmap DEL c1 "$config"
			;;
		esac
		nothing_left
	done
	((ended))
	((n > 60))
	on host ip link del veth1
}
