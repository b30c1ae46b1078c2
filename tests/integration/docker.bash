# shellcheck shell=bash
# dockerd 20.10 on the test's host: in the host's network namespace, in a mount namespace with a /run of
# its own, and everything else below TOPO_DIR. Needs make_root.

# dock ARG...: its client
dock() {
	timeout -k 2 "${DEADLINE:-60}" docker --host "unix://$TOPO_DIR/docker/sock" "$@"
}

# up_docker ARG...: underpass on the host, which finds this docker
up_docker() {
	DOCKER_HOST=unix://$TOPO_DIR/docker/sock up "$@"
}

# docker_start: the daemon, with an image "box" of the root file system
docker_start() {
	local dir=$TOPO_DIR/docker
	mkdir "$dir"
	cat >"$dir/config" <<-END
		{"live-restore": true, "userland-proxy": false, "exec-opts": ["native.cgroupdriver=cgroupfs"],
		 "ipv6": true, "fixed-cidr-v6": "fd00:d0c::/64", "experimental": true, "ip6tables": true}
	END
	spawn host "$dir/holder" unshare --mount sh -c '
		mount --make-rprivate /
		mount -t tmpfs tmpfs /run
		echo ready
		exec sleep infinity'
	tail -n 1 "$TOPO_DIR/.pids" | cut -d" " -f1 >"$dir/holder-pid"
	topo_wait 10 grep -q ready "$dir/holder"
	docker_daemon
	tar -C "$ROOT" -c . | dock import - box >/dev/null
}

# docker_daemon: start the daemon; its process id is left in a file
docker_daemon() {
	local dir=$TOPO_DIR/docker
	spawn host "$dir/log" nsenter -m -n -t "$(<"$dir/holder-pid")" -- dockerd \
		--host "unix://$dir/sock" --data-root "$dir/data" --exec-root "$dir/exec" \
		--pidfile "$dir/pid" --config-file "$dir/config" --cgroup-parent "/$TOPO_TAG"
	topo_wait 60 dock version
}

# docker_daemon_end: stop it; its containers live on
docker_daemon_end() {
	local pid
	pid=$(<"$TOPO_DIR/docker/pid")
	kill "$pid"
	topo_wait 60 topo_gone "$pid"
}

docker_end() {
	local dir
	dock ps -aq | xargs -r docker --host "unix://$TOPO_DIR/docker/sock" rm -f >/dev/null
	docker_daemon_end
	find /sys/fs/cgroup -depth -type d -path "*/$TOPO_TAG*" | while read -r dir; do
		rmdir "$dir"
	done
}

# dbox NAME OPTION...: a container whose probe serves ports 80 to 82; returns when it answers
dbox() {
	local name=$1
	shift
	dock run -d --name "$name" "$@" box /bin/probe serve "$name" :: 80-82 >/dev/null
	topo_wait 20 dboxed "$name"
}

dboxed() {
	[[ $(dock logs "$1" 2>&1) == *ready* ]]
}

# pid_of NAME: the container's first process; so that "on" and "live_start" know containers
pid_of() {
	dock inspect -f '{{.State.Pid}}' "$1"
}

# dock_if NAME: the host's end of a container's first veth
dock_if() {
	local index
	index=$(on "$1" ip -json link show eth0 | jq '.[0].link_index')
	ip -n "$TOPO_TAG-host" -json link | jq -r --argjson index "$index" \
		'.[] | select(.ifindex == $index) | .ifname'
}
