#!/usr/bin/env bats
# The launcher killed at any step, and many of them at once: nothing stays that gc does not remove.
# shellcheck disable=SC2016 # what is quoted is for the shell in the container

load lib

setup_file() {
	export BATS_TEST_TIMEOUT=600 DEADLINE=120
	make_world
}

teardown_file() {
	end_world
}

# What changes something outside of the process that calls it
CALLS=mkdir,rename,unlinkat,flock,openat,write,fchown,clone3,clone,fork,vfork,execve,execveat,bpf
CALLS+=,socketpair,sendmsg,recvmsg,sendto,setns,unshare,fsopen,fsconfig,fsmount,open_tree,mount_setattr
CALLS+=,move_mount,openat2,mkdirat,mknodat,symlinkat,mount,umount2,pivot_root,sethostname,setresuid
CALLS+=,pidfd_open,close_range,capset,seccomp,waitid,poll,rmdir,unlink

# traced ARG...: underpass under strace, with its option first. It is followed until its first
# process has ended: processes that share the host's pid namespace may outlive that
traced() {
	local pid status=0
	rm -f "$TOPO_DIR/trace"
	UNDERPASS_PIN_DIR=$TOPO_DIR/bpf-host/underpass UNDERPASS_RUN_DIR=$TOPO_DIR/run-host \
		on host strace -f -qq -o "$TOPO_DIR/trace" "$@" >"$TOPO_DIR/said" 2>&1 3>&- &
	pid=$!
	topo_wait "$DEADLINE" first_ended "$pid"
	kill "$pid" 2>/dev/null || true
	wait "$pid" || status=$?
	return "$status"
}

first_ended() {
	local first
	topo_gone "$1" || {
		first=$(awk 'NR == 1 {print $1}' "$TOPO_DIR/trace") && [[ -n $first ]] && topo_gone "$first"
	}
}

# steps ARG...: "CALL N" for each kind of call that the command's processes make: one from the middle
steps() {
	traced -e trace="$CALLS" "$UNDERPASS" "$@" || true # strace is ended as soon as that has
	[[ ! -s $TOPO_DIR/said ]] || return
	awk '{sub(/\(.*/, "", $2)} $2 ~ /^[a-z_0-9]+$/ && $2 != "resumed" {n[$1 " " $2]++}
		END {for (k in n) {split(k, at, " "); if (n[k] > most[at[2]]) most[at[2]] = n[k]}
			for (call in most) print call, int((most[call] + 1) / 2)}' "$TOPO_DIR/trace" | sort
}

# kill_at CALL N ARG...: underpass, where a process of it is killed at its Nth call of that kind
kill_at() {
	local call=$1 n=$2
	shift 2
	traced -e trace="$call" -e "inject=$call:signal=KILL:when=$n" "$UNDERPASS" "$@" || true
	grep -q 'killed by SIGKILL' "$TOPO_DIR/trace" || return 0
	killed=$((killed + 1))
}

# survive NAME PROCESS ARG...: at each step of a start and an end, nothing is left that gc does not remove
survive() {
	local name=$1 process=$2 call n id
	shift 2
	killed=0
	steps "$@" >"$TOPO_DIR/steps"
	up gc >/dev/null
	while read -r call n; do
		kill_at "$call" "$n" "$@"
		id=$(recorded_id "$name")
		up gc >/dev/null
		[[ ! -e $TOPO_DIR/run-host/containers/$name ]] || up rm -f "$name" >/dev/null
		clean "$id" "$process" || {
			echo "after $call $n"
			return 1
		}
	done <"$TOPO_DIR/steps"
	echo "killed at $killed of $(wc -l <"$TOPO_DIR/steps") steps"
	((killed >= $(wc -l <"$TOPO_DIR/steps") * 3 / 4))
}

recorded_id() {
	jq -r .id "$TOPO_DIR/run-host/containers/$1/config.json" 2>/dev/null || true
}

no_process() {
	! pgrep -f "^$1\$"
}

# clean ID PROCESS: nothing of a container is left
clean() {
	topo_wait 10 no_process "$2"
	equals "$(up ps -a -q)" ""
	equals "$(up status --json | jq '.endpoints + .ports | length')" 0
	equals "$(find "$TOPO_DIR/run-host/containers" "$TOPO_DIR/run-host/data/containers" -mindepth 1)" ""
	equals "$(on host ip -br link | awk '{print $1}' | sed 's/@.*//' | sort | xargs)" "eth0 lo"
	[[ -z $1 ]] || equals "$(find /sys/fs/cgroup -maxdepth 4 -name "$1" 2>/dev/null)" ""
	run ! grep -q "$TOPO_DIR/root" /proc/self/mounts
}

@test "run is killed at each step: gc leaves nothing, and the next run works" {
	local options=(-p 8080:80 -m 50m -v "$TOPO_DIR:/t:ro" --tmpfs /x)
	survive c 'sleep 7755' run --rm --name c "${options[@]}" "$ROOT" sh -c 'sleep 7755 & true'
	start c "${options[@]}"
	contains "$(ask client tcp "$HOST" 8080)" "c saw"
	up rm -f c
}

@test "the same with a user namespace, and with the host's processes" {
	local CALLS=clone3,move_mount,pivot_root,setresuid,execve,waitid,unlinkat,rmdir
	survive u 'sleep 7756' run --rm --name u --net=none --userns=auto "$ROOT" sh -c 'sleep 7756 & true'
	survive h 'sleep 7757' run --rm --name h --net=none --pid=host "$ROOT" sh -c 'sleep 7757 & true'
}

@test "exec is killed at each step: the container goes on" {
	local call n
	up run -d --net=none --name e "$ROOT" sleep 100
	killed=0
	steps exec e true >"$TOPO_DIR/steps"
	while read -r call n; do
		kill_at "$call" "$n" exec e true
		equals "$(up exec e echo alive)" alive
	done <"$TOPO_DIR/steps"
	((killed > 10))
	equals "$(up ps -q)" e
	up rm -f e
}

@test "a tar file's root is removed where unpacking was interrupted" {
	local n
	tar -C "$ROOT" -cf "$TOPO_DIR/root.tar" .
	for n in 5 10 15; do
		kill_at openat "$n" run --name t --net=none "$TOPO_DIR/root.tar" true
		up gc
		[[ ! -e $TOPO_DIR/run-host/containers/t ]] || up rm -f t
		clean "" 'sleep 7759'
	done
}

many() {
	seq 100 | xargs -P 100 -I@ "$@"
}

@test "100 containers at once" {
	local begun=$SECONDS
	export -f up up_in on topo_exec topo_file
	many bash -c 'up run -d --name m@ -p "$((21000 + @)):80" "$ROOT" sh -c "sleep 7760" >/dev/null' 2>"$TOPO_DIR/errors"
	equals "$(<"$TOPO_DIR/errors")" ""
	equals "$(up ps -q | wc -l)" 100
	equals "$(up ps --json | jq -r '.[].address' | sort -u | wc -l)" 100
	equals "$(up status --json | jq '.ports | length')" 100
	equals "$(up exec m57 hostname)" m57
	many bash -c 'up rm -f m@ >/dev/null' 2>"$TOPO_DIR/errors"
	equals "$(<"$TOPO_DIR/errors")" ""
	clean "" 'sleep 7760'
	echo "started and removed in $((SECONDS - begun)) s"
}

@test "gc takes away a pair whose maker was killed before it had its mark, and nobody else's" {
	on host ip link add up77 address 02:75:70:00:00:01 type veth peer name peer77
	on host ip link add up78 type veth peer name peer78
	on host ip link add up79x address 02:75:70:00:00:01 type veth peer name peer79
	up gc
	run ! on host ip link show up77
	on host ip link show up78 >/dev/null
	on host ip link show up79x >/dev/null
	on host ip link del up78
	on host ip link del up79x
}
