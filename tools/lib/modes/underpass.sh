# shellcheck shell=bash
# underpass, with containers of its own launcher.

mode_title underpass "underpass, veth"

# _up_root: a root filesystem whose command does nothing; its path is printed
_up_root() {
	local root=$TOPO_DIR/bench-root

	mkdir -p "$root/bin"
	[[ -e $root/bin/busybox ]] || cp "$(command -v busybox)" "$root/bin/busybox"
	echo "$root"
}

# up_pid HOST NAME: a container's first process, as everyone else sees it
up_pid() {
	up_in "$1" ps --json | jq -er --arg name "$2" '.[] | select(.name == $name) | .pid'
}

# up_world WORLD OPTION...: client, host and two containers, started with these options of "run"
up_world() {
	local world=$1 host=h-$1 root publish
	shift

	root=$(_up_root)
	mapfile -t publish < <(mode_published | sed 's/^/--publish=/')
	up_in "$host" run -d --name server "${publish[@]}" "$@" "$root" -- \
		/bin/busybox sleep 1000000 >/dev/null
	up_in "$host" run -d --name peer "$@" "$root" -- /bin/busybox sleep 1000000 >/dev/null
	world_is "$world" client="c-$world" host="$host" \
		server="/proc/$(up_pid "$host" server)/ns/net" \
		peer="/proc/$(up_pid "$host" peer)/ns/net" \
		addr=192.0.2.1 inner="$(up_address "$host" server)" offset="$MODE_OFFSET"
}

mode_underpass_missing() {
	mode_lacks busybox
}

# up_mode WORLD OPTION...: the same, on a host of its own. One endpoint may have half of the flows.
up_mode() {
	local flows=$BENCH_FLOWS_MAX

	[[ $1 != *-fill-* ]] || flows=$((2 * ${1##*-} + 1024))
	topo_pair "c-$1" "h-$1" 192.0.2
	up_host "h-$1"
	up_in "h-$1" up --flows "$flows" >/dev/null
	up_world "$@"
}

mode_underpass() {
	up_mode "$1" --net-device veth
}

# up_publish WORLD N: further ports of its server, none of which could be merged with another
up_publish() {
	local ports

	mapfile -t ports < <(seq -f '%.0f:7009' 20000 $((20000 + $2 - 1)))
	up_in "h-$1" port add server "${ports[@]}"
}

mode_underpass_publish() {
	up_publish "$@"
}
