#!/usr/bin/env bats
# Containers of a real podman with the reference plugins, attached as they run.

load lib
load cni
load podman
load ride

setup_file() {
	export BATS_TEST_TIMEOUT=240 DEADLINE=60
	topo_init
	topo_pair client host 192.0.2
	up_host host
	mkdir -p "$TOPO_DIR/run-host"
	make_root
	private_start
	podman_start "$CNI_REFERENCE"
	box web -p 8080:80 -p 8080:80/udp
}

teardown_file() {
	up detach --all
	podman_end
	end_world
}

teardown() {
	up detach --all
}

# The command is podman's own, and finds its storage in there.
attach() {
	private "$UNDERPASS" attach --refresh 500 "$@"
}

# web_if: the host's end of the first container's veth
web_if() {
	local index
	index=$(pod_exec web ip -json link show eth0 | jq '.[0].link_index')
	ip -n "$TOPO_TAG-host" -json link | jq -r --argjson index "$index" \
		'.[] | select(.ifindex == $index) | .ifname'
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

@test "a container by its name: its published ports are carried both ways" {
	local web
	attach web
	web=$(web_if)
	equals "$(rides "$web" .engine)" podman
	equals "$(rides "$web" .name)" web
	run -0 on client "$PROBE" pump "$HOST" 8080 $((128 << 20))
	(($(rides eth0 .fast_bytes) > 96 << 20))
	(($(rides "$web" .fast_bytes) > 96 << 20))
	contains "$(ask client udp "$HOST" 8080)" "web saw $CLIENT:"
}

@test "live connections go on across attach, detach and attach again by id" {
	live_start client "$HOST" 8080 10
	attach podman:web
	carries eth0 "$(web_if)"
	up detach podman:web
	attach "$(pod inspect -f '{{.Id}}' web)"
	carries eth0 "$(web_if)"
	up detach --all
	live_end
}

# watch: "attach --watch", whose process id is left in WATCH
watch() {
	spawn host "$TOPO_DIR/watch" nsenter -t "$PRIVATE" -m -n "$UNDERPASS" attach --watch --refresh 500
	WATCH=$(tail -n 1 "$TOPO_DIR/.pids" | cut -d" " -f1)
	topo_wait 30 attached web
}

watch_end() {
	kill "$WATCH"
	topo_wait 20 topo_gone "$WATCH"
}

# events: the process that tells "--watch" what podman does
events() {
	pgrep -P "$WATCH" -f "podman events"
}

new_events() {
	[[ $(events) && $(events) != "$1" ]]
}

@test "attach --all: what podman runs" {
	live_start client "$HOST" 8080 3
	run -0 attach --all
	equals "$output" "1 attached"
	carries eth0 "$(web_if)"
	live_end
}

@test "--watch: podman's end is survived: it is asked again, and followed" {
	local before
	watch
	topo_wait 20 events
	before=$(events)
	kill -KILL "$before"
	topo_wait 30 new_events "$before"
	box brief
	topo_wait 30 attached brief
	pod rm -f -t 0 brief
	topo_wait 30 not_attached brief
	before=$(events)
	watch_end
	topo_wait 20 topo_gone "$before"
}

@test "--watch: what is there, what comes, what goes, and what is restarted" {
	watch
	box brief
	topo_wait 30 attached brief
	pod rm -f -t 0 brief
	topo_wait 30 not_attached brief
	pod restart -t 0 web
	topo_wait 30 attached_by "$(web_if)"
	topo_wait 30 boxed web
	live_start client "$HOST" 8080 3
	carries eth0 "$(web_if)"
	live_end
	watch_end
}

@test "who is not there is named" {
	run attach nobody
	((status == 1))
	equals "$output" "underpass: no container nobody"
	run attach docker:web
	((status == 1))
	contains "$output" "docker.sock"
	run attach -- --privileged
	contains "$output" "want letters, digits"
}
