# shellcheck shell=bash
# Calling CNI plugins as a runtime does. Needs lib.bash and a world made by make_world.
#
# A container is a bare namespace, made by topo_ns; plugins are found in CNI_BIN, and then in
# CNI_REFERENCE, where the distribution's own are.

export UNDERPASS_CNI=${UNDERPASS_CNI:-$top/build/underpass-cni}
export KILLAT=${KILLAT:-$top/build/tests/integration/killat}
export CNI_REFERENCE=${CNI_REFERENCE:-/usr/lib/cni}

# cni_init: a directory with our plugin under all of its names; its path is left in CNI_BIN
cni_init() {
	local name
	CNI_BIN=$TOPO_DIR/cni-bin
	CNI_DATA=$TOPO_DIR/cni-data
	mkdir "$CNI_BIN"
	cp "$UNDERPASS_CNI" "$CNI_BIN/underpass-cni"
	for name in underpass bridge ptp portmap firewall bandwidth tuning; do
		ln -s underpass-cni "$CNI_BIN/$name"
	done
	export CNI_BIN CNI_DATA
}

# cni_env COMMAND...: run a command on the host with this host's directories
cni_env() {
	UNDERPASS_PIN_DIR=$TOPO_DIR/bpf-host/underpass UNDERPASS_RUN_DIR=$TOPO_DIR/run-host \
		on host "$@"
}

# cni PLUGIN VERB CONTAINER CONFIG [VARIABLE=VALUE]...: call a plugin; PLUGIN may be a path
cni() {
	local plugin=$1 verb=$2 id=$3 config=$4
	shift 4
	[[ $plugin == /* ]] || plugin=$CNI_BIN/$plugin
	cni_env env CNI_COMMAND="$verb" CNI_CONTAINERID="id-$id" CNI_NETNS="$(topo_file "$id")" \
		CNI_IFNAME=eth0 CNI_PATH="$CNI_BIN:$CNI_REFERENCE" "$@" "$plugin" <<<"$config"
}

# conf TYPE JSON: a configuration of network "net" and version 1.0.0; JSON is merged into it
conf() {
	jq -nc --arg type "$1" --arg dir "$CNI_DATA" --argjson more "${2:-{\}}" \
		'{cniVersion: "1.0.0", name: "net", type: $type,
		  ipam: {type: "host-local", subnet: "10.44.0.0/24", dataDir: $dir}} * $more'
}

# with CONFIG JSON: merge JSON into a configuration
with() {
	jq -nc --argjson a "$1" --argjson b "$2" '$a * $b'
}

# code JSON: the code of an error object
code() {
	jq -er .code <<<"$1"
}

# leases NETWORK: the leased addresses
leases() {
	find "$CNI_DATA/$1" -name '*[.:]*' ! -name 'last_reserved*' -printf '%f\n' 2>/dev/null | sort
}

# endpoints: how many there are
endpoints() {
	up status --json | jq '.endpoints | length'
}

# nothing_left: no endpoint, no port, no interface of ours, no lease, no attachment
nothing_left() {
	equals "$(up status --json | jq -c '[.endpoints, .ports]')" '[[],[]]'
	equals "$(on host ip -o link | grep -c ' up[0-9]*[@:]' || true)" 0
	equals "$(leases net)" ""
	equals "$(ls "$TOPO_DIR/run-host/cni" 2>/dev/null || true)" ""
}
