#!/usr/bin/env bats
# What must hold when it gets rough: a full flow table, many containers, sudden death, the end.

load lib

setup_file() {
	export BATS_TEST_TIMEOUT=180
	make_world --flows 1024
}

teardown_file() {
	end_world
}

# What the kernel and the host hold for us: it must be the same before and after.
inventory() {
	echo "interfaces $(ip -n "$TOPO_TAG-host" -o link | wc -l)"
	echo "pins $(find "$TOPO_DIR/bpf-host" | wc -l)"
	echo "run files $(find "$TOPO_DIR/run-host" -type f ! -name '*lock*' | wc -l)"
	echo "processes $(processes | wc -l)"
	echo "namespaces $(ip -n "$TOPO_TAG-host" netns list-id | wc -l)"
	echo "mounts $(grep -c "$TOPO_DIR" /proc/self/mounts)"
	up status --json | jq -r '"endpoints \(.endpoints | length)", "ports \(.ports | length)"'
	up ps --json | jq -r '"containers \(length)"'
}

# Processes that were started with this host's directories, or that live in its namespaces.
processes() {
	{
		grep -lsF -e "$TOPO_DIR/run-host" /proc/[0-9]*/environ || true
		ip netns pids "$TOPO_TAG-host" | sed 's|.*|/proc/&/environ|'
	} | grep -v "^/proc/$$/" | sort -u
}

# The kernel takes a dead container's namespace apart in its own time; only the client's is left then.
no_container_namespace() {
	! ip -n "$TOPO_TAG-host" netns list-id | grep -qv "$TOPO_TAG"
}

same_inventory() {
	local now
	now=$(inventory)
	[[ $now == "$1" ]]
}

assert_inventory() {
	topo_wait 10 same_inventory "$1" || equals "$(inventory)" "$1"
}

@test "F1: a SYN flood of ten times the flow table leaves 100 live connections alone" {
	local max refused
	start web -p 8080:80
	live_start client "$HOST" 8080 100
	# Senders that never answer: the client's side drops what comes back to them.
	ip -n "$TOPO_TAG-host" route add 203.0.113.0/24 via "$CLIENT"
	max=$(up status --json | jq .flows_max)
	((max <= 1024 + 100))
	run -0 on client "$PROBE" flood 203.0.113.0 "$HOST" 8080 $((max * 10))
	equals "$output" "$((max * 10)) sent"
	refused=$(up status --json | jq '.counters | .drop_flow_full + .drop_flow_quota')
	((refused >= max * 8))
	(($(up status --json | jq .flows) <= max))
	live_end
	contains "$(<"$TOPO_DIR/live-out")" "ok 100 connections"
	up stop web
	up rm web
	equals "$(up status --json | jq .flows)" 0
}

@test "100 'run --rm' leave nothing behind" {
	local before i
	topo_wait 10 no_container_namespace
	before=$(inventory)
	for ((i = 0; i < 100; i++)); do
		up run --rm --name "c$i" -p 8000:80 "$ROOT" -- true
	done
	assert_inventory "$before"
}

@test "100 'run -d', traffic, 'stop' and 'rm' leave nothing behind" {
	local before i
	topo_wait 10 no_container_namespace
	before=$(inventory)
	for ((i = 0; i < 100; i++)); do
		up run -d --name c -p 8000:80 "$ROOT" -- probe serve c 0.0.0.0 80 >/dev/null
		topo_wait 5 up_logged host c ready
		ask client tcp "$HOST" 8000 >/dev/null
		up stop c >/dev/null
		up rm c >/dev/null
	done
	assert_inventory "$before"
}

# kill_after MICROSECONDS COMMAND...: start it, kill it at that moment if it still runs
kill_after() {
	local delay=$1 pid
	shift
	"$@" >/dev/null 2>&1 3>&- </dev/null &
	pid=$!
	busybox usleep "$delay"
	kill -KILL "$pid" 2>/dev/null || true
	wait "$pid" || true
}

# The executable itself, not a shell around it, so that the kill meets it.
exec_up() {
	UNDERPASS_PIN_DIR=$TOPO_DIR/bpf-host/underpass UNDERPASS_RUN_DIR=$TOPO_DIR/run-host \
		exec nsenter --net="$(topo_file host)" -- "$UNDERPASS" "$@"
}

@test "'run' killed at any moment: gc removes what is left" {
	local before i
	topo_wait 10 no_container_namespace
	before=$(inventory)
	for ((i = 0; i < 40; i++)); do
		kill_after $((i * 2500)) exec_up run --name k -p 8000:80 "$ROOT" -- sleep 60
		up gc
		up rm k 2>/dev/null || true
		same_inventory "$before" || assert_inventory "$before"
	done
}

@test "'port add' and 'port del' killed at any moment: the table is whole, gc repairs the rest" {
	local i
	start web -p 8080:80
	for ((i = 0; i < 60; i++)); do
		kill_after $((i * 300)) exec_up port add web 20000-29999:20000-29999
		up gc
		kill_after $((i * 300)) exec_up port del web 20000-29999:20000-29999
		up gc
		ask client tcp "$HOST" 8080 >/dev/null
		up port list --json | jq -e 'all(.[]; .endpoint == "web") and length <= 2' >/dev/null
		up port del web 20000-29999:20000-29999 2>/dev/null || true
		equals "$(up port list --json | jq length)" 1
	done
	up stop web
	up rm web
}

gone_after_gc() {
	up gc
	up rm "$1" || true
	! address_of "$1"
}

@test "'gc' removes the endpoint of a container that was killed from outside" {
	local before
	topo_wait 10 no_container_namespace
	before=$(inventory)
	start web -p 8080:80
	kill -KILL "$(pid_of web)"
	topo_wait 5 gone_after_gc web
	assert_inventory "$before"
}

@test "'down' refuses while a container lives, and restores everything otherwise" {
	start web -p 8080:80
	serve host service 7100
	run up down
	((status != 0))
	contains "$(ask client tcp "$HOST" 8080)" "web saw"
	up stop web
	up rm web
	up down
	equals "$(ip -n "$TOPO_TAG-host" -o link | awk -F': ' '{print $2}' | cut -d@ -f1 | xargs)" "lo eth0"
	[[ ! -e $TOPO_DIR/bpf-host/underpass ]]
	# A compiled filter of system calls is kept for the next container.
	equals "$(find "$TOPO_DIR/run-host" -type f ! -name '*lock*' ! -name 'seccomp-*' 2>/dev/null)" ""
	equals "$(on host "$PROBE" bind tcp 0.0.0.0 8080)" bound
	contains "$(ask client tcp "$HOST" 7100)" "service saw $CLIENT:"
	run -1 ask client tcp "$HOST" 8080
	contains "$output" "Connection refused"
	equals "$(ip -n "$TOPO_TAG-host" rule | wc -l)" 3
}

@test "'up' after 'down', and 'down' twice" {
	up up
	start web -p 8080:80
	contains "$(ask client tcp "$HOST" 8080)" "web saw"
	up down --force
	up down || true
	[[ ! -e $TOPO_DIR/bpf-host/underpass ]]
}
