#!/usr/bin/env bats
# shellcheck disable=SC2154 # what lib.bash and "run" set
# The benchmark: that it measures what it says, and that what it leaves can be read. Not speeds.

load lib

setup_file() {
	export BATS_TEST_TIMEOUT=300
	export OUT=$BATS_FILE_TMPDIR/out
	export LOADS=tcp_rr,tcp_rr_1k_c16,tcp_crr,bulk_tcp_in,http,memcached,c2c_tcp_rr
	LOADS+=,rr_flows_10,crr_ports_10,setup_port,mem_idle,pps
	mkdir "$BATS_FILE_TMPDIR/tmp"
	# shellcheck disable=SC2016 # the other shell's
	# With a list of namespaces of its own, to see which are left: other tests may make some.
	unshare --mount sh -e -c 'mkdir -p /run/netns
		mount -t tmpfs tmpfs /run/netns
		TMPDIR=$1/tmp "$UNDERPASS" bench -m host,bridge,underpass -r 2 -s 0.05 -w 0.01 -o "$OUT" \
			-l "$LOADS" \
			>"$1/table" 2>"$1/words"
		ls /run/netns >"$1/left"
		grep -F "$1/tmp" /proc/self/mounts >>"$1/left" || true
		ls -A "$1/tmp" >>"$1/left"
		grep -lsF "TMPDIR=$1/tmp" /proc/[0-9]*/environ >>"$1/left" || true' \
		sh "$BATS_FILE_TMPDIR"
}

# json FILTER: must be true of bench.json
json() {
	jq -e "$1" "$OUT/bench.json" >/dev/null || {
		echo "not so: $1" >&2
		return 1
	}
}

@test "every load was measured over every mode that it is for, in every round" {
	json '[.modes[].name] == ["host", "bridge", "underpass"]'
	json '.loads | length == 12'
	json '[.records[] | select(.load | test("flows|ports|setup|mem_") | not)] | length == 8 * 3 * 2'
	json '[.records[] | select(.load | test("_flows|_ports"))] | length == 2 * 2 * 2'
	json '[.records[] | select(.load | test("setup|mem_"))] | length == 2 * 2 + 2'
	json '.summary | length == 8 * 3 + 2 * 2 + 2 + 1 and all(.[]; .rounds == 2)'
	json 'all(.summary[] | select(.metric | test("rate|cpu")); .rate.median > 0 and .cpu_ns.median > 0)'
	json 'all(.summary[] | select(.metric | test("ms|bytes")); (.ms // .bytes).median > 0)'
}

@test "requests have latencies, in order, and none was lost over TCP" {
	json '[.records[] | select(.load == "tcp_rr").result | .p50_us > 0 and .p50_us <= .p99_us
		and .p99_us <= .p999_us] | length == 6 and all'
	json 'all(.records[] | select(.load | startswith("tcp")); .result.lost == 0)'
}

@test "packets per second are of what arrived, and the program that forwarded them is known" {
	json 'all(.records[] | select(.load == "pps"); .result.rate > 0 and .result.lost < 50000)'
	json '[.records[] | select(.load == "pps" and .mode == "underpass").result.programs.up_uplink_in
		| .runs >= 500000 and .ns > 0] | length == 2 and all'
}

@test "the first mode is held against itself, the others against it" {
	json 'all(.summary[] | select(.mode == "host"); .ratio.median == 1 and .ratio.low == 1)'
	json 'all(.summary[] | select(.load == "tcp_rr"); .ratio.low <= .ratio.median and .ratio.median <= .ratio.high)'
}

@test "a goal is judged only by enough rounds" {
	json '.goals | length >= 15'
	json 'all(.goals[]; .verdict == "not measured" or .verdict == "undecided: too few rounds")'
	json 'any(.goals[]; .load == "tcp_rr" and .measured.median > 0)'
}

@test "the settings and the machine are in the results" {
	json ".machine.kernel == \"$(uname -r)\" and (.machine.cpu | length > 0) and .machine.cpus > 0"
	json '.settings | .rounds == 2 and .seconds == 0.05 and .cpu == 0'
}

@test "the CSV has a line for each row of the summary, and as many fields in each" {
	equals "$(wc -l <"$OUT/bench.csv")" $(($(jq '.summary | length' "$OUT/bench.json") + 1))
	# shellcheck disable=SC2016 # awk's
	run -0 awk -F'"' '{ n = 0; for (i = 1; i <= NF; i += 2) n += gsub(/,/, "", $i); print n }' "$OUT/bench.csv"
	equals "$(sort -u <<<"$output" | wc -l)" 1
}

@test "the chart is a picture, and names each mode but the first" {
	contains "$(head -c 8 "$OUT/bench.png" | od -An -c)" "P   N   G"
	contains "$(cat "$OUT/bench.svg")" "</svg>"
	contains "$(cat "$OUT/bench.svg")" "underpass, veth"
	contains "$(cat "$OUT/bench.svg")" "bridge + NAT"
}

@test "the table names loads, modes and goals" {
	contains "$(cat "$BATS_FILE_TMPDIR/table")" "TCP connect/request/close"
	contains "$(cat "$BATS_FILE_TMPDIR/table")" "bridge + NAT, docker's rules"
	contains "$(cat "$BATS_FILE_TMPDIR/table")" "goals"
}

@test "nothing is left behind" {
	equals "$(cat "$BATS_FILE_TMPDIR/left")" ""
}

@test "what is missing is said, and the rest is measured" {
	run --separate-stderr -0 env CNI_DIR=/nonexistent "$UNDERPASS" bench -m host,cni -l tcp_rr \
		-r 1 -s 0.02 -w 0 --json
	contains "$stderr" "without mode cni: the CNI plugin bridge is not installed"
	jq -e '.settings.left_out | length == 1' <<<"$output"
	jq -e '[.records[].mode] == ["host"]' <<<"$output"
}

@test "a bad option is one line, and status 2" {
	for args in "-m nope" "-l nope" "-r 0" "-s x" "-c -1" extra; do
		# shellcheck disable=SC2086 # option and value
		run --separate-stderr -2 "$UNDERPASS" bench $args
		equals "${#stderr_lines[@]}" 1
		equals "$output" ""
	done
}

@test "make install ships it, and it runs from there" {
	make -s -C "$top" B="${BUILD:-$top/build}" install DESTDIR="$BATS_TEST_TMPDIR" >/dev/null
	run -0 env -u UNDERPASS "$BATS_TEST_TMPDIR/usr/local/sbin/underpass" bench -m host,underpass \
		-l udp_rr -r 1 -s 0.02 -w 0 --json
	jq -e '[.records[].mode] == ["host", "underpass"]' <<<"$output"
}

@test "bench-cni measures every verb, ours and the reference plugins'" {
	run -0 "$top/tools/bench-cni" --rounds 1 --json
	jq -e '.summary | [.reference, .names] | all(.VERSION and .ADD and .DEL)' <<<"$output"
	jq -e '.summary | .single.ADD and .many.ADD and .kernel.DEL' <<<"$output"
	run -2 "$top/tools/bench-cni" --rounds 0
}
