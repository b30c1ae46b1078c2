# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153 # tables of other files
# Loads: what is done to a world, and measured. Needs services.sh.
#
# A load NAME is declared in a file of loads/ by
#
#	load NAME "TITLE" METRIC FAMILY ARG...
#	load_only NAME MODE...     optional: the only modes that it is for
#	load_except NAME MODE...   optional: modes that it is not for
#	load_scaled NAME KIND N    optional: its world carries N "ports", "flows", ... already
#
# and a FAMILY is a function
#
#	load_FAMILY WORLD ARG...   measures once; prints one JSON object
#
# with these optional ones beside it:
#
#	load_FAMILY_prepare WORLD ARG...   what has to stand before, such as a server
#	load_FAMILY_missing                prints what this machine lacks for it, if anything
#
# The object's members are rate (units per second), cpu_ns (CPU time of client and server per unit),
# p50_us, p99_us, p999_us, ms, bytes and lost; which, depends. METRIC is the one that modes are compared
# by.

declare -gA LOAD_TITLE=() LOAD_METRIC=() LOAD_RUN=() LOAD_ONLY=() LOAD_EXCEPT=() LOAD_SCALE=()
declare -ga LOAD_NAMES=()

load() {
	LOAD_NAMES+=("$1")
	LOAD_TITLE[$1]=$2
	LOAD_METRIC[$1]=$3
	LOAD_RUN[$1]=${*:4}
}

load_only() {
	LOAD_ONLY[$1]=${*:2}
}

load_except() {
	LOAD_EXCEPT[$1]=${*:2}
}

load_scaled() {
	LOAD_SCALE[$1]=${*:2}
}

# load_missing NAME
load_missing() {
	local family=${LOAD_RUN[$1]%% *}

	if declare -F "load_${family}_missing" >/dev/null; then
		"load_${family}_missing"
	fi
}

# load_is_for NAME MODE
load_is_for() {
	[[ " ${LOAD_ONLY[$1]:-$2} " == *" $2 "* && " ${LOAD_EXCEPT[$1]:-} " != *" $2 "* ]]
}

# load_world NAME MODE: the world that this mode is measured in
load_world() {
	local scale=${LOAD_SCALE[$1]:-}

	echo "$2${scale:+-${scale/ /-}}"
}

# load_prepare NAME WORLD
load_prepare() {
	local words

	read -ra words <<<"${LOAD_RUN[$1]}"
	! declare -F "load_${words[0]}_prepare" >/dev/null ||
		"load_${words[0]}_prepare" "$2" "${words[@]:1}"
}

# load_run NAME WORLD
load_run() {
	local words

	read -ra words <<<"${LOAD_RUN[$1]}"
	"load_${words[0]}" "$2" "${words[@]:1}"
}

# load_in WORLD FROM SERVICE COMMAND...: a client on BENCH_CPU. Its output and its status are the
# command's; the CPU time of both sides is left in $TOPO_DIR/cpu
load_in() {
	local world=$1 from=$2 service=$3
	shift 3
	# shellcheck disable=SC2046 # options
	topo_exec "${WORLD[$world.$from]}" timeout -k 5 $((BENCH_BULK_SECONDS + 60)) "$CPU_TIME" -c "$BENCH_CPU" -o "$TOPO_DIR/cpu" \
		$(load_accounts "$world" "$service") -- "$@"
}

# load_accounts WORLD SERVICE: options that name whose CPU time counts: the server's, and what the
# kernel does in that CPU's own thread
load_accounts() {
	local pid

	for pid in $(service_pids "$1" "$2") $(pgrep -x "ksoftirqd/$BENCH_CPU"); do
		printf -- '-p %d ' "$pid"
	done
	[[ -z $BENCH_IRQ_TIME ]] || printf -- '-i '
}

for file in "$(dirname "${BASH_SOURCE[0]}")"/loads/*.sh; do
	# shellcheck source=/dev/null
	. "$file"
done
unset file
