#!/usr/bin/env bats
# XDP on the uplink: attached while there is something to drop, beside and below everything else.

load lib

setup_file() {
	export BATS_TEST_TIMEOUT=120
	make_world
	start w -p 8080:80 -p 8080:80/udp -p 8081:80,from=192.0.2.9
	up port allow w 8081:80
	on client ip addr add 192.0.2.9/24 dev eth0
	on client ip addr add 192.0.2.10/24 dev eth0
	serve host service 7100
}

teardown_file() {
	end_world
}

setup() {
	up up --xdp auto
}

# Whatever a failing test left.
teardown() {
	on host ip link set dev eth0 xdpgeneric off
	local net
	for net in $(up deny list); do up deny del "$net"; done
	up config source.rate=0
}

state() {
	up status --json | jq -er '.uplinks[] | select(.name == "eth0") | .xdp'
}

# hello SOURCE PORT: what a port says to one of the client's addresses
hello() {
	on client nc -s "$1" -w 1 -N "$HOST" "$2" </dev/null
}

silent() {
	! hello "$@" | grep .
}

# drops COMMAND...: it fails in silence, and XDP is why
drops() {
	local before
	before=$(counter xdp_drop)
	silent "$@"
	(($(counter xdp_drop) > before))
}

# works MODE: with a source that is denied, and a list of sources
works() {
	up deny add 192.0.2.9
	up port allow w 8081:80,from=192.0.2.10
	equals "$(state)" "$1"
	drops 192.0.2.9 8080
	drops 192.0.2.9 7100
	drops "$CLIENT" 8081
	contains "$(hello "$CLIENT" 8080)" "w saw"
	contains "$(hello 192.0.2.10 8081)" "w saw"
	contains "$(ask client udp "$HOST" 8080)" "w saw"
	contains "$(hello "$CLIENT" 7100)" "service saw"
	equals "$(on client "$PROBE" pump "$HOST" 8080 5000000)" "ok 5000000"
	up port allow w 8081:80
	equals "$(state)" "$1"
	up deny del 192.0.2.9
	contains "$(hello 192.0.2.9 8080)" "w saw"
}

@test "attached while there is something to drop, natively where the driver can" {
	equals "$(state)" off
	works native
	equals "$(state)" off
	up port allow w 8081:80,from=192.0.2.9
	equals "$(state)" native
	up port allow w 8081:80
	equals "$(state)" off
	up config source.rate=1000
	equals "$(state)" native
	contains "$(up status)" "XDP native"
	up config source.rate=0
	equals "$(state)" off
	up port add w 8082:80,from=192.0.2.9
	equals "$(state)" native
	up port del w 8082:80
	equals "$(state)" off
	start x -p 8083:80,from=192.0.2.9
	equals "$(state)" native
	up rm -f x
	equals "$(state)" off
	[[ $(on host ip -d link show eth0) != *prog/xdp* ]]
}

@test "generic and native can be forced, and switched" {
	up up --xdp generic
	equals "$(state)" generic
	contains "$(on host ip -d link show eth0)" xdpgeneric
	works generic
	up up --xdp native
	equals "$(state)" native
	[[ $(on host ip -d link show eth0) != *xdpgeneric* ]]
	works native
	up up --xdp off
	equals "$(state)" off
	run -2 up up --xdp fast
	contains "$output" "want auto, native, generic or off"
}

@test "without XDP, TC decides the same" {
	local before
	up up --xdp off
	before=$(counter xdp_drop)
	up deny add 192.0.2.9
	up port allow w 8081:80,from=192.0.2.10
	silent 192.0.2.9 8080
	silent 192.0.2.9 7100
	silent "$CLIENT" 8081
	contains "$(hello 192.0.2.10 8081)" "w saw"
	equals "$(counter xdp_drop)" "$before"
	(($(counter drop_denied) > 0))
	up port allow w 8081:80
}

@test "a source that connects too often is stopped by XDP" {
	local before
	before=$(counter xdp_drop)
	up config source.rate=5
	for _ in {1..40}; do hello 192.0.2.9 8080 || true; done | grep -q "w saw"
	up config source.rate=0
	(($(counter xdp_drop) > before))
}

@test "a driver without XDP gets the generic one, and says so where native is forced" {
	on host ip link add br7 type bridge
	on host ip link set br7 up
	up up --uplink br7
	up deny add 192.0.2.9
	equals "$(up status --json | jq -r '.uplinks[] | select(.name == "br7") | .xdp')" generic
	equals "$(state)" native
	run -1 up up --xdp native
	contains "$output" "uplink br7: XDP"
	on host ip link del br7
	up up --xdp auto
	equals "$(up status --json | jq -r '.uplinks | length')" 1
	equals "$(state)" native
}

@test "a program of somebody else is left alone and named, and goes on when we go" {
	local pin=$TOPO_DIR/bpf-host/underpass/progs/up_xdp
	on host ip link set dev eth0 xdpgeneric pinned "$pin"
	up up
	equals "$(state)" foreign
	contains "$(hello "$CLIENT" 8080)" "w saw"
	up deny add 192.0.2.9
	equals "$(state)" foreign
	contains "$(up status)" "XDP foreign: the program up_xdp is left there"
	equals "$(up status --json | jq -r '.uplinks[0].xdp_foreign')" up_xdp
	silent 192.0.2.9 7100
	contains "$(hello "$CLIENT" 8080)" "w saw"
	up up
	up deny del 192.0.2.9
	contains "$(on host ip -d link show eth0)" xdpgeneric
	on host ip link set dev eth0 xdpgeneric off
	up deny add 192.0.2.9
	equals "$(state)" native
}

xdp_id() {
	on host ip -j -d link show eth0 | jq -er '.[0].xdp.prog.id'
}

@test "an upgrade swaps it under live traffic; down takes it away" {
	local before
	up deny add 192.0.2.9
	before=$(xdp_id)
	live_start client "$HOST" 8080 20
	for _ in 1 2 3; do up up; done
	live_end
	(($(xdp_id) != before))
	equals "$(state)" native
	drops 192.0.2.9 7100
	up rm -f w
	up down
	run ! xdp_id
	up up
	equals "$(state)" off
	start w -p 8080:80 -p 8080:80/udp -p 8081:80
}

@test "every test of the datapath passes with generic XDP" {
	WORLD_OPTIONS="--xdp generic" run timeout 300 bats --tap "$BATS_TEST_DIRNAME/datapath.bats"
	((status == 0)) || { grep -A20 '^not ok' <<<"$output"; false; }
	contains "$output" "ok 1 "
}

@test "every test of the datapath passes with native XDP" {
	WORLD_OPTIONS="--xdp native" run timeout 300 bats --tap "$BATS_TEST_DIRNAME/datapath.bats"
	((status == 0)) || { grep -A20 '^not ok' <<<"$output"; false; }
	contains "$output" "ok 1 "
}
