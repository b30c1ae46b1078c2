#!/usr/bin/env bats
# Every test of containers with a veth, for containers with a macvlan child of the uplink.

load lib

setup_file() {
	export BATS_TEST_TIMEOUT=600 NET_DEVICE=macvlan
}

# all_of FILE: every test of a file passes
all_of() {
	run timeout 600 bats --tap "$BATS_TEST_DIRNAME/$1.bats"
	((status == 0)) || { echo "$output" | grep -A20 '^not ok'; false; }
	contains "$output" "ok 1 "
}

@test "datapath" {
	all_of datapath
}

@test "datapath, by clsact" {
	UNDERPASS_NO_TCX=1 all_of datapath
}

@test "datapath of IPv6" {
	all_of datapath6
}

@test "IPv6 that is routed" {
	all_of routed6
}

@test "what people's tools see" {
	all_of tools
}

@test "launcher" {
	all_of launch
}

@test "stress" {
	all_of stress
}

@test "how flows end" {
	all_of lifetimes
}

@test "uplinks that come, go and change" {
	all_of uplinks
}

@test "what is exposed to whom" {
	all_of exposed
}
