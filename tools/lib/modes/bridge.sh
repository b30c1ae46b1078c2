# shellcheck shell=bash
# A bridge and iptables NAT: exactly the rules that docker makes, without docker.

mode_title bridge "bridge + NAT, docker's rules"

mode_bridge() {
	local world=$1 ports

	topo_pair "c-$world" "h-$world" 192.0.2
	docker_network "h-$world"
	docker_container "h-$world" "ctr-$world" 2
	docker_container "h-$world" "peer-$world" 3
	mapfile -t ports < <(mode_published)
	docker_publish_rules 172.17.0.2 "${ports[@]}" | topo_exec "h-$world" iptables-restore --noflush
	world_is "$world" client="c-$world" host="h-$world" server="ctr-$world" \
		peer="peer-$world" addr=192.0.2.1 inner=172.17.0.2 offset="$MODE_OFFSET"
}

mode_bridge_publish() {
	local ports

	mapfile -t ports < <(seq -f '%.0f:7009/tcp' 20000 $((20000 + $2 - 1)))
	docker_publish_rules 172.17.0.2 "${ports[@]}" | topo_exec "h-$1" iptables-restore --noflush
}
