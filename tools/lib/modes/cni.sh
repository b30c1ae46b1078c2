# shellcheck shell=bash
# The distribution's CNI plugins: bridge with masquerading, host-local, portmap.

mode_title cni "CNI bridge + portmap"

declare -g CNI_DIR=${CNI_DIR:-/usr/lib/cni}

mode_cni_missing() {
	local plugin

	for plugin in bridge host-local portmap; do
		[[ -x $CNI_DIR/$plugin ]] || {
			echo "the CNI plugin $plugin is not installed"
			return
		}
	done
	mode_lacks iptables
}

# cni_call COMMAND PLUGIN HOST CONTAINER: a plugin, with its configuration on stdin. PLUGIN may be a
# path
cni_call() {
	local plugin=$2

	[[ $plugin == /* ]] || plugin=$CNI_DIR/$plugin
	CNI_COMMAND=$1 CNI_CONTAINERID=$4 CNI_NETNS=$(topo_file "$4") CNI_IFNAME=eth0 \
		CNI_PATH=$CNI_DIR topo_exec "$3" "$plugin"
}

cni_bridge_conf() {
	jq -n --arg dir "$TOPO_DIR/cni-$1" '{cniVersion: "0.4.0", name: "bench", type: "bridge",
		bridge: "cni0", isGateway: true, ipMasq: true, hairpinMode: true,
		ipam: {type: "host-local", dataDir: $dir, subnet: "10.22.0.0/16",
			routes: [{dst: "0.0.0.0/0"}]}}'
}

# cni_ports: the ports on stdin, in docker's words, as CNI's runtimeConfig
cni_ports() {
	jq -Rnc '{portMappings: [inputs | capture("(?<h>[0-9]+):(?<c>[0-9]+)/(?<p>.*)")
		| {hostPort: (.h | tonumber), containerPort: (.c | tonumber), protocol: .p}]}'
}

# cni_portmap_conf RESULT: what portmap is called with after bridge; the ports on stdin
cni_portmap_conf() {
	cni_ports | jq --argjson prev "$1" '{cniVersion: "0.4.0", name: "bench", type: "portmap",
		prevResult: $prev, runtimeConfig: .}'
}

# cni_add HOST CONTAINER: bridge's result is printed
cni_add() {
	topo_ns "$2"
	cni_bridge_conf "$1" | cni_call ADD bridge "$1" "$2"
}

mode_cni() {
	local world=$1 host=h-$1 result

	topo_pair "c-$world" "$host" 192.0.2
	topo_exec "$host" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
	result=$(cni_add "$host" "ctr-$world")
	mode_published | cni_portmap_conf "$result" | cni_call ADD portmap "$host" "ctr-$world" >/dev/null
	cni_add "$host" "peer-$world" >/dev/null
	world_is "$world" client="c-$world" host="$host" server="ctr-$world" \
		peer="peer-$world" addr=192.0.2.1 offset="$MODE_OFFSET" \
		inner="$(jq -r '.ips[0].address | split("/")[0]' <<<"$result")"
}
