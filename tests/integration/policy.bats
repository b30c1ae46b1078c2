#!/usr/bin/env bats
# Limits, networks, lists and settings, on real traffic.

load lib

setup_file() {
	export BATS_TEST_TIMEOUT=120
	make_world
	start a -p 5201:5201 -p 8081:80 --limit-in 80mbit --limit-out 60mbit
	start b -p 5202:5201
	A=$(address_of a)
	B=$(address_of b)
	export A B
	start s1 -p 8090:80,share
	start s2 -p 8090:80,share
	start w -p 8091:80,from=192.0.2.0/24 -p 8092:80
	on client ip addr add 192.0.2.9/24 dev eth0
	on client ip addr add 192.0.2.10/24 dev eth0
	serve client outside 7000
	serve host service 7100
	meter client 5201
	meter host 5300
	meter a 5201
	meter b 5201
}

teardown_file() {
	end_world
}

@test "limit: what a container receives, from outside, a container, the host, itself" {
	within 80000000 "$(speed client -c "$HOST" -p 5201 -n 24M)"
	within 80000000 "$(speed b -c "$A" -n 24M)"
	within 80000000 "$(speed host -c "$A" -n 24M)"
	within 60000000 "$(speed a -c "$HOST" -p 5201 -n 18M)"
}

@test "limit: what a container sends, to outside, a container, the host" {
	local gateway
	gateway=$(up status --json | jq -r '.endpoints[] | select(.name == "a") | .gateway')
	within 60000000 "$(speed a -c "$CLIENT" -n 36M)"
	within 60000000 "$(speed a -c "$B" -n 36M)"
	within 60000000 "$(speed a -c "$HOST" -p 5202 -n 36M)"
	within 60000000 "$(speed a -c "$gateway" -p 5300 -n 36M)"
}

@test "limit: several connections share it, and UDP is held to it too" {
	within 80000000 "$(speed client -c "$HOST" -p 5201 -P 4 -n 24M)"
	within 60000000 "$(speed a -c "$CLIENT" -P 4 -n 18M)"
	below 60000000 "$(speed a -c "$CLIENT" -u -b 200M -n 18M)"
}

@test "limit: shown, and changed under live connections, which go on" {
	local info
	equals "$(up limit a | tr -s ' \n' ' ')" "in 80mbit out 60mbit flows 131072 new none "
	live_start client "$HOST" 8081 20
	up limit a --in none --out 40mbit:1mbit --flows 100 --new 50
	info=$(up limit a --json | jq -c .)
	equals "$info" '{"in":0,"in_burst":0,"out":40000000,"out_burst":1000000,"flows":100,"new":50}'
	equals "$(up status --json | jq -c '.endpoints[0].limits')" "$info"
	contains "$(up status)" "out 40mbit"
	within 40000000 "$(speed a -c "$CLIENT" -n 12M)"
	far_above 80000000 "$(speed client -c "$HOST" -p 5201 -n 200M)"
	up limit a --in 80mbit --out 60mbit --flows none --new none
	within 80000000 "$(speed client -c "$HOST" -p 5201 -n 24M)"
	live_end
	# A container that started without limits.
	up limit b --in 50mbit --out 50mbit
	within 50000000 "$(speed b -c "$CLIENT" -n 15M)"
	within 50000000 "$(speed client -c "$HOST" -p 5202 -n 15M)"
	up limit b --out none --in none
	far_above 50000000 "$(speed b -c "$CLIENT" -n 200M)"
	far_above 50000000 "$(speed client -c "$HOST" -p 5202 -n 200M)"
	equals "$(inside b tc qdisc show dev eth0 | cut -d' ' -f2)" noqueue
}

@test "limit: a container that removes its own queue is still held to it" {
	local dropped
	dropped=$(counter drop_rate)
	inside a tc qdisc del dev eth0 root
	below 60000000 "$(speed a -c "$CLIENT" -n 18M)"
	below 60000000 "$(speed a -c "$CLIENT" -u -b 200M -n 150M)"
	(($(counter drop_rate) > dropped))
	up limit a --out 60mbit
	within 60000000 "$(speed a -c "$CLIENT" -n 18M)"
}

@test "limit: an upgrade keeps it" {
	up up
	within 80000000 "$(speed client -c "$HOST" -p 5201 -n 24M)"
	within 60000000 "$(speed a -c "$CLIENT" -n 18M)"
	inside a tc qdisc del dev eth0 root
	below 60000000 "$(speed a -c "$CLIENT" -u -b 200M -n 150M)"
	up limit a --out 60mbit
}

@test "limit: bad ones are refused with one line, and change nothing" {
	local before bad
	before=$(up limit a)
	for bad in 0 7 -1 fast 1mbit: :1mbit 1mbit:0 1mbit:5gbit 1.2345mbit; do
		run -2 up limit a --in "$bad"
		equals "${#lines[@]}" 1
		contains "$output" "limit '$bad'"
	done
	run -2 up limit a --flows 0
	run -2 up limit a --new x
	run -2 up limit
	run -2 up limit a b
	run -1 up limit nobody --in 1mbit
	contains "$output" "nobody: no such endpoint"
	equals "$(up limit a)" "$before"
	run -2 up run --limit-out 0 "$ROOT" true
	run -125 up run --net=host --limit-out 1mbit "$ROOT" true
	contains "$output" "not with --net=host"
	run -125 up run --net-device macvlan --limit-in 1mbit "$ROOT" true
	contains "$output" "use a veth"
	start m --net-device macvlan
	run -1 up limit m --out 1mbit
	contains "$output" "a rate needs a veth"
	up limit m --flows 10
	equals "$(up limit m --json | jq -c '[.out, .flows]')" "[0,10]"
	up rm -f m
}

# hello SOURCE PORT: what a published port says to one of the client's addresses
hello() {
	on client nc -s "$1" -w 1 -N "$HOST" "$2" </dev/null
}

silent() {
	! hello "$@" | grep .
}

# no_flow_with ADDRESS
no_flow_with() {
	up flows --json | jq -e --arg a "$1" 'all(.[]; .in.src != $a and .out.dst != $a)' >/dev/null
}

@test "deny: nothing is let in from there, not even for the host; what was open ends" {
	live_start client "$HOST" 8092 3
	contains "$(hello 192.0.2.9 8092)" "w saw 192.0.2.9:"
	contains "$(hello 192.0.2.9 7100)" "service saw 192.0.2.9:"
	up deny add 192.0.2.9 198.51.100.0/24
	equals "$(up deny list | sort | xargs)" "192.0.2.9/32 198.51.100.0/24"
	equals "$(up deny list --json | jq -c sort)" '["192.0.2.9/32","198.51.100.0/24"]'
	silent 192.0.2.9 8092
	silent 192.0.2.9 7100
	run ! on client ping -c 1 -W 1 -I 192.0.2.9 "$HOST"
	run ! ctr w ping -c 1 -W 1 192.0.2.9
	contains "$(hello 192.0.2.10 8092)" "w saw 192.0.2.10:"
	live_end
	contains "$(ctr w probe ask udp "$CLIENT" 7000)" "outside saw"
	run ! no_flow_with "$CLIENT"
	up deny add "$CLIENT"
	no_flow_with "$CLIENT"
	up deny del "$CLIENT" 192.0.2.9
	contains "$(hello 192.0.2.9 8092)" "w saw 192.0.2.9:"
	contains "$(hello 192.0.2.9 7100)" "service saw 192.0.2.9:"
	run -1 up deny del 198.51.100.0/24 192.0.2.9
	contains "$output" "192.0.2.9/32 is not denied"
	equals "$(up deny list)" 198.51.100.0/24
	up deny del 198.51.100.0/24
	run -1 up deny add 0.0.0.0/0
	contains "$output" "everybody"
	run -2 up deny add 192.0.2.1/24
	run -2 up deny add
	run -2 up deny
	equals "$(up deny list)" ""
}

@test "allow: a list is replaced at one instant, and established connections go on" {
	contains "$(hello 192.0.2.9 8091)" "w saw"
	live_start client "$HOST" 8091 3
	up port allow w 8091:80,from=192.0.2.9,198.51.100.0/24
	equals "$(up port list --json | jq -c '.[] | select(.host_port == 8091) | .from | sort')" \
		'["192.0.2.9/32","198.51.100.0/24"]'
	contains "$(hello 192.0.2.9 8091)" "w saw"
	silent 192.0.2.10 8091
	live_end
	up port allow w 8091:80
	contains "$(hello 192.0.2.10 8091)" "w saw"
	run -1 up port allow w 8099:80,from=192.0.2.9
	contains "$output" "is not published"
	run -1 up port allow nobody 8091:80
	run -2 up port allow w 8091:80,from=192.0.2.9/24
	up port allow w 8091:80,from=192.0.2.0/24
}

# owners N: who answers N connections to the shared port, each once
owners() {
	local i
	for ((i = 0; i < $1; i++)); do
		hello 192.0.2.9 8090 | cut -d' ' -f1
	done | sort -u | xargs
}

@test "share: an owner that refuses leaves the set at once, and so does one that goes" {
	local i
	start s3 -p 8093:80,share
	start s4 -p 8093:85,share # nobody listens there
	i=0
	while contains "$(hello 192.0.2.9 8093)" "s3 saw"; do
		((++i < 100))
	done
	for i in 1 2 3 4 5; do
		contains "$(hello 192.0.2.9 8093)" "s3 saw"
	done
	up rm --force s4
	start s4 -p 8093:80,share
	for ((i = 0; i < 100; i++)); do
		[[ $(hello 192.0.2.9 8093) != s4* ]] || break
	done
	((i < 100))
	up rm --force s4
	for i in {1..20}; do
		contains "$(hello 192.0.2.9 8093)" "s3 saw"
	done
	up rm --force s3
}

@test "drain: a sharing container gets no new connections, and keeps those that it has" {
	equals "$(owners 24)" "s1 s2"
	live_start client "$HOST" 8090 20
	up port drain s1
	equals "$(owners 12)" s2
	contains "$(up status)" drained
	equals "$(up status --json | jq -c '.endpoints | map(select(.drained) | .name)')" '["s1"]'
	live_end
	up port undrain s1
	equals "$(owners 24)" "s1 s2"
	run -1 up port drain nobody
	run -2 up port drain
}

@test "config: settings are shown, checked, changed all or none, and kept by an upgrade" {
	local before
	before=$(up config --json)
	equals "$(jq -c '[."timeout.tcp_established", ."timeout.udp", ."snat.ports", ."source.rate"]' \
		<<<"$before")" '[432000,30,"1024-65535",0]'
	up config timeout.udp=7 snat.ports=20000-20099
	contains "$(up config)" "20000-20099"
	up up
	equals "$(up config --json | jq -c '[."timeout.udp", ."snat.ports"]')" '[7,"20000-20099"]'
	# A port that two containers chose: the second one is given another.
	contains "$(ctr s1 env PROBE_PORT=5555 probe ask tcp "$CLIENT" 7000)" "saw $HOST:5555"
	[[ $(ctr s2 env PROBE_PORT=5555 probe ask tcp "$CLIENT" 7000) == *"saw $HOST:200"[0-9][0-9]* ]]
	while read -r bad; do
		run -1 up config timeout.udp=9 "$bad"
		equals "${#lines[@]}" 1
		contains "$output" "'$bad'"
	done <<-END
		timeout.udp=0
		timeout.udp=-1
		timeout.udp=x
		timeout.udp=4294967296
		timeout.nosuch=3
		timeout.udp
		snat.ports=70-
		snat.ports=80-70
		snat.ports=0-70
		snat.ports=1024-65536
		snat.ports=1024
		source.rate=
	END
	equals "$(up config --json | jq -c '."timeout.udp"')" 7
	up config timeout.udp=30 snat.ports=1024-65535
	equals "$(up config --json)" "$before"
}

# no_udp_flow_to PORT
no_udp_flow_to() {
	up flows --json | jq -e --argjson port "$1" \
		'all(.[]; .protocol != "udp" or .in.dport != $port)' >/dev/null
}

@test "config: a short timeout ends an idle flow" {
	up config timeout.udp_stream=1
	contains "$(ctr s1 probe ask udp "$CLIENT" 7000)" "outside saw"
	run ! no_udp_flow_to 7000
	topo_wait 20 no_udp_flow_to 7000
	up config timeout.udp_stream=120
	contains "$(ctr s1 probe ask udp "$CLIENT" 7000)" "outside saw"
}

@test "config: a source that connects too often waits for the next second" {
	local answered
	up config source.rate=5
	answered=$(for _ in {1..40}; do hello 192.0.2.9 8092 || true; done | grep -c saw)
	up config source.rate=0
	((answered >= 5))
	(($(counter drop_src_rate) > 0))
	contains "$(hello 192.0.2.9 8092)" "w saw"
}
