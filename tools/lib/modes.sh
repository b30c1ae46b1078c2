# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153 # tables of other files
# Modes: ways for a server in a container to be reached. Needs topology.sh.
#
# A mode NAME is a file modes/NAME.sh with
#
#	mode_title NAME "TITLE"
#	mode_NAME WORLD            builds it: namespaces named after WORLD, then world_is
#	mode_NAME_missing          optional: prints what this machine lacks for it, if anything
#	mode_NAME_publish WORLD N  optional: publishes N further ports, one by one
#	mode_NAME_end              optional: ends what topo_cleanup and up_cleanup do not know of
#
# A world is one instance of a mode, with a client, an uplink and a host of its own, so that none
# pays for another one's rules or programs; all are built alike. Its container is a network
# namespace, wherever the mode got it from: the servers that are measured are started in it by
# services.sh, the same way in every mode.
#
# Every mode publishes the container's ports MODE_PORTS, TCP and UDP. The host's are the same plus
# the world's "offset".

declare -gA MODE_TITLE=() WORLD=()
declare -ga MODE_NAMES=()
declare -g MODE_PORTS=7000-7009 MODE_OFFSET=1000

mode_title() {
	MODE_NAMES+=("$1")
	MODE_TITLE[$1]=$2
}

# world_is WORLD KEY=VALUE...: what loads need to know of a world:
#	client, host, server, peer   network namespaces: of the client, the host, the container, and
#	                             of another container of the same network
#	addr                         the host's address: with a published port, it leads to the server
#	inner                        the container's own address
#	offset                       published port minus the container's
world_is() {
	local world=$1 pair
	shift
	for pair in "$@"; do
		WORLD[$world.${pair%%=*}]=${pair#*=}
	done
}

# mode_missing NAME: what the machine lacks for it; nothing where it can be built
mode_missing() {
	if declare -F "mode_$1_missing" >/dev/null; then
		"mode_$1_missing"
	fi
}

# mode_lacks COMMAND...: the first of these commands that is not there
mode_lacks() {
	local tool

	for tool in "$@"; do
		command -v "$tool" >/dev/null || {
			echo "$tool is not installed"
			return
		}
	done
}

# mode_published: each published port in docker's words, a line each: 8000:7000/tcp
mode_published() {
	local proto port

	for proto in tcp udp; do
		for ((port = ${MODE_PORTS%-*}; port <= ${MODE_PORTS#*-}; port++)); do
			echo "$((port + MODE_OFFSET)):$port/$proto"
		done
	done
}

# mode_end: end what modes have started of their own
mode_end() {
	local name

	for name in "${MODE_NAMES[@]}"; do
		! declare -F "mode_${name}_end" >/dev/null || "mode_${name}_end"
	done
}

for file in "$(dirname "${BASH_SOURCE[0]}")"/modes/*.sh; do
	# shellcheck source=/dev/null
	. "$file"
done
unset file
