# shellcheck shell=bash
# Latency by another tool's clock: sockperf, 14 bytes. It reports half of a round trip; we, all.

load sockperf_tcp "sockperf, TCP ping-pong" rate sockperf client --tcp

load_sockperf_missing() {
	mode_lacks sockperf taskset
}

load_sockperf_prepare() {
	service_start "$1" sockperf
}

# load_sockperf WORLD FROM OPTION...
load_sockperf() {
	local world=$1 from=$2 to
	shift 2

	read -ra to <<<"$(service_target "$world" "$from" sockperf)"
	load_in "$world" "$from" sockperf sockperf ping-pong "$@" -i "${to[0]}" -p "${to[1]}" \
		-t "$BENCH_BULK_SECONDS" -m 14 | _sockperf_json
}

# What it prints for people, as our JSON
_sockperf_json() {
	jq -Rsc 'def number($re): capture($re).n | tonumber;
		. as $text
		| def percentile($p): 2 * ($text | number("percentile \($p) = +(?<n>[0-9.]+)"));
		{rate: (($text | number("ReceivedMessages=(?<n>[0-9]+)"))
				/ ($text | number("Valid Duration\\] RunTime=(?<n>[0-9.]+)"))),
			p50_us: percentile("50.000"), p99_us: percentile("99.000"),
			p999_us: percentile("99.900")}'
}
