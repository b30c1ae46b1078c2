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
	within 60000000 "$(speed a -c "$CLIENT" -n 18M)"
	within 60000000 "$(speed a -c "$B" -n 18M)"
	within 60000000 "$(speed a -c "$HOST" -p 5202 -n 18M)"
	within 60000000 "$(speed a -c "$gateway" -p 5300 -n 18M)"
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
	contains "$output" "need a network of containers"
}
