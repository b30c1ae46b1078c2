#!/usr/bin/env bats
# Tools that people use, over a path of several hops with a narrow link in the middle:
#
#	client ── near ──(mtu 1300)── far ── host ── containers

load lib

export FAR_CLIENT=198.51.100.2 FAR_CLIENT6=2001:db8:c::2 NARROW=1300

# wire NS_A IF_A NS_B IF_B PREFIX4 PREFIX6: a cable with .1 and .2 of both families on it
wire() {
	topo_link "$1" "$2" "$5.1/24" "$3" "$4" "$5.2/24"
	ip -n "$TOPO_TAG-$1" addr add "$6::1/64" dev "$2" nodad
	ip -n "$TOPO_TAG-$3" addr add "$6::2/64" dev "$4" nodad
}

# route_all NAMESPACE GATEWAY4 GATEWAY6 [NETWORK4 NETWORK6]
route_all() {
	ip -n "$TOPO_TAG-$1" route add "${4:-default}" via "$2"
	ip -n "$TOPO_TAG-$1" -6 route add "${5:-default}" via "$3"
}

router() {
	topo_ns "$1"
	topo_exec "$1" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward
		echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
		echo 0 >/proc/sys/net/ipv4/icmp_ratelimit
		echo 0 >/proc/sys/net/ipv6/icmp/ratelimit'
}

setup_file() {
	export BATS_TEST_TIMEOUT=120 SERVE_ON=::
	topo_init
	topo_ns client
	topo_ns host
	router near
	router far
	wire near if_client client eth0 198.51.100 2001:db8:c
	wire near if_far far if_near 10.9.0 2001:db8:9
	wire host eth0 far if_host 192.0.2 2001:db8
	ip -n "$TOPO_TAG-near" link set if_far mtu $NARROW
	ip -n "$TOPO_TAG-far" link set if_near mtu $NARROW
	route_all client 198.51.100.1 2001:db8:c::1
	route_all host 192.0.2.2 2001:db8::2
	route_all near 10.9.0.2 2001:db8:9::2
	route_all far 10.9.0.1 2001:db8:9::1
	up_host host
	make_root
	up up
	start a -p 8081:80 -p 8081:80/udp -p 5201:5201/tcp,udp -p 8443:8443
	start b -p 8082:80 -p 8082:80/udp
	serve client outside 7000
	serve host service 7100
	A=$(address_of a) B=$(address_of b)
	A6=$(endpoint_of a address6) B6=$(endpoint_of b address6)
	export A B A6 B6
}

teardown_file() {
	end_world
}

# forget NAMESPACE...: what path MTUs they learned
forget() {
	local ns
	for ns in "$@"; do
		on "$ns" ip route flush cache
		on "$ns" ip -6 route flush cache
	done
}

# learn: have the client and a container find the path's MTU: the first packet of those that are too
# large is lost
learn() {
	local to
	for to in "$HOST" "$HOST6"; do
		on client "$PROBE" pump "$to" 8081 200000
	done
	for to in "$FAR_CLIENT" "$FAR_CLIENT6"; do
		on a "$PROBE" pump "$to" 7000 200000
		on host "$PROBE" pump "$to" 7000 200000
	done
}

@test "ping from everywhere to everywhere, of any size" {
	local size to
	learn
	for size in 0 56 1400 8000 60000; do
		for to in "$FAR_CLIENT" "$FAR_CLIENT6" "$B" "$B6" "$HOST" "$HOST6"; do
			run -0 on a ping -n -c 2 -i 0.01 -W 5 -s "$size" "$to"
			contains "$output" " 0% packet loss"
		done
		for to in "$HOST" "$HOST6"; do
			run -0 on client ping -n -c 2 -i 0.01 -W 5 -s "$size" "$to"
		done
		for to in "$A" "$B6" "$FAR_CLIENT" "$FAR_CLIENT6"; do
			run -0 on host ping -n -c 2 -i 0.01 -W 5 -s "$size" "$to"
		done
	done
}

@test "datagrams of any size, in and out: a resolver's, and fragmented ones" {
	local size
	learn
	for size in 512 1232 4096 8000 60000; do
		equals "$(on client "$PROBE" datagram "$HOST" 8081 "$size")" "ok $size"
		equals "$(on client "$PROBE" datagram "$HOST6" 8081 "$size")" "ok $size"
		equals "$(on a "$PROBE" datagram "$FAR_CLIENT" 7000 "$size")" "ok $size"
		equals "$(on a "$PROBE" datagram "$FAR_CLIENT6" 7000 "$size")" "ok $size"
		equals "$(on a "$PROBE" datagram "$B" 80 "$size")" "ok $size"
		equals "$(on a "$PROBE" datagram "$B6" 80 "$size")" "ok $size"
		equals "$(on a "$PROBE" datagram "$HOST" 8082 "$size")" "ok $size"
		equals "$(on a "$PROBE" datagram "$HOST6" 8082 "$size")" "ok $size"
		equals "$(on a "$PROBE" datagram "$HOST" 8081 "$size")" "ok $size"
		equals "$(on a "$PROBE" datagram "$HOST6" 8081 "$size")" "ok $size"
		equals "$(on host "$PROBE" datagram "$A" 80 "$size")" "ok $size"
		equals "$(on host "$PROBE" datagram "$A6" 80 "$size")" "ok $size"
		equals "$(on host "$PROBE" datagram ::1 8081 "$size")" "ok $size"
	done
}

@test "TCP finds the path's MTU in both directions, through published ports and masquerading" {
	local forwarded to
	forwarded=$(counter icmp_forwarded)
	forget a client host
	for to in "$HOST" "$HOST6"; do
		equals "$(on client "$PROBE" pump "$to" 8081 5000000)" "ok 5000000"
		contains "$(on client ip route get "$to")" "mtu $NARROW"
	done
	(($(counter icmp_forwarded) >= forwarded + 2))
	contains "$(on a ip route get "$FAR_CLIENT")" "mtu $NARROW"
	contains "$(on a ip route get "$FAR_CLIENT6")" "mtu $NARROW"
	for to in "$FAR_CLIENT" "$FAR_CLIENT6"; do
		forget a client host
		equals "$(on a "$PROBE" pump "$to" 7000 5000000)" "ok 5000000"
		contains "$(on a ip route get "$to")" "mtu $NARROW"
	done
}

@test "UDP finds the path's MTU in both directions" {
	local to
	for to in "$FAR_CLIENT" "$FAR_CLIENT6"; do
		forget a client host
		equals "$(on a "$PROBE" pmtu "$to" 7000)" "mtu $NARROW"
	done
	for to in "$HOST" "$HOST6"; do
		forget a client host
		equals "$(on client "$PROBE" pmtu "$to" 8081)" "mtu $NARROW"
	done
}

@test "a container with a smaller MTU than the uplink's loses nothing" {
	local to
	start small --mtu 1280 -p 8090:80 -p 8090:80/udp
	learn
	for to in "$HOST" "$HOST6"; do
		equals "$(on client "$PROBE" pump "$to" 8090 5000000)" "ok 5000000"
		equals "$(on client "$PROBE" datagram "$to" 8090 1200)" "ok 1200"
		equals "$(on client "$PROBE" datagram "$to" 8090 8000)" "ok 8000"
		equals "$(on a "$PROBE" datagram "$to" 8090 1400)" "ok 1400"
	done
	for to in "$(address_of small)" "$(endpoint_of small address6)"; do
		equals "$(on a "$PROBE" pump "$to" 80 5000000)" "ok 5000000"
		equals "$(on host "$PROBE" pump "$to" 80 5000000)" "ok 5000000"
	done
	for to in "$FAR_CLIENT" "$FAR_CLIENT6"; do
		equals "$(on small "$PROBE" pmtu "$to" 7000)" "mtu 1280"
		equals "$(on small "$PROBE" pump "$to" 7000 5000000)" "ok 5000000"
	done
	up stop small
	up rm small
}

@test "what is too large for a container behind a queue is told to its sender" {
	local to told
	NET_DEVICE='' start small --mtu 1280 -p 8090:80 -p 8090:80/udp --limit-in 1gbit
	told=$(counter drop_too_big)
	equals "$(on a "$PROBE" pmtu "$(address_of small)" 80)" "mtu 1280"
	equals "$(on a "$PROBE" pmtu "$(endpoint_of small address6)" 80)" "mtu 1280"
	for to in "$HOST" "$HOST6"; do
		equals "$(on b "$PROBE" pmtu "$to" 8090)" "mtu 1280"
		equals "$(on client "$PROBE" pmtu "$to" 8090)" "mtu 1280"
		equals "$(on client "$PROBE" datagram "$to" 8090 8000)" "ok 8000"
		equals "$(on client "$PROBE" pump "$to" 8090 5000000)" "ok 5000000"
	done
	(($(counter drop_too_big) >= told + 6))
	up stop small
	up rm small
}

# hops: the addresses that traceroute printed, in order; "*" for none
hops() {
	awk 'NR > 1 { printf "%s%s", sep, $2; sep = " " }'
}

@test "traceroute out of a container by UDP, ICMP and TCP shows every hop" {
	local how
	for how in -U -I "-T -p 7000"; do
		# shellcheck disable=SC2086
		equals "$(on a traceroute -n -q 1 -w 5 -m 8 $how "$FAR_CLIENT" | hops)" \
			"$(endpoint_of a gateway) 192.0.2.2 10.9.0.1 $FAR_CLIENT"
		# shellcheck disable=SC2086
		equals "$(on a traceroute -6 -n -q 1 -w 5 -m 8 $how "$FAR_CLIENT6" | hops)" \
			"$(endpoint_of a gateway6) 2001:db8::2 2001:db8:9::1 $FAR_CLIENT6"
	done
}

@test "traceroute to a published port, by UDP and TCP" {
	local how
	for how in "-U -p 8081" "-T -p 8081"; do
		# shellcheck disable=SC2086
		equals "$(on client traceroute -n -q 1 -w 5 -m 8 $how "$HOST" | hops)" \
			"198.51.100.1 10.9.0.2 $HOST $HOST"
		# shellcheck disable=SC2086
		equals "$(on client traceroute -6 -n -q 1 -w 5 -m 8 $how "$HOST6" | hops)" \
			"2001:db8:c::1 2001:db8:9::2 $HOST6 $HOST6"
	done
}

@test "answers of our own have whole checksums where the sender's had not" {
	# What leaves the host is completed on its way, as by a NIC, and verified by who receives it.
	on host ethtool -K eth0 tx off >/dev/null
	equals "$(on client traceroute -n -q 1 -w 5 -m 8 -U -p 8081 "$HOST" | hops)" \
		"198.51.100.1 10.9.0.2 $HOST $HOST"
	equals "$(on client traceroute -6 -n -q 1 -w 5 -m 8 -U -p 8081 "$HOST6" | hops)" \
		"2001:db8:c::1 2001:db8:9::2 $HOST6 $HOST6"
	on host ethtool -K eth0 tx on >/dev/null
}

@test "traceroute between containers" {
	equals "$(on a traceroute -n -q 1 -w 5 -m 4 -T -p 80 "$B" | hops)" "$(endpoint_of a gateway) $B"
	equals "$(on a traceroute -6 -n -q 1 -w 5 -m 4 -T -p 80 "$B6" | hops)" \
		"$(endpoint_of a gateway6) $B6"
}

@test "iperf3 in both directions, by TCP and UDP, in and out" {
	local to how
	spawn a "$TOPO_DIR/iperf-a" iperf3 -s -p 5201
	spawn client "$TOPO_DIR/iperf-client" iperf3 -s -p 5201
	topo_wait 10 listens client 5201
	topo_wait 10 listens a 5201
	for how in "-n 50M" "-n 50M -R" "-n 100K -u -b 2M -l 1200" "-n 100K -u -b 2M -l 1200 -R"; do
		for to in "$HOST" "$HOST6"; do
			# shellcheck disable=SC2086
			run -0 on client iperf3 -J -c "$to" $how
			arrived "$output"
		done
		for to in "$FAR_CLIENT" "$FAR_CLIENT6"; do
			# shellcheck disable=SC2086
			run -0 on a iperf3 -J -c "$to" $how
			arrived "$output"
		done
	done
}

# arrived JSON: did what iperf3 sent arrive? Its receiver counts until it hears that the sender is
# done; a busy one loses datagrams
arrived() {
	jq -e 'if .start.test_start.protocol == "TCP" then .end.sum_received.bytes > 25000000
		else .end.sum | .bytes >= 100000 and .lost_percent < 50 end' <<<"$1" || {
		echo "$1" >&2
		return 1
	}
}

@test "a TLS transfer arrives as it was sent, in and out" {
	local dir=$TOPO_DIR/tls sum
	mkdir "$dir"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
		-subj /CN=underpass -keyout "$dir/key" -out "$dir/cert" 2>/dev/null
	head -c 8000000 /dev/urandom >"$dir/data"
	sum=$(sha256sum <"$dir/data")
	cd "$dir"
	spawn a "$dir/a.log" openssl s_server -accept '*:8443' -WWW -cert cert -key key
	spawn client "$dir/client.log" openssl s_server -accept '*:8443' -WWW -cert cert -key key
	topo_wait 10 listens a 8443
	topo_wait 10 listens client 8443
	equals "$(on client curl -sSk "https://$HOST:8443/data" | sha256sum)" "$sum"
	equals "$(on client curl -sSk "https://[$HOST6]:8443/data" | sha256sum)" "$sum"
	equals "$(on a curl -sSk "https://$FAR_CLIENT:8443/data" | sha256sum)" "$sum"
	equals "$(on a curl -sSk "https://[$FAR_CLIENT6]:8443/data" | sha256sum)" "$sum"
	equals "$(on host curl -sSk "https://127.0.0.1:8443/data" | sha256sum)" "$sum"
}

@test "ncat: connections that are closed by one half, in and out" {
	local server=(socat "TCP6-LISTEN:7300,ipv6only=0,fork,reuseaddr" EXEC:/bin/cat) to sum
	spawn client "$TOPO_DIR/socat" "${server[@]}"
	topo_wait 10 listens client 7300
	sum=$(seq 100000 | sha256sum)
	for to in "$FAR_CLIENT" "$FAR_CLIENT6"; do
		equals "$(seq 100000 | on a ncat "$to" 7300 | sha256sum)" "$sum"
	done
	spawn b "$TOPO_DIR/socat-b" "${server[@]}"
	topo_wait 10 listens b 7300
	up port add b 7301:7300
	for to in "$HOST" "$HOST6"; do
		equals "$(seq 100000 | on client ncat "$to" 7301 | sha256sum)" "$sum"
	done
	up port del b 7301:7300
}

# Linux 6.18 forwards IPv6 segments that wait to be cut (GSO) by a guess where there are extension
# headers: ipv6_rcv() leaves the transport header at the first one, so the routers between would take
# the first byte of TCP's sequence number for the length of its header, and where that is more than
# 40 (five connections in 16) believe them too large. So whoever sends options cuts for itself.
@test "packets with IP options and with destination options are ours like any other" {
	local created to
	on client ip link set eth0 gso_max_segs 1
	on a ip link set eth0 gso_max_segs 1
	created=$(counter flow_new)
	for to in "$HOST" "$HOST6"; do
		equals "$(PROBE_OPTIONS=1 on client "$PROBE" pump "$to" 8081 1000000)" "ok 1000000"
		contains "$(PROBE_OPTIONS=1 on client "$PROBE" ask udp "$to" 8081)" "a saw"
	done
	for to in "$FAR_CLIENT" "$FAR_CLIENT6"; do
		equals "$(PROBE_OPTIONS=1 on a "$PROBE" pump "$to" 7000 1000000)" "ok 1000000"
		contains "$(PROBE_OPTIONS=1 on a "$PROBE" ask udp "$to" 7000)" "outside saw"
	done
	(($(counter flow_new) == created + 8))
	on client ip link set eth0 gso_max_segs 65535
	on a ip link set eth0 gso_max_segs 65535
}

@test "packets with a VLAN tag are another interface's, and not ours" {
	local mac before
	mac=$(ip -n "$TOPO_TAG-host" -j link show eth0 | jq -r '.[0].address')
	before=$(counter flow_new)
	# The same SYN with a tag and without: they arrive in this order.
	equals "$(on far "$PROBE" frame if_host "$mac" 5 203.0.113.1 "$HOST" 8081)" sent
	equals "$(on far "$PROBE" frame if_host "$mac" 0 203.0.113.2 "$HOST" 8081)" sent
	topo_wait 5 counter_above flow_new "$before"
	equals "$(up flows --json | jq -r '[.[] | .in.src | select(startswith("203.0.113."))] | join(" ")')" \
		203.0.113.2
	(($(counter flow_new) == before + 1))
}
