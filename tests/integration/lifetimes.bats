#!/usr/bin/env bats
# How flows end, and what follows: containers that go, ports that move, timeouts, source ports that
# run out.

load lib

setup_file() {
	export BATS_TEST_TIMEOUT=120 SERVE_ON=::
	make_world
	serve client outside 7000
	serve host service 7100
}

teardown_file() {
	end_world
}

teardown() {
	local name
	for name in $(up_containers host); do
		up rm --force "$name"
	done
}

# live_broke: the live connections ended by themselves, by a reset
live_broke() {
	local status=0
	wait "$LIVE_PID" || status=$?
	((status != 0))
	contains "$(<"$TOPO_DIR/live-out")" "Connection reset by peer"
}

# cut_off CONTAINER: its network dies before it does, so that its own kernel cannot say goodbye
cut_off() {
	on "$1" ip link set eth0 down
	up rm --force "$1"
}

@test "F5: when a container goes, the peers of its published ports get a reset" {
	local to
	for to in "$HOST" "$HOST6"; do
		start a -p 8081:80
		live_start client "$to" 8081 10
		cut_off a
		live_broke
	done
	equals "$(up status --json | jq .flows)" 0
}

@test "F5: when a container goes, other containers get a reset, by its address and by its ports" {
	local how to
	start b
	for how in address address6 "$HOST" "$HOST6"; do
		start a -p 8081:80
		to=$how
		[[ $how != address* ]] || to=$(endpoint_of a "$how")
		live_start b "$to" "$([[ $how == address* ]] && echo 80 || echo 8081)" 10
		cut_off a
		live_broke
	done
}

# established NAMESPACE PORT: are there connections of a server?
established() {
	[[ -n $(on "$1" ss -Htn state established "sport = :$2") ]]
}

not_established() {
	! established "$@"
}

@test "F5: when a container goes, the servers that it talked to get a reset" {
	local to
	# It speaks without being asked; so its next segment meets a host that knows nothing of it.
	spawn client "$TOPO_DIR/talker" socat TCP6-LISTEN:7400,ipv6only=0,fork,reuseaddr \
		"SYSTEM:while echo x; do busybox usleep 20000; done"
	topo_wait 10 listens client 7400
	for to in "$CLIENT" "$CLIENT6"; do
		start a
		spawn a "$TOPO_DIR/listener" socat -u "TCP:[$to]:7400" OPEN:/dev/null
		[[ $to == *:* ]] || spawn a "$TOPO_DIR/listener" socat -u "TCP:$to:7400" OPEN:/dev/null
		topo_wait 10 established client 7400
		cut_off a
		topo_wait 10 not_established client 7400
	done
}

@test "the very next datagram of an old sender reaches a port's new owner" {
	local to port=45000
	for to in "$HOST" "$HOST6"; do
		port=$((port + 1))
		start a -p 8081:80/udp
		contains "$(PROBE_PORT=$port ask client udp "$to" 8081)" "a saw"
		up rm --force a
		start b -p 8081:80/udp
		contains "$(PROBE_PORT=$port ask client udp "$to" 8081)" "b saw"
		start a
		up port del b 8081:80/udp
		up port add a 8081:80/udp
		contains "$(PROBE_PORT=$port ask client udp "$to" 8081)" "a saw"
		up rm --force a
		up rm --force b
	done
}

@test "a port that nobody has published any more is closed for an old sender" {
	start a -p 8081:80/udp
	contains "$(PROBE_PORT=45010 ask client udp "$HOST" 8081)" "a saw"
	up port del a 8081:80/udp
	PROBE_PORT=45010 run -1 ask client udp "$HOST" 8081
	contains "$output" "Connection refused"
}

@test "'port add' keeps established connections, 'port del' ends those that came by the port" {
	local to
	start a -p 8081:80 -p 8082:80
	for to in "$HOST" "$HOST6"; do
		live_start client "$to" 8081 5
		up port add a 8083:80
		contains "$(ask client tcp "$to" 8083)" "a saw"
		up port del a 8083:80
		up port del a 8082:80
		live_end
		live_start client "$to" 8081 5
		up port del a 8081:80
		live_broke
		run -1 ask client tcp "$to" 8081
		contains "$output" "Connection refused"
		up port add a 8081:80
		up port add a 8082:80
	done
}

@test "a client uses one source port again and again" {
	local _ to reused
	start a -p 8081:80
	reused=$(counter flow_reused)
	for to in "$HOST" "$HOST6"; do
		for _ in 1 2 3 4 5; do
			contains "$(PROBE_PORT=45020 ask client tcp "$to" 8081)" "a saw"
			contains "$(PROBE_PORT=45021 on a "$PROBE" ask tcp "${to%1}2" 7000)" "outside saw"
		done
	done
	(($(counter flow_reused) >= reused + 16))
}

flows_are() {
	(($(up status --json | jq .flows) == $1))
}

@test "a timeout that is changed counts at once, for the flows that exist too" {
	start a -p 8081:80 -p 8081:80/udp
	equals "$(up config --json | jq '."timeout.udp_stream"')" 120
	live_start client "$HOST" 8081 1
	ask client udp "$HOST" 8081
	ask client udp "$HOST6" 8081
	flows_are 3
	up config timeout.udp=1 timeout.udp_stream=1
	equals "$(up config --json | jq -c '[."timeout.udp", ."timeout.udp_stream", ."timeout.tcp_established"]')" "[1,1,432000]"
	topo_wait 20 flows_are 1
	live_end
	up config timeout.tcp_time_wait=1
	topo_wait 20 flows_are 0
	up config timeout.udp=30 timeout.udp_stream=120 timeout.tcp_time_wait=120
}

@test "a port that the host has reserved is given to no flow, not even its own" {
	on host sh -c 'echo 42000,42002 >/proc/sys/net/ipv4/ip_local_reserved_ports'
	up config snat.ports=42000-42002
	start a
	contains "$(PROBE_PORT=42000 ask a udp "$CLIENT" 7000)" "outside saw $HOST:42001:"
	contains "$(PROBE_PORT=42002 ask a tcp "$CLIENT" 7000)" "outside saw $HOST:42001"
	on host sh -c 'echo >/proc/sys/net/ipv4/ip_local_reserved_ports'
	up config snat.ports=1024-65535
	contains "$(PROBE_PORT=42003 ask a udp "$CLIENT" 7000)" "outside saw $HOST:42003:"
}

@test "60,000 connections to one destination, then another container's: to the last port, and no further" {
	local tries before
	before=$(counter drop_snat_ports)
	up config timeout.udp=600
	start a
	start b
	# 9000 to 9010 are its own services'.
	equals "$(on a "$PROBE" fill 203.0.113.9 53 9011 65535)" "56525 sent"
	equals "$(on a "$PROBE" fill 203.0.113.9 53 1024 4498)" "3475 sent"
	flows_are 60000
	# One of 64,512 is the host's own: its service listens on 7100.
	equals "$(on b "$PROBE" fill 203.0.113.9 53 10000 14510)" "4511 sent"
	equals "$(up status --json | jq .flows)" 64511
	equals "$(counter drop_snat_ports)" "$before"
	tries=$(up status --json | jq -c .snat_tries)
	echo "source ports tried: $tries"
	(($(jq '[.[]] | add' <<<"$tries") >= 4511))
	equals "$(jq .refused <<<"$tries")" 0
	contains "$(up status)" "snat      tries: flows  1: "
	on b "$PROBE" fill 203.0.113.9 53 50000 50001
	equals "$(counter drop_snat_ports)" $((before + 2))
	equals "$(up status --json | jq .snat_tries.refused)" 2
	# Another destination is not concerned.
	contains "$(on b "$PROBE" ask udp "$CLIENT" 7000)" "outside saw"
	up config timeout.udp=30
}
