#!/usr/bin/env bats
# Ride-along over docker's own bridge and rules, made by hand, so that every packet can be accounted
# for. attach_docker.bats and attach_podman.bats do it with the real ones.

load lib
load ride
load ../../tools/lib/docker-rules.sh

CTR=172.17.0.2

setup_file() {
	export BATS_TEST_TIMEOUT=120
	topo_init
	topo_pair client host 192.0.2
	docker_network host
	docker_container host ctr 2
	docker_container host other 3
	publish 8080:80/tcp 8080:80/udp 8081:81/tcp
	up_host host
	serve ctr web 80-82
	export WEB_PID=$TOPO_PID
	serve other other 80-82
}

teardown_file() {
	up detach --all
	end_world
}

teardown() {
	up detach --all
	no_ufw
}

# publish HOST_PORT:CONTAINER_PORT/PROTO...: of the first container
publish() {
	docker_publish_rules "$CTR" "$@" | on host iptables-restore --noflush
}

attach() {
	up attach --refresh 500 "$@"
}

# in_state STATE: what conntrack says of the one connection to port 8080
in_state() {
	[[ $(on host conntrack -L -p tcp --dport 8080 2>/dev/null) == *"$1"* ]]
}

# ufw: chains as ufw has them (deny by default; what is established may pass, and what is INVALID may
# not), and its route rules in front of docker's, as people do who want them to decide
ufw() {
	on host iptables-restore --noflush <<-RULES
		*filter
		:INPUT DROP [0:0]
		:ufw-before-input - [0:0]
		:ufw-user-forward - [0:0]
		-A INPUT -j ufw-before-input
		-A ufw-before-input -i lo -j ACCEPT
		-A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
		-A ufw-before-input -m conntrack --ctstate INVALID -j DROP
		-A ufw-user-forward -d $CTR -p tcp --dport 80 -j RETURN
		-A ufw-user-forward -d 172.17.0.0/16 -m conntrack --ctstate NEW,INVALID -j DROP
		-I DOCKER-USER -j ufw-user-forward
		COMMIT
	RULES
}

no_ufw() {
	on host iptables-restore --noflush <<-RULES
		*filter
		:INPUT ACCEPT [0:0]
		-F INPUT
		-F DOCKER-USER
		:ufw-before-input - [0:0]
		:ufw-user-forward - [0:0]
		-X ufw-before-input
		-X ufw-user-forward
		COMMIT
	RULES
}

no_program() {
	! bpftool prog show id "$1"
}

# settings_byte OFFSET BYTE: change the pinned settings, as another version would have them
settings_byte() {
	local map=$TOPO_DIR/bpf-host/underpass/ride/up_ride_conf bytes
	mapfile -t bytes < <(bpftool --json map lookup pinned "$map" key hex 00 00 00 00 |
		jq -r '.value[]')
	bytes[$1]=$2
	bpftool map update pinned "$map" key hex 00 00 00 00 value hex "${bytes[@]#0x}"
}

# programs: the ids of those that are loaded for attached interfaces
programs() {
	local pin
	for pin in "$TOPO_DIR"/bpf-host/underpass/ride/up_ride_{uplink,veth,peer,queue,bridge}; do
		bpftool --json prog show pinned "$pin" | jq .id
	done
}

# swaps COMMAND...: it replaces programs that another build of underpass has attached; the kernel
# frees a program once it is attached nowhere
swaps() {
	local old id
	old=$(programs)
	settings_byte 32 0x5a
	"$@"
	for id in $old; do
		topo_wait 20 no_program "$id"
	done
}

@test "an established connection is carried in both directions, and content arrives whole" {
	attach "netns:$(topo_file ctr)"
	run -0 on client "$PROBE" pump "$HOST" 8080 $((128 << 20))
	equals "$output" "ok $((128 << 20))"
	# 128 MiB each way: nearly all of it by us, or the counters lie.
	(($(rides eth0 .fast_bytes) > 96 << 20))
	(($(rides veth2 .fast_bytes) > 96 << 20))
}

@test "connections made before attaching go on across attach, detach and attach again" {
	live_start client "$HOST" 8080 20
	attach "netns:$(topo_file ctr)"
	carries eth0 veth2
	up detach --all
	equals "$(liberal)" 0
	attach if:veth2
	carries eth0 veth2
	up flush
	carries eth0 veth2
	up detach --all
	live_end
	contains "$(<"$TOPO_DIR/live-out")" "ok 20 connections"
}

@test "a pid, the path of a namespace, the host's interface: each is carried, and detached by that word" {
	local word
	live_start client "$HOST" 8080 3
	for word in "pid:$WEB_PID" "$(topo_file ctr)" "netns:$(topo_file ctr)" if:veth2; do
		echo "$word"
		attach "$word"
		carries eth0 veth2
		up detach "$word"
		equals "$(liberal)" 0
	done
	live_end
}

@test "window tracking is liberal while attached, and as before afterwards" {
	equals "$(liberal)" 0
	attach if:veth2
	equals "$(liberal)" 1
	attach if:veth3
	up detach if:veth2
	equals "$(liberal)" 1
	up detach if:veth3
	equals "$(liberal)" 0
	on host sh -c 'echo 1 >/proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal'
	attach if:veth2
	up detach --all
	equals "$(liberal)" 1
	on host sh -c 'echo 0 >/proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal'
}

@test "a strict host that drops INVALID keeps connections whose windows were not seen" {
	on host iptables -I DOCKER-USER -m conntrack --ctstate INVALID -j DROP
	topo_spawn client "$TOPO_DIR/pump" "$PROBE" pump "$HOST" 8080 $((4 << 30))
	attach if:veth2
	carries eth0 veth2
	up detach --all
	equals "$(liberal)" 0
	topo_wait 90 grep -q . "$TOPO_DIR/pump"
	equals "$(<"$TOPO_DIR/pump")" "ok $((4 << 30))"
}

@test "UDP: no answer is lost across attach and detach, and the answers are carried" {
	local turn
	topo_spawn ctr "$TOPO_DIR/rr-server" "$RR" serve 7000
	topo_wait 10 grep -q ready "$TOPO_DIR/rr-server"
	publish 7000:7000/udp
	# Those that talk for as long as this takes, and one that does as fast as it can.
	live_start client "$HOST" 8080 20 udp
	topo_spawn client "$TOPO_DIR/rr" "$RR" -d 8 -w 0 load udp "$HOST" 7000
	for turn in 1 2; do
		echo "turn $turn"
		attach if:veth2
		carries eth0 veth2
		up detach --all
	done
	live_end
	topo_wait 60 grep -q lost "$TOPO_DIR/rr"
	equals "$(jq .lost "$TOPO_DIR/rr")" 0
}

@test "container to container on one bridge is carried, past the bridge" {
	attach if:veth2 if:veth3
	live_start other "$CTR" 81 5
	carries veth2 veth3
	live_end
}

@test "the host to a container is carried past the bridge: by its address, by its published port, UDP" {
	attach if:veth2
	run -0 on host "$PROBE" pump "$CTR" 81 $((128 << 20))
	equals "$output" "ok $((128 << 20))"
	(($(rides docker0 .fast_bytes) > 96 << 20))
	live_start host "$HOST" 8080 3
	carries docker0
	live_end
	live_start host "$CTR" 81 3 udp
	carries docker0
	up flush
	carries docker0
	live_end
}

@test "what the host sends obeys its rules at once, and the bridge's within the refresh time" {
	attach if:veth2
	live_start host "$CTR" 81 3
	carries docker0
	on host iptables -I OUTPUT -d "$CTR" -j DROP
	live_breaks
	on host iptables -D OUTPUT -d "$CTR" -j DROP
	live_start host "$CTR" 81 3
	carries docker0
	on host ebtables -I OUTPUT -o veth2 -p IPv4 -j DROP
	live_breaks
	on host ebtables -D OUTPUT -o veth2 -p IPv4 -j DROP
}

@test "masqueraded connections of a container to the outside are carried" {
	serve client outside 8090
	attach if:veth2
	live_start ctr "$CLIENT" 8090 5
	carries eth0 veth2
	live_end
}

@test "hand-written DNAT is carried like docker's" {
	on host iptables -t nat -I PREROUTING -d "$HOST" -p tcp --dport 9999 \
		-j DNAT --to-destination "$CTR:82"
	on host iptables -I DOCKER -d "$CTR" -p tcp --dport 82 -j ACCEPT
	attach if:veth2
	live_start client "$HOST" 9999 3
	carries eth0 veth2
	live_end
	on host iptables -D DOCKER -d "$CTR" -p tcp --dport 82 -j ACCEPT
	on host iptables -t nat -D PREROUTING -d "$HOST" -p tcp --dport 9999 \
		-j DNAT --to-destination "$CTR:82"
}

@test "a rule that is added later ends a carried flow within the refresh time" {
	local proto
	attach if:veth2
	for proto in tcp udp; do
		echo "$proto"
		live_start client "$HOST" 8080 3 $proto
		carries eth0 veth2
		on host iptables -I DOCKER-USER -s "$CLIENT" -j DROP
		live_breaks
		on host iptables -F DOCKER-USER
	done
}

# drops CHAIN: packets that its DROP rules, or its policy, have met
drops() {
	on host iptables -nvxL "$1" |
		awk '/policy DROP/ { n += $5 } $3 == "DROP" { n += $1 } END { print n + 0 }'
}

has_dropped() {
	(($(drops "$1") > 0))
}

# may_begin_when NAMESPACE ADDRESS PORT CHAIN RULE...: a connection that CHAIN drops until it has RULE
may_begin_when() {
	local ns=$1 address=$2 port=$3 chain=$4
	topo_spawn "$ns" "$TOPO_DIR/ask" "$PROBE" ask tcp "$address" "$port"
	topo_wait 20 has_dropped "$chain"
	[[ ! -s $TOPO_DIR/ask ]]
	on host iptables -I "$chain" "${@:5}"
	topo_wait 60 grep -q saw "$TOPO_DIR/ask"
}

@test "ufw's rules, of INPUT and in front of docker's, decide as before" {
	serve host itself 8070
	attach if:veth2
	live_start ctr 172.17.0.1 8070 2
	ufw
	may_begin_when ctr 172.17.0.1 8070 INPUT -p tcp --dport 8070 -j ACCEPT
	live_end # what was established goes on
	live_start client "$HOST" 8080 3
	carries eth0 veth2
	may_begin_when client "$HOST" 8081 ufw-user-forward -p tcp --dport 81 -j RETURN
	carries eth0 veth2
	on host iptables -I ufw-user-forward -s "$CLIENT" -j DROP
	live_breaks
}

@test "flush: at once, even where a decision would hold for long" {
	up attach --refresh 10000 if:veth2
	live_start client "$HOST" 8080 1
	carries eth0 veth2
	on host iptables -I DOCKER-USER -s "$CLIENT" -j DROP
	up flush
	live_breaks
	# Nothing of the flow was forwarded by us after the flush: the rule has dropped something.
	(($(on host iptables -nvxL DOCKER-USER | awk '$3 == "DROP" { print $1 }') > 0))
	equals "$(rides eth0 .cached)" 0
}

@test "a rule that rejects: its reset reaches the client" {
	attach if:veth2
	live_start client "$HOST" 8080 1
	carries eth0 veth2
	on host iptables -I DOCKER-USER -p tcp -s "$CLIENT" -j REJECT --reject-with tcp-reset
	live_breaks
}

@test "connections with a bit of --skip-mark are left to the kernel" {
	on host iptables -I DOCKER-USER -p tcp -j CONNMARK --set-mark 0x40
	up attach --refresh 500 --skip-mark 0x40 if:veth2
	live_start client "$HOST" 8080 1
	on client "$PROBE" pump "$HOST" 8080 $((8 << 20))
	live_end
	equals "$(fast eth0)" 0
	equals "$(fast veth2)" 0
	equals "$(rides eth0 .cached)" 0
}

@test "conntrack sees the end of a carried connection, and its timers while it lives" {
	on host conntrack -F
	attach if:veth2
	live_start client "$HOST" 8080 1
	carries eth0 veth2
	in_state ESTABLISHED
	live_end
	topo_wait 10 in_state TIME_WAIT
}

@test "a thousand short connections meanwhile break nothing and stay out of the cache" {
	attach if:veth2
	live_start client "$HOST" 8080 10
	topo_spawn ctr "$TOPO_DIR/crr-server" "$RR" serve 7001
	topo_wait 10 grep -q ready "$TOPO_DIR/crr-server"
	publish 7001:7001/tcp
	run -0 on client "$RR" -d 2 -w 0 load connect "$HOST" 7001
	equals "$(jq .lost <<<"$output")" 0
	(($(jq .count <<<"$output") > 1000))
	carries eth0 veth2
	live_end
	(($(rides eth0 .slow.control) > 2000))
	(($(rides eth0 .cached) <= 11))
}

@test "the bridge is made anew under live connections: they go on, and are carried" {
	local h=$TOPO_TAG-host
	attach if:veth2
	live_start client "$HOST" 8080 3
	carries eth0 veth2
	ip -n "$h" link del docker0
	ip -n "$h" link add docker0 type bridge
	ip -n "$h" addr add 172.17.0.1/16 dev docker0
	ip -n "$h" link set docker0 up
	ip -n "$h" link set veth2 master docker0
	ip -n "$h" link set veth3 master docker0
	up flush
	carries eth0 veth2
	live_end
}

@test "fragments go the kernel's way, and arrive" {
	spawn ctr "$TOPO_DIR/long-server" "$RR" -s 4000 serve 7003
	topo_wait 10 grep -q ready "$TOPO_DIR/long-server"
	publish 7003:7003/udp
	attach if:veth2
	run -0 on client "$RR" -s 4000 -d 3 -w 0 load udp "$HOST" 7003
	equals "$(jq .lost <<<"$output")" 0
	(($(jq .count <<<"$output") > 0))
	(($(rides eth0 .slow.header) > 0))
	equals "$(fast eth0)" 0
}

@test "a bridge that floods: what the wrong container got is not learned from, and no datagram lost" {
	local port
	on host iptables -t nat -I PREROUTING -d "$HOST" -p udp --dport 9998 \
		-j DNAT --to-destination 172.17.0.3:81
	on host iptables -I DOCKER-USER -d 172.17.0.3 -p udp --dport 81 -j ACCEPT
	ip -n "$TOPO_TAG-host" link set docker0 type bridge ageing_time 0
	attach if:veth2 if:veth3
	for port in 8080 9998; do
		live_start client "$HOST" "$port" 5 udp
		carries eth0
		live_end
	done
	ip -n "$TOPO_TAG-host" link set docker0 type bridge ageing_time 30000
	on host iptables -t nat -D PREROUTING -d "$HOST" -p udp --dport 9998 \
		-j DNAT --to-destination 172.17.0.3:81
}

@test "a TTL that expires here: the kernel says so to the sender" {
	local before
	attach if:veth2
	live_start client "$HOST" 8080 20
	carries eth0
	before=$(snmp host Icmp OutTimeExcds)
	ip -n "$TOPO_TAG-client" route change 192.0.2.0/24 dev eth0 src "$CLIENT" hoplimit 1
	live_breaks
	ip -n "$TOPO_TAG-client" route change 192.0.2.0/24 dev eth0 src "$CLIENT"
	(($(snmp host Icmp OutTimeExcds) > before))
	(($(rides eth0 .slow.ttl) > 0))
}

@test "what is longer than all that passed goes the kernel's way, and raises the limit" {
	up attach --refresh 10000 if:veth2
	# Short lines until they are carried, then a long one, twice.
	# shellcheck disable=SC2016
	run -0 on client bash -c '
		exec 5<>"/dev/tcp/$0/8080" && read -r -u 5
		for ((i = 0; i < 3000; i++)); do echo short >&5 && read -r -u 5; done
		for i in 1 2; do printf "%01000d\n" 0 >&5 && read -r -u 5 && echo "${#REPLY}"; done' "$HOST"
	equals "$output" $'1000\n1000'
	equals "$(rides eth0 .slow.long)" 1
	equals "$(rides veth2 .slow.long)" 1
}

@test "kernels before 6.6 have no tcx: all of it by clsact" {
	export UNDERPASS_NO_TCX=1
	attach if:veth2
	contains "$(on host tc filter show dev veth2 ingress)" up_ride_veth
	contains "$(on host tc filter show dev eth0 egress)" up_ride_queue
	contains "$(on host tc filter show dev docker0 egress)" up_ride_bridge
	run -0 on client "$PROBE" pump "$HOST" 8080 $((128 << 20))
	(($(rides eth0 .fast_bytes) > 96 << 20))
	(($(rides veth2 .fast_bytes) > 96 << 20))
	live_start client "$HOST" 8080 3
	swaps attach if:veth2
	carries eth0 veth2
	live_end
	up detach --all
	equals "$(on host tc filter show dev veth2 ingress)" ""
	equals "$(on host tc filter show dev eth0 egress)" ""
	equals "$(on host tc filter show dev docker0 egress)" ""
}

@test "a container's queueing discipline is not passed by" {
	on host tc qdisc add dev veth2 root tbf rate 80mbit burst 64kb latency 200ms
	attach if:veth2
	live_start client "$HOST" 8080 3
	carries eth0 veth2
	live_end
	run -0 on client "$PROBE" pump "$HOST" 8080 $((8 << 20))
	(($(on host tc -s -j qdisc show dev veth2 | jq '.[0].bytes') > 8 << 20))
	(($(rides eth0 .fast_bytes) > 4 << 20))
	on host tc qdisc del dev veth2 root
}

@test "beside underpass's own datapath on the same uplink" {
	up up
	attach if:veth2
	run -0 on client "$PROBE" pump "$HOST" 8080 $((128 << 20))
	(($(rides eth0 .fast_bytes) > 96 << 20))
	equals "$(up status --json | jq -r .hook)" tcx
	up down
	carried=$(fast eth0)
	run -0 on client "$PROBE" pump "$HOST" 8080 $((16 << 20))
	fast_beyond eth0 "$carried"
}

@test "what is attached is named, and what cannot be is refused with a reason" {
	attach if:veth2
	equals "$(rides veth2 .name)" veth2
	equals "$(rides veth2 .engine)" if
	contains "$(up status)" "attached  if:veth2 by veth2"
	run -0 on client "$PROBE" pump "$HOST" 8080 $((16 << 20))
	run -0 up status
	[[ $output =~ attached\ +if:veth2\ by\ veth2:\ [0-9]+\ cached,\ received\ [0-9]+,\ fast\ [1-9][0-9]*\ \([0-9.]+\ %\) ]]
	[[ $output =~ slow\ new\ +[1-9][0-9]*\ +[0-9.]+\ %\ +of\ no\ connection ]]
	[[ $output =~ slow\ control\ +[1-9][0-9]*\ +[0-9.]+\ %\ +SYN ]]
	equals "$(rides veth2 '.fast / (.fast + (.slow | add)) == .hit_rate')" true
	run up attach if:docker0
	equals "$output" "underpass: interface docker0: not the host's end of a container's veth"
	run up attach pid:0
	contains "$output" "not a process id"
	run up attach "netns:$(topo_file host)"
	contains "$output" "no veth leads to it from this host"
	run up attach --refresh 5 if:veth2
	((status == 2))
	run up detach nobody
	equals "$output" "underpass: nobody is not attached"
	((status == 1))
}

@test "a container that is gone is forgotten by the next command, and its neighbours live on" {
	docker_container host brief 9
	attach if:veth9 if:veth2
	live_start client "$HOST" 8080 3
	ip -n "$TOPO_TAG-host" link del veth9
	equals "$(rides veth9 .lives)" false
	run up detach nobody
	equals "$(rides veth9 .name)" ""
	carries eth0 veth2
	live_end
}

@test "a kernel whose conntrack cannot be asked: that is said, and what can be done instead" {
	# Such a kernel's type information does not have the functions; here it has nothing.
	run unshare --mount sh -c 'mount --bind /dev/null /sys/kernel/btf/vmlinux && exec "$@"' sh \
		nsenter --net="$(topo_file host)" env UNDERPASS_PIN_DIR="$TOPO_DIR/bpf-host/underpass" \
		UNDERPASS_RUN_DIR="$TOPO_DIR/run-host" "$UNDERPASS" attach if:veth2
	((status == 1))
	contains "$output" "bpf_skb_ct_lookup: Linux 5.18"
	contains "$output" "'underpass run' or underpass-cni"
	equals "$(liberal)" 0
	[[ ! -e $TOPO_DIR/bpf-host/underpass ]]
}

@test "an upgrade swaps the programs under a transfer, and keeps what is cached and counted" {
	local before
	attach if:veth2 if:veth3
	topo_spawn client "$TOPO_DIR/pump" "$PROBE" pump "$HOST" 8080 $((2 << 30))
	live_start client "$HOST" 8080 5
	carries eth0 veth2
	before=$(fast eth0)
	swaps attach if:veth2
	(($(fast eth0) > before))
	carries eth0 veth2
	before=$(programs)
	attach if:veth2
	equals "$(programs)" "$before"
	swaps up up
	carries eth0 veth2
	up down
	live_end
	topo_wait 90 grep -q . "$TOPO_DIR/pump"
	equals "$(<"$TOPO_DIR/pump")" "ok $((2 << 30))"
}

# only_pinned: the programs that use our settings are those that are pinned, and no others
only_pinned() {
	local map
	map=$(bpftool --json map show pinned "$TOPO_DIR/bpf-host/underpass/ride/up_ride_conf" | jq .id)
	equals "$(bpftool --json prog show |
		jq --argjson map "$map" '.[] | select(.map_ids | index($map)) | .id' | sort -n)" \
		"$(programs | sort -n)"
}

@test "an upgrade that is killed at any moment is completed by the next command" {
	local n kills=0
	attach if:veth2
	live_start client "$HOST" 8080 3
	for ((n = 40; ; n += 5 + n / 8)); do
		settings_byte 32 0x5a
		killed_at "$n" attach if:veth2 || break
		attach if:veth2
		topo_wait 20 only_pinned
		kills=$((kills + 1))
	done
	((kills > 5))
	carries eth0 veth2
	live_end
}

@test "maps of another version: it is said what to do, and that can be done" {
	attach if:veth2
	live_start client "$HOST" 8080 3
	carries eth0 veth2
	settings_byte 0 0x63
	run -1 up attach if:veth2
	contains "$output" "another version of underpass"
	contains "$output" "'underpass detach --all'"
	run -1 up detach if:veth2
	contains "$output" "'underpass detach --all'"
	up detach --all
	equals "$(liberal)" 0
	[[ ! -e $TOPO_DIR/bpf-host/underpass ]]
	attach if:veth2
	carries eth0 veth2
	live_end
}

@test "the systemd unit that is supplied is valid, and runs what is installed" {
	local dir=$BATS_TEST_TMPDIR
	# shellcheck disable=SC2154 # lib.bash sets it
	make -s -C "$top" B="${BUILD:-$top/build}" install PREFIX="$dir" UNITDIR="$dir/units" >/dev/null
	run -0 systemd-analyze verify --man=no "$dir/units/underpass-attach.service"
	equals "$output" ""
	contains "$(<"$dir/units/underpass-attach.service")" "ExecStart=$dir/sbin/underpass attach --watch"
}

@test "after the last detach nothing is left: no pin, no program, no row" {
	local program
	attach if:veth2 if:veth3
	program=$(bpftool --json prog show pinned "$TOPO_DIR/bpf-host/underpass/ride/up_ride_veth" | jq .id)
	up detach --all
	run up status
	contains "$output" "run 'underpass up' first"
	run find "$TOPO_DIR/bpf-host/underpass"
	((status != 0))
	# The kernel frees a program once it is attached nowhere.
	topo_wait 20 no_program "$program"
}
