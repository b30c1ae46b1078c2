# shellcheck shell=bash
# Hosts with underpass on them. Each namespace that is a host has pins and a run directory of its
# own, below TOPO_DIR. Needs topology.sh; UNDERPASS is the executable.

# up_host NAME: prepare a namespace made by topo_ns to be a host
up_host() {
	echo "$1" >>"$TOPO_DIR/.hosts"
	mkdir "$TOPO_DIR/bpf-$1"
	mount -t bpf bpf "$TOPO_DIR/bpf-$1"
	echo "$TOPO_DIR/bpf-$1" >>"$TOPO_DIR/.mounts"
}

# up_in NAME ARG...: underpass on that host
up_in() {
	local host=$1
	shift
	UNDERPASS_PIN_DIR=$TOPO_DIR/bpf-$host/underpass UNDERPASS_RUN_DIR=$TOPO_DIR/run-$host \
		topo_exec "$host" "$UNDERPASS" "$@"
}

# up_address HOST NAME: the address of a container
up_address() {
	up_in "$1" status --json |
		jq -er --arg name "$2" '.endpoints[] | select(.name == $name) | .address'
}

# up_logged HOST NAME TEXT: has a container printed this?
up_logged() {
	[[ $(up_in "$1" logs "$2") == *"$3"* ]]
}

# up_containers HOST: names of its containers
up_containers() {
	up_in "$1" ps --all --json | jq -r '.[].name'
}

# up_cleanup: stop the containers of all hosts and take underpass down; before topo_cleanup
up_cleanup() {
	local host name

	[[ -n ${TOPO_DIR:-} && -e $TOPO_DIR/.hosts ]] || return 0
	while read -r host; do
		for name in $(up_containers "$host" 2>/dev/null); do
			up_in "$host" rm --force "$name" >/dev/null 2>&1 || true
		done
		up_in "$host" down --force >/dev/null 2>&1 || true
	done <"$TOPO_DIR/.hosts"
}
