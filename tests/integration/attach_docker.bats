#!/usr/bin/env bats
# Containers of a real dockerd, attached as they run.

load lib
load ride
load docker

setup_file() {
	export BATS_TEST_TIMEOUT=240
	topo_init
	topo_pair client host 192.0.2
	topo_pair6
	up_host host
	make_root
	docker_start
	dbox web -p 8080:80 -p 8080:80/udp -p 7000:7000/udp -p 7001:7001
	dbox near -p 8082:82
}

teardown_file() {
	up detach --all
	docker_end
	end_world
}

teardown() {
	up detach --all
	on host iptables -F DOCKER-USER
}

attach() {
	up_docker attach --refresh 500 "$@"
}

# dock_serve_rr PORT: the other end of rr, in the first container
dock_serve_rr() {
	spawn web "$TOPO_DIR/rr-$1" "$RR" serve "$1"
	topo_wait 10 grep -q ready "$TOPO_DIR/rr-$1"
}

# dock_address NAME: of its default network
dock_address() {
	dock inspect -f '{{.NetworkSettings.IPAddress}}' "$1"
}

attached() {
	[[ $(up status --json | jq -r '.attached[].name') == *"$1"* ]]
}

not_attached() {
	! attached "$1"
}

attached_by() {
	[[ $(rides "$1" .name) ]]
}

@test "a published port from outside: carried both ways, content whole, docker's names known" {
	local web
	attach web
	web=$(dock_if web)
	equals "$(rides "$web" .name)" web
	equals "$(rides "$web" .engine)" docker
	equals "$(rides "$web" .id)" "$(dock inspect -f '{{.Id}}' web)"
	run -0 on client "$PROBE" pump "$HOST" 8080 $((128 << 20))
	(($(rides eth0 .fast_bytes) > 96 << 20))
	(($(rides "$web" .fast_bytes) > 96 << 20))
	contains "$(ask client udp "$HOST" 8080)" "web saw $CLIENT:"
}

@test "IPv6: docker's NAT66 is carried like its NAT" {
	local web
	attach web
	web=$(dock_if web)
	run -0 on client "$PROBE" pump "$HOST6" 8080 $((128 << 20))
	(($(rides eth0 .fast_bytes) > 96 << 20))
	(($(rides "$web" .fast_bytes) > 96 << 20))
	live_start client "$HOST6" 8080 3 udp
	carries eth0 "$web"
	live_end
}

@test "IPv6: hand-written DNAT, and a rule that is added later" {
	local inner
	inner=$(dock inspect -f '{{.NetworkSettings.GlobalIPv6Address}}' web)
	on host ip6tables -t nat -I PREROUTING -d "$HOST6" -p tcp --dport 9999 -j DNAT \
		--to-destination "[$inner]:82"
	on host ip6tables -I FORWARD -d "$inner" -p tcp --dport 82 -j ACCEPT
	attach web
	live_start client "$HOST6" 9999 3
	carries eth0 "$(dock_if web)"
	on host ip6tables -I FORWARD -s "$CLIENT6" -j DROP
	live_breaks
	on host ip6tables -D FORWARD -s "$CLIENT6" -j DROP
	on host ip6tables -D FORWARD -d "$inner" -p tcp --dport 82 -j ACCEPT
	on host ip6tables -t nat -D PREROUTING -d "$HOST6" -p tcp --dport 9999 -j DNAT \
		--to-destination "[$inner]:82"
}

@test "an id, cut to twelve digits as docker prints it" {
	local id web
	id=$(dock ps -q --filter name=web) web=$(dock_if web)
	equals "${#id}" 12
	live_start client "$HOST" 8080 3
	attach "$id"
	equals "$(rides "$web" .name)" web
	carries eth0 "$web"
	up detach "$id"
	equals "$(liberal)" 0
	live_end
}

@test "container to container, by name's address on one bridge, and by two bridges" {
	local web near
	web=$(dock_if web) near=$(dock_if near)
	attach web near
	live_start near "$(dock inspect -f '{{.NetworkSettings.IPAddress}}' web)" 81 3
	carries "$web" "$near"
	live_end
	# Docker keeps networks apart; who has an interface in both is reached by either.
	dock network create far >/dev/null
	dbox there --network far
	dock network connect far web
	attach web there
	live_start there "$(dock inspect -f '{{.NetworkSettings.Networks.far.IPAddress}}' web)" 81 3
	carries "$(dock_if there)"
	live_end
	dock rm -f there >/dev/null
	dock network disconnect far web
	dock network rm far >/dev/null
}

@test "hairpin: a container's own published port, by the host's address" {
	attach web
	live_start web "$HOST" 8080 3
	carries "$(dock_if web)"
	live_end
}

@test "a neighbour's published port by the host's address" {
	attach web near
	live_start web "$HOST" 8082 3
	carries "$(dock_if web)" "$(dock_if near)"
	live_end
}

@test "the host itself to a container, by its address and by its published port" {
	attach web
	live_start host "$(dock_address web)" 81 3
	carries docker0
	live_end
	live_start host "$HOST" 8080 3
	carries docker0
	live_end
	live_start host "$(dock inspect -f '{{.NetworkSettings.GlobalIPv6Address}}' web)" 81 3
	carries docker0
	live_end
	dock network create far >/dev/null
	dbox there --network far
	attach there
	live_start host "$(dock inspect -f '{{.NetworkSettings.Networks.far.IPAddress}}' there)" 81 3
	carries "br-$(dock network inspect -f '{{.Id}}' far | cut -c-12)"
	live_end
	dock rm -f there >/dev/null
	dock network rm far >/dev/null
}

@test "out of a container, masqueraded" {
	serve client outside 8090
	attach web
	live_start web "$CLIENT" 8090 3
	carries "$(dock_if web)" eth0
	live_end
}

@test "connections and datagrams go on across attach, detach, attach again, and the daemon's restart" {
	local web
	web=$(dock_if web)
	live_start client "$HOST" 8080 20
	dock_serve_rr 7000
	spawn client "$TOPO_DIR/udp" "$RR" -d 25 -w 0 load udp "$HOST" 7000
	attach web
	carries eth0 "$web"
	up detach web
	attach "$(dock inspect -f '{{.Id}}' web)"
	carries eth0 "$web"
	docker_daemon_end
	carries eth0 "$web"
	docker_daemon
	carries eth0 "$web"
	live_end
	topo_wait 60 grep -q lost "$TOPO_DIR/udp"
	equals "$(jq .lost "$TOPO_DIR/udp")" 0
}

@test "DOCKER-USER: a rule added later takes effect" {
	attach web
	live_start client "$HOST" 8080 3
	carries eth0 "$(dock_if web)"
	on host iptables -I DOCKER-USER -s "$CLIENT" -j DROP
	live_breaks
}

# watch: "attach --watch", whose process id is left in WATCH
watch() {
	spawn host "$TOPO_DIR/watch" env DOCKER_HOST="unix://$TOPO_DIR/docker/sock" \
		UNDERPASS_PIN_DIR="$TOPO_DIR/bpf-host/underpass" UNDERPASS_RUN_DIR="$TOPO_DIR/run-host" \
		"$UNDERPASS" attach --watch --refresh 500
	WATCH=$(tail -n 1 "$TOPO_DIR/.pids" | cut -d" " -f1)
}

watch_end() {
	kill "$WATCH"
	topo_wait 20 topo_gone "$WATCH"
}

@test "--watch: a container that is restarted is attached again, one that ends is forgotten" {
	local before
	watch
	topo_wait 20 attached web
	before=$(dock_if web)
	live_start client "$HOST" 8082 3
	dock restart -t 0 web >/dev/null
	topo_wait 20 dboxed web
	[[ $(dock_if web) != "$before" ]]
	topo_wait 20 attached_by "$(dock_if web)"
	on client "$PROBE" pump "$HOST" 8080 $((16 << 20))
	(($(rides "$(dock_if web)" .fast) > 0))
	dbox brief
	topo_wait 20 attached brief
	dock rm -f brief >/dev/null
	topo_wait 20 not_attached brief
	live_end
	watch_end
}

@test "--watch: a container that comes back with another process, namespace, interface and address" {
	local before
	watch
	topo_wait 20 attached web
	before=$(dock_address web) pid=$(pid_of web)
	live_start client "$HOST" 8082 3
	dock stop -t 0 web >/dev/null
	dbox thief
	dock start web >/dev/null
	[[ $(dock_address web) != "$before" && $(pid_of web) != "$pid" ]]
	topo_wait 20 attached_by "$(dock_if web)"
	live_end
	live_start client "$HOST" 8080 3
	carries eth0 "$(dock_if web)"
	live_end
	dock rm -f thief >/dev/null
	watch_end
}

@test "--watch: docker's restart, and its own death by kill -9, are survived" {
	watch
	topo_wait 20 attached web
	live_start client "$HOST" 8080 3
	docker_daemon_end
	docker_daemon
	dbox later
	topo_wait 20 attached later
	kill -KILL "$WATCH"
	topo_wait 20 topo_gone "$WATCH"
	carries eth0 "$(dock_if web)"
	dock rm -f later >/dev/null
	watch
	topo_wait 20 not_attached later
	carries eth0 "$(dock_if web)"
	live_end
	watch_end
}

@test "attach --all takes what has a veth, and leaves out what has none" {
	dbox host-net --network host -e X=1
	dbox alone --network none
	run -0 up_docker attach --all
	equals "$output" "2 attached"
	attached web
	attached near
	not_attached alone
	not_attached host-net
	run up_docker attach alone
	contains "$output" "docker container alone: alone: no veth leads to it from this host"
	dock rm -f alone host-net >/dev/null
}

@test "kill -9 of underpass at any moment breaks no connection, and the next command mends" {
	local n kills=0
	export DOCKER_HOST=unix://$TOPO_DIR/docker/sock
	live_start client "$HOST" 8080 10
	topo_spawn client "$TOPO_DIR/pump" "$PROBE" pump "$HOST" 8080 $((4 << 30))
	for ((n = 40; ; n += 40)); do
		killed_at "$n" attach web || break
		killed_at $((n / 4)) detach --all || true
		kills=$((kills + 1))
	done
	((kills > 5))
	attach web
	carries eth0 "$(dock_if web)"
	for ((n = 20; ; n += 20)); do
		killed_at "$n" detach --all || break
		attach web
		carries eth0 "$(dock_if web)"
	done
	up detach --all
	equals "$(liberal)" 0
	[[ ! -e $TOPO_DIR/bpf-host/underpass ]]
	live_end
	topo_wait 120 grep -q . "$TOPO_DIR/pump"
	equals "$(<"$TOPO_DIR/pump")" "ok $((4 << 30))"
}

@test "a thousand connections a second meanwhile break nothing" {
	dock_serve_rr 7001
	attach web near
	live_start client "$HOST" 8080 10
	run -0 on client "$RR" -d 2 -w 0 load connect "$HOST" 7001
	equals "$(jq .lost <<<"$output")" 0
	(($(jq .count <<<"$output") > 2000))
	carries eth0 "$(dock_if web)"
	live_end
}

# everything that a container's network is made of, on the host
inventory() {
	on host sh -c 'iptables-save; ip6tables-save; ip -o link; sysctl net.ipv4 net.ipv6 net.bridge' |
		grep -vE '^(#|:)|_probe_interval|\.base_reachable|\.mtu ='
}

@test "nothing of docker's is changed: rules, interfaces, settings" {
	local before
	before=$(inventory)
	attach web
	equals "$(diff <(echo "$before") <(inventory))" ""
	up detach --all
	equals "$(diff <(echo "$before") <(inventory))" ""
}
