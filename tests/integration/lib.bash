# shellcheck shell=bash
# What the integration tests share: a client, a host with underpass on it, and containers, all in
# namespaces of their own. Every wait is for a condition, with a deadline.

bats_require_minimum_version 1.5.0

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export UNDERPASS=${UNDERPASS:-$top/build/underpass}
export PROBE=${PROBE:-$top/build/tests/integration/probe}
export TCX_COUNT=${TCX_COUNT:-$top/build/tests/integration/tcx_count}
export HOST=192.0.2.1 CLIENT=192.0.2.2
export HOST6=2001:db8::1 CLIENT6=2001:db8::2
# shellcheck source=tools/lib/topology.sh
. "$top/tools/lib/topology.sh"
# shellcheck source=tools/lib/underpass.sh
. "$top/tools/lib/underpass.sh"

# net_of NAME: the file of a network namespace: of the topology, or a container's
net_of() {
	if [[ -e $(topo_file "$1") ]]; then
		topo_file "$1"
	else
		printf '/proc/%s/ns/net' "$(pid_of "$1")"
	fi
}

# on NAMESPACE COMMAND...: no command of a test may hang
on() {
	local net
	net=$(net_of "$1")
	shift
	timeout -k 2 "${DEADLINE:-20}" nsenter --net="$net" -- "$@"
}

# spawn NAMESPACE LOG COMMAND...: in the background; topo_cleanup ends it
spawn() {
	local net log=$2
	net=$(net_of "$1")
	shift 2
	nsenter --net="$net" -- "$@" >"$log" 2>&1 </dev/null 3>&- &
	topo_record $!
	disown $!
}

# listens NAMESPACE PORT: does a TCP server?
listens() {
	[[ -n $(on "$1" ss -Hltn "sport = :$2") ]]
}

# up ARG...: underpass on the host
up() {
	[[ $1 != run || -z ${NET_DEVICE:-} ]] || set -- run --net-device "$NET_DEVICE" "${@:2}"
	DEADLINE=${DEADLINE:-20} up_in host "$@"
}

# ask NAMESPACE tcp|udp ADDRESS PORT: what the server there saw, and what the client's socket says
ask() {
	local ns=$1
	shift
	on "$ns" "$PROBE" ask "$@"
}

# ctr CONTAINER COMMAND...: run a command in a container
ctr() {
	up exec "$@"
}

# serve NAMESPACE TAG PORT...: a server in a bare namespace; its process id is left in TOPO_PID.
# SERVE_ON is the address, of this and of containers: "::" is both families
serve() {
	local ns=$1 tag=$2 log
	shift 2
	log=$TOPO_DIR/$tag.log
	topo_spawn "$ns" "$log" "$PROBE" serve "$tag" "${SERVE_ON:-0.0.0.0}" "$@"
	topo_wait 5 grep -q ready "$log"
}

# make_root: a root filesystem with busybox and the probe; its path is left in ROOT
make_root() {
	ROOT=$TOPO_DIR/root
	mkdir -p "$ROOT"/{bin,dev,etc,proc,sys,tmp}
	cp "$(command -v busybox)" "$ROOT/bin/busybox"
	cp "$PROBE" "$ROOT/bin/probe"
	chroot "$ROOT" /bin/busybox --install -s /bin
	export ROOT
}

# start NAME OPTION...: a container whose probe serves on many ports; returns when it answers
start() {
	local name=$1
	shift
	up run -d --name "$name" "$@" "$ROOT" -- \
		/bin/probe serve "$name" "${SERVE_ON:-0.0.0.0}" 80-82 9000-9010 >/dev/null
	topo_wait 5 up_logged host "$name" ready
}

address_of() {
	up_address host "$1"
}

# endpoint_of NAME FIELD: what status says of an endpoint
endpoint_of() {
	up status --json | jq -er --arg name "$1" --arg field "$2" \
		'.endpoints[] | select(.name == $name) | .[$field]'
}

# pid_of NAME: the container's first process, as the host sees it
pid_of() {
	up ps --json | jq -er --arg name "$1" '.[] | select(.name == $name) | .pid'
}

counter() {
	up status --json | jq -er --arg name "$1" '.counters[$name]'
}

# counter_above NAME NUMBER: for topo_wait
counter_above() {
	(($(counter "$1") > $2))
}

# live_start NAMESPACE ADDRESS PORT COUNT [udp]: connections that keep talking until live_end
live_start() {
	local net
	net=$(net_of "$1")
	shift
	rm -f "$TOPO_DIR"/live-{in,out}
	mkfifo "$TOPO_DIR/live-in"
	nsenter --net="$net" -- "$PROBE" live "$@" \
		<>"$TOPO_DIR/live-in" >"$TOPO_DIR/live-out" 2>&1 3>&- &
	LIVE_PID=$!
	topo_record "$LIVE_PID"
	topo_wait 10 grep -q open "$TOPO_DIR/live-out" || {
		cat "$TOPO_DIR/live-out" >&2
		return 1
	}
}

# live_end: end them; fails, and says why, if one of them broke. Not in a subshell: it waits for a child
live_end() {
	local status=0
	echo >"$TOPO_DIR/live-in"
	wait "$LIVE_PID" || status=$?
	((status == 0)) || cat "$TOPO_DIR/live-out"
	return "$status"
}

# topo_pair6: the second family of the pair
topo_pair6() {
	ip -n "$TOPO_TAG-client" addr add "$CLIENT6/64" dev eth0 nodad
	ip -n "$TOPO_TAG-host" addr add "$HOST6/64" dev eth0 nodad
	ip -n "$TOPO_TAG-client" route add default via "$HOST6"
	ip -n "$TOPO_TAG-host" route add default via "$CLIENT6"
}

# make_world OPTION...: client, host, underpass up; of both families
# WORLD_OPTIONS are options of "up"
make_world() {
	topo_init
	topo_pair client host 192.0.2
	topo_pair6
	up_host host
	make_root
	# shellcheck disable=SC2086 # words of a command line
	up up ${WORLD_OPTIONS:-} "$@"
}

# one OPTION... ROOT COMMAND...: a container without a network, until its command ends
one() {
	up run --rm --net=none "$@"
}

# remove_all: every container of the host
remove_all() {
	local name
	for name in $(up ps -a -q); do
		up rm -f "$name"
	done
}

end_world() {
	up_cleanup
	topo_cleanup
}

# contains TEXT PART: fails with both where PART is not in TEXT
contains() {
	[[ $1 == *"$2"* ]] || {
		printf 'expected: …%s…\ngot:      %s\n' "$2" "$1" >&2
		return 1
	}
}

equals() {
	[[ $1 == "$2" ]] || {
		printf 'expected: %s\ngot:      %s\n' "$2" "$1" >&2
		return 1
	}
}

# snmp NAMESPACE GROUP NAME: a counter of the kernel
snmp() {
	on "$1" cat /proc/net/snmp | awk -v group="$2:" -v name="$3" '
		$1 == group && !at { for (i = 2; i <= NF; i++) if ($i == name) at = i; next }
		$1 == group { print $at; exit }'
}

# snmp6 NAMESPACE NAME: the same for IPv6
snmp6() {
	on "$1" cat /proc/net/snmp6 | awk -v name="$2" '$1 == name { print $2 }'
}

# netns_of WHERE: a namespace of the topology, or a container's
netns_of() {
	local file
	file=$(topo_file "$1")
	[[ -e $file ]] || file=/proc/$(pid_of "$1")/ns/net
	echo "$file"
}

# inside WHERE COMMAND...
inside() {
	local where=$1
	shift
	nsenter --net="$(netns_of "$where")" -- "$@"
}

# meter WHERE PORT: an iperf3 server
meter() {
	local log=$TOPO_DIR/iperf-$1
	nsenter --net="$(netns_of "$1")" -- iperf3 -s -p "$2" --forceflush >"$log" 2>&1 </dev/null 3>&- &
	topo_record $!
	topo_wait 10 grep -q listening "$log"
}

# speed WHERE IPERF3-OPTION...: what the receiver got, bits in a second
speed() {
	local where=$1
	shift
	inside "$where" timeout 100 iperf3 --json "$@" | jq -er '.end.sum_received.bits_per_second | floor'
}

# within RATE MEASURED: within 5 % of it
within() {
	(($2 >= $1 * 95 / 100 && $2 <= $1 * 105 / 100)) || {
		echo "want $1 within 5 %, got $2" >&2
		return 1
	}
}

# below RATE MEASURED: at most 5 % above it
below() {
	(($2 <= $1 * 105 / 100)) || {
		echo "want at most $1 and 5 %, got $2" >&2
		return 1
	}
}

# far_above RATE MEASURED: nobody is held to that
far_above() {
	(($2 > 2 * $1)) || {
		echo "want far more than $1, got $2" >&2
		return 1
	}
}
