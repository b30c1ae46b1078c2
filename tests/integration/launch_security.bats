#!/usr/bin/env bats
# What a container may, what it may not, and ways out of it that have worked elsewhere.
# shellcheck disable=SC2016 # what is quoted is for the shell in the container

load lib

setup_file() {
	export BATS_TEST_TIMEOUT=60
	make_world
	cp "$BUILD/tests/integration/escape" "$ROOT/bin"
	printf '%s\n' root:x:0:0::/root:/bin/sh bob:x:1000:1001::/home/bob:/bin/sh >"$ROOT/etc/passwd"
	printf '%s\n' bob:x:1001: extra:x:2000:bob >"$ROOT/etc/group"
}

teardown_file() {
	end_world
}

teardown() {
	remove_all
}

# status FIELD OPTION...: a line of /proc/self/status in a container with these options
status() {
	local field=$1
	shift
	one "$@" "$ROOT" sed -n "s/^$field:\t//p" /proc/self/status
}

@test "--cap-add, --cap-drop, ALL" {
	equals "$(status CapBnd)" 00000000a80425fb
	equals "$(status CapEff --cap-add net_admin)" 00000000a80435fb
	equals "$(status CapEff --cap-drop CAP_CHOWN)" 00000000a80425fa
	equals "$(status CapBnd --cap-drop ALL --cap-add chown)" 0000000000000001
	equals "$(status CapBnd --cap-add ALL --cap-drop SYS_ADMIN)" \
		"$(printf %016x $((0x$(sed -n 's/^CapBnd:\t//p' /proc/self/status) & ~(1 << 21))))"
	run -2 up run --cap-add NONSENSE "$ROOT" true
	contains "$output" "capability 'NONSENSE'"
	one --cap-add net_admin "$ROOT" ip link set lo mtu 1000
	run ! one "$ROOT" ip link set lo mtu 1000
	run -125 up run --rm --net-device=macvlan --cap-add NET_ADMIN "$ROOT" true
	equals "$output" "underpass: net device macvlan: not for a container with the capability NET_ADMIN"
}

@test "a macvlan container lets nobody in who could configure its interface" {
	local net
	up run -d --name m --net-device=macvlan "$ROOT" sleep 100
	net=/proc/$(pid_of m)/ns/net
	while read -r line; do
		# shellcheck disable=SC2086 # words of a command line
		run -125 up $line true
		contains "$output" "net device macvlan: not for a container with the capability NET_ADMIN"
	done <<-END
		exec --privileged m
		run --rm --net=container:m --cap-add NET_ADMIN $ROOT
		run --rm --net=container:m --privileged $ROOT
		run --rm --net=ns:$net --cap-add NET_ADMIN $ROOT
	END
	up exec m true
	up run --rm --net=container:m "$ROOT" true
	up network create --subnet 10.99.4.0/24 other >/dev/null
	up network connect other m
	equals "$(endpoint_of m@other device)" veth
	up rm -f m
	up network rm other
	up run -d --name v --cap-add NET_ADMIN "$ROOT" sleep 100
	up exec --privileged v ip link set eth0 mtu 1400
}

@test "--user: by name, with groups and home; by number; no capability is left" {
	equals "$(one -u bob "$ROOT" sh -c 'id; echo $HOME')" \
		$'uid=1000(bob) gid=1001(bob) groups=2000(extra)\n/home/bob'
	equals "$(one -u 5:6 --group-add extra --group-add 9 "$ROOT" id)" \
		"uid=5 gid=6 groups=9,2000(extra)"
	equals "$(status CapEff -u bob)" 0000000000000000
	equals "$(status CapBnd -u bob)" 00000000a80425fb
	run -125 one -u nobody-here "$ROOT" true
	contains "$output" "not in the container's /etc/passwd"
	run -125 one -u 0:nogroup-here "$ROOT" true
	run -1 one -u bob "$ROOT" touch /x
	contains "$(one -t -u bob "$ROOT" sh -c 'ls -l $(tty)')" bob
}

@test "no-new-privileges, with the filter; seccomp=unconfined; systempaths=unconfined" {
	equals "$(status NoNewPrivs)$(status Seccomp)" 02
	equals "$(status NoNewPrivs --security-opt no-new-privileges)$(status Seccomp --security-opt no-new-privileges)" 12
	equals "$(status Seccomp --security-opt seccomp=unconfined)" 0
	run -0 one --security-opt systempaths=unconfined "$ROOT" sh -c 'grep -c " /proc/" /proc/mounts || true'
	equals "$output" 0
	run -2 up run --security-opt bogus "$ROOT" true
	contains "$output" "security option 'bogus'"
}

@test "the filter: what a container has no business with fails with EPERM" {
	run -0 one "$ROOT" escape syscalls
	equals "$output" "add_key EPERM
keyctl EPERM
bpf EPERM
mount EPERM
unshare EPERM
setns EPERM
kexec_load EPERM
init_module EPERM
open_by_handle_at EPERM
perf_event_open EPERM
userfaultfd EPERM
io_uring_setup EPERM
clone_newuser EPERM
clone3 ENOSYS
vsock EPERM
personality EPERM
reboot EPERM
settimeofday EPERM
swapon EPERM"
}

@test "--privileged: everything, and the host's devices" {
	equals "$(status CapEff --privileged)" "$(sed -n 's/^CapBnd:\t//p' /proc/self/status)"
	equals "$(status Seccomp --privileged)" 0
	run -0 one --privileged "$ROOT" sh -c 'mount -t tmpfs x /tmp && test -c /dev/fuse && : <>/dev/loop-control && echo yes'
	equals "$output" yes
	run -125 one --privileged --userns=auto "$ROOT" true
	contains "$output" "--privileged: not with --userns"
}

@test "--ulimit: soft and hard" {
	equals "$(one --ulimit nofile=100:200 --ulimit core=0 "$ROOT" sh -c 'ulimit -n; ulimit -Hn; ulimit -c' | xargs)" "100 200 0"
	local bad
	for bad in nofile nofile=x nofile=5:4 nothing=1; do
		run -2 up run --ulimit "$bad" "$ROOT" true
		contains "$output" "ulimit"
	done
}

@test "--sysctl: of namespaces that are the container's only" {
	equals "$(one --sysctl net.ipv4.ip_forward=1 --sysctl kernel.msgmax=10000 "$ROOT" \
		cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax | xargs)" "1 10000"
	run -2 up run --sysctl kernel.pid_max=1000 "$ROOT" true
	contains "$output" "belongs to no namespace"
	run -2 up run --sysctl net.../../kernel.pid_max=1 "$ROOT" true
	run -125 up run --rm --net=host --sysctl net.ipv4.ip_forward=1 "$ROOT" true
	contains "$output" "shares the network namespace"
	run -125 one --ipc=host --sysctl kernel.msgmax=1 "$ROOT" true
	run -125 one --sysctl net.nonsense=1 "$ROOT" true
	contains "$output" "sysctl net.nonsense=1: No such file or directory"
}

# limit_of FILE_V1 FILE_V2 CONTROLLER: what the container sees
limit_of() {
	up exec l sh -c "cat /sys/fs/cgroup/$3/$1 2>/dev/null || cat /sys/fs/cgroup/$2"
}

@test "--memory, --cpus, --pids-limit: seen inside, and enforced" {
	up run -d --net=none --name l -m 20m --cpus 0.5 --pids-limit 20 "$ROOT" sleep 100
	equals "$(limit_of memory.limit_in_bytes memory.max memory)" 20971520
	contains "$(limit_of cpu.cfs_quota_us cpu.max cpu)" 50000
	equals "$(limit_of pids.max pids.max pids)" 20
	run -1 up exec l sh -c 'mkdir /sys/fs/cgroup/*/x /sys/fs/cgroup/x'
	run up exec l sh -c 'for i in $(seq 40); do sleep 5 & done'
	contains "$output" "fork"
	run -137 one -m 20m "$ROOT" sh -c 'exec tail -c 40000000 /dev/zero'
	local bad
	for bad in --memory=1k --memory=lots --cpus=0 --cpus=x --pids-limit=x; do
		run -2 up run "$bad" "$ROOT" true
	done
}

@test "limits of version 2 hold, where its tree has the controllers" {
	local tree=/sys/fs/cgroup group
	[[ -e $tree/cgroup.controllers ]] || tree=/sys/fs/cgroup/unified
	grep -q memory "$tree/cgroup.controllers" ||
		skip "every controller of this machine is a version 1 one; tests/unit/test_cgroup.c has the files"
	up run -d --net=none --name w -m 20m --cpus 0.5 --pids-limit 20 "$ROOT" sleep 100
	group=$tree/underpass/$(jq -r .id "$TOPO_DIR/run-host/containers/w/config.json")
	equals "$(cat "$group"/{memory,cpu,pids}.max | xargs)" "20971520 50000 100000 20"
	equals "$(up exec w cat /sys/fs/cgroup/{memory,cpu,pids}.max | xargs)" "20971520 50000 100000 20"
	run -1 up exec w mkdir /sys/fs/cgroup/x
	equals "$(up stats --json w | jq '.[0].memory_limit')" 20971520
}

@test "cgroups go with the container" {
	local id
	up run -d --net=none --name g "$ROOT" sleep 100
	id=$(jq -r .id "$TOPO_DIR/run-host/containers/g/config.json")
	grep -q "underpass/$id" "/proc/$(pid_of g)/cgroup"
	up rm -f g
	equals "$(find /sys/fs/cgroup -maxdepth 4 -name "$id" 2>/dev/null)" ""
}

@test "escape: a device made by mknod cannot be opened" {
	run -1 one "$ROOT" sh -c 'mknod /tmp/d c 10 237 && : </tmp/d'
	contains "$output" "Operation not permitted"
	run -1 one "$ROOT" sh -c 'mknod /dev/shm/d b 7 0 && : </dev/shm/d'
}

@test "escape: masked paths can be neither unmounted nor mounted over" {
	local path
	for path in /proc/keys /proc/sys /proc/kcore; do
		run -1 one "$ROOT" umount "$path"
		run -1 one "$ROOT" umount -l "$path"
		run -1 one "$ROOT" mount -o remount,rw "$path"
		run -1 one "$ROOT" mount --bind /tmp "$path"
	done
	run -1 one "$ROOT" mount -t proc proc /tmp
	run -1 one "$ROOT" sh -c 'echo c >/proc/sysrq-trigger'
	run -1 one "$ROOT" sh -c 'echo x >/proc/sys/kernel/core_pattern'
}

@test "escape: init can be neither traced nor looked into" {
	run -0 one "$ROOT" escape trace 1
	equals "$output" EPERM
	run -1 one "$ROOT" ls /proc/1/root/
	run -1 one "$ROOT" readlink /proc/1/fd/0
	run -1 one "$ROOT" cat /proc/1/environ
	run -1 one "$ROOT" readlink /proc/1/exe
	equals "$(one -e SECRET=hidden "$ROOT" cat /proc/1/cmdline | tr '\0' ' ' | xargs)" "cat /proc/1/cmdline"
	equals "$(one "$ROOT" sed -n 's/^CapBnd:\t//p' /proc/1/status)" 0000000000000020
}

@test "escape: no descriptor, working directory or keyring of the host's" {
	exec 8</
	run -0 one "$ROOT" sh -c 'ls -l /proc/self/fd /proc/self/cwd | grep -c " -> /proc/\|/tmp/underpass"; pwd'
	exec 8<&-
	equals "${lines[-1]}" /
	run -125 one -w /proc/self/fd/8 "$ROOT" true
	run -0 one --cap-add ALL --security-opt seccomp=unconfined "$ROOT" sh -c 'grep -c _ses /proc/keys || true'
}

@test "escape: /proc/self/exe of exec and of run cannot be overwritten" {
	local copy=$TOPO_DIR/underpass-copy sum
	cp "$UNDERPASS" "$copy"
	sum=$(sha256sum <"$copy")
	cp -a "$ROOT" "$TOPO_DIR/exe"
	printf '#!/proc/self/exe\n' >"$TOPO_DIR/exe/evil"
	chmod +x "$TOPO_DIR/exe/evil"
	# The libraries of the host, so that it would run
	UNDERPASS=$copy run up run --rm --privileged --pid=host --net=none \
		-v /lib:/lib:ro -v /lib64:/lib64:ro -v /usr/lib:/usr/lib:ro "$TOPO_DIR/exe" /evil
	UNDERPASS=$copy up run -d --privileged --pid=host --net=none --name x "$TOPO_DIR/exe" sleep 7711
	UNDERPASS=$copy run up exec -e COPY="$(stat -c %d:%i "$copy")" x sh -c 'for exe in /proc/[0-9]*/exe; do
		case $(stat -L -c %d:%i $exe) in $COPY) echo found; echo broken >$exe;; esac; done'
	contains "$output" found
	contains "$output" "Read-only file system"
	run ! grep -q "Text file busy" <<<"$output"
	UNDERPASS=$copy up rm -f x
	equals "$(sha256sum <"$copy")" "$sum"
}

@test "escape: the container sees neither pins nor state" {
	run -0 one "$ROOT" sh -c 'ls -A /sys/fs/bpf; ls -d /run/underpass 2>/dev/null; true'
	equals "$output" ""
	run -1 one "$ROOT" mount -t bpf bpf /tmp
}

@test "escape: a terminal of the host's is out of reach" {
	run -1 one "$ROOT" sh -c ': </dev/tty'
	run -0 one -t "$ROOT" sh -c 'ls /dev/pts | xargs'
	contains "$output" "0 ptmx"
}

@test "escape: a working directory by a descriptor of the launcher's" {
	local fd
	up run -d --net=none --name w "$ROOT" sleep 100
	for fd in {3..40}; do
		run -125 up exec -w "/proc/self/fd/$fd" w true
		contains "$output" "working directory /proc/self/fd/$fd"
		run -125 one -v "$TOPO_DIR:/t" -w "/proc/self/fd/$fd" "$ROOT" true
		contains "$output" "working directory /proc/self/fd/$fd"
	done
}

@test "escape: a pipe in the place of /etc/passwd holds nobody up" {
	up run -d --net=none --name p "$ROOT" sh -c 'rm /etc/passwd /etc/group; mkfifo /etc/passwd /etc/group; echo ready; exec sleep 100'
	topo_wait 5 up_logged host p ready
	up exec p true
	run -125 up exec -u bob p true
	contains "$output" "not in the container's /etc/passwd"
}
