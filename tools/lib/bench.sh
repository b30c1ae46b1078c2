# shellcheck shell=bash
# Measuring modes side by side. Needs modes.sh; BENCH_* are the settings.
#
# A load NAME is a row in LOAD_TITLE and a function load_NAME MODE that prints one JSON object with
# rate, p50_us, p99_us, p999_us and lost. Client and server share one CPU: what a request costs is
# then all of what both sides, and everything between them, have done. Modes are measured in turn,
# many short times, so that a noisy machine is noisy for all of them.

declare -g BENCH_CPU=${BENCH_CPU:-0} BENCH_ROUNDS=5 BENCH_SECONDS=0.7 BENCH_WARMUP=0.1 BENCH_BYTES=1
declare -ga BENCH_MODES=(host bridge underpass) BENCH_LOADS=(tcp_rr udp_rr)
# shellcheck disable=SC2034 # read by name
declare -gA LOAD_TITLE=(
	[tcp_rr]="TCP request/response"
	[udp_rr]="UDP request/response"
	[tcp_crr]="TCP connect/request/close"
)

_load_rr() {
	topo_exec "${MODE_CLIENT[$2]}" "$RR" -c "$BENCH_CPU" -s "$BENCH_BYTES" \
		-d "$BENCH_SECONDS" -w "$BENCH_WARMUP" load "$1" "${MODE_ADDR[$2]}" "${MODE_PORT[$2]}"
}

load_tcp_rr() {
	_load_rr tcp "$1"
}

load_udp_rr() {
	_load_rr udp "$1"
}

load_tcp_crr() {
	_load_rr connect "$1"
}

# bench_build: build every mode that is to be measured
bench_build() {
	local mode

	for mode in "${BENCH_MODES[@]}"; do
		"mode_$mode"
	done
	: >"$TOPO_DIR/records"
}

# bench_run PROGRESS: measure; calls PROGRESS after each measurement
bench_run() {
	local progress=$1 round load mode result

	for ((round = 1; round <= BENCH_ROUNDS; round++)); do
		for load in "${BENCH_LOADS[@]}"; do
			for mode in "${BENCH_MODES[@]}"; do
				result=$("load_$load" "$mode") || {
					echo "bench: $load over $mode failed" >&2
					return 1
				}
				printf '{"mode":"%s","load":"%s","round":%d,"result":%s}\n' \
					"$mode" "$load" "$round" "$result" >>"$TOPO_DIR/records"
				"$progress"
			done
		done
	done
}

# _bench_titles ARRAY: an associative array, by name, as JSON
_bench_titles() {
	local -n titles=$1
	local key

	for key in "${!titles[@]}"; do
		jq -n --arg k "$key" --arg v "${titles[$key]}" '{($k): $v}'
	done | jq -s add
}

# _bench_jq FILTER: run a filter over the summary
_bench_jq() {
	local lib

	lib=$(dirname "${BASH_SOURCE[0]}")
	jq -rs -L "$lib" --argjson titles "$(_bench_titles MODE_TITLE)" \
		--argjson load_titles "$(_bench_titles LOAD_TITLE)" \
		--arg modes "${BENCH_MODES[*]}" --arg loads "${BENCH_LOADS[*]}" \
		"include \"stats\"; summary(\$modes / \" \"; \$loads / \" \") as \$summary | $1" \
		"$TOPO_DIR/records"
}

# bench_table: the result for people
bench_table() {
	# shellcheck disable=SC2016 # the dollars are jq's
	_bench_jq '$summary | table($titles; $load_titles)'
}

# bench_csv: the summary, a line per load and mode
bench_csv() {
	# shellcheck disable=SC2016
	_bench_jq '$summary | csv_rows'
}

bench_machine() {
	jq -n --arg kernel "$(uname -r)" --arg cpus "$(nproc)" \
		--arg cpu "$(sed -n 's/^model name[[:space:]]*: //p;T;q' /proc/cpuinfo)" \
		--arg date "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
		--arg version "$("$UNDERPASS" version 2>/dev/null || true)" \
		'{$kernel, $cpu, cpus: ($cpus | tonumber), $date, underpass: $version}'
}

# bench_json: machine, settings, summary and every record
bench_json() {
	# shellcheck disable=SC2016
	_bench_jq "{machine: $(bench_machine),
		settings: {cpu: $BENCH_CPU, rounds: $BENCH_ROUNDS, seconds: $BENCH_SECONDS,
			warmup: $BENCH_WARMUP, bytes: $BENCH_BYTES},
		"'$summary, records: .}'
}

# bench_ratio MODE LOAD: the median of the ratios to the first mode
bench_ratio() {
	_bench_jq "\$summary[] | select(.mode == \"$1\" and .load == \"$2\") | .ratio.median"
}
