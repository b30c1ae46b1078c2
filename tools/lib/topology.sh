# shellcheck shell=bash
# Networks out of namespaces: clients, uplinks, hosts. Nothing outside of them is touched, and
# topo_cleanup removes exactly what was made here.
#
# What was made is recorded in files below TOPO_DIR, so that a test's set-up and tear-down may run
# in different shells. Commands run in a namespace by nsenter: "ip netns exec" would hide the
# cgroup mounts that underpass needs.

# topo_init: start a topology; sets and exports TOPO_DIR and TOPO_TAG, the unique part of names
topo_init() {
	TOPO_DIR=$(mktemp -d "${TMPDIR:-/tmp}/underpass-XXXXXX")
	TOPO_TAG="up$$-${TOPO_DIR##*-}"
	: >"$TOPO_DIR/.ns"
	: >"$TOPO_DIR/.pids"
	: >"$TOPO_DIR/.mounts"
	export TOPO_DIR TOPO_TAG
}

# topo_file NAME: the file of a namespace; a name that is a path is one already
topo_file() {
	if [[ $1 == /* ]]; then
		printf '%s' "$1"
	else
		printf '/run/netns/%s-%s' "$TOPO_TAG" "$1"
	fi
}

# topo_ns NAME: make a network namespace
topo_ns() {
	local sysctl=/proc/sys/net/ipv4

	echo "$1" >>"$TOPO_DIR/.ns"
	ip netns add "$TOPO_TAG-$1"
	ip -n "$TOPO_TAG-$1" link set lo up
	# One address has 64,000 ports: enough for a connect rate only if they are reused.
	topo_exec "$1" sh -c "echo 1024 65535 >$sysctl/ip_local_port_range
		echo 1 >$sysctl/tcp_tw_reuse"
}

# topo_unns NAME: take a namespace away before the end
topo_unns() {
	ip netns del "$TOPO_TAG-$1"
	sed -i "/^$1\$/d" "$TOPO_DIR/.ns"
}

# topo_exec NAME COMMAND...: run a command in a namespace
topo_exec() {
	local ns=$1
	shift
	nsenter --net="$(topo_file "$ns")" -- "$@"
}

# topo_spawn NAME LOG COMMAND...: the same in the background; the process id is left in TOPO_PID
topo_spawn() {
	local ns=$1 log=$2
	shift 2
	nsenter --net="$(topo_file "$ns")" -- "$@" >"$log" 2>&1 </dev/null 3>&- &
	TOPO_PID=$!
	disown "$TOPO_PID"
	topo_record "$TOPO_PID"
}

# topo_record PID: have a process killed by topo_cleanup. The pid alone could be someone else's by
# then; together with its start time it cannot.
topo_record() {
	echo "$1 $(topo_started "$1")" >>"$TOPO_DIR/.pids"
}

# topo_started PID: when a process started, in clock ticks; empty if there is none
topo_started() {
	local stat
	{ stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 0
	stat=${stat##*) }
	cut -d' ' -f20 <<<"$stat"
}

# topo_link NS_A IF_A CIDR_A NS_B IF_B CIDR_B: a cable between two namespaces
topo_link() {
	ip -n "$TOPO_TAG-$1" link add "$2" type veth peer name "$5" netns "$TOPO_TAG-$4"
	ip -n "$TOPO_TAG-$1" addr add "$3" dev "$2"
	ip -n "$TOPO_TAG-$4" addr add "$6" dev "$5"
	ip -n "$TOPO_TAG-$1" link set "$2" up
	ip -n "$TOPO_TAG-$4" link set "$5" up
}

# topo_pair CLIENT HOST PREFIX: a client (PREFIX.2) and a host (PREFIX.1) on its uplink, eth0
topo_pair() {
	topo_ns "$1"
	topo_ns "$2"
	topo_link "$1" eth0 "$3.2/24" "$2" eth0 "$3.1/24"
	ip -n "$TOPO_TAG-$1" route add default via "$3.1"
	ip -n "$TOPO_TAG-$2" route add default via "$3.2"
}

# topo_wait SECONDS COMMAND...: poll until a command succeeds; fails, and says so, at the deadline
topo_wait() {
	local seconds=$1 deadline=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
	shift
	until "$@" >/dev/null 2>&1; do
		if ((${EPOCHREALTIME/[.,]/} >= deadline)); then
			echo "not true after $seconds s: $*" >&2
			return 1
		fi
		sleep 0.02
	done
}

# topo_gone PID: is this process gone?
topo_gone() {
	! kill -0 "$1" 2>/dev/null
}

# topo_listens NAME tcp|udp PORT: does a socket in the namespace listen there?
topo_listens() {
	local opt=-Hltn
	[[ $2 == tcp ]] || opt=-Hlun
	[[ -n $(topo_exec "$1" ss "$opt" "sport = :$3") ]]
}

# topo_pids NAME: processes that live in a namespace of ours
topo_pids() {
	ip netns pids "$TOPO_TAG-$1" 2>/dev/null || true
}

topo_kill_all() {
	local pid start ns

	while read -r pid start; do
		if [[ -n $start && $(topo_started "$pid") == "$start" ]]; then
			kill -KILL "$pid" 2>/dev/null || true
			topo_wait 5 topo_gone "$pid" || true
		fi
	done <"$TOPO_DIR/.pids"
	# What those started and left: the namespace is ours, so whoever lives in it is.
	while read -r ns; do
		for pid in $(topo_pids "$ns"); do
			kill -KILL "$pid" 2>/dev/null || true
			topo_wait 5 topo_gone "$pid" || true
		done
	done <"$TOPO_DIR/.ns"
}

# topo_cleanup: remove all of it; safe to call twice, or half way through a set-up
topo_cleanup() {
	local ns dir

	[[ -n ${TOPO_DIR:-} && -e $TOPO_DIR/.ns ]] || return 0
	topo_kill_all
	while read -r ns; do
		[[ ! -e $(topo_file "$ns") ]] || ip netns del "$TOPO_TAG-$ns"
	done <"$TOPO_DIR/.ns"
	while read -r dir; do
		! mountpoint -q "$dir" || umount "$dir"
	done <"$TOPO_DIR/.mounts"
	rm -rf --one-file-system "$TOPO_DIR"
	unset TOPO_DIR TOPO_TAG
}
