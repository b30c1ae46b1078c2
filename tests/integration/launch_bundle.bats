#!/usr/bin/env bats
# OCI bundles as umoci and runc make them: what their config.json says is what the container is.
# shellcheck disable=SC2016 # what is quoted is for the shell in the container

load lib

setup_file() {
	export BATS_TEST_TIMEOUT=60
	make_world
	export BUNDLE=$TOPO_DIR/bundle
	mkdir "$BUNDLE"
	cp -a "$ROOT" "$BUNDLE/rootfs"
}

teardown_file() {
	end_world
}

setup() {
	rm -f "$BUNDLE/config.json"
	runc spec --bundle "$BUNDLE"
	edit '.process.terminal = false'
}

teardown() {
	remove_all
}

# edit FILTER: change the configuration
edit() {
	jq "$1" "$BUNDLE/config.json" >"$TOPO_DIR/edited"
	cp "$TOPO_DIR/edited" "$BUNDLE/config.json"
}

# script TEXT: what the bundle's process is to do
script() {
	edit "$(jq -rn --arg text "$1" '".process.args = \(["sh", "-c", $text])"')"
}

bundle() {
	up run --rm --bundle "$BUNDLE" "$@"
}

@test "an image by skopeo and umoci: copied, unpacked, run on the fast path, published, its root shared" {
	local image=$TOPO_DIR/image
	umoci init --layout "$image"
	umoci new --image "$image:v1"
	umoci insert --image "$image:v1" "$ROOT" /
	umoci config --image "$image:v1" --config.entrypoint /bin/probe --config.cmd serve --config.cmd img \
		--config.cmd 0.0.0.0 --config.cmd 80 --config.env COLOUR=blue --config.workingdir /tmp --config.user 0:0
	skopeo copy --insecure-policy "oci:$image:v1" "oci:$TOPO_DIR/fetched:v1"
	umoci unpack --image "$TOPO_DIR/fetched:v1" "$TOPO_DIR/unpacked"
	jq ".process.terminal = false" "$TOPO_DIR/unpacked/config.json" >"$TOPO_DIR/c"
	cp "$TOPO_DIR/c" "$TOPO_DIR/unpacked/config.json"
	up run -d --name img -p 8080:80 --bundle "$TOPO_DIR/unpacked"
	topo_wait 5 up_logged host img ready
	contains "$(ask client tcp "$HOST" 8080)" "img saw"
	equals "$(up exec img sh -c 'echo $COLOUR; pwd; hostname' | xargs)" "blue /tmp umoci-default"
	up exec img touch /new
	run ! test -e "$TOPO_DIR/unpacked/rootfs/new"
}

@test "runc spec: process, root, mounts, masks, capabilities, rlimits, names" {
	script 'id; pwd; hostname; ulimit -n; grep -E "^(Cap|NoNew|Seccomp:)" /proc/self/status; touch /x; umask'
	run -0 bundle
	equals "$output" "uid=0 gid=0
/
runc
1024
CapInh:	0000000000000000
CapPrm:	0000000020000420
CapEff:	0000000020000420
CapBnd:	0000000020000420
CapAmb:	0000000000000000
NoNewPrivs:	1
Seccomp:	2
touch: /x: Read-only file system
0022"
	equals "$(bundle -- sh -c 'cat /proc/keys /proc/timer_list | wc -c')" 0
	run -1 bundle -- sh -c 'echo x >/proc/sys/kernel/domainname'
	contains "$(bundle -- mount)" "devpts on /dev/pts type devpts (rw,nosuid,noexec,relatime,gid=5,mode=620,ptmxmode=666)"
	run -0 bundle --read-only=false -- ls /dev
	equals "$(xargs <<<"$output")" "fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero"
}

@test "process: user, groups, umask, cwd, env, ambient capabilities" {
	edit '.process.user = {uid: 7, gid: 8, additionalGids: [9, 10], umask: 63} | .process.cwd = "/tmp"
		| .process.env += ["A=b c"] | .process.capabilities.inheritable = ["CAP_KILL"] | .root.readonly = false'
	script 'id -u; id -g; id -G; umask; pwd; echo $A; grep CapAmb /proc/self/status'
	run -0 bundle
	equals "$(xargs <<<"$output")" "7 8 8 9 10 0077 /tmp b c CapAmb: 0000000000000020"
}

@test "mounts: bind from a path in the bundle, tmpfs with options, ro" {
	mkdir "$BUNDLE/data"
	echo hello >"$BUNDLE/data/file"
	edit '.mounts += [{destination: "/data", type: "bind", source: "data", options: ["rbind", "ro"]},
		{destination: "/scratch", type: "tmpfs", options: ["size=1m", "mode=700", "nosuid"]}]'
	script 'cat /data/file; touch /data/x; stat -c %a /scratch; df -k /scratch | tail -n 1'
	run -0 bundle
	contains "$output" hello
	contains "$output" "touch: /data/x: Read-only file system"
	contains "$output" 700
	contains "$output" 1024
}

@test "namespaces: those that are not named are the host's, those by path are joined" {
	script 'readlink /proc/self/ns/net; readlink /proc/self/ns/ipc'
	edit '.linux.namespaces |= map(select(.type != "network" and .type != "ipc"))'
	run -0 bundle
	equals "${lines[0]}" "$(on host readlink /proc/self/ns/net)"
	equals "${lines[1]}" "$(readlink /proc/self/ns/ipc)"
	edit ".linux.namespaces += [{type: \"network\", path: \"$(topo_file client)\"}]"
	run -0 bundle
	equals "${lines[0]}" "$(on client readlink /proc/self/ns/net)"
	run -0 bundle --net=none
	[[ ${lines[0]} != "$(on client readlink /proc/self/ns/net)" ]]
}

@test "a user namespace, and limits" {
	edit '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 500000, size: 1000}]
		| .linux.gidMappings = [{containerID: 0, hostID: 600000, size: 1000}]
		| .linux.resources.memory.limit = 33554432 | .linux.resources.pids.limit = 30
		| .linux.resources.cpu = {quota: 25000, period: 100000}
		| .linux.sysctl = {"net.ipv4.ip_forward": "1"} | .root.readonly = false'
	script 'cat /proc/self/uid_map /proc/self/gid_map /proc/sys/net/ipv4/ip_forward; stat -c %u /bin/busybox; touch /x'
	run -0 bundle
	equals "$(xargs <<<"$output")" "0 500000 1000 0 600000 1000 1 0"
	up run -d --name l --bundle "$BUNDLE" -- sleep 100
	equals "$(up stats --json l | jq '.[0].memory_limit')" 33554432
	contains "$(up exec l sh -c 'cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us || cat /sys/fs/cgroup/cpu.max' 2>/dev/null)" 25000
}

@test "a terminal, where the bundle wants one" {
	edit '.process.terminal = true'
	script 'tty'
	equals "$(bundle | tr -d '\r')" /dev/pts/0
}

@test "devices that are allowed may be opened" {
	edit '.mounts += [{destination: "/dev/loop-control", type: "bind", source: "/dev/loop-control", options: ["bind"]}]'
	script ': </dev/loop-control'
	run -1 bundle
	contains "$output" "Operation not permitted"
	edit '.linux.resources.devices += [{allow: true, type: "c", major: 10, minor: 237, access: "r"}]'
	run -0 bundle
}

@test "devices are made where the bundle says so, with their owner and mode" {
	edit '.linux.devices = [
			{type: "c", path: "/dev/my/null", major: 1, minor: 3, fileMode: 420, uid: 7, gid: 8},
			{type: "u", path: "/dev/null", major: 1, minor: 3},
			{type: "b", path: "/disk", major: 4000, minor: 200},
			{type: "p", path: "/dev/fifo", fileMode: 384}]
		| .root.readonly = false'
	script 'stat -c "%F %t %T %a %u:%g" /dev/my/null /disk /dev/fifo; : </dev/my/null; : </disk'
	run -1 bundle
	equals "${lines[0]}" "character special file 1 3 644 7:8"
	equals "${lines[1]}" "block special file fa0 c8 666 0:0"
	equals "${lines[2]}" "fifo 0 0 600 0:0"
	contains "${lines[3]}" "/disk: Operation not permitted" # allowed are others
	edit '.linux.resources.devices += [{allow: true, type: "a", access: "rwm"}]'
	run -1 bundle
	contains "${lines[3]}" "/disk: No such device or address" # there is none, and it may be opened
	edit '.linux.devices = [{type: "c", path: "/bin/busybox", major: 1, minor: 3}]'
	run -125 bundle
	contains "$output" "device /bin/busybox: something else is there"
}

@test "devices in a user namespace are the host's, and no others" {
	edit '.linux.namespaces += [{type: "user"}] | .root.readonly = false
		| .linux.uidMappings = [{containerID: 0, hostID: 500000, size: 1000}]
		| .linux.gidMappings = [{containerID: 0, hostID: 600000, size: 1000}]
		| .linux.devices = [{type: "c", path: "/dev/loop-control", major: 10, minor: 237}]'
	script 'stat -c "%t %T" /dev/loop-control'
	run -0 bundle
	equals "$output" "a ed"
	edit '.linux.devices[0].minor = 1'
	run -125 bundle
	contains "$output" "a user namespace makes no devices, and the host's is another one"
}

@test "a path of a device that leads out of the root by a link does not" {
	ln -sfn / "$BUNDLE/rootfs/out"
	edit ".linux.devices = [{type: \"p\", path: \"/out$TOPO_DIR/escaped\"}] | .root.readonly = false"
	script "stat -c %F $TOPO_DIR/escaped"
	run -0 bundle
	equals "$output" fifo
	run ! test -e "$TOPO_DIR/escaped"
	rm "$BUNDLE/rootfs/out"
}

@test "seccomp: the bundle's filter instead of the default one" {
	edit '.root.readonly = false | .process.noNewPrivileges = true'
	script 'mkdir /x; unshare -m true; sync; chmod 700 /tmp && chmod 711 /tmp; echo end'
	run -0 bundle
	contains "$output" "unshare"
	edit '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
		flags: ["SECCOMP_FILTER_FLAG_LOG"], syscalls: [
			{names: ["mkdir", "mkdirat", "nosuchcall"], action: "SCMP_ACT_ERRNO", errnoRet: 28},
			{names: ["sync"], action: "SCMP_ACT_KILL_PROCESS"},
			{names: ["chmod", "fchmodat"], action: "SCMP_ACT_ERRNO",
				args: [{index: 1, value: 448, op: "SCMP_CMP_EQ"}, {index: 2, value: 448, op: "SCMP_CMP_EQ"}]},
			{names: ["chmod"], action: "SCMP_ACT_ERRNO", args: [{index: 1, value: 448, op: "SCMP_CMP_EQ"},
				{index: 1, value: 449, op: "SCMP_CMP_EQ"}]}]}'
	run -0 bundle
	contains "$output" "mkdir: can't create directory '/x': No space left on device"
	contains "$output" "Bad system call"
	contains "$output" "chmod: /tmp: Operation not permitted"
	contains "$output" end
	up run -d --name s --bundle "$BUNDLE" -- sleep 100
	run -1 up exec s mkdir /y
	contains "$output" "No space left"
	run -0 bundle --security-opt seccomp=unconfined -- mkdir /x
}

@test "seccomp: docker's own profile, as podman writes it into its bundles" {
	[[ -s /usr/share/containers/seccomp.json ]]
	jq '{defaultAction, architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"], syscalls: [.syscalls[]
		| select((.includes // {}) == {} or ((.includes.arches // []) | index("amd64"))) | {names, action} + (if .errnoRet then {errnoRet} else {} end)
		+ (if (.args // []) != [] then {args: [.args[] | {index, value, op} + (if .valueTwo then {valueTwo} else {} end)]} else {} end)]}' \
		/usr/share/containers/seccomp.json >"$TOPO_DIR/seccomp"
	(($(jq '.syscalls | length' "$TOPO_DIR/seccomp") > 5))
	jq --slurpfile s "$TOPO_DIR/seccomp" '.linux.seccomp = $s[0]' "$BUNDLE/config.json" >"$TOPO_DIR/with"
	cp "$TOPO_DIR/with" "$BUNDLE/config.json"
	script 'swapoff /dev/null; grep Seccomp: /proc/self/status'
	run -0 bundle
	contains "$output" "swapoff: /dev/null: Operation not permitted"
	contains "$output" $'Seccomp:\t2'
}

# podman_bundle FILE: the configuration that podman makes for $ROOT, but for its own bind mounts
podman_bundle() {
	# shellcheck disable=SC2016 # for the inner shell
	topo_exec host unshare --mount --propagation private bash -c '
		mount -t tmpfs none /run && mount -t tmpfs none /var/lib/containers && cd /run &&
		p() {
			podman --root /run/root --runroot /run/pods --tmpdir /run/tmp --storage-driver vfs \
				--cgroup-manager cgroupfs --runtime runc "$@" >/dev/null
		}
		p create --name x --network none --ulimit nofile=1000:1000 --ulimit nproc=1000:1000 \
			--pids-limit 50 --memory 40m --device /dev/loop-control --cap-drop CHOWN -e COLOUR=red \
			--rootfs "$0" sleep 100 &&
		p init x && cp /run/root/vfs-containers/*/userdata/config.json "$1"; status=$?
		p rm -f -t 0 x; exit $status' "$ROOT" "$1.podman"
	jq '.mounts |= map(select(.type != "bind"))' "$1.podman" >"$1"
}

@test "a bundle of podman's: its filter, limits, devices, capabilities; cgroups are its own only" {
	podman_bundle "$BUNDLE/config.json"
	jq -e '.linux.seccomp and .linux.devices and .linux.resources.devices' "$BUNDLE/config.json"
	up run -d --name p --bundle "$BUNDLE" -- sleep 100
	equals "$(up exec p sh -c 'echo $COLOUR; ulimit -n' | xargs)" "red 1000"
	contains "$(up exec p grep Seccomp: /proc/self/status)" 2
	run -1 up exec p swapoff /dev/null
	contains "$output" "Operation not permitted"
	run -1 up exec p chown 1 /tmp
	up exec p sh -c ': </dev/loop-control'
	equals "$(up stats --json p | jq '.[0].memory_limit')" 41943040
	run -0 up exec p find /sys/fs/cgroup -name underpass
	equals "$output" ""
	up exec p sh -c 'cat /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/*/cgroup.procs 2>/dev/null | grep -q .'
}

@test "options win over the bundle" {
	script 'hostname; id -u; pwd; echo $TERM'
	equals "$(bundle --hostname mine -u 5 -w /tmp -e TERM=dumb | xargs)" "mine 5 /tmp dumb"
}

@test "exec has the bundle's capabilities and user, even where its config.json changed" {
	edit '.process.user = {uid: 3, gid: 4} | .process.env += ["A=1"]'
	up run -d --name e --bundle "$BUNDLE" -- sleep 100
	echo broken >"$BUNDLE/config.json"
	equals "$(up exec e sh -c 'id -u; echo $A; sed -n "s/CapBnd:.//p" /proc/self/status' | xargs)" \
		"3 1 0000000020000420"
}

@test "what is not implemented, or wrong, is refused by name; nothing is left" {
	local filter name
	while IFS=@ read -r filter name; do
		setup
		edit "$filter"
		run -125 bundle
		equals "$output" "underpass: bundle $BUNDLE: config.json: $name"
	done <<-'END'
		.linux.seccomp = {"defaultAction": "SCMP_ACT_NOTIFY"}@linux: seccomp: action SCMP_ACT_NOTIFY: not implemented
		.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/x"}@linux: seccomp: 1 object item(s) left unpacked: listenerPath: not implemented
		.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "flags": ["X"]}@linux: seccomp: flags: X: not implemented
		.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_VAX"]}@linux: seccomp: architectures: SCMP_ARCH_VAX: not implemented
		.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": [], "action": "SCMP_ACT_ERRNO"}]}@linux: seccomp: syscalls: 0: want names
		.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 9, "value": 0, "op": "SCMP_CMP_EQ"}]}]}@linux: seccomp: syscalls: 0: want args: integers within bounds
		.hooks = {"prestart": [{"path": "/bin/true"}]}@hooks: not implemented
		.linux.intelRdt = {}@linux: intelRdt: not implemented
		.linux.namespaces += [{"type": "time"}]@linux: namespaces: 5: time: not implemented
		.linux.devices = [{"type": "c"}]@linux: devices: 0: Object item not found: path
		.linux.devices = [{"type": "x", "path": "/dev/x"}]@linux: devices: 0: want type c, u, b or p
		.linux.devices = [{"type": "c", "path": "dev/x"}]@linux: devices: 0: path 'dev/x': want an absolute path of a node
		.linux.devices = [{"type": "c", "path": "/dev/.."}]@linux: devices: 0: path '/dev/..': want an absolute path of a node
		.linux.devices = [{"type": "c", "path": "/dev/x", "major": 4096}]@linux: devices: 0: want integers within bounds
		.linux.resources.devices += [{"allow": false, "type": "c", "major": 1, "minor": 3}]@linux: resources: devices: 1: other than allowing a, c or b: not implemented
		.process.oomScoreAdj = 5@process: oomScoreAdj: not implemented
		.process.apparmorProfile = "x"@process: apparmorProfile: not implemented
		.process.rlimits[0].type = "RLIMIT_NO"@process: rlimits: 0: ulimit 'NO': there is none of that name
		.process.capabilities.bounding[0] = "CAP_NO"@process: capabilities: bounding: capability 'CAP_NO': there is none of that name
		.process.cwd = "tmp"@process: cwd: want an absolute path
		.process.args = "sh"@process: args: want an array
		.process.user.uid = -1@process: user: want an integer within bounds
		.mounts[0].options = ["wrong", 5]@mounts: 0: /proc: want strings
		.mounts[0].destination = "proc"@mounts: 0: target 'proc': want an absolute path below /
		.linux.rootfsPropagation = "shared"@linux: rootfsPropagation: other than private: not implemented
		.linux.resources.hugepageLimits = []@linux: resources: hugepageLimits: not implemented
		.ociVersion = "2.0"@ociVersion: other than 1.x: not implemented
		del(.process)@process.args: missing
		del(.root)@root.path: missing
		.linux.namespaces |= map(select(.type != "mount"))@linux.namespaces: without mount: not implemented
	END
	echo '{' >"$BUNDLE/config.json"
	run -125 bundle
	contains "$output" "config.json: line 2"
	run -125 up run --rm --bundle "$TOPO_DIR/nowhere"
	contains "$output" "bundle $TOPO_DIR/nowhere: No such file or directory"
	equals "$(up ps -a -q)" ""
}
