#!/usr/bin/env bats
# The launcher: what a container is, and how it starts and ends.
# shellcheck disable=SC2016 # what is quoted is for the shell in the container

load lib

setup_file() {
	export BATS_TEST_TIMEOUT=60
	make_world
}

teardown_file() {
	end_world
}

@test "the exit status is the command's" {
	run -0 one "$ROOT" true
	run -1 one "$ROOT" false
	run -42 one "$ROOT" -- sh -c 'exit 42'
	run -137 one "$ROOT" sh -c 'kill -9 $$'
	run -143 one "$ROOT" sh -c 'kill -15 $$'
}

@test "what cannot be executed: 127 not found, 126 not executable, 125 ours; one line each" {
	run -127 one --name n "$ROOT" nope
	equals "$output" "underpass: container n: exec nope: No such file or directory"
	run -126 one --name n "$ROOT" /tmp
	equals "$output" "underpass: container n: exec /tmp: Permission denied"
	run -125 one --name n -w /nowhere "$ROOT" true
	contains "$output" "working directory /nowhere"
	run -125 one /nonexistent true
	equals "$output" "underpass: root filesystem /nonexistent: No such file or directory"
	run -125 one "$PROBE" true
	contains "$output" "not a directory, and tar: This does not look like a tar archive"
	run -125 one / true
	contains "$output" "the host's own root"
	equals "$(up ps -a -q)" ""
}

@test "bad input is refused before anything is changed" {
	local spec
	for spec in 0:80 70000:80 80:0 8000-8010:80-85 80:80/dccp x:80 1.2.3:80:80; do
		run -2 up run -p "$spec" "$ROOT" true
		contains "$output" "port '$spec'"
		((${#lines[@]} == 1))
	done
	run -2 up run --name a/b "$ROOT" true
	contains "$output" "container name 'a/b'"
	run -2 up run --bogus "$ROOT" true
	contains "$output" "--bogus is not an option"
	run -2 up run --net=../bridge "$ROOT" true
	run -2 up run --ip 1.2.3 "$ROOT" true
	run -2 up run --mtu 12 "$ROOT" true
	run -2 up run "$ROOT"
	run -125 up run --net=none -p 8080:80 "$ROOT" true
	run -125 up run --rm --ip 10.99.0.1 "$ROOT" true
	contains "$output" "not one of the containers' network"
	run -1 up up --uplink nope0
	contains "$output" "uplink nope0: interface nope0: No such device"
	run -2 up frobnicate
	equals "$(up ps -a -q)" ""
	equals "$(up status --json | jq '.endpoints + .ports | length')" 0
}

@test "only root may: one line, and nothing is changed" {
	run -125 setpriv --reuid 65534 --clear-groups "$UNDERPASS" run "$ROOT" true
	contains "$output" "need root"
	((${#lines[@]} == 1))
}

@test "namespaces: own processes, host name, mounts, interfaces" {
	run -0 one --hostname box "$ROOT" sh -c 'hostname; echo $$; ls /sys/class/net'
	equals "${lines[0]}" box
	equals "${lines[1]}" 2
	equals "${lines[2]}" lo
	contains "$(one "$ROOT" ps -o pid,comm,args | head -n 2)" "    1 ps               ps -o pid,comm,args"
	contains "$(one "$ROOT" ip addr show lo)" "inet 127.0.0.1/8"
	local before
	before=$(grep -c "$TOPO_DIR" /proc/self/mounts)
	one "$ROOT" sh -c 'test $(wc -l </proc/mounts) -lt 25'
	equals "$(grep -c "$TOPO_DIR" /proc/self/mounts)" "$before"
}

@test "--net=host: the host's interfaces, and the kernel's word for a port in use" {
	contains "$(up run --rm --net=host "$ROOT" ls /sys/class/net)" eth0
	run -0 up run --rm --net=host "$ROOT" probe bind tcp 0.0.0.0 7321
	equals "$output" bound
	serve host service 7100
	run -0 up run --rm --net=host "$ROOT" probe bind tcp 0.0.0.0 7100
	equals "$output" EADDRINUSE
}

@test "capabilities are docker's default ones" {
	local line
	for line in CapPrm CapEff CapBnd; do
		contains "$(one "$ROOT" grep "$line" /proc/self/status)" 00000000a80425fb
	done
	contains "$(one "$ROOT" grep CapInh /proc/self/status)" 0000000000000000
	run -1 one "$ROOT" mount -t tmpfs none /tmp
	run -1 one "$ROOT" hostname other
}

@test "no descriptor of the caller's reaches the command" {
	exec 7</etc/passwd
	run -0 one "$ROOT" sh -c 'ls /proc/self/fd | grep -vxE "0|1|2|3|255" || echo none'
	exec 7<&-
	equals "$output" none
}

@test "the kernel's own files are masked or read-only" {
	equals "$(one "$ROOT" sh -c 'cat /proc/keys | wc -c')" 0
	run -1 one "$ROOT" sh -c 'echo 1 >/proc/sys/kernel/domainname'
	run -1 one "$ROOT" sh -c 'echo c >/proc/sysrq-trigger'
	run -1 one "$ROOT" sh -c 'mkdir /sys/fs/cgroup/x'
	one "$ROOT" sh -c 'echo x >/dev/null; head -c 4 /dev/urandom >/dev/null; test -c /dev/tty'
}

@test "a hostile root filesystem cannot lead mounts astray" {
	local evil=$TOPO_DIR/evil
	cp -a "$ROOT" "$evil"
	rmdir "$evil/proc" "$evil/sys"
	mkdir "$TOPO_DIR/victim"
	rm -r "${evil:?}/dev"
	ln -s "$TOPO_DIR/victim" "$evil/proc"
	ln -s ../../../../../../../.. "$evil/sys"
	ln -s /proc/1/root "$evil/dev"
	run up run --rm --net=none "$evil" true
	equals "$(ls -A "$TOPO_DIR/victim")" ""
	run ! grep -q "$TOPO_DIR/victim" /proc/self/mounts
	equals "$(up ps -a -q)" ""
}

@test "pid 1 reaps orphans and hands signals to the command" {
	up run -d --net=none --name s "$ROOT" sh -c \
		'trap "echo got usr1" USR1; (sleep 0 & exec sleep 0) & echo ready; while :; do sleep 0.1; done'
	topo_wait 5 up_logged host s ready
	kill -USR1 "$(pid_of s)"
	topo_wait 5 up_logged host s 'got usr1'
	topo_wait 5 no_zombie s
	up rm -f s
}

no_zombie() {
	! ctr "$1" ps -o stat | grep -q Z
}

@test "-d: name, log, stop by SIGTERM, status kept; rm" {
	equals "$(up run -d --net=none --name d "$ROOT" sh -c 'echo out; echo err >&2; exec sleep 100')" d
	topo_wait 5 up_logged host d err
	equals "$(up logs d)" $'out\nerr'
	run -1 up rm d
	contains "$output" "it is running"
	run -125 up run --name d --net=none "$ROOT" true
	contains "$output" "the name is in use"
	up stop d
	contains "$(up ps -a)" "Exited (143)"
	run -1 up logs nope
	contains "$output" "no such container"
	up rm d
	equals "$(up ps -a -q)" ""
}

@test "stop kills what does not listen" {
	up run -d --net=none --name deaf "$ROOT" sh -c 'trap "" TERM; echo ready; while :; do sleep 1; done'
	topo_wait 5 up_logged host deaf ready
	up stop -t 0 deaf
	contains "$(up ps -a --json | jq -r '.[0].status')" "Exited (137)"
	up rm deaf
}

@test "logs -f ends when the container does" {
	up run -d --net=none --name f "$ROOT" sh -c 'echo one; sleep 0.3; echo two'
	equals "$(up logs -f f)" $'one\ntwo'
	up rm f
}

@test "exec: namespaces, environment, directory, exit status" {
	up run -d --net=none --name e --hostname exechost "$ROOT" sleep 100
	equals "$(ctr e hostname)" exechost
	equals "$(up exec -e X=1 -w /tmp e sh -c 'echo $X $PWD')" "1 /tmp"
	run -7 ctr e sh -c 'exit 7'
	run -127 ctr e nope
	run -125 ctr nosuch true
	contains "$(ctr e grep CapEff /proc/self/status)" 00000000a80425fb
	up rm -f e
	run -125 ctr e true
}

@test "environment: defaults, -e, -e NAME from the caller" {
	GIVEN=yes run -0 one --name env -e A=b -e GIVEN -e MISSING -e HOME=/h "$ROOT" env
	contains "$output" "A=b"
	contains "$output" "GIVEN=yes"
	contains "$output" "HOME=/h"
	contains "$output" "HOSTNAME=env"
	[[ $output != *MISSING* && $output != *UNDERPASS* ]]
}

@test "a monitor that is killed takes its container along" {
	local monitor init
	up run -d --name m -p 8080:80 "$ROOT" sleep 100
	init=$(pid_of m)
	monitor=$(awk '/^PPid/ {print $2}' "/proc/$init/status")
	kill -KILL "$monitor"
	topo_wait 5 test ! -e "/proc/$init"
	contains "$(up ps -a)" Dead
	up gc
	contains "$(up ps -a)" "Exited (137)"
	equals "$(up status --json | jq '.endpoints + .ports | length')" 0
	up rm m
}

@test "a record that cannot be read is shown as broken, and removed" {
	mkdir -p "$TOPO_DIR/run-host/containers/odd"
	echo '{"state": 7' >"$TOPO_DIR/run-host/containers/odd/config.json"
	contains "$(up ps -a)" broken
	run -1 up logs odd
	contains "$output" "broken record"
	up gc
	up rm odd
	equals "$(up ps -a -q)" ""
}

@test "an upgrade under load loses no connection and no port" {
	local i
	start web -p 8080:80
	live_start client "$HOST" 8080 20
	for ((i = 0; i < 10; i++)); do
		up up
		ask client tcp "$HOST" 8080 >/dev/null
	done
	live_end
	contains "$(<"$TOPO_DIR/live-out")" "ok 20 connections"
	up rm -f web
}

@test "bpffs is mounted where it is not, and a directory elsewhere is refused with what to do" {
	run -0 on host unshare --mount --propagation private env -u UNDERPASS_PIN_DIR \
		UNDERPASS_RUN_DIR="$TOPO_DIR/run-second" bash -c '
			umount /sys/fs/bpf 2>/dev/null
			"$UNDERPASS" up && stat -f -c %T /sys/fs/bpf && ls /sys/fs/bpf/underpass && "$UNDERPASS" down
			test ! -e /sys/fs/bpf/underpass'
	equals "$output" $'bpf_fs\nlinks\nmaps\nprogs'
	run -1 on host env UNDERPASS_PIN_DIR="$TOPO_DIR/nowhere/pins" \
		UNDERPASS_RUN_DIR="$TOPO_DIR/run-second" "$UNDERPASS" up
	contains "$output" "mount -t bpf"
}

@test "pins of another namespace are not touched" {
	run -1 on client env UNDERPASS_PIN_DIR="$TOPO_DIR/bpf-host/underpass" \
		UNDERPASS_RUN_DIR="$TOPO_DIR/run-host" "$UNDERPASS" status
	contains "$output" "belongs to another network namespace"
	run -1 on client env UNDERPASS_PIN_DIR="$TOPO_DIR/bpf-host/underpass" \
		UNDERPASS_RUN_DIR="$TOPO_DIR/run-host" "$UNDERPASS" up
	contains "$output" "belongs to another network namespace"
}

@test "every command has --help, and says so for bad options" {
	local command
	for command in run exec ps inspect stats logs wait kill stop rm port limit up down status flows gc version; do
		contains "$(up $command --help)" "usage: underpass $command"
		run -2 up "$command" --no-such-option
		contains "$output" "--no-such-option is not an option"
	done
	equals "$(up version --json | jq -r .abi)" \
		"$(sed -n "s/^#define UP_ABI_VERSION //p" "$BATS_TEST_DIRNAME/../../include/underpass/limits.h")"
}

@test "inspect: what it is, what it was started with" {
	up run -d --net=none --name i -m 50m -e A=b -v "$TOPO_DIR:/t:ro" "$ROOT" sleep 100
	run -0 up inspect i
	equals "$(jq -r '.[0] | "\(.name) \(.state) \(.running) \(.command) \(.net) \(.options.memory[0])"' <<<"$output")" \
		"i running true sleep 100 none 50m"
	equals "$(jq -r '.[0].init_pid' <<<"$output")" "$(pid_of i)"
	jq -e '.[0].options.env | index("A=b")' <<<"$output"
	up kill i
	equals "$(up wait i)" 137
	equals "$(up inspect i | jq -r '.[0] | "\(.state) \(.running) \(.exit_code)"')" "exited false 137"
	up rm i
	run -1 up inspect i
	contains "$output" "no such container"
	run -2 up inspect
}

@test "stats: what it uses, of what it may" {
	up run -d --net=none --name st -m 50m "$ROOT" sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done; echo counted; exec sleep 100'
	topo_wait 20 up_logged host st counted
	run -0 up stats --json
	equals "$(jq -r '.[] | "\(.name) \(.memory_limit) \(.pids)"' <<<"$output")" "st 52428800 2"
	jq -e '.[0] | .cpu_ns > 1000000 and .memory > 4096 and .memory < 52428800' <<<"$output"
	contains "$(up stats st)" "50.0M"
	up rm -f st
	run -1 up stats st
	equals "$(up stats --json)" "[]"
}

@test "wait: until the end, and the status" {
	up run -d --net=none --name w "$ROOT" sh -c 'read x </tmp/never 2>/dev/null; sleep 0.3; exit 9'
	equals "$(up wait w)" 9
	equals "$(up wait w)" 9
	up rm w
	run -1 up wait w
	contains "$output" "no such container"
}

@test "kill: SIGKILL, or the signal that was named" {
	local sig
	up run -d --net=none --name k "$ROOT" sh -c \
		'for s in HUP USR1 WINCH PIPE; do trap "echo got $s" $s; done; echo ready; while :; do sleep 0.05; done'
	topo_wait 5 up_logged host k ready
	for sig in HUP SIGUSR1 winch 13; do
		up kill -s "$sig" k
	done
	for sig in HUP USR1 WINCH PIPE; do
		topo_wait 5 up_logged host k "got $sig"
	done
	run -2 up kill -s NOPE k
	up kill k
	equals "$(up wait k)" 137
	run -1 up kill k
	contains "$output" "it is not running"
	up rm k
}

@test "--env-file" {
	printf '# a comment\n\nA=1\nB=two words\n' >"$TOPO_DIR/env"
	run -0 one --env-file "$TOPO_DIR/env" -e A=2 "$ROOT" sh -c 'echo "$A $B"'
	equals "$output" "2 two words"
	run -2 one --env-file "$TOPO_DIR/missing" "$ROOT" true
}

@test "data without a record, as after a reboot: gc removes it, a run of that name replaces it" {
	local data=$TOPO_DIR/run-host/data/containers
	mkdir -p "$data/old/work/work" "$data/again/upper" "$data/again/work"
	echo stale >"$data/again/upper/stale"
	run -1 one --name again "$ROOT" test -e /stale
	run -0 up gc
	contains "$output" "removed data of container old"
	equals "$(find "$data" -mindepth 1)" ""
}

@test "--ip, --ip6, --mac-address, --mtu, limits: inside and outside" {
	local link
	local -x NET_DEVICE='' # a macvlan child has neither a MAC of one's choice nor rates
	up run -d --name a --ip 10.215.0.77 --ip6 "$(up network inspect fast | jq -r '.[0].subnets[1].gateway')77" \
		--mac-address 02:00:00:00:00:77 --mtu 1380 --limit-in 50mbit --limit-out 5mbit --limit-flows 50 --limit-new 7 \
		"$ROOT" sleep 100
	contains "$(up exec a ip addr show eth0)" "inet 10.215.0.77/32"
	contains "$(up exec a ip addr show eth0)" "inet6 $(endpoint_of a address6)/128"
	contains "$(up exec a cat /etc/hosts)" "$(endpoint_of a address6)"$'\ta'
	link=$(up exec a ip link show eth0)
	contains "$link" "mtu 1380"
	contains "$link" "link/ether 02:00:00:00:00:77"
	equals "$(endpoint_of a mac)" 02:00:00:00:00:77
	equals "$(on host ip -j link show "$(endpoint_of a interface)" | jq '.[0].mtu')" 1380
	equals "$(up limit a --json | jq -c '[.in, .out, .flows, .new]')" '[50000000,5000000,50,7]'
	on host ping -c 1 -W 5 -M "do" -s 1352 10.215.0.77
	run -1 on host ping -c 1 -W 1 -M "do" -s 1353 10.215.0.77
	contains "$output" "mtu=1380"
	up exec a ping -c 1 -W 5 -s 3000 "$HOST" # in fragments
	on host ping -c 1 -W 5 "$(endpoint_of a address6)"
	up rm -f a
	start b
	equals "$(on host ip -j link show "$(endpoint_of b interface)" | jq '.[0].mtu')" 1500
	up rm -f b
}
