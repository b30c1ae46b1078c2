#!/usr/bin/env bats
# Chains of our plugins and others': ours behind the reference plugins, those behind ours, flannel's
# delegate, and a kernel that translates addresses beside us.
# shellcheck disable=SC2030,SC2031 # bats sets output

load lib
load cni

PORT='{"runtimeConfig":{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"},
	{"hostPort":8081,"containerPort":81,"protocol":"udp"}]}}'

setup_file() {
	export BATS_TEST_TIMEOUT=120
	make_world
	cni_init
	topo_ns c1
	topo_ns c2
	SERVE_ON=:: serve c1 c1 80 81
	serve c2 c2 80 81
	serve client outside 7000
}

# What a failed test left is not the next one's.
teardown() {
	local id
	for id in c1 c2; do
		cni bridge DEL "$id" "$(conf bridge)" || true
		on "$id" ip link del eth0 2>/dev/null || true
	done
	cni portmap GC c1 "$(conf portmap '{"cniVersion":"1.1.0"}')"
	rm -rf "$CNI_DATA/net"
}

teardown_file() {
	end_world
}

# chain PLUGIN CONTAINER JSON [VERB]: call a plugin with the result so far, left in RESULT
chain() {
	RESULT=$(cni "$1" "${4:-ADD}" "$2" "$(with "$(conf "${1##*/}" "$3")" "{\"prevResult\":$RESULT}")")
}

address() {
	jq -r '.ips[0].address | sub("/.*"; "")' <<<"$RESULT"
}

# published: ports of c1, whoever made its interface
published() {
	contains "$(ask client tcp "$HOST" 8080)" "c1 saw $CLIENT:"
	contains "$(ask client udp "$HOST" 8081)" "c1 saw $CLIENT:"
	contains "$(ask host tcp 127.0.0.1 8080)" "c1 saw"
	contains "$(ask c1 tcp "$HOST" 8080)" "c1 saw"
	equals "$(on client "$PROBE" pump "$HOST" 8080 2000000)" "ok 2000000"
}

unpublished() {
	run -1 ask client tcp "$HOST" 8080
	contains "$output" "Connection refused"
}

@test "portmap behind the reference bridge and ptp: their veth is adopted, and given back" {
	local plugin config before
	for plugin in bridge ptp; do
		config=$(conf "$plugin" '{"bridge":"cni9","isGateway":true,"ipam":{"routes":[{"dst":"0.0.0.0/0"}]}}')
		RESULT=$(cni "$CNI_REFERENCE/$plugin" ADD c1 "$config")
		before=$RESULT
		chain portmap c1 "$PORT"
		equals "$(jq -S . <<<"$RESULT")" "$(jq -S . <<<"$before")"
		equals "$(up status --json | jq -r '.endpoints[0].device')" adopted
		published
		# What is not ours goes as it went.
		contains "$(ask host tcp "$(address)" 80)" "c1 saw"
		contains "$(on c1 ping -c 1 -W 2 10.44.0.1)" "1 received"
		cni portmap CHECK c1 "$(with "$(conf portmap "$PORT")" "{\"prevResult\":$RESULT}")"
		# The reference firewall is called for what is not ours.
		on host iptables -S CNI-FORWARD 2>/dev/null && false
		chain firewall c1 '{}'
		on host iptables -S CNI-FORWARD | grep -q "$(address)"
		cni firewall DEL c1 "$(with "$(conf firewall)" "{\"prevResult\":$RESULT}")"
		on host iptables -F
		on host iptables -X
		cni portmap DEL c1 "$(conf portmap "$PORT")"
		unpublished
		contains "$(ask host tcp "$(address)" 80)" "c1 saw"
		cni "$CNI_REFERENCE/$plugin" DEL c1 "$config"
		nothing_left
	done
	on host ip link del cni9
}

@test "a container without ports behind the reference bridge reaches another one's published port" {
	local config
	config=$(conf bridge '{"bridge":"cni9","isDefaultGateway":true}')
	RESULT=$(cni "$CNI_REFERENCE/bridge" ADD c1 "$config")
	chain portmap c1 "$PORT"
	RESULT=$(cni "$CNI_REFERENCE/bridge" ADD c2 "$config")
	chain portmap c2 '{}'
	contains "$(ask c2 tcp "$HOST" 8080)" "c1 saw"
	cni portmap DEL c1 "$(conf portmap "$PORT")"
	cni portmap DEL c2 "$(conf portmap)"
	cni "$CNI_REFERENCE/bridge" DEL c1 "$config"
	cni "$CNI_REFERENCE/bridge" DEL c2 "$config"
	on host ip link del cni9
	nothing_left
}

@test "GC of portmap lets an adopted interface go" {
	local config
	config=$(conf ptp '{"ipam":{"routes":[{"dst":"0.0.0.0/0"}]}}')
	RESULT=$(cni "$CNI_REFERENCE/ptp" ADD c1 "$config")
	chain portmap c1 "$PORT"
	cni portmap GC c1 "$(conf portmap '{"cniVersion":"1.1.0"}')"
	equals "$(endpoints)" 0
	contains "$(ask host tcp "$(address)" 80)" "c1 saw"
	cni "$CNI_REFERENCE/ptp" DEL c1 "$config"
	nothing_left
}

# A child of the uplink, with an address of the network that the uplink is in, and its gateway.
MACVLAN='{"master":"eth0","ipam":{"ranges":[[{"subnet":"192.0.2.0/24","rangeStart":"192.0.2.50","gateway":"192.0.2.2"}],
	[{"subnet":"2001:db8::/64","rangeStart":"2001:db8::50","gateway":"2001:db8::2"}]],
	"routes":[{"dst":"0.0.0.0/0"},{"dst":"::/0"}]}}'

macvlan_conf() {
	conf macvlan "$MACVLAN" | jq -c 'del(.ipam.subnet)'
}

@test "portmap behind the reference macvlan: from the network, the host, by itself; and given back" {
	RESULT=$(cni "$CNI_REFERENCE/macvlan" ADD c1 "$(macvlan_conf)")
	equals "$(address)" 192.0.2.50
	run -1 ask host tcp 192.0.2.50 80 # as ever with a macvlan
	chain portmap c1 "$PORT"
	equals "$(up status --json | jq -r '.endpoints[0].device')" adopted
	published
	contains "$(ask client tcp "$HOST6" 8080)" "c1 saw [$CLIENT6]:"
	contains "$(ask host tcp ::1 8080)" "c1 saw [$HOST6]:"
	# What is not ours goes as it went: the network reaches it, and it reaches the network.
	contains "$(ask client tcp 192.0.2.50 80)" "c1 saw $CLIENT:"
	contains "$(ask client tcp 2001:db8::50 80)" "c1 saw [$CLIENT6]:"
	contains "$(ask c1 tcp "$CLIENT" 7000)" "outside saw 192.0.2.50:"
	# The host and it, which did not reach each other, do now.
	contains "$(ask host tcp 192.0.2.50 80)" "c1 saw $HOST:"
	on c1 ping -q -c 1 -W 2 "$HOST"
	on c1 ping -q -c 1 -W 2 "$HOST6"
	cni portmap CHECK c1 "$(with "$(conf portmap "$PORT")" "{\"prevResult\":$RESULT}")"
	cni portmap DEL c1 "$(conf portmap "$PORT")"
	unpublished
	contains "$(ask client tcp 192.0.2.50 80)" "c1 saw $CLIENT:"
	equals "$(on host ip route show 192.0.2.50)$(on host ip -6 route show 2001:db8::50)" ""
	cni "$CNI_REFERENCE/macvlan" DEL c1 "$(macvlan_conf)"
	nothing_left
}

@test "macvlan: containers of every kind reach each other's published ports; an upgrade loses none" {
	RESULT=$(cni "$CNI_REFERENCE/macvlan" ADD c1 "$(macvlan_conf)")
	chain portmap c1 "$PORT"
	RESULT=$(cni "$CNI_REFERENCE/macvlan" ADD c2 "$(macvlan_conf)")
	chain portmap c2 '{}'
	contains "$(ask c2 tcp "$HOST" 8080)" "c1 saw $HOST:" # or it would be answered past the host
	contains "$(ask c2 tcp 192.0.2.50 80)" "c1 saw 192.0.2.51:" # past the host, as before
	cni portmap DEL c2 "$(conf portmap)"
	cni "$CNI_REFERENCE/macvlan" DEL c2 "$(macvlan_conf)"
	RESULT=$(cni bridge ADD c2 "$(conf bridge '{"name":"net2","isDefaultGateway":true,"ipMasq":true}')")
	contains "$(ask c2 tcp "$HOST" 8080)" "c1 saw 10.44.0.2:"
	contains "$(ask c2 udp "$HOST" 8081)" "c1 saw 10.44.0.2:"
	cni bridge DEL c2 "$(conf bridge '{"name":"net2"}')"
	live_start client "$HOST" 8080 4
	up up
	live_end
	published
	# Its interface goes without a word: what the host had for it goes with it.
	on c1 ip link del eth0
	contains "$(up gc)" "endpoint id-c1-eth0"
	unpublished
	equals "$(on host ip route show 192.0.2.50)" ""
	cni portmap DEL c1 "$(conf portmap "$PORT")"
	cni "$CNI_REFERENCE/macvlan" DEL c1 "$(macvlan_conf)"
	nothing_left
}

@test "a macvlan that cannot be adopted: the next portmap is called, or there is none" {
	local mode prev parent
	prev='{"prevResult":{"cniVersion":"1.0.0","interfaces":[{"name":"eth0","sandbox":"x"}],"ips":[{"interface":0,"address":"192.0.2.77/24"}]}}'
	on host ip link add other0 type veth peer name other1
	# No uplink is its parent; it wants its parent for itself.
	for mode in "other0 bridge" "other0 passthru"; do
		parent=${mode% *}
		on host ip link add mv0 link "$parent" type macvlan mode "${mode#* }"
		on host ip link set mv0 netns "$TOPO_TAG-c2"
		on c2 ip link set mv0 name eth0
		run -1 cni portmap ADD c2 "$(with "$(conf portmap "$PORT")" "$prev")" CNI_PATH="$CNI_BIN"
		contains "$output" 'failed to find plugin \"portmap\"'
		on c2 ip link del eth0
	done
	on host ip link del other0
	nothing_left
}

@test "reference plugins behind our bridge: tuning, bandwidth, firewall, portmap" {
	RESULT=$(cni bridge ADD c1 "$(conf bridge '{"isDefaultGateway":true,"ipMasq":true}')")
	chain "$CNI_REFERENCE/portmap" c1 "$PORT"
	chain "$CNI_REFERENCE/firewall" c1 '{}'
	chain "$CNI_REFERENCE/tuning" c1 '{"sysctl":{"net.core.somaxconn":"500"}}'
	chain "$CNI_REFERENCE/bandwidth" c1 '{"ingressRate":80000000,"ingressBurst":8000000}'
	equals "$(jq -r '.interfaces[1].name' <<<"$RESULT")" eth0
	# The kernel's NAT serves the port, and we leave its connections to it.
	on host sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
	contains "$(ask client tcp "$HOST" 8080)" "c1 saw $CLIENT:"
	contains "$(ask client udp "$HOST" 8081)" "c1 saw $CLIENT:"
	contains "$(ask c1 tcp "$CLIENT" 7000)" "outside saw $HOST:"
	local plugin
	for plugin in bandwidth tuning firewall portmap; do
		cni "$CNI_REFERENCE/$plugin" DEL c1 "$(with "$(conf "$plugin" "$PORT")" \
			"{\"ingressRate\":80000000,\"ingressBurst\":8000000,\"prevResult\":$RESULT}")"
	done
	cni bridge DEL c1 "$(conf bridge)"
	nothing_left
}

# What flannel's plugin calls its delegate with (flannel-io/cni-plugin, with subnet.env of a node).
FLANNEL='{"cniVersion":"0.3.1","name":"cbr0","hairpinMode":true,"ipMasq":false,"isDefaultGateway":true,
	"isGateway":true,"mtu":1450,"ipam":{"type":"host-local","subnet":null,"ranges":[[{"subnet":"10.244.1.0/24"}]],
	"routes":[{"dst":"10.244.0.0/16"}]}}'

@test "flannel's delegate: addresses, MTU and routes; a cluster's services and masquerading go on" {
	local service=10.96.0.10 a b
	on host sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
	RESULT=$(cni bridge ADD c1 "$(conf bridge "$FLANNEL")")
	a=$(address)
	chain portmap c1 "$(with "$PORT" '{"name":"cbr0","cniVersion":"0.3.1"}')"
	RESULT=$(cni bridge ADD c2 "$(conf bridge "$FLANNEL")")
	b=$(address)
	equals "$a $b" "10.244.1.2 10.244.1.3"
	contains "$(on c1 ip link show eth0)" "mtu 1450"
	contains "$(on c1 ip route)" "10.244.0.0/16 via 10.244.1.1"
	contains "$(on c1 ip route)" "default via 10.244.1.1"
	contains "$(ask c1 tcp "$b" 80)" "c2 saw $a:"
	contains "$(ask client tcp "$HOST" 8080)" "c1 saw $CLIENT:"
	# As flanneld and kube-proxy do it.
	on host iptables -t nat -A POSTROUTING -s 10.244.0.0/16 ! -d 10.244.0.0/16 -j MASQUERADE
	on host iptables -t nat -A PREROUTING -d "$service" -p tcp --dport 80 -j DNAT --to-destination "$b:80"
	on host iptables -t nat -A PREROUTING -d "$service" -p udp --dport 81 -j DNAT --to-destination "$b:81"
	contains "$(ask c1 tcp "$CLIENT" 7000)" "outside saw $HOST:"
	contains "$(ask c1 tcp "$service" 80)" "c2 saw $a:"
	contains "$(ask c1 udp "$service" 81)" "c2 saw $a:"
	# A pod of another node, by a route of the host's, in and out.
	on client ip route add 10.244.1.0/24 via "$HOST"
	contains "$(ask client tcp "$a" 80)" "c1 saw $CLIENT:"
	on host iptables -t nat -F
	cni portmap DEL c1 "$(conf portmap '{"name":"cbr0"}')"
	cni bridge DEL c1 "$(conf bridge "$FLANNEL")"
	cni bridge DEL c2 "$(conf bridge "$FLANNEL")"
	nothing_left
	equals "$(leases cbr0)" ""
}

# What CRI sends for a kubelet; podman sends a pod's name only.
POD="CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web;K8S_POD_INFRA_CONTAINER_ID=abc"

masquerades() {
	on host iptables-save -t nat | grep -c "underpass: network $1" || true
}

@test "a bridge with ipMasq in a cluster: pods reach services, the kernel masquerades, and no longer than needed" {
	local config service=10.96.0.10 a b
	config=$(conf bridge '{"isDefaultGateway":true,"ipMasq":true,"hairpinMode":true,
		"ipam":{"subnet":null,"ranges":[[{"subnet":"10.44.0.0/24"}],[{"subnet":"fd44::/64"}]]}}')
	RESULT=$(cni bridge ADD c1 "$config" "$POD")
	a=$(address)
	chain portmap c1 "$PORT"
	RESULT=$(cni bridge ADD c2 "$config" "$POD")
	b=$(address)
	equals "$(masquerades net)" 1
	# As kube-proxy does it, hairpins included.
	on host iptables -t nat -A PREROUTING -d "$service" -p tcp --dport 80 -j DNAT --to-destination "$b:80"
	on host iptables -t nat -A PREROUTING -d "$service" -p udp --dport 81 -j DNAT --to-destination "$b:81"
	on host iptables -t nat -A PREROUTING -d "$service" -p tcp --dport 7000 -j DNAT --to-destination "$CLIENT:7000"
	contains "$(ask c1 tcp "$service" 80)" "c2 saw $a:"
	contains "$(ask c1 udp "$service" 81)" "c2 saw $a:"
	contains "$(ask c1 tcp "$service" 7000)" "outside saw $HOST:"
	contains "$(ask c1 tcp "$CLIENT" 7000)" "outside saw $HOST:"
	contains "$(ask c1 tcp "$b" 80)" "c2 saw $a:"
	contains "$(ask client tcp "$HOST" 8080)" "c1 saw $CLIENT:"
	# A firewall's reload takes the rule; the next pod brings it back.
	on host iptables -t nat -F POSTROUTING
	cni bridge DEL c2 "$config" "$POD"
	cni bridge ADD c2 "$config" "$POD" >/dev/null
	equals "$(masquerades net)" 1
	cni bridge DEL c2 "$config" "$POD"
	equals "$(masquerades net)" 1
	on host iptables -t nat -F PREROUTING
	cni portmap DEL c1 "$(conf portmap "$PORT")" "$POD"
	cni bridge DEL c1 "$config" "$POD"
	equals "$(masquerades net)$(on host ip6tables-save -t nat | grep -c underpass || true)" 00
	nothing_left
	# Without a kubelet there is nothing to leave to the kernel.
	RESULT=$(cni bridge ADD c1 "$config" "CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAME=web")
	equals "$(masquerades net)" 0
	cni bridge DEL c1 "$config"
}

@test "pods that come and go at once: the rule is there as long as any of them, and then gone" {
	local config n pids=() pid
	config=$(conf bridge '{"isDefaultGateway":true,"ipMasq":true}')
	for n in {1..12}; do
		{
			for _ in 1 2 3; do
				cni bridge ADD c1 "$config" "$POD" CNI_CONTAINERID="pod$n" CNI_IFNAME="e$n" >/dev/null &&
					((n > 1 || $(masquerades net) == 1)) &&
					cni bridge DEL c1 "$config" "$POD" CNI_CONTAINERID="pod$n" CNI_IFNAME="e$n" || exit 1
			done
		} 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	equals "$(masquerades net)" 0
	nothing_left
}

@test "type underpass in a cluster, with addresses of its own: the same" {
	local config='{"cniVersion":"1.0.0","name":"net","type":"underpass"}' a
	RESULT=$(cni underpass ADD c1 "$(with "$config" "$PORT")" "$POD")
	a=$(address)
	cni underpass ADD c2 "$config" "$POD" >/dev/null
	on host iptables -t nat -A PREROUTING -d 10.96.0.10 -p tcp --dport 80 -j DNAT --to-destination "$a:80"
	contains "$(ask c2 tcp 10.96.0.10 80)" "c1 saw 10.215."
	on host iptables -t nat -F PREROUTING
	contains "$(ask c2 tcp "$CLIENT" 7000)" "outside saw $HOST:"
	contains "$(ask client tcp "$HOST" 8080)" "c1 saw $CLIENT:"
	cni underpass DEL c2 "$config" "$POD"
	cni underpass DEL c1 "$config" "$POD"
	equals "$(masquerades net)" 0
	nothing_left
}

@test "a bridge with ipMasq in a cluster: without iptables it fails, and leaves nothing" {
	local config
	config=$(conf bridge '{"isDefaultGateway":true,"ipMasq":true}')
	mkdir -p "$TOPO_DIR/no-tools"
	# shellcheck disable=SC2016 # the dollars are the inner shell's
	run -1 on host unshare -m sh -c 'mount --bind "$1" /usr/sbin && shift && exec "$@"' sh "$TOPO_DIR/no-tools" \
		env PATH=/nonexistent CNI_COMMAND=ADD CNI_CONTAINERID=id-c1 CNI_NETNS="$(topo_file c1)" CNI_IFNAME=eth0 \
		CNI_PATH="$CNI_BIN" "$POD" UNDERPASS_PIN_DIR="$TOPO_DIR/bpf-host/underpass" \
		UNDERPASS_RUN_DIR="$TOPO_DIR/run-host" "$CNI_BIN/bridge" <<<"$config"
	equals "$(code "$output")" 100
	contains "$output" "execute iptables: No such file"
	nothing_left
}
