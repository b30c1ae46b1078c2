# shellcheck shell=bash
# docker itself, its containers attached afterwards: docker's own bridge, rules and NAT stay in charge.

mode_title attach "docker, attached by underpass"

mode_attach_missing() {
	mode_docker_missing
}

mode_attach() {
	local world=$1

	mode_docker "$world"
	up_host "h-$world"
	DOCKER_HOST=unix://$TOPO_DIR/docker-$world/sock up_in "h-$world" attach \
		docker:server docker:peer
}
