# shellcheck shell=bash
# shellcheck disable=SC2153 # tables of other files
# What it takes to set up: wall time, in milliseconds. An action ACTION of mode MODE is a function
# _setup_ACTION_MODE WORLD, which calls _timed for what counts.

load setup_up "start: the datapath comes up" ms setup up
load setup_upgrade "upgrade: programs replaced under live links" ms setup upgrade
load setup_run "a container with a published port runs a command and ends" ms setup run
load setup_add "CNI ADD, with 20 published ports" ms setup add
load setup_add_del "CNI ADD and DEL, with 20 published ports" ms setup add_del
load setup_port "publish one more port" ms setup port
load setup_ports "publish 10,000 more ports" ms setup ports

load setup_add_1000 "CNI ADD, with 20 published ports, after 1,000 others" ms setup add
load_only setup_add_1000 underpass
load_scaled setup_add_1000 endpoints 1000

load setup_attach "attach two containers that docker runs" ms setup attach
load_only setup_attach attach

load_only setup_up underpass
load_only setup_upgrade underpass
load_only setup_run underpass docker
load_only setup_add underpass cni
load_only setup_add_del underpass cni
load_only setup_port underpass bridge
# The CNI portmap plugin is left out: 10,000 ports take it more than five minutes.
load_only setup_ports underpass bridge

# load_setup WORLD ACTION
load_setup() {
	SETUP_US=0
	"_setup_$2_${1%%-*}" "$1"
	jq -nc --argjson us "$SETUP_US" '{ms: ($us / 1000)}'
}

# _timed COMMAND...: run on BENCH_CPU; its wall time is added to SETUP_US
_timed() {
	local start=${EPOCHREALTIME/[.,]/}

	"$@"
	SETUP_US=$((SETUP_US + ${EPOCHREALTIME/[.,]/} - start))
}

_untimed() {
	"$@"
}

# A host of its own for each time, so that the datapath really is new.
_setup_up_underpass() {
	local host=h-start-$BASHPID client=c-start-$BASHPID

	topo_pair "$client" "$host" 192.0.2
	up_host "$host"
	_timed up_in "$host" up
	up_in "$host" down
	topo_unns "$host"
	topo_unns "$client"
}

_setup_upgrade_underpass() {
	_timed up_in "h-$1" up
}

_setup_attach_attach() {
	attach_in "$1" detach --all
	_timed attach_in "$1" attach docker:server docker:peer
}

_setup_run_underpass() {
	_timed up_in "h-$1" run --rm -p 30000:80 "$(_up_root)" -- /bin/busybox true
}

_setup_run_docker() {
	_timed docker_in "$1" run --rm -p 30000:80 bench /busybox true
}

# The 20 ports that mode_published names, away from the ones in use
_setup_ports_list() {
	mode_published | sed 's/^8/30/'
}

# setup_cni COMMAND WORLD CONTAINER RUNTIMECONFIG: our plugin
setup_cni() {
	UNDERPASS_PIN_DIR=$TOPO_DIR/bpf-h-$2/underpass UNDERPASS_RUN_DIR=$TOPO_DIR/run-h-$2 \
		cni_call "$1" "$UNDERPASS-cni" "h-$2" "$3" >/dev/null <<-CONF
			{"cniVersion": "0.4.0", "name": "bench", "type": "underpass", "runtimeConfig": $4,
			 "ipam": {"type": "host-local", "dataDir": "$TOPO_DIR/cni-$2",
			          "subnet": "10.23.0.0/16", "routes": [{"dst": "0.0.0.0/0"}]}}
		CONF
}

# _setup_add_del_MODE WORLD [_untimed]: _untimed leaves the DEL out
_setup_add_del_underpass() {
	local ports

	ports=$(_setup_ports_list | cni_ports)
	topo_ns added
	_timed setup_cni ADD "$1" added "$ports"
	"${2:-_timed}" setup_cni DEL "$1" added "$ports"
	topo_unns added
}

_setup_add_underpass() {
	_setup_add_del_underpass "$1" _untimed
}

_setup_cni_bridge() {
	cni_call "$1" bridge "h-$2" added <<<"$3"
}

_setup_cni_portmap() {
	cni_call "$1" portmap "h-$2" added <<<"$3" >/dev/null
}

_setup_add_del_cni() {
	local conf portmap

	conf=$(cni_bridge_conf "h-$1")
	topo_ns added
	_timed _setup_cni_bridge ADD "$1" "$conf" >"$TOPO_DIR/added"
	portmap=$(_setup_ports_list | cni_portmap_conf "$(<"$TOPO_DIR/added")")
	_timed _setup_cni_portmap ADD "$1" "$portmap"
	"${2:-_timed}" _setup_cni_portmap DEL "$1" "$portmap"
	"${2:-_timed}" _setup_cni_bridge DEL "$1" "$conf"
	topo_unns added
}

_setup_add_cni() {
	_setup_add_del_cni "$1" _untimed
}

_setup_port_underpass() {
	_timed up_in "h-$1" port add server 40000:7009
	up_in "h-$1" port del server 40000:7009
}

_setup_ports_underpass() {
	_timed up_in "h-$1" port add server 40000-49999:40000-49999
	up_in "h-$1" port del server 40000-49999:40000-49999
}

# _setup_rules WORLD A|D: add or delete the rules on stdin
_setup_rules() {
	sed "s/-A /-$2 /" | topo_exec "h-$1" iptables-restore --noflush
}

# _setup_publish_bridge WORLD COUNT: docker calls iptables three times for each port; here one call
# does all, which is the least that it could take
_setup_publish_bridge() {
	local ports rules=$TOPO_DIR/rules

	mapfile -t ports < <(seq -f '%.0f:7009/tcp' 40000 $((40000 + $2 - 1)))
	docker_publish_rules 172.17.0.2 "${ports[@]}" >"$rules"
	_timed _setup_rules "$1" A <"$rules"
	_setup_rules "$1" D <"$rules"
}

_setup_port_bridge() {
	_setup_publish_bridge "$1" 1
}

_setup_ports_bridge() {
	_setup_publish_bridge "$1" 10000
}
