# shellcheck shell=bash
# HTTP: nginx serves a page of 100 bytes, wrk fetches it over 16 connections.

load http "HTTP, nginx and wrk" rate http client 16

load_http_missing() {
	mode_lacks nginx wrk taskset
}

load_http_prepare() {
	service_start "$1" nginx
	cat >"$TOPO_DIR/wrk.lua" <<-'LUA'
		done = function(s, latency, requests)
			local e = s.errors
			io.write(string.format('{"count":%d,"rate":%.1f,"p50_us":%.1f,"p99_us":%.1f,' ..
				'"p999_us":%.1f,"lost":%d}\n', s.requests, s.requests / s.duration * 1e6,
				latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
				e.connect + e.read + e.write + e.status + e.timeout))
		end
	LUA
}

# load_http WORLD FROM CONNECTIONS
load_http() {
	local to out

	read -ra to <<<"$(service_target "$1" "$2" nginx)"
	out=$(load_in "$1" "$2" nginx wrk -t 1 -c "$3" -d "${BENCH_BULK_SECONDS}s" \
		-s "$TOPO_DIR/wrk.lua" "http://${to[0]}:${to[1]}/" | tail -n 1)
	jq -c --slurpfile cpu "$TOPO_DIR/cpu" \
		'. + {cpu_ns: ($cpu[0].cpu_s * 1e9 / .count)} | del(.count)' <<<"$out"
}
