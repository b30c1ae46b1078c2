#!/usr/bin/env bats
# Kernels before 6.6 have no tcx: the whole datapath by clsact, forced.

load lib

setup_file() {
	make_world
}

teardown_file() {
	end_world
}

@test "every test of the datapath passes with clsact instead of tcx, in both families" {
	export UNDERPASS_NO_TCX=1
	run timeout 600 bats --tap "$BATS_TEST_DIRNAME"/{datapath,datapath6,routed6}.bats
	((status == 0)) || { echo "$output" | grep -A20 '^not ok'; false; }
	contains "$output" "ok 1 "
}

@test "the fallback is really used, and leaves other filters alone" {
	on host tc qdisc add dev eth0 clsact
	# Somebody else's filter; which program it is does not matter.
	on host tc filter add dev eth0 ingress prio 5 bpf da \
		object-pinned "$TOPO_DIR/bpf-host/underpass/progs/up_sweep_start"
	UNDERPASS_NO_TCX=1 up down
	UNDERPASS_NO_TCX=1 up up
	equals "$(UNDERPASS_NO_TCX=1 up status --json | jq -r .hook)" clsact
	contains "$(on host tc filter show dev eth0 ingress)" up_uplink_in
	# Back to tcx: the filter of the fallback goes, the other one stays.
	up up
	equals "$(up status --json | jq -r .hook)" tcx
	run -0 on host tc filter show dev eth0 ingress
	[[ $output != *up_uplink_in* ]]
	contains "$output" up_sweep_start
}

@test "limits, lists, denied sources and XDP do the same with clsact" {
	UNDERPASS_NO_TCX=1 run timeout 300 bats --tap "$BATS_TEST_DIRNAME/policy.bats" \
		-f 'limit: what|limit: a container that|limit: an upgrade|deny|allow|drain'
	((status == 0)) || { grep -A20 '^not ok' <<<"$output"; false; }
	contains "$output" "ok 7 "
	UNDERPASS_NO_TCX=1 run timeout 300 bats --tap "$BATS_TEST_DIRNAME/xdp.bats" \
		-f 'attached|generic and native|somebody|upgrade'
	((status == 0)) || { grep -A20 '^not ok' <<<"$output"; false; }
	contains "$output" "ok 4 "
}
