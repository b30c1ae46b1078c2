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
