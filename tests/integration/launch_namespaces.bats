#!/usr/bin/env bats
# Which namespaces a container has of its own and which it shares: each switch, from both sides.
# shellcheck disable=SC2016 # what is quoted is for the shell in the container

load lib

setup_file() {
	export BATS_TEST_TIMEOUT=60
	make_world
}

teardown_file() {
	end_world
}

teardown() {
	remove_all
}

# inside KIND OPTION...: the namespace that a container with these options is in
inside() {
	local kind=$1
	shift
	up run --rm "$@" "$ROOT" readlink "/proc/self/ns/$kind"
}

# of KIND NAME: the namespace of a running container
of() {
	readlink "/proc/$(pid_of "$2")/ns/$1"
}

@test "every namespace but that of users is the container's own" {
	local kind
	for kind in net ipc uts pid mnt cgroup; do
		run ! equals "$(inside $kind --net=none)" "$(on host readlink "/proc/self/ns/$kind")" 2>/dev/null
	done
	equals "$(inside user --net=none)" "$(readlink /proc/self/ns/user)"
}

@test "--net, --ipc, --uts, --pid, --cgroupns=host: the host's own, and only that one" {
	local kind other
	for kind in net ipc uts pid cgroup; do
		local option=--$kind=host
		[[ $kind != cgroup ]] || option=--cgroupns=host
		equals "$(inside $kind --net=none "$option")" "$(on host readlink "/proc/self/ns/$kind")"
		for other in net ipc uts pid cgroup mnt; do
			[[ $other == "$kind" ]] ||
				[[ $(inside $other --net=none "$option") != "$(on host readlink "/proc/self/ns/$other")" ]]
		done
	done
}

@test "ps -p 1 shows the command, and with --pid=host the host's own init" {
	contains "$(one "$ROOT" ps -o pid,comm)" "    1 ps"
	contains "$(one --pid=host "$ROOT" ps -o pid,comm)" "    1 $(</proc/1/comm)"
}

@test "--pid=host: what a container leaves running ends with it" {
	up run -d --net=none --pid=host --name h "$ROOT" sh -c \
		'sleep 7771 & (sleep 7772 & exec sleep 7773) & echo ready; exec sleep 7774'
	topo_wait 5 up_logged host h ready
	topo_wait 5 pgrep -f '^sleep 777[23]$'
	up stop -t 0 h
	run ! pgrep -f '^sleep 777[1-4]$'
}

@test "--pid=host: a killed monitor's processes are found by gc" {
	local monitor
	up run -d --net=none --pid=host --name h "$ROOT" sh -c 'sleep 7781 & echo ready; exec sleep 7782'
	topo_wait 5 up_logged host h ready
	topo_wait 5 pgrep -f '^sleep 7781$'
	monitor=$(awk '/^PPid/ {print $2}' "/proc/$(pid_of h)/status")
	kill -KILL "$monitor"
	topo_wait 5 topo_gone "$monitor"
	up gc
	run ! pgrep -f '^sleep 778[12]$'
	contains "$(up ps -a)" "Exited (137)"
}

@test "--net=container:NAME: the same interfaces and files; --net=ns:PATH: the namespace there" {
	up run -d --name owner --hostname owner "$ROOT" sleep 100
	equals "$(inside net --net=container:owner)" "$(of net owner)"
	contains "$(up run --rm --net=container:owner "$ROOT" cat /etc/hosts)" "$(address_of owner)	owner"
	contains "$(up run --rm --net=ns:"$(topo_file client)" "$ROOT" ip addr)" "$CLIENT"
	run -125 up run --rm --net=container:nobody "$ROOT" true
	equals "$output" "underpass: container nobody: no such container"
	run -125 up run --rm --net=ns:/etc/passwd "$ROOT" true
	contains "$output" "/etc/passwd"
	up stop -t 0 owner
	run -125 up run --rm --net=container:owner "$ROOT" true
	contains "$output" "it is not running"
}

@test "--ipc=shareable and container:NAME share queues, segments and /dev/shm; a private one is not shared" {
	up run -d --net=none --ipc=shareable --name s "$ROOT" sh -c 'echo hello >/dev/shm/f; exec sleep 100'
	up run -d --net=none --name p "$ROOT" sleep 100
	topo_wait 5 up exec s test -s /dev/shm/f
	equals "$(inside ipc --net=none --ipc=container:s)" "$(of ipc s)"
	equals "$(one --ipc=container:s "$ROOT" cat /dev/shm/f)" hello
	one --ipc=container:s "$ROOT" sh -c 'echo back >/dev/shm/g'
	equals "$(up exec s cat /dev/shm/g)" back
	run -125 one --ipc=container:p "$ROOT" true
	contains "$output" "--ipc=shareable"
	run -1 one "$ROOT" test -e /dev/shm/f
}

@test "--ipc=host: the host's /dev/shm" {
	local file
	file=$(mktemp /dev/shm/underpass-XXXXXX)
	run -0 one --ipc=host "$ROOT" test -e "$file"
	run -1 one "$ROOT" test -e "$file"
	rm "$file"
}

@test "--pid=container:NAME: sees its processes, and ends alone" {
	up run -d --net=none --name p "$ROOT" sleep 7791
	contains "$(one --pid=container:p "$ROOT" ps -o args)" "sleep 7791"
	equals "$(up ps -q)" p
	up exec p true
}

@test "--uts=host: the host's name; with --hostname it is refused" {
	equals "$(one --uts=host "$ROOT" hostname)" "$(hostname)"
	run -125 one --uts=host --hostname x "$ROOT" true
	contains "$output" "not with --uts=host"
	equals "$(one --domainname example "$ROOT" cat /proc/sys/kernel/domainname)" example
}

@test "the host-like container: chroot into the host" {
	run -0 up run --rm --net=host --pid=host --ipc=host --volume /:/host "$ROOT" \
		chroot /host bash -c 'echo x >/dev/null && cat /proc/1/comm && hostname -I'
	contains "$output" "$(</proc/1/comm)"
	contains "$output" "$HOST"
}

@test "two containers own port 80; a second one with the host's network does not" {
	start a -p 8081:80
	start b -p 8082:80
	contains "$(ask client tcp "$HOST" 8081)" "a saw"
	contains "$(ask client tcp "$HOST" 8082)" "b saw"
	equals "$(up exec a netstat -ltn | grep -c ':80 ')" 1
	run -0 up exec a netstat -ltn
	[[ $output != *8081* && $output != *8082* ]]
	up run -d --net=host --name h1 "$ROOT" probe serve h1 0.0.0.0 80
	topo_wait 5 up_logged host h1 ready
	run -1 up run --rm --net=host "$ROOT" nc -l -p 80
	contains "$output" "Address already in use"
}

# host_has NUMBER: so many processes
host_has() {
	(($(topo_pids host | wc -l) == $1))
}

@test "10,000 published ports: no listener and no process" {
	local before
	before=$(topo_pids host | wc -l)
	up run -d --name many -p 20000-29999:20000-29999 "$ROOT" sleep 100
	equals "$(on host ss -Hltn)" ""
	topo_wait 10 host_has "$((before + 1))" # its monitor
	equals "$(up port list --json | jq length)" 1
}

@test "-p with --net=host is told to mean nothing, as podman does; elsewhere it is refused" {
	run -0 up run --rm --net=host -p 80:80 "$ROOT" echo ran
	equals "${lines[0]}" "underpass: run: -p means nothing with --net=host: the container's ports are the host's"
	equals "${lines[1]}" ran
	run -125 one -p 80:80 "$ROOT" true
	equals "$output" "underpass: -p: not with --net=none"
	run -125 one --ip 10.0.0.1 "$ROOT" true
	run -125 one --mac-address 02:00:00:00:00:01 "$ROOT" true
}

@test "--userns=auto: root inside is nobody outside, each container another one" {
	up run -d --userns=auto --net=none --name u "$ROOT" sleep 100
	up run -d --userns=auto --net=none --name v "$ROOT" sleep 100
	equals "$(up exec u id -u)" 0
	local first second
	first=$(stat -c %u "/proc/$(pgrep -P "$(pid_of u)")")
	second=$(stat -c %u "/proc/$(pgrep -P "$(pid_of v)")")
	equals "$first" "$((0x20000000))"
	equals "$second" "$((0x20000000 + 65536))"
	equals "$(up exec u cat /proc/self/uid_map | xargs)" "0 $first 65536"
	up exec u sh -c 'touch /mine && test "$(stat -c %u /mine)" = 0 && test "$(stat -c %u /bin/busybox)" = 0'
	equals "$(stat -c %u "$TOPO_DIR/run-host/data/containers/u/upper/mine")" "$first"
	run -1 up exec u chroot /proc/1/root true
	run -1 up exec u mount -t tmpfs x /tmp
	up rm -f u
	up run -d --userns=auto --net=none --name w "$ROOT" sleep 100
	equals "$(stat -c %u "/proc/$(pgrep -P "$(pid_of w)")")" "$first"
}

@test "--userns=UID:GID:COUNT with --rw and idmap: files on disk are root's" {
	mkdir "$TOPO_DIR/idmap"
	one --userns=300000:400000:1000 --rw -v "$TOPO_DIR/idmap:/vol:idmap" "$ROOT" \
		sh -c 'touch /made /vol/made; test "$(stat -c %u:%g /made)" = 0:0'
	equals "$(stat -c %u:%g "$ROOT/made")" 0:0
	equals "$(stat -c %u:%g "$TOPO_DIR/idmap/made")" 0:0
	rm "$ROOT/made"
	run -1 one --userns=300000:400000:1000 -v "$TOPO_DIR/idmap:/vol" "$ROOT" touch /vol/other
	contains "$output" "Permission denied"
	equals "$(one --userns=300000:400000:1000 "$ROOT" cat /proc/self/gid_map | xargs)" "0 400000 1000"
}

@test "--userns with the fast network; not with namespaces that it does not own" {
	local option
	start u --userns=auto -p 8083:80
	contains "$(ask client tcp "$HOST" 8083)" "u saw"
	for option in --net=host --ipc=host --pid=host --uts=host; do
		run -125 one --userns=auto "$option" "$ROOT" true
		contains "$output" "--userns: not with a shared ${option:2:3} namespace"
	done
	run -2 up run --userns=0:0:10 "$ROOT" true
	contains "$output" "user namespace '0:0:10'"
}

@test "exec enters every namespace, with the container's user, variables and capabilities" {
	local kind
	up run -d --net=none --userns=auto -e A=1 -w /tmp -u 7:8 --cap-drop NET_RAW --ulimit nofile=77 \
		--name e "$ROOT" sleep 100
	for kind in user net ipc uts pid mnt cgroup; do
		equals "$(up exec e readlink "/proc/self/ns/$kind")" "$(of "$kind" e)"
	done
	equals "$(up exec -e B=2 e sh -c 'id -u; id -g; echo $A$B; pwd; ulimit -n' | xargs)" "7 8 12 /tmp 77"
	contains "$(up exec e grep CapBnd /proc/self/status)" 00000000a80405fb
	contains "$(up exec -u 0 e grep CapEff /proc/self/status)" 00000000a80405fb
	contains "$(up exec e grep Seccomp: /proc/self/status)" 2
	contains "$(up exec e cat /proc/self/cgroup)" "0::/"
	run ! grep -q underpass <<<"$(up exec e cat /proc/self/cgroup)"
}
