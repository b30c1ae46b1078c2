#!/usr/bin/env bats
# Containers with a netkit, where the kernel has it: the tests of those with a veth, and what is its
# own.

load lib

setup_file() {
	make_world
}

teardown_file() {
	end_world
}

teardown() {
	remove_all
}

has_netkit() {
	grep -q ' netkit_prog_attach$' /proc/kallsyms
}

# all_of FILE: every test of a file passes
all_of() {
	has_netkit || skip "this kernel has no netkit"
	NET_DEVICE=netkit run timeout 900 bats --tap "$BATS_TEST_DIRNAME/$1.bats"
	((status == 0)) || { echo "$output" | grep -A20 '^not ok'; false; }
	contains "$output" "ok 1 "
}

@test "datapath" {
	all_of datapath
}

@test "datapath of IPv6" {
	all_of datapath6
}

@test "how flows end" {
	all_of lifetimes
}

@test "what is exposed to whom" {
	all_of exposed
}

@test "uplinks that come, go and change" {
	all_of uplinks
}

@test "auto chooses it before all others, and a veth where a rate is asked for" {
	has_netkit || skip "this kernel has no netkit"
	start plain --net-device auto
	start limited --net-device auto --limit-in 100mbit
	equals "$(endpoint_of plain device)" netkit
	equals "$(endpoint_of limited device)" veth
	run -1 up limit plain --in 100mbit
	contains "$output" "a rate needs a veth"
}

@test "where the kernel has none, it is refused by name, and auto chooses another" {
	! has_netkit || skip "this kernel has netkit"
	run -125 up run --net-device netkit "$ROOT" true
	contains "$output" "netkit: not in this kernel: Linux 6.7 with CONFIG_NETKIT"
	equals "$(up_containers host)" ""
	start plain --net-device auto
	[[ $(endpoint_of plain device) != netkit ]]
}
