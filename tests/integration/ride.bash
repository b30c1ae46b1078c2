# shellcheck shell=bash
# What the tests of "attach" share. Needs lib.bash.

export RR=${RR:-$top/build/tools/rr}
export KILLAT=${KILLAT:-$top/build/tests/integration/killat}

# rides INTERFACE FIELD: of "status", by jq
rides() {
	up status --json | jq -r --arg name "$1" ".attached[] | select(.interface == \$name) | $2"
}

fast() {
	rides "$1" .fast
}

fast_beyond() {
	(($(fast "$1") > $2))
}

# carries INTERFACE...: more and more packets take the short way in by each of them
carries() {
	local name before
	for name in "$@"; do
		before=$(fast "$name")
		topo_wait 20 fast_beyond "$name" $((before + 20))
	done
}

liberal() {
	on host cat /proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal
}

# live_breaks: the conversation comes to a halt
live_breaks() {
	topo_wait 20 grep -q broke "$TOPO_DIR/live-out"
	! wait "$LIVE_PID" || false
}

# killed_at N ARG...: underpass dies before its Nth system call; fails where it came to its end
killed_at() {
	local n=$1
	shift
	DEADLINE=60 UNDERPASS_PIN_DIR=$TOPO_DIR/bpf-host/underpass UNDERPASS_RUN_DIR=$TOPO_DIR/run-host \
		on host "$KILLAT" "$n" "$UNDERPASS" "$@" >/dev/null 2>&1
	(($? == 137))
}
