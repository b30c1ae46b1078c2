#!/usr/bin/env bats
# Host ports that are not named: -p 80, -p ADDRESS::80, -P with --expose and with a bundle's own.

load lib

setup_file() {
	export BATS_TEST_TIMEOUT=60
	make_world
	topo_exec host sh -c 'echo 40000 40009 >/proc/sys/net/ipv4/ip_local_port_range
		echo 40003 >/proc/sys/net/ipv4/ip_local_reserved_ports'
}

teardown_file() {
	end_world
}

teardown() {
	remove_all
}

# published NAME: "PROTOCOL HOST CONTAINER" of each range
published() {
	up port list --json | jq -r --arg name "$1" '.[] | select(.endpoint == $name)
		| "\(.protocol) \(.host_port)\(if .host_port_end > .host_port then "-\(.host_port_end)" else "" end) \(.container_port)"'
}

@test "-p 80: the lowest free port of the kernel's range, and it works" {
	serve host taken 40001
	taken=$TOPO_PID
	start a -p 80 -p :81/udp -p 127.0.0.1::82
	equals "$(published a)" $'tcp 40000 80\nudp 40000 81\ntcp 40002 82'
	contains "$(ask client tcp "$HOST" 40000)" "a saw"
	contains "$(ask client udp "$HOST" 40000)" "a saw"
	contains "$(ask host tcp 127.0.0.1 40002)" "a saw"
	contains "$(up ps)" "*:40000->80/tcp"
	start b -p 80-82
	equals "$(published b)" "tcp 40004-40006 80"
	contains "$(ask client tcp "$HOST" 40006)" "b saw"
	up port add b 9000
	contains "$(published b)" "tcp 40007 9000"
	run -125 up run --name c -p 80-82 "$ROOT" true
	contains "$output" "no 3 host ports are free from 40000 to 40009"
	run -1 up port add b 9001-9010:9001-9010 9001 9002 9003
	contains "$output" "no 1 host ports are free"
	equals "$(published b | wc -l)" 2
	kill "$taken"
}

@test "-P publishes what is exposed, and leaves what -p says" {
	start a -P --expose 80 --expose 81-82/tcp --expose 9000/udp -p 8080:80
	equals "$(published a)" $'tcp 8080 80\ntcp 40000-40001 81\nudp 40000 9000'
	contains "$(ask client tcp "$HOST" 40001)" "a saw"
	up rm -f a
	start a --expose 80
	equals "$(published a)" ""
	run -2 up run -P --expose 80:80 "$ROOT" true
	contains "$output" "want PORT[-END][/PROTOCOL]"
	run -125 up run -P --expose 80 --net=none "$ROOT" true
	contains "$output" "-p: not with --net=none"
}

@test "-P publishes what the image of a bundle exposes" {
	local image=$TOPO_DIR/image
	umoci init --layout "$image"
	umoci new --image "$image:v1"
	umoci insert --image "$image:v1" "$ROOT" /
	umoci config --image "$image:v1" --config.exposedports 80/tcp --config.exposedports 9000/udp
	umoci unpack --image "$image:v1" "$TOPO_DIR/unpacked"
	jq '.process.terminal = false' "$TOPO_DIR/unpacked/config.json" >"$TOPO_DIR/c"
	cp "$TOPO_DIR/c" "$TOPO_DIR/unpacked/config.json"
	up run -d --name img -P --bundle "$TOPO_DIR/unpacked" -- /bin/probe serve img 0.0.0.0 80 9000
	topo_wait 5 up_logged host img ready
	equals "$(published img | sort)" $'tcp 40000 80\nudp 40000 9000'
	contains "$(ask client tcp "$HOST" 40000)" "img saw"
}
