#!/usr/bin/env bats
# The CNI contract: every verb, version, result and error, without any runtime.
# shellcheck disable=SC2030,SC2031,SC2154 # bats sets output and stderr

load lib
load cni

setup_file() {
	export BATS_TEST_TIMEOUT=120
	make_world
	cni_init
	topo_ns c1
	topo_ns c2
	topo_ns c3
	serve c1 c1 80
	serve c2 c2 80
	serve c3 c3 80
	serve client outside 7000
}

teardown_file() {
	end_world
}

# What a failed test left is not the next one's.
teardown() {
	local network
	cni_env "$UNDERPASS" up >/dev/null 2>&1 || true
	for network in net net2 other; do
		cni underpass GC c1 "$(conf underpass "{\"cniVersion\":\"1.1.0\",\"name\":\"$network\"}")" || true
	done
}

PORT='{"runtimeConfig":{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]}}'

# ---- the process contract ------------------------------------------------------------------------

@test "without CNI_COMMAND it says what it is, on stderr" {
	local name
	for name in underpass bridge portmap; do
		run -0 --separate-stderr on host "$CNI_BIN/$name" </dev/null
		equals "$output" ""
		[[ ${stderr_lines[0]} =~ ^"CNI $name plugin v"[0-9]+\.[0-9]+\.[0-9]+ ]]
		equals "${stderr_lines[1]}" \
			"CNI protocol versions supported: 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0"
	done
}

@test "VERSION needs neither privilege, nor a configuration, nor a datapath" {
	run -0 --separate-stderr setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs \
		env -i CNI_COMMAND=VERSION "$UNDERPASS_CNI" </dev/null
	equals "$(jq -c . <<<"$output")" \
		'{"cniVersion":"1.1.0","supportedVersions":["0.1.0","0.2.0","0.3.0","0.3.1","0.4.0","1.0.0","1.1.0"]}'
	equals "$stderr" ""
	# Nor any file but itself: no library, no /proc, no /dev.
	mkdir "$TOPO_DIR/empty"
	cp "$UNDERPASS_CNI" "$TOPO_DIR/empty/cni"
	run -0 env CNI_COMMAND=VERSION chroot "$TOPO_DIR/empty" /cni
	equals "$(jq -r '.supportedVersions[-1]' <<<"$output")" 1.1.0
}

# refused CODE TEXT COMMAND...: fails with an error object, and only that, on stdout
refused() {
	local want=$1 text=$2
	shift 2
	run -1 --separate-stderr "$@"
	equals "$(jq -cr '[keys_unsorted, .code] | @json' <<<"$output")" \
		"[[\"cniVersion\",\"code\",\"msg\"],$want]"
	contains "$(jq -r .msg <<<"$output")" "$text"
}

@test "missing variables are named all at once" {
	refused 4 "required env variables [CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH] missing" \
		on host env CNI_COMMAND=ADD "$UNDERPASS_CNI"
	refused 4 "required env variables [CNI_CONTAINERID,CNI_IFNAME,CNI_PATH] missing" \
		on host env CNI_COMMAND=DEL "$UNDERPASS_CNI"
	refused 4 "required env variables [CNI_PATH] missing" \
		on host env CNI_COMMAND=GC "$UNDERPASS_CNI"
	refused 4 "unknown CNI_COMMAND: FROB" on host env CNI_COMMAND=FROB "$UNDERPASS_CNI"
}

@test "bad variables, namespaces and configurations are refused, and nothing is left" {
	local good
	good=$(conf underpass)
	refused 4 "CNI_CONTAINERID" cni underpass ADD c1 "$good" CNI_CONTAINERID=../x
	refused 4 "CNI_IFNAME" cni underpass ADD c1 "$good" CNI_IFNAME=a/b
	refused 4 "CNI_IFNAME" cni underpass ADD c1 "$good" CNI_IFNAME=sixteen-letters-
	refused 8 "should not be the same" cni underpass ADD c1 "$good" CNI_NETNS="$(topo_file host)"
	refused 999 "No such file" cni underpass ADD c1 "$good" CNI_NETNS=/run/netns/none
	refused 6 "configuration: line" cni underpass ADD c1 '{"name":'
	refused 6 "duplicate" cni underpass ADD c1 '{"name":"a","name":"b"}'
	refused 6 "want an object" cni underpass ADD c1 '[]'
	refused 7 "missing network name" cni underpass ADD c1 '{"cniVersion":"1.0.0"}'
	refused 7 "name '../x'" cni underpass ADD c1 "$(with "$good" '{"name":"../x"}')"
	refused 1 'config is "9.9.9"' cni underpass ADD c1 "$(with "$good" '{"cniVersion":"9.9.9"}')"
	refused 6 "mtu: want a whole number" cni underpass ADD c1 "$(with "$good" '{"mtu":"1500"}')"
	refused 7 "mtu: 20" cni underpass ADD c1 "$(with "$good" '{"mtu":20}')"
	refused 7 "mac" cni underpass ADD c1 "$(with "$good" '{"runtimeConfig":{"mac":"01:00:00:00:00:01"}}')"
	refused 7 "too small" cni underpass ADD c1 "$(with "$good" '{"ipam":{"subnet":"10.44.0.0/31"}}')"
	refused 7 "no bits beyond" cni underpass ADD c1 "$(with "$good" '{"ipam":{"subnet":"10.44.0.1/24"}}')"
	refused 7 "rangeStart" cni underpass ADD c1 "$(with "$good" '{"ipam":{"rangeStart":"10.45.0.9"}}')"
	refused 999 'failed to find plugin "nope" in path' \
		cni underpass ADD c1 "$(with "$good" '{"ipam":{"type":"nope"}}')"
	nothing_left
}

@test "portMappings that are none are refused, and nothing is left" {
	local bad
	for bad in '"hostPort":0' '"hostPort":-1' '"hostPort":65536' '"containerPort":0' \
		'"containerPort":null' '"protocol":"icmp"' '"hostIP":"nowhere"' '"hostPort":"80"'; do
		run -1 cni underpass ADD c1 "$(with "$(conf underpass)" \
			"$(with '{"hostPort":8080,"containerPort":80,"protocol":"tcp"}' "{$bad}" |
				jq -c '{runtimeConfig: {portMappings: [.]}}')")"
		contains "$output" "$(cut -d'"' -f2 <<<"$bad")"
	done
	contains "$(cni underpass ADD c1 "$(with "$(conf underpass)" \
		'{"runtimeConfig":{"portMappings":[{"hostPort":5000,"containerPort":6000,"protocol":"sctp"}]}}')" ||
		true)" "SCTP's checksum covers its ports"
	nothing_left
}

# ---- ADD and its results -------------------------------------------------------------------------

@test "ADD, CHECK and DEL in every version, each with its own shape of result" {
	local version result config
	for version in 0.1.0 0.2.0 0.3.0 0.3.1 0.4.0 1.0.0 1.1.0; do
		config=$(with "$(conf underpass "$PORT")" "{\"cniVersion\":\"$version\"}")
		result=$(cni underpass ADD c1 "$config")
		contains "$(ask client tcp "$HOST" 8080)" "c1 saw $CLIENT:"
		jq -e --arg v "$version" --arg ns "$(topo_file c1)" '
			.cniVersion == $v and .dns == {} and
			if $v < "0.3" then
				(.ip4.ip | test("^10.44.0.[0-9]+/24$")) and .ip4.gateway == "10.44.0.1" and
				.ip4.routes == [{"dst": "0.0.0.0/0", "gw": "10.44.0.1"}] and
				(has("ips") or has("interfaces") | not)
			else
				(.interfaces | length == 2) and
				.interfaces[0].name == "up1" and (.interfaces[0] | has("sandbox") | not) and
				.interfaces[1].name == "eth0" and .interfaces[1].sandbox == $ns and
				(.interfaces[1].mac | test("^([0-9a-f]{2}:){5}[0-9a-f]{2}$")) and
				.ips[0].interface == 1 and .ips[0].gateway == "10.44.0.1" and
				(.ips[0].version == if $v < "1" then "4" else null end) and
				.routes == [{"dst": "0.0.0.0/0", "gw": "10.44.0.1"}]
			end' <<<"$result"
		config=$(with "$config" "{\"prevResult\":$result}")
		if [[ $version == 0.[123].* ]]; then
			refused 1 "does not allow CHECK" cni underpass CHECK c1 "$config"
		elif run -0 cni underpass CHECK c1 "$config"; then
			equals "$output" ""
		fi
		run -0 cni underpass DEL c1 "$config"
		equals "$output" ""
		nothing_left
	done
}

@test "keys are matched without regard to case" {
	cni underpass ADD c1 "$(jq -nc --arg dir "$CNI_DATA" '{CNIVERSION: "1.0.0", Name: "net",
		IPAM: {Type: "host-local", SUBNET: "10.44.0.0/24", DATADIR: $dir},
		RuntimeConfig: {PortMappings: [{HostPort: 8080, ContainerPort: 80, Protocol: "TCP", HostIP: ""}]}}')"
	contains "$(ask client tcp "$HOST" 8080)" "c1 saw"
	cni underpass DEL c1 "$(conf underpass)"
	nothing_left
}

@test "without ipam, underpass gives an address of its own network" {
	local result
	result=$(cni underpass ADD c1 '{"cniVersion":"1.0.0","name":"net"}' CNI_ARGS="IgnoreUnknown=1;IP=10.215.7.7")
	contains "$(jq -c .ips <<<"$result")" '"address":"10.215.7.7/32","gateway":"10.215.0.1"'
	contains "$(ask c1 tcp "$CLIENT" 7000)" "outside saw $HOST:"
	cni underpass CHECK c1 "{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"prevResult\":$result}"
	cni underpass DEL c1 '{"cniVersion":"1.0.0","name":"net"}'
	nothing_left
}

@test "without ipam, in a namespace that has IPv6 switched off: IPv4 alone, and nothing of IPv6" {
	local result config='{"cniVersion":"1.0.0","name":"net"}'
	on c1 sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
	result=$(cni underpass ADD c1 "$config")
	equals "$(jq '.ips | length' <<<"$result")" 1
	equals "$(up status --json | jq -c '.endpoints[0] | [.address6, .gateway6]')" '["",""]'
	equals "$(on c1 ip -6 addr show dev eth0)$(on c1 ip -6 route)" ""
	contains "$(ask c1 tcp "$CLIENT" 7000)" "outside saw $HOST:"
	cni underpass CHECK c1 "$(with "$config" "{\"prevResult\":$result}")"
	cni underpass DEL c1 "$config"
	# Elsewhere there is IPv6.
	equals "$(cni underpass ADD c2 "$config" | jq '.ips | length')" 2
	cni underpass DEL c2 "$config"
	nothing_left
}

@test "both families, from two sets of ranges" {
	local config result
	config=$(jq -nc --arg dir "$CNI_DATA" '{cniVersion: "1.0.0", name: "net", type: "bridge",
		isDefaultGateway: true, ipMasq: true, ipam: {type: "host-local", dataDir: $dir,
		ranges: [[{subnet: "10.44.0.0/24", rangeStart: "10.44.0.20", rangeEnd: "10.44.0.21"}],
			[{subnet: "fd44::/64"}]]}}')
	on c1 sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
	result=$(cni bridge ADD c1 "$config")
	equals "$(jq -c '[.ips[].address]' <<<"$result")" '["10.44.0.20/24","fd44::2/64"]'
	contains "$(on c1 ip -6 route)" "default via fd44::1 dev eth0"
	on c1 ping -q -c 1 -W 2 fd44::1
	cni bridge CHECK c1 "$(with "$config" "{\"prevResult\":$result}")"
	refused 7 "more than 1 address per family" cni bridge ADD c2 "$(with "$config" \
		'{"cniVersion":"0.2.0","ipam":{"ranges":[[{"subnet":"10.44.0.0/24"}],[{"subnet":"10.45.0.0/24"}]]}}')"
	refused 7 "more than one IPv4 address" cni bridge ADD c2 "$(with "$config" \
		'{"ipam":{"ranges":[[{"subnet":"10.44.0.0/24"}],[{"subnet":"10.45.0.0/24"}]]}}')"
	cni bridge DEL c1 "$config"
	nothing_left
}

@test "MAC and IP from each of their sources, in their order" {
	local args='{"args":{"cni":{"mac":"02:00:00:00:00:02","ips":["10.44.0.72"]}}}' result
	local runtime='{"runtimeConfig":{"mac":"02:00:00:00:00:03","ips":["10.44.0.73/24","10.44.0.73"]}}'
	local env="CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAME=x;MAC=02:00:00:00:00:01;IP=10.44.0.71"
	result=$(cni bridge ADD c1 "$(conf bridge)" "$env")
	equals "$(jq -c '[.interfaces[1].mac, .ips[0].address]' <<<"$result")" '["02:00:00:00:00:01","10.44.0.71/24"]'
	equals "$(on c1 ip -j link show eth0 | jq -r '.[0].address')" 02:00:00:00:00:01
	cni bridge DEL c1 "$(conf bridge)"
	result=$(cni bridge ADD c1 "$(conf bridge "$args")")
	equals "$(jq -c '[.interfaces[1].mac, .ips[0].address]' <<<"$result")" '["02:00:00:00:00:02","10.44.0.72/24"]'
	refused 101 "10.44.0.72 is not available" cni bridge ADD c2 "$(conf bridge "$args")"
	refused 101 "gateway" cni bridge ADD c2 "$(conf bridge)" CNI_ARGS=IP=10.44.0.1
	refused 7 "requested IP 10.99.0.1" cni bridge ADD c2 "$(conf bridge)" CNI_ARGS=IP=10.99.0.1
	cni bridge DEL c1 "$(conf bridge)"
	result=$(cni bridge ADD c1 "$(with "$(conf bridge "$runtime")" '{"args":{"cni":{"mac":"02:00:00:00:00:02"}}}')" \
		CNI_ARGS=MAC=02:00:00:00:00:01)
	equals "$(jq -c '[.interfaces[1].mac, .ips[0].address]' <<<"$result")" '["02:00:00:00:00:03","10.44.0.73/24"]'
	cni bridge DEL c1 "$(conf bridge)"
	nothing_left
}

@test "mtu, routes with all their attributes, dns" {
	local config result
	config=$(conf ptp '{"mtu":1400,"dns":{"nameservers":["192.0.2.53"],"search":["x.test"]},
		"ipam":{"routes":[{"dst":"198.51.100.0/24","mtu":1300,"advmss":1200,"priority":7},
			{"dst":"203.0.113.0/24","table":77}]}}')
	result=$(cni ptp ADD c1 "$config")
	contains "$(on c1 ip link show eth0)" "mtu 1400"
	contains "$(on c1 ip route)" "198.51.100.0/24 via 10.44.0.1 dev eth0 proto static metric 7 onlink mtu 1300 advmss 1200"
	contains "$(on c1 ip route show table 77)" "203.0.113.0/24 via 10.44.0.1"
	equals "$(on c1 ip route show default)" ""
	equals "$(jq -c .dns <<<"$result")" '{"nameservers":["192.0.2.53"],"search":["x.test"]}'
	cni ptp CHECK c1 "$(with "$config" "{\"prevResult\":$result}")"
	cni ptp DEL c1 "$config"
	result=$(cni ptp ADD c1 "$(with "$config" '{"runtimeConfig":{"dns":{"Servers":["192.0.2.54"]}}}')")
	equals "$(jq -c .dns <<<"$result")" '{"nameservers":["192.0.2.54"]}'
	cni ptp DEL c1 "$config"
	refused 2 "gw: 10.44.0.9" cni ptp ADD c1 "$(conf ptp '{"ipam":{"routes":[{"dst":"198.51.100.0/24","gw":"10.44.0.9"}]}}')"
	nothing_left
}

@test "options of bridge: what cannot be is refused with key and value, what does not matter is noted" {
	local bad
	for bad in '"vlan":7' '"vlanTrunk":[{"id":5}]' '"promiscMode":true' '"disableContainerInterface":true'; do
		refused 2 "$(jq -r 'to_entries[0] | "\(.key): \(.value | tojson)"' <<<"{$bad}")" \
			cni bridge ADD c1 "$(conf bridge "{$bad}")"
	done
	run -0 --separate-stderr cni bridge ADD c1 "$(conf bridge '{"forceAddress":true,"ipMasqBackend":"nftables","vlan":0,
		"hairpinMode":true,"promiscMode":false,"bridge":"cni7","macspoofchk":true,"unknown":{"x":1}}')"
	contains "$stderr" "forceAddress is ignored"
	contains "$stderr" "ipMasqBackend is ignored"
	equals "${#stderr_lines[@]}" 2
	cni bridge DEL c1 "$(conf bridge)"
	nothing_left
}

@test "a bridge that is no gateway: its containers reach each other and nothing else" {
	local a b
	a=$(cni bridge ADD c1 "$(conf bridge)" | jq -r '.ips[0].address | sub("/.*"; "")')
	b=$(cni bridge ADD c2 "$(conf bridge)" | jq -r '.ips[0].address | sub("/.*"; "")')
	contains "$(ask c1 tcp "$b" 80)" "c2 saw $a:"
	run ! ask c1 tcp "$CLIENT" 7000
	cni bridge DEL c1 "$(conf bridge)"
	cni bridge DEL c2 "$(conf bridge)"
	nothing_left
}

@test "ipMasq: with it the host's address is seen outside, without it the container's own" {
	local config a
	config=$(conf bridge '{"isDefaultGateway":true,"ipMasq":true}')
	cni bridge ADD c1 "$config"
	contains "$(ask c1 tcp "$CLIENT" 7000)" "outside saw $HOST:"
	cni bridge DEL c1 "$config"
	config=$(conf bridge '{"isDefaultGateway":true}')
	a=$(cni bridge ADD c1 "$config" | jq -r '.ips[0].address | sub("/.*"; "")')
	contains "$(ask c1 tcp "$CLIENT" 7000)" "outside saw $a:"
	cni bridge DEL c1 "$config"
	nothing_left
}

# ---- addresses -----------------------------------------------------------------------------------

@test "leases are host-local's: each takes what the other left, and gives back what it has not" {
	local ours=0 theirs
	local config
	config=$(conf underpass '{"ipam":{"rangeEnd":"10.44.0.4"}}')
	theirs=$(cni "$CNI_REFERENCE/host-local" ADD c2 "$config" | jq -r '.ips[0].address')
	ours=$(cni underpass ADD c1 "$config" | jq -r '.ips[0].address')
	equals "$theirs $ours" "10.44.0.2/24 10.44.0.3/24"
	equals "$(od -An -c "$CNI_DATA/net/10.44.0.3" | tr -d ' \n')" 'id-c1\r\neth0'
	equals "$(cat "$CNI_DATA/net/last_reserved_ip.0")" 10.44.0.3
	cni "$CNI_REFERENCE/host-local" ADD c2 "$config" CNI_IFNAME=eth1
	refused 102 "no IP addresses available" cni underpass ADD c2 "$config" CNI_IFNAME=eth2
	# Each lets go of the other's.
	cni underpass DEL c2 "$config" CNI_IFNAME=eth1
	cni "$CNI_REFERENCE/host-local" DEL c1 "$config"
	equals "$(leases net)" 10.44.0.2
	cni underpass DEL c2 "$config"
	cni underpass DEL c1 "$config"
	nothing_left
}

@test "any IPAM by delegation: static, and host-local where it is asked for" {
	local config result
	config=$(conf bridge '{"isGateway":true,"ipam":{"type":"static","addresses":[{"address":"10.46.0.9/24"}],
		"routes":[{"dst":"0.0.0.0/0"}]}}')
	result=$(cni bridge ADD c1 "$config")
	equals "$(jq -c '[.ips[0].address, .ips[0].gateway]' <<<"$result")" '["10.46.0.9/24","10.46.0.1"]'
	contains "$(on c1 ip route)" "default via 10.46.0.1"
	cni bridge CHECK c1 "$(with "$config" "{\"prevResult\":$result}")"
	cni bridge DEL c1 "$config"
	config=$(conf bridge '{"ipam":{"delegate":true}}')
	result=$(cni bridge ADD c1 "$config")
	equals "$(leases net)/24" "$(jq -r '.ips[0].address' <<<"$result")"
	cni bridge DEL c1 "$config"
	nothing_left
}

@test "a delegate's error is passed on as it is, and what it had begun is released" {
	mkdir "$TOPO_DIR/fake"
	cat >"$TOPO_DIR/fake/failing" <<-'END'
		#!/bin/sh
		echo "$CNI_COMMAND" >>"${0%/*}/calls"
		[ "$CNI_COMMAND" = DEL ] && exit 0
		echo '{"code":123,"msg":"no","details":"really"}'
		exit 1
	END
	chmod +x "$TOPO_DIR/fake/failing"
	run -1 --separate-stderr cni underpass ADD c1 "$(with "$(conf underpass)" '{"ipam":{"type":"failing"}}')" \
		CNI_PATH="/nowhere:$TOPO_DIR/fake"
	equals "$(jq -c . <<<"$output")" '{"code":123,"msg":"no","details":"really"}'
	equals "$(tr '\n' ' ' <"$TOPO_DIR/fake/calls")" "ADD DEL "
	nothing_left
}

@test "addresses are released whatever fails after them" {
	local config
	config=$(conf underpass)
	on c2 ip link add eth0 type bridge
	refused 101 "eth0" cni underpass ADD c2 "$config"
	on c2 ip link del eth0
	cni underpass ADD c1 "$(conf underpass "$PORT")"
	refused 101 "endpoint id-c1-eth0" cni underpass ADD c2 "$(conf underpass "$PORT")"
	equals "$(leases net | wc -l)" 1
	contains "$(ask client tcp "$HOST" 8080)" "c1 saw"
	cni underpass DEL c1 "$config"
	nothing_left
}

# ---- DEL -----------------------------------------------------------------------------------------

@test "DEL is content with whatever it finds, and can be repeated" {
	local config
	config=$(conf underpass "$PORT")
	cni underpass DEL c1 "$config"
	cni underpass ADD c1 "$config"
	cni underpass DEL c1 "$config" CNI_NETNS=
	nothing_left
	cni underpass DEL c1 "$config" CNI_NETNS=/run/netns/none
	cni underpass DEL c1 "$(with "$config" '{"prevResult":{"ips":"broken"}}')"
	cni portmap DEL c1 "$config"
	nothing_left
}

@test "DEL after the namespace vanished" {
	topo_ns gone
	cni underpass ADD gone "$(conf underpass)"
	ip netns del "$TOPO_TAG-gone"
	sed -i '/^gone$/d' "$TOPO_DIR/.ns"
	cni underpass DEL gone "$(conf underpass)"
	nothing_left
}

@test "DEL where the maps are gone takes the interface and the address back" {
	local pins=$TOPO_DIR/bpf-host/underpass
	cni underpass ADD c1 "$(conf underpass)"
	rm -r "$pins"
	cni underpass DEL c1 "$(conf underpass)"
	run ! on c1 ip link show eth0
	equals "$(leases net)" ""
	# The next ADD brings the datapath up again.
	cni underpass ADD c1 "$(conf underpass "$PORT")"
	contains "$(ask client tcp "$HOST" 8080)" "c1 saw"
	cni underpass DEL c1 "$(conf underpass)"
	nothing_left
}

@test "DEL after a reboot: neither maps nor files are left, but the lease is" {
	cni underpass ADD c1 "$(conf underpass)"
	up down --force
	rm -r "$TOPO_DIR/run-host"
	cni underpass DEL c1 "$(conf underpass)"
	equals "$(leases net)" ""
	up up
	mkdir "$TOPO_DIR/run-host/cni"
	nothing_left
}

# ---- CHECK ---------------------------------------------------------------------------------------

# damaged TEXT COMMAND...: CHECK says so after the damage is done; the container is made anew each time
damaged() {
	local text=$1 result config
	shift
	config=$(conf underpass '{"ipam":{"routes":[{"dst":"198.51.100.0/24"}]}}')
	result=$(cni underpass ADD c1 "$config")
	config=$(with "$config" "{\"prevResult\":$result}")
	cni underpass CHECK c1 "$config"
	"$@"
	refused 103 "$text" cni underpass CHECK c1 "$config"
	cni underpass DEL c1 "$config"
}

@test "CHECK notices every kind of damage" {
	damaged "address" on c1 ip addr flush dev eth0 scope global
	damaged "the route to 198.51.100.0" on c1 ip route del 198.51.100.0/24
	damaged "MAC" on c1 ip link set eth0 address 02:00:00:00:00:99
	damaged "interface" on c1 ip link del eth0
	damaged "interface" on c1 ip link set eth0 name eth9
	damaged "up is the interface" on c1 ip link set eth0 down
	damaged "no route to it" on host ip route flush dev up1
	damaged "no address is leased" rm -r "$CNI_DATA/net"
	damaged "endpoint" up_endpoint_gone
	nothing_left
}

# The row goes, the interface stays: as if another hand had done it.
up_endpoint_gone() {
	up down --force
	up up
}

# swap_pins A B: what is attached is then another program than the one that should be
swap_pins() {
	local progs=$TOPO_DIR/bpf-host/underpass/progs
	mv "$progs/$1" "$progs/swap"
	mv "$progs/$2" "$progs/$1"
	mv "$progs/swap" "$progs/$2"
}

@test "CHECK notices that the programs are gone, from the interface and from the uplink" {
	local config result
	config=$(conf underpass)
	result=$(cni underpass ADD c1 "$config")
	config=$(with "$config" "{\"prevResult\":$result}")
	swap_pins up_veth_in up_reap
	refused 103 "lacks the program" cni underpass CHECK c1 "$config"
	swap_pins up_veth_in up_reap
	cni underpass CHECK c1 "$config"
	rm "$TOPO_DIR/bpf-host/underpass/links/"uplink_*
	refused 103 "no uplink" cni underpass CHECK c1 "$config"
	up up
	cni underpass CHECK c1 "$config"
	cni underpass DEL c1 "$config"
	nothing_left
}

# ---- GC and STATUS -------------------------------------------------------------------------------

@test "GC removes what is not valid, of this network only" {
	local config other
	config=$(with "$(conf underpass "$PORT")" '{"cniVersion":"1.1.0"}')
	other=$(with "$(conf underpass)" '{"cniVersion":"1.1.0","name":"other","ipam":{"subnet":"10.47.0.0/24"}}')
	local kept
	cni underpass ADD c1 "$config"
	kept=$(cni underpass ADD c2 "$(conf underpass)" | jq -r '.ips[0].address | sub("/.*"; "")')
	cni underpass ADD c2 "$other" CNI_IFNAME=eth1
	equals "$(endpoints)" 3
	run -0 cni underpass GC c1 "$(with "$config" '{"cni.dev/valid-attachments":[{"containerID":"id-c2","ifname":"eth0"}]}')"
	equals "$output" ""
	equals "$(up status --json | jq -r '[.endpoints[].name[:10]] | sort | @json')" '["id-c2-eth0","id-c2-eth1"]'
	equals "$(leases net) $(leases other)" "$kept 10.47.0.2"
	cni underpass GC c1 "$config"
	equals "$(endpoints)" 1
	cni underpass GC c1 "$(with "$other" '{"cni.dev/attachments":[]}')"
	nothing_left
	equals "$(leases other)" ""
	refused 1 "does not allow GC" cni underpass GC c1 "$(conf underpass)"
}

@test "GC of an IPAM plugin that does not know GC: what is stale is released by DEL" {
	local config calls=$TOPO_DIR/ancient/calls
	mkdir "$TOPO_DIR/ancient"
	cat >"$TOPO_DIR/ancient/ancient" <<-'END'
		#!/bin/sh
		echo "$CNI_COMMAND $CNI_CONTAINERID $CNI_IFNAME" >>"${0%/*}/calls"
		case $CNI_COMMAND in
		ADD) echo '{"ips":[{"address":"10.49.0.9/24"}]}' ;;
		DEL) ;;
		*) echo '{"code":4,"msg":"unknown CNI_COMMAND"}'; exit 1 ;;
		esac
	END
	chmod +x "$TOPO_DIR/ancient/ancient"
	config=$(with "$(conf underpass '{"ipam":{"type":"ancient"}}')" '{"cniVersion":"1.1.0"}')
	cni underpass ADD c1 "$config" CNI_PATH="$TOPO_DIR/ancient"
	cni underpass STATUS c1 "$config" CNI_PATH="$TOPO_DIR/ancient"
	cni underpass GC c2 "$config" CNI_PATH="$TOPO_DIR/ancient"
	equals "$(cat "$calls")" "$(printf '%s\n' "ADD id-c1 eth0" "STATUS id-c1 eth0" "DEL id-c1 eth0" "GC id-c2 eth0")"
	nothing_left
}

@test "STATUS: ready or the reason why not" {
	local config
	config=$(with "$(conf underpass)" '{"cniVersion":"1.1.0"}')
	run -0 cni underpass STATUS c1 "$config"
	equals "$output" ""
	cni underpass STATUS c1 "$(with "$config" '{"ipam":{"type":"static","addresses":[]}}')"
	refused 50 "ipam: cannot write" cni underpass STATUS c1 "$(with "$config" '{"ipam":{"dataDir":"/proc/none"}}')"
	up down
	on host ip route del default
	on host ip -6 route del default
	refused 50 "no default route" cni underpass STATUS c1 "$config"
	cni underpass STATUS c1 "$(with "$config" '{"uplinks":["eth0"]}')"
	on host ip route add default via "$CLIENT"
	on host ip -6 route add default via "$CLIENT6"
	equals "$(up status --json | jq -r '.uplinks[0].name')" eth0
	refused 1 "does not allow STATUS" cni underpass STATUS c1 "$(conf underpass)"
}

# ---- chained -------------------------------------------------------------------------------------

# chain ADD CONTAINER [VARIABLE=VALUE]...: bridge and portmap, as podman chains them; the result is left in RESULT
chain_add() {
	local id=$1
	shift
	RESULT=$(cni bridge ADD "$id" "$(conf bridge '{"isGateway":true,"ipMasq":true,"ipam":{"routes":[{"dst":"0.0.0.0/0"}]}}')" "$@")
	RESULT=$(cni portmap ADD "$id" "$(with "$(conf portmap "$PORT")" "{\"prevResult\":$RESULT}")" "$@")
}

chain_del() {
	cni portmap DEL "$1" "$(conf portmap "$PORT")" "${@:2}"
	cni bridge DEL "$1" "$(conf bridge)" "${@:2}"
}

@test "portmap publishes behind bridge, passes the result on, and takes back what it published" {
	chain_add c1
	equals "$(jq -r '.interfaces[1].name' <<<"$RESULT")" eth0
	contains "$(ask client tcp "$HOST" 8080)" "c1 saw $CLIENT:"
	contains "$(ask host tcp 127.0.0.1 8080)" "c1 saw 10.44.0.1:"
	contains "$(ask host tcp "$HOST" 8080)" "c1 saw"
	contains "$(ask c1 tcp "$HOST" 8080)" "c1 saw 10.44.0.1:"
	cni portmap CHECK c1 "$(with "$(conf portmap "$PORT")" "{\"prevResult\":$RESULT}")"
	cni portmap DEL c1 "$(conf portmap "$PORT")"
	refused 103 "no longer published is *:8080->80/tcp" \
		cni portmap CHECK c1 "$(with "$(conf portmap "$PORT")" "{\"prevResult\":$RESULT}")"
	run -1 ask client tcp "$HOST" 8080
	contains "$output" "Connection refused"
	chain_del c1
	nothing_left
}

@test "portmap: chained or not at all, conditions refused, a taken port stays its owner's" {
	refused 7 "chained plugin" cni portmap ADD c1 "$(conf portmap "$PORT")"
	refused 2 'conditionsV4: ["-s","192.0.2.0/24"]' cni portmap ADD c1 \
		"$(with "$(conf portmap "$PORT")" '{"conditionsV4":["-s","192.0.2.0/24"],"prevResult":{"ips":[]}}')"
	chain_add c1
	RESULT=$(cni bridge ADD c2 "$(conf bridge)")
	refused 101 "port *:8080->80/tcp: endpoint id-c1-eth0" \
		cni portmap ADD c2 "$(with "$(conf portmap "$PORT")" "{\"prevResult\":$RESULT}")"
	contains "$(ask client tcp "$HOST" 8080)" "c1 saw"
	chain_del c2
	contains "$(ask client tcp "$HOST" 8080)" "c1 saw"
	chain_del c1
	nothing_left
}

@test "the runtime's own sockets on a published port are in nobody's way" {
	serve host runtime 8080
	chain_add c1
	contains "$(ask client tcp "$HOST" 8080)" "c1 saw"
	contains "$(ask host tcp 127.0.0.1 8080)" "c1 saw"
	kill "$TOPO_PID"
	topo_wait 5 topo_gone "$TOPO_PID"
	equals "$(on host "$PROBE" bind tcp 0.0.0.0 8080)" bound
	chain_del c1
	nothing_left
}

@test "the same ports for two interfaces of one container: one serves, the other takes over" {
	chain_add c1
	RESULT=$(cni bridge ADD c1 "$(conf bridge '{"name":"net2","isGateway":true,"ipam":{"subnet":"10.48.0.0/24"}}')" CNI_IFNAME=eth1)
	cni portmap ADD c1 "$(with "$(conf portmap "$PORT")" "{\"name\":\"net2\",\"prevResult\":$RESULT}")" CNI_IFNAME=eth1
	equals "$(up status --json | jq '.ports | length')" 2
	contains "$(ask client tcp "$HOST" 8080)" "c1 saw"
	chain_del c1
	on c1 ip route add default via 10.48.0.1 dev eth1 onlink
	contains "$(ask client tcp "$HOST" 8080)" "c1 saw"
	cni bridge DEL c1 "$(conf bridge '{"name":"net2"}')" CNI_IFNAME=eth1
	nothing_left
}

@test "10,000 ports, sent one by one, are one row" {
	jq -nc --arg dir "$CNI_DATA" '{cniVersion: "1.0.0", name: "net", ipam: {type: "host-local", subnet: "10.44.0.0/24",
		dataDir: $dir}, runtimeConfig: {portMappings: [range(10000; 20000) |
		{hostPort: ., containerPort: (. - 10000 + 70), protocol: "tcp", hostIP: ""}]}}' >"$TOPO_DIR/many.json"
	cni underpass ADD c1 "$(<"$TOPO_DIR/many.json")"
	equals "$(up status --json | jq '.ports | length')" 1
	contains "$(ask client tcp "$HOST" 10010)" "c1 saw"
	cni underpass DEL c1 "$(<"$TOPO_DIR/many.json")"
	nothing_left
}

# chain PLUGIN CONTAINER JSON [VERB]: call a chained plugin with the result so far, left in RESULT
chain() {
	RESULT=$(cni "$1" "${4:-ADD}" "$2" "$(with "$(conf "$1" "$3")" "{\"prevResult\":$RESULT}")")
}

address() {
	jq -r '.ips[0].address | sub("/.*"; "")' <<<"$RESULT"
}

@test "firewall: same-bridge keeps other networks away, isolated everybody" {
	local b2 other isolated='{"ingressPolicy":"isolated"}' same='{"ingressPolicy":"same-bridge"}'
	RESULT=$(cni bridge ADD c1 "$(conf bridge '{"isDefaultGateway":true}')")
	chain firewall c1 "$same"
	RESULT=$(cni bridge ADD c2 "$(conf bridge '{"isDefaultGateway":true}')")
	chain firewall c2 "$same"
	b2=$(address)
	contains "$(ask c1 tcp "$b2" 80)" "c2 saw"
	RESULT=$(cni bridge ADD c3 "$(conf bridge '{"name":"net2","isDefaultGateway":true,"ipam":{"subnet":"10.48.0.0/24"}}')")
	other=$(address)
	# Without a policy both ways are open, also between a network with one and this.
	contains "$(ask c3 tcp "$CLIENT" 7000)" "outside saw"
	contains "$(ask c3 tcp "$b2" 80)" "c2 saw"
	contains "$(ask c1 tcp "$other" 80)" "c3 saw"
	chain firewall c3 "$(with "$same" '{"name":"net2"}')"
	run ! ask c3 tcp "$b2" 80
	run ! ask c1 tcp "$other" 80
	contains "$(ask c1 tcp "$b2" 80)" "c2 saw"
	(($(counter drop_network) > 0))
	RESULT=$(jq -nc '{cniVersion: "1.0.0", ips: []}')
	chain firewall c1 "$isolated"
	run ! ask c1 tcp "$b2" 80
	RESULT=$(jq -nc '{cniVersion: "1.0.0", ips: []}')
	cni firewall CHECK c1 "$(with "$(conf firewall "$isolated")" "{\"prevResult\":$RESULT}")"
	refused 103 "no longer kept" cni firewall CHECK c2 "$(with "$(conf firewall "$isolated")" "{\"prevResult\":$RESULT}")"
	refused 7 "ingressPolicy: 'maybe'" cni firewall ADD c1 \
		"$(with "$(conf firewall '{"ingressPolicy":"maybe"}')" "{\"prevResult\":$RESULT}")"
	cni firewall DEL c1 "$(conf firewall)"
	cni bridge DEL c1 "$(conf bridge)"
	cni bridge DEL c2 "$(conf bridge)"
	cni bridge DEL c3 "$(conf bridge '{"name":"net2"}')"
	nothing_left
}

@test "bandwidth: static values before the runtime's, both or none, 4 GB of burst" {
	local c='{"ingressRate":8000000,"ingressBurst":800000,"egressRate":16000000,"egressBurst":800000}'
	RESULT=$(cni bridge ADD c1 "$(conf bridge '{"isGateway":true}')")
	chain bandwidth c1 "$c"
	chain bandwidth c1 "$c" CHECK
	equals "$(up status --json | jq -c '.endpoints[0].limits | [.in, .out]')" '[8000000,16000000]'
	RESULT=$(jq -nc '{cniVersion: "1.0.0", ips: []}')
	chain bandwidth c1 '{"ingressRate":4000000,"ingressBurst":4294967295,
		"runtimeConfig":{"bandwidth":{"egressRate":2000000,"egressBurst":100000}}}'
	equals "$(up status --json | jq -c '.endpoints[0].limits | [.in, .out]')" '[4000000,16000000]'
	chain bandwidth c1 '{"runtimeConfig":{"bandwidth":{"egressRate":2000000,"egressBurst":4294967295,"ingressRate":0}}}'
	equals "$(up status --json | jq -c '.endpoints[0].limits | [.in, .out]')" '[4000000,2000000]'
	refused 7 "ingressRate and ingressBurst: want both or none" cni bandwidth ADD c1 \
		"$(with "$(conf bandwidth '{"ingressRate":5}')" "{\"prevResult\":$RESULT}")"
	refused 7 "egressBurst" cni bandwidth ADD c1 \
		"$(with "$(conf bandwidth '{"egressRate":8000,"egressBurst":34359738369}')" "{\"prevResult\":$RESULT}")"
	cni bandwidth DEL c1 "$(conf bandwidth "$c")"
	cni bridge DEL c1 "$(conf bridge)"
	nothing_left
}

@test "underpass does alone what the chain does: ports, limits, policy" {
	RESULT=$(cni underpass ADD c1 "$(conf underpass '{"ingressPolicy":"isolated","runtimeConfig":{
		"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}],
		"bandwidth":{"ingressRate":80000000,"ingressBurst":800000}}}')")
	contains "$(ask client tcp "$HOST" 8080)" "c1 saw"
	equals "$(up status --json | jq -c '.endpoints[0].limits.in')" 80000000
	cni underpass ADD c2 "$(conf underpass)"
	run ! ask c2 tcp "$(address)" 80
	cni underpass DEL c1 "$(conf underpass)"
	cni underpass DEL c2 "$(conf underpass)"
	nothing_left
}

@test "tuning: sysctls of the namespace, the interface, and nothing of the host" {
	local c='{"sysctl":{"net.core.somaxconn":"500","net/ipv4/conf/IFNAME/arp_filter":"1","net.ipv4.conf.IFNAME.arp_notify":"1"},
		"mac":"02:00:00:00:00:77","mtu":1300,"promisc":true,"allmulti":true,"txQLen":77}' before
	before=$(on host cat /proc/sys/net/core/somaxconn)
	RESULT=$(cni bridge ADD c1 "$(conf bridge '{"cniVersion":"1.1.0","isDefaultGateway":true,"ipMasq":true}')")
	chain tuning c1 "$(with "$c" '{"cniVersion":"1.1.0"}')"
	equals "$(jq -c '.interfaces[1] | [.mac, .mtu]' <<<"$RESULT")" '["02:00:00:00:00:77",1300]'
	equals "$(on c1 cat /proc/sys/net/core/somaxconn)" 500
	equals "$(on host cat /proc/sys/net/core/somaxconn)" "$before"
	equals "$(on c1 cat /proc/sys/net/ipv4/conf/eth0/arp_{filter,notify} | xargs)" "1 1"
	contains "$(on c1 ip link show eth0)" "PROMISC"
	contains "$(on c1 ip link show eth0)" "mtu 1300"
	contains "$(on c1 ip link show eth0)" "qlen 77"
	# The new MAC is the one that is enforced.
	contains "$(ask c1 tcp "$CLIENT" 7000)" "outside saw"
	cni tuning CHECK c1 "$(with "$(conf tuning "$c")" "{\"prevResult\":$RESULT}")"
	on c1 sh -c 'echo 501 >/proc/sys/net/core/somaxconn'
	refused 103 "somaxconn is '501'" cni tuning CHECK c1 "$(with "$(conf tuning "$c")" "{\"prevResult\":$RESULT}")"
	local bad
	for bad in kernel.hostname net/../kernel/hostname net.none fs.file-max; do
		run -1 cni tuning ADD c1 "$(with "$(conf tuning "{\"sysctl\":{\"$bad\":\"1\"}}")" "{\"prevResult\":$RESULT}")"
		contains "$output" sysctl:
	done
	cni tuning DEL c1 "$(conf tuning "$c")"
	cni bridge DEL c1 "$(conf bridge)"
	nothing_left
}

@test "tuning: an allow-list, where there is one, decides" {
	RESULT=$(cni bridge ADD c1 "$(conf bridge '{"isGateway":true}')")
	mkdir -p "$TOPO_DIR/etc/tuning"
	printf '^net\\.core\\.somaxconn$\n' >"$TOPO_DIR/etc/tuning/allowlist.conf"
	# shellcheck disable=SC2016
	cat >"$TOPO_DIR/listed" <<-END
		#!/bin/sh
		mkdir -p /etc/cni/tuning 2>/dev/null
		mount -t tmpfs tmpfs /etc/cni && mkdir /etc/cni/tuning
		mount --bind $TOPO_DIR/etc/tuning /etc/cni/tuning
		exec $CNI_BIN/tuning
	END
	chmod +x "$TOPO_DIR/listed"
	run -0 listed net.core.somaxconn
	run -1 listed net.ipv4.ip_forward
	contains "$output" "'net.ipv4.ip_forward' is not allowed"
	cni bridge DEL c1 "$(conf bridge)"
	nothing_left
}

# listed KEY: tuning with a private /etc/cni
listed() {
	cni_env unshare -m env CNI_COMMAND=ADD CNI_CONTAINERID=id-c1 CNI_NETNS="$(topo_file c1)" CNI_IFNAME=eth0 \
		CNI_PATH="$CNI_BIN" "$TOPO_DIR/listed" \
		<<<"$(with "$(conf tuning "{\"sysctl\":{\"$1\":\"1\"}}")" "{\"prevResult\":$RESULT}")"
}

# What other plugins make is left to other plugins: ours hand the call on.
@test "behind somebody else's interface, the reference plugin of the same name is called" {
	local name
	for name in firewall bandwidth tuning portmap; do
		cat >"$TOPO_DIR/fake-$name" <<-END
			#!/bin/sh
			echo "$name \$CNI_COMMAND" >>$TOPO_DIR/passed
			[ \$CNI_COMMAND = DEL ] || echo '{"cniVersion":"1.0.0","ips":[{"address":"10.9.9.9/24"}]}'
		END
	done
	mkdir "$TOPO_DIR/others"
	for name in firewall bandwidth tuning portmap; do
		mv "$TOPO_DIR/fake-$name" "$TOPO_DIR/others/$name"
		chmod +x "$TOPO_DIR/others/$name"
		RESULT='{"ips":[]}'
		RESULT=$(cni "$name" ADD c1 "$(with "$(conf "$name" "$PORT")" '{"ingressRate":8000,"ingressBurst":8000,
			"prevResult":{"ips":[]}}')" CNI_PATH="$CNI_BIN:$TOPO_DIR/others")
		equals "$(address)" 10.9.9.9
		cni "$name" DEL c1 "$(conf "$name")" CNI_PATH="$CNI_BIN:$TOPO_DIR/others"
	done
	equals "$(tr '\n' ' ' <"$TOPO_DIR/passed")" \
		"firewall ADD firewall DEL bandwidth ADD bandwidth DEL tuning ADD tuning DEL portmap ADD portmap DEL "
	refused 999 'failed to find plugin "firewall"' cni firewall ADD c1 \
		"$(with "$(conf firewall)" '{"prevResult":{"ips":[]}}')" CNI_PATH="$CNI_BIN"
	nothing_left
}

# no_filter: has the program left the place where it was attached first?
no_filter() {
	[[ -z $(on host tc filter show dev up1 ingress) ]]
}

@test "the program is attached at once, and moves to tcx in the background; an upgrade finds it in both places" {
	local config
	config=$(conf underpass "$PORT")
	RESULT=$(cni underpass ADD c1 "$config")
	contains "$(ask client tcp "$HOST" 8080)" "c1 saw"
	topo_wait 5 no_filter
	cni underpass CHECK c1 "$(with "$config" "{\"prevResult\":$RESULT}")"
	contains "$(ask client tcp "$HOST" 8080)" "c1 saw"
	cni underpass DEL c1 "$config"
	# Where the process that moves it cannot be: the program stays, works, and an upgrade moves it.
	RESULT=$(cni underpass ADD c1 "$config" UNDERPASS_NO_TCX=1)
	contains "$(on host tc filter show dev up1 ingress)" "up_veth_in"
	contains "$(ask client tcp "$HOST" 8080)" "c1 saw"
	cni underpass CHECK c1 "$(with "$config" "{\"prevResult\":$RESULT}")"
	up up
	no_filter
	contains "$(ask client tcp "$HOST" 8080)" "c1 saw"
	cni underpass CHECK c1 "$(with "$config" "{\"prevResult\":$RESULT}")"
	cni underpass DEL c1 "$config"
	nothing_left
}

# ---- many at once, and killed --------------------------------------------------------------------

@test "100 parallel ADDs and DELs of different processes" {
	local i add=() del=()
	for i in {1..100}; do
		topo_ns "p$i"
	done
	for i in {1..100}; do
		cni underpass ADD "p$i" "$(conf underpass "{\"runtimeConfig\":{\"portMappings\":[{\"hostPort\":$((20000 + i)),\"containerPort\":80,\"protocol\":\"tcp\"}]}}")" \
			>"$TOPO_DIR/p$i.json" 3>&- &
		add+=($!)
	done
	for i in "${add[@]}"; do
		wait "$i"
	done
	equals "$(jq -r '.ips[0].address' "$TOPO_DIR"/p*.json | sort -u | wc -l)" 100
	equals "$(leases net | wc -l) $(endpoints) $(up status --json | jq '.ports | length')" "100 100 100"
	serve p100 p100 80
	contains "$(ask client tcp "$HOST" 20100)" "p100 saw"
	for i in {1..100}; do
		cni underpass DEL "p$i" "$(conf underpass)" 3>&- &
		del+=($!)
	done
	for i in "${del[@]}"; do
		wait "$i"
	done
	nothing_left
}

@test "the first ADDs of a host, many at once: the datapath comes up once" {
	local i pids=()
	up down
	for i in {1..10}; do
		cni underpass ADD "p$i" "$(conf underpass)" >/dev/null 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
	equals "$(endpoints)" 10
	for i in {1..10}; do
		cni underpass DEL "p$i" "$(conf underpass)"
	done
	nothing_left
}

# A debugger's view of "kill -9 at any instruction": stop at every nth system call, and die there.
@test "ADD killed at any system call is repaired by the next ADD, by DEL, or by GC" {
	local n ended=0 config
	config=$(with "$(conf underpass "$PORT")" '{"cniVersion":"1.1.0"}')
	for ((n = 1; n < 2000 && !ended; n += 7)); do
		run cni_env "$KILLAT" "$n" env CNI_COMMAND=ADD CNI_CONTAINERID=id-c1 \
			CNI_NETNS="$(topo_file c1)" CNI_IFNAME=eth0 CNI_PATH="$CNI_BIN" \
			"$CNI_BIN/underpass" <<<"$config"
		((status == 137)) || ended=1
		case $((n % 3)) in
		0) cni underpass DEL c1 "$config" ;;
		1) cni underpass GC c1 "$config" ;;
		2)
			# Killed while it gave its answer: then there is nothing to repair, and the
			# runtime, which has no result, begins with DEL.
			if grep -qs '"complete": true' "$TOPO_DIR/run-host/cni"/*.json; then
				cni underpass DEL c1 "$config"
			fi
			cni underpass ADD c1 "$config" >/dev/null
			contains "$(ask client tcp "$HOST" 8080)" "c1 saw"
			cni underpass DEL c1 "$config"
			;;
		esac
		nothing_left
	done
	((ended))
	((n > 100))
}
