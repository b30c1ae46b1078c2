# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153 # tables of other files
# Servers in the worlds' containers. Needs topology.sh and modes.sh.
#
# service_start starts a server once per world; service_pids names its processes, for their CPU
# time. All run on CPU BENCH_CPU, in sessions of their own.

declare -gA SERVICE_PORT=([rr]=7000 [iperf3]=7002 [nginx]=7003 [memcached]=7004 [sockperf]=7005)
declare -gA SERVICE_PID=()

# service_target WORLD FROM SERVICE: "ADDRESS PORT" at which a service is found from one of the
# world's namespaces: from outside, and by a container from itself, by the published port
service_target() {
	local world=$1 port=${SERVICE_PORT[$3]}

	case $2 in
	client | server) echo "${WORLD[$world.addr]} $((port + WORLD[$world.offset]))" ;;
	host | peer) echo "${WORLD[$world.inner]} $port" ;;
	esac
}

# service_pids WORLD SERVICE
service_pids() {
	echo "${SERVICE_PID[$1.$2]}"
	pgrep -P "${SERVICE_PID[$1.$2]}" || true
}

# service_start WORLD SERVICE
service_start() {
	local pid

	[[ -z ${SERVICE_PID[$1.$2]:-} ]] || return 0
	"_service_$2" "$1"
	SERVICE_PID[$1.$2]=$TOPO_PID
	# Its children too: they may live in a namespace that topo_cleanup does not know.
	for pid in $(service_pids "$1" "$2"); do
		topo_record "$pid"
	done
}

# _service_spawn WORLD SERVICE COMMAND...
_service_spawn() {
	local world=$1 service=$2
	shift 2
	topo_spawn "${WORLD[$world.server]}" "$TOPO_DIR/$world-$service.log" \
		setsid taskset -c "$BENCH_CPU" "$@"
}

# _service_listens WORLD SERVICE PROTO
_service_listens() {
	topo_wait 10 topo_listens "${WORLD[$1.server]}" "$3" "${SERVICE_PORT[$2]}"
}

_service_rr() {
	_service_spawn "$1" rr "$RR" serve "${SERVICE_PORT[rr]}"
	topo_wait 10 grep -q ready "$TOPO_DIR/$1-rr.log"
}

_service_iperf3() {
	_service_spawn "$1" iperf3 iperf3 -s -p "${SERVICE_PORT[iperf3]}"
	_service_listens "$1" iperf3 tcp
}

_service_nginx() {
	local dir=$TOPO_DIR/$1-nginx

	mkdir "$dir"
	head -c 100 /dev/zero | tr '\0' x >"$dir/index.html"
	cat >"$dir/conf" <<-CONF
		user root;
		daemon off;
		worker_processes 1;
		pid $dir/pid;
		error_log $dir/error;
		events { worker_connections 1024; }
		http {
			access_log off;
			keepalive_requests 1000000000;
			client_body_temp_path $dir/body;
			proxy_temp_path $dir/proxy;
			fastcgi_temp_path $dir/fastcgi;
			uwsgi_temp_path $dir/uwsgi;
			scgi_temp_path $dir/scgi;
			server { listen ${SERVICE_PORT[nginx]}; root $dir; }
		}
	CONF
	_service_spawn "$1" nginx nginx -p "$dir" -c "$dir/conf" -e "$dir/error"
	_service_listens "$1" nginx tcp
}

_service_memcached() {
	_service_spawn "$1" memcached memcached -u root -U 0 -t 1 -l 0.0.0.0 \
		-p "${SERVICE_PORT[memcached]}"
	_service_listens "$1" memcached tcp
}

_service_sockperf() {
	_service_spawn "$1" sockperf sockperf server --tcp -i 0.0.0.0 -p "${SERVICE_PORT[sockperf]}"
	_service_listens "$1" sockperf tcp
}
