#!/usr/bin/env bats
# "underpass cni install", and containerd's client with what that put in place.
# shellcheck disable=SC2030,SC2031 # bats sets output

load lib
load cni
load podman

setup_file() {
	export BATS_TEST_TIMEOUT=120 DEADLINE=40
	make_world
	cni_init
	private_start
	serve client outside 7000
}

teardown_file() {
	end_world
}

install_to() {
	"$UNDERPASS" cni install --bin-dir "$TOPO_DIR/opt" --conf-dir "$TOPO_DIR/net.d" "$@"
}

@test "install puts the plugin, a name and a configuration in place; uninstall takes back exactly that" {
	mkdir "$TOPO_DIR/opt" "$TOPO_DIR/net.d"
	echo theirs >"$TOPO_DIR/opt/bridge"
	echo theirs >"$TOPO_DIR/net.d/20-other.conflist"
	run -0 install_to --json
	cmp "$TOPO_DIR/opt/underpass-cni" "$UNDERPASS_CNI"
	equals "$(readlink "$TOPO_DIR/opt/underpass")" underpass-cni
	equals "$(jq -r '.plugins[0].type' "$TOPO_DIR/net.d/10-underpass.conflist")" underpass
	run -1 install_to --all
	contains "$output" "$TOPO_DIR/opt/bridge is somebody else's"
	rm "$TOPO_DIR/opt/bridge"
	run -0 install_to --all --json
	equals "$(jq length <<<"$output")" 8
	run -0 install_to --json # an upgrade: it still knows of the other names
	run -1 "$UNDERPASS" cni install --bin-dir "$TOPO_DIR/opt" --no-conf
	contains "$output" "uninstall that first"
	run -0 "$UNDERPASS" cni uninstall --bin-dir "$TOPO_DIR/opt"
	equals "$(ls -A "$TOPO_DIR/opt") $(ls -A "$TOPO_DIR/net.d")" " 20-other.conflist"
	run -1 "$UNDERPASS" cni uninstall --bin-dir "$TOPO_DIR/opt"
	contains "$output" "nothing was installed"
	run -2 "$UNDERPASS" cni frob
	run -1 "$UNDERPASS" cni install --bin-dir relative
}

@test "install and uninstall killed at any system call: what is there is whole, and the next one completes it" {
	local n verb ended file
	rm -rf "$TOPO_DIR"/{opt,net.d}
	mkdir -p "$TOPO_DIR/opt" "$TOPO_DIR/net.d"
	for verb in install uninstall; do
		ended=0
		for ((n = 1; n < 5000 && !ended; n += 9)); do
			[[ $verb == install ]] || install_to --all --json >/dev/null
			run "$KILLAT" "$n" "$UNDERPASS" cni "$verb" --bin-dir "$TOPO_DIR/opt" \
				--conf-dir "$TOPO_DIR/net.d"
			((status == 137 || status == 0))
			((status)) || ended=1
			# What a runtime may look at meanwhile.
			for file in "$TOPO_DIR/opt"/{underpass-cni,bridge}; do
				[[ ! -e $file ]] || cmp "$file" "$UNDERPASS_CNI"
			done
			for file in "$TOPO_DIR/net.d"/*.conflist; do
				[[ ! -e $file ]] || jq -e .plugins "$file" >/dev/null
			done
			install_to --all --json >/dev/null
			"$UNDERPASS" cni uninstall --bin-dir "$TOPO_DIR/opt" >/dev/null
			equals "$(find "$TOPO_DIR/opt" "$TOPO_DIR/net.d" -mindepth 1)" ""
		done
		((ended))
	done
}

@test "a configuration that was changed stays" {
	install_to --json
	sed -i s/1.0.0/0.4.0/ "$TOPO_DIR/net.d/10-underpass.conflist"
	run -0 install_to --json
	contains "$(cat "$TOPO_DIR/net.d/10-underpass.conflist")" 0.4.0
	run -0 "$UNDERPASS" cni uninstall --bin-dir "$TOPO_DIR/opt"
	contains "$output" "10-underpass.conflist was changed: it stays"
	equals "$(ls -A "$TOPO_DIR/opt")" ""
	rm "$TOPO_DIR/net.d/10-underpass.conflist"
}

containerd_serves() {
	private ctr version >/dev/null 2>&1
}

ctr_says() {
	[[ $(private sh -c "cat $TOPO_DIR/ctr.log") == *"$1"* ]]
}

no_endpoint() {
	[[ $(endpoints) == 0 ]]
}

@test "ctr run --cni: an address, the way out, and nothing left when it ends" {
	private "$UNDERPASS" cni install
	topo_spawn host "$TOPO_DIR/containerd.log" nsenter -t "$PRIVATE" -m -n -- containerd
	topo_wait 30 containerd_serves
	topo_spawn host "$TOPO_DIR/ctr.log" nsenter -t "$PRIVATE" -m -n -- \
		ctr run --rm --cni --rootfs "$ROOT" box /bin/probe serve box 0.0.0.0 80
	topo_wait 30 ctr_says ready
	equals "$(endpoints)" 1
	contains "$(up status --json | jq -r '.endpoints[0].name')" "default-box-eth0"
	contains "$(ask host tcp "$(up status --json | jq -r '.endpoints[0].address')" 80)" "box saw 10.215.0.1:"
	contains "$(private ctr task exec --exec-id x box /bin/probe ask tcp "$CLIENT" 7000)" "outside saw $HOST:"
	private ctr task kill -s KILL box
	topo_wait 30 no_endpoint
	nothing_left
	private "$UNDERPASS" cni uninstall
	equals "$(private ls -A /opt/cni/bin /etc/cni/net.d)" "$(printf '/etc/cni/net.d:\n\n/opt/cni/bin:')"
}
