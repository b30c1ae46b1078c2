# shellcheck shell=bash
# The host's own network, as with --net=host: no isolation, nothing on the way. What all is held
# against. "Container" and "other container" are the host itself, over its loopback.

mode_title host "host network"
mode_title host-rules "host network, docker's rules loaded"
mode_title host-up "host network, underpass up"

# _host_world WORLD: a host whose server is a process of its own
_host_world() {
	topo_pair "c-$1" "h-$1" 192.0.2
	world_is "$1" client="c-$1" host="h-$1" server="h-$1" peer="h-$1" \
		addr=192.0.2.1 inner=192.0.2.1 offset=0
}

mode_host() {
	_host_world "$1"
}

mode_host-rules() {
	_host_world "$1"
	docker_rules "h-$1"
}

mode_host-up() {
	_host_world "$1"
	up_host "h-$1"
	up_in "h-$1" up >/dev/null
}
