# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153 # tables of other files
# Measuring modes side by side. Needs modes.sh and loads.sh; BENCH_* are the settings. The script
# that uses it has errexit and inherit_errexit on.
#
# Client and server share one CPU: what a request costs is then all of what both sides, and
# everything between them, have done. Modes are measured in turn, many short times, so that a noisy
# machine is noisy for all of them, and compared within each round.

declare -g BENCH_CPU=${BENCH_CPU:-0} BENCH_ROUNDS=5 BENCH_SECONDS=0.5 BENCH_WARMUP=0.1
declare -g BENCH_BULK_SECONDS=1 BENCH_FLOWS_MAX=262144
declare -g BENCH_DOING=
declare -ga BENCH_MODES=() BENCH_LOADS=() BENCH_LEFT_OUT=()

# Does the kernel account interrupts apart from the processes that they interrupt?
declare -g BENCH_IRQ_TIME=
if { zcat /proc/config.gz || cat "/boot/config-$(uname -r)"; } 2>/dev/null |
	grep -q '^CONFIG_IRQ_TIME_ACCOUNTING=y'; then
	BENCH_IRQ_TIME=yes
fi

# bench_leave_out KIND NAME WHY: say, now and in the results, what cannot be measured here
bench_leave_out() {
	BENCH_LEFT_OUT+=("$1 $2: $3")
	echo "bench: without $1 $2: $3" >&2
}

# bench_available: keep of BENCH_MODES and BENCH_LOADS what this machine can do
bench_available() {
	local name why modes=() loads=()

	for name in "${BENCH_MODES[@]}"; do
		why=$(mode_missing "$name")
		if [[ -z $why ]]; then modes+=("$name"); else bench_leave_out mode "$name" "$why"; fi
	done
	for name in "${BENCH_LOADS[@]}"; do
		why=$(load_missing "$name")
		if [[ -z $why ]]; then loads+=("$name"); else bench_leave_out load "$name" "$why"; fi
	done
	BENCH_MODES=("${modes[@]}") BENCH_LOADS=("${loads[@]}")
	((${#modes[@]} > 0 && ${#loads[@]} > 0)) || {
		echo "bench: nothing is left to measure" >&2
		return 1
	}
}

# _bench_world LOAD MODE: build the world that it needs, where it does not stand yet
_bench_world() {
	local world scale

	world=$(load_world "$1" "$2")
	[[ -z ${WORLD[$world.client]:-} ]] || return 0
	"mode_$2" "$world"
	read -ra scale <<<"${LOAD_SCALE[$1]:-}"
	((${#scale[@]} == 0)) || scale_up "$world" "$2" "${scale[@]}"
}

# bench_each FUNCTION ARG...: FUNCTION ARG... LOAD MODE, for all that belong together. A failure ends
# the script (errexit; so no caller may test the status): BENCH_DOING tells where.
bench_each() {
	local load mode

	for load in "${BENCH_LOADS[@]}"; do
		for mode in "${BENCH_MODES[@]}"; do
			load_is_for "$load" "$mode" || continue
			BENCH_DOING="$load over $mode"
			"$@" "$load" "$mode"
		done
	done
}

_bench_build_one() {
	_bench_world "$1" "$2"
	load_prepare "$1" "$(load_world "$1" "$2")"
}

# bench_build: build every world that is to be measured
bench_build() {
	bench_each _bench_build_one
	: >"$TOPO_DIR/records"
}

# _bench_measure ROUND PROGRESS LOAD MODE
_bench_measure() {
	local result

	result=$(load_run "$3" "$(load_world "$3" "$4")")
	printf '{"mode":"%s","load":"%s","round":%d,"result":%s}\n' "$4" "$3" "$1" "$result" \
		>>"$TOPO_DIR/records"
	"$2"
}

# bench_run PROGRESS: measure; calls PROGRESS after each measurement
bench_run() {
	local round

	for ((round = 1; round <= BENCH_ROUNDS; round++)); do
		bench_each _bench_measure "$round" "$1"
	done
}

# _bench_map ARRAY: an associative array, by name, as JSON
_bench_map() {
	local -n map=$1
	local key

	for key in "${!map[@]}"; do
		jq -n --arg k "$key" --arg v "${map[$key]}" '{($k): $v}'
	done | jq -s add
}

bench_machine() {
	jq -nc --arg kernel "$(uname -r)" --arg cpus "$(nproc)" \
		--arg cpu "$(sed -n 's/^model name[[:space:]]*: //p;T;q' /proc/cpuinfo)" \
		--arg memory "$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo)" \
		--arg date "$(date -u +%Y-%m-%dT%H:%M:%SZ)" --arg irq "$BENCH_IRQ_TIME" \
		--arg version "$("$UNDERPASS" version 2>/dev/null || true)" \
		'{$kernel, $cpu, cpus: ($cpus | tonumber), memory_kb: ($memory | tonumber), $date,
			underpass: $version, irq_time_accounting: ($irq != "")}'
}

bench_settings() {
	jq -nc --arg left "$(printf '%s\n' "${BENCH_LEFT_OUT[@]}")" "{cpu: $BENCH_CPU,
		rounds: $BENCH_ROUNDS, seconds: $BENCH_SECONDS, warmup: $BENCH_WARMUP,
		bulk_seconds: $BENCH_BULK_SECONDS, left_out: (\$left / \"\\n\" | map(select(. != \"\")))}"
}

# bench_summary: what was measured, in one JSON document: machine, settings, modes, loads, summary,
# goals and every record
bench_summary() {
	local lib

	lib=$(dirname "${BASH_SOURCE[0]}")
	jq -sc -L "$lib" --argjson titles "$(_bench_map MODE_TITLE)" \
		--argjson load_titles "$(_bench_map LOAD_TITLE)" \
		--argjson metrics "$(_bench_map LOAD_METRIC)" \
		--arg modes "${BENCH_MODES[*]}" --arg loads "${BENCH_LOADS[*]}" \
		--argjson machine "$(bench_machine)" --argjson settings "$(bench_settings)" \
		'include "stats"; include "goals";
		($modes / " " | map({name: ., title: $titles[.]})) as $modes
		| ($loads / " " | map({name: ., title: $load_titles[.], metric: $metrics[.]})) as $loads
		| {$machine, $settings, $modes, $loads, summary: summary($modes; $loads),
			goals: goals, records: .}' "$TOPO_DIR/records"
}

# bench_as FILTER: the summary on stdin, through a filter of stats.jq
bench_as() {
	jq -r -L "$(dirname "${BASH_SOURCE[0]}")" "include \"goals\"; include \"stats\"; $1"
}

# bench_ratio MODE LOAD: the median of the ratios to the first mode; the summary on stdin
bench_ratio() {
	bench_as ".summary[] | select(.mode == \"$1\" and .load == \"$2\") | .ratio.median"
}
