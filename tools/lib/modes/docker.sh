# shellcheck shell=bash
# docker itself: a dockerd of the bench's own, in the world's host namespace. It sees a /run of its
# own and keeps everything else below TOPO_DIR; its cgroups have a parent that is removed at the end.

mode_title docker "docker"

declare -gA DOCKER_PIDS=()

mode_docker_missing() {
	local lack

	lack=$(mode_lacks docker dockerd containerd runc busybox)
	[[ -z $lack ]] || echo "$lack"
}

# docker_in WORLD ARG...: the client of that world's daemon
docker_in() {
	local world=$1
	shift
	docker --host "unix://$TOPO_DIR/docker-$world/sock" "$@"
}

_docker_start() {
	local world=$1 dir=$TOPO_DIR/docker-$1

	mkdir "$dir"
	echo "{}" >"$dir/config"
	cat >"$dir/start" <<-'START'
		mount --make-rprivate /
		mount -t tmpfs tmpfs /run
		exec dockerd --host "unix://$1/sock" --data-root "$1/data" --exec-root "$1/exec" \
			--pidfile "$1/pid" --config-file "$1/config" --cgroup-parent "$2" \
			--exec-opt native.cgroupdriver=cgroupfs --iptables=true
	START
	topo_spawn "h-$world" "$dir/log" unshare --mount sh "$dir/start" "$dir" "/$TOPO_TAG"
	DOCKER_PIDS[$world]=$TOPO_PID
	topo_wait 60 docker_in "$world" version
	mkdir "$dir/root"
	cp "$(command -v busybox)" "$dir/root/busybox"
	tar -C "$dir/root" -c . | docker_in "$world" import - bench >/dev/null
}

# _docker_run WORLD NAME OPTION...: a container that does nothing; the path of its network namespace
_docker_run() {
	local world=$1 name=$2
	shift 2
	docker_in "$world" run -d --name "$name" "$@" bench /busybox sleep 1000000 >/dev/null
	echo "/proc/$(docker_in "$world" inspect -f '{{.State.Pid}}' "$name")/ns/net"
}

mode_docker() {
	local world=$1 publish

	topo_pair "c-$world" "h-$world" 192.0.2
	_docker_start "$world"
	mapfile -t publish < <(mode_published | sed 's/^/--publish=/')
	world_is "$world" client="c-$world" host="h-$world" addr=192.0.2.1 offset="$MODE_OFFSET" \
		server="$(_docker_run "$world" server "${publish[@]}")" \
		peer="$(_docker_run "$world" peer)"
	world_is "$world" inner="$(docker_in "$world" inspect \
		-f '{{.NetworkSettings.IPAddress}}' server)"
}

mode_docker_end() {
	local world dir

	for world in "${!DOCKER_PIDS[@]}"; do
		docker_in "$world" rm -f server peer >/dev/null 2>&1 || true
		kill "${DOCKER_PIDS[$world]}" 2>/dev/null || true
		topo_wait 20 topo_gone "${DOCKER_PIDS[$world]}" || true
		unset "DOCKER_PIDS[$world]"
	done
	find /sys/fs/cgroup -depth -type d -path "*/$TOPO_TAG*" 2>/dev/null | while read -r dir; do
		rmdir "$dir" 2>/dev/null || true
	done
}
