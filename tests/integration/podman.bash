# shellcheck shell=bash
# podman 4.3 with its CNI backend on the test's host: in the host's network namespace, and in a mount
# namespace where /run, /var/lib, /etc/cni and /etc/containers are its own. This host's directories
# are at their usual places there, because conmon does not hand the environment on. Needs cni.bash.

# private_start: the mount namespace, held by a process; its id is left in PRIVATE
private_start() {
	local dir=$TOPO_DIR/private
	mkdir -p "$dir"/{run,var-lib,etc-cni,etc-containers,opt-cni,tmp}
	# shellcheck disable=SC2016
	topo_spawn host "$TOPO_DIR/private.log" unshare -m --propagation private sh -c '
		set -e
		mkdir -p /opt/cni /etc/containers /etc/cni
		for at in run var-lib etc-cni etc-containers opt-cni; do
			mount -t tmpfs tmpfs "/$(echo $at | sed "s|-|/|")"
		done
		mkdir -p /var/lib/cni /etc/cni/net.d /run/lock /run/underpass /var/lib/containers /opt/cni/bin
		mount --bind "$1" /run/underpass
		mount --bind "$2" /sys/fs/bpf
		echo ready
		exec sleep infinity' sh "$TOPO_DIR/run-host" "$TOPO_DIR/bpf-host"
	PRIVATE=$TOPO_PID
	topo_wait 10 grep -q ready "$TOPO_DIR/private.log"
	export PRIVATE
}

# private COMMAND...: run a command in there
private() {
	timeout -k 2 "${DEADLINE:-60}" nsenter -t "$PRIVATE" -m -n -- "$@"
}

# write_private PATH: standard input becomes a file in there
write_private() {
	private sh -c "cat >$1"
}

# podman_start PLUGIN_DIR: configure podman, and give it an image "box" of busybox and the probe
podman_start() {
	write_private /etc/containers/containers.conf <<-END
		[containers]
		default_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		runtime = "runc"
		[network]
		network_backend = "cni"
		cni_plugin_dirs = ["$1", "$CNI_REFERENCE"]
	END
	write_private /etc/containers/storage.conf <<-END
		[storage]
		driver = "vfs"
		runroot = "/run/containers/storage"
		graphroot = "/var/lib/containers/storage"
	END
	echo '{"default":[{"type":"insecureAcceptAnything"}]}' | write_private /etc/containers/policy.json
	tar -C "$ROOT" -c . | private podman import -q - box >/dev/null
}

pod() {
	private podman "$@"
}

# box NAME OPTION...: a container whose probe serves ports 80 to 82; returns when it answers
box() {
	local name=$1
	shift
	pod run -d --name "$name" "$@" box /bin/probe serve "$name" 0.0.0.0 80-82 >/dev/null
	topo_wait 20 boxed "$name"
}

boxed() {
	[[ $(pod logs "$1" 2>&1) == *ready* ]]
}

# pod_exec NAME COMMAND...: run a command in a container's network namespace
pod_exec() {
	local pid
	pid=$(pod inspect -f '{{.State.Pid}}' "$1")
	shift
	timeout -k 2 20 nsenter -t "$pid" -n -- "$@"
}

podman_end() {
	pod rm -fa -t 0 >/dev/null 2>&1 || true
	pod pod rm -fa -t 0 >/dev/null 2>&1 || true
}
