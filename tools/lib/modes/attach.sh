# shellcheck shell=bash
# docker itself, its containers attached afterwards: docker's own bridge, rules and NAT stay in charge.

mode_title attach "docker, attached by underpass"

mode_attach_missing() {
	mode_docker_missing
}

# attach_in WORLD COMMAND...: underpass on a world's host, where it finds that host's docker
attach_in() {
	DOCKER_HOST=unix://$TOPO_DIR/docker-$1/sock up_in "h-$1" "${@:2}"
}

mode_attach() {
	mode_docker "$1"
	up_host "h-$1"
	attach_in "$1" attach docker:server docker:peer
}
