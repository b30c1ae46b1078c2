# shellcheck shell=bash
# What dockerd 20.10 makes for its default bridge: the bridge, its iptables rules (in its order),
# and a container behind it. Needs topology.sh.

# docker_rules HOST: the rules that stand as soon as dockerd runs
docker_rules() {
	local bridge=docker0 net=172.17.0.0/16

	topo_exec "$1" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
	topo_exec "$1" iptables-restore <<-RULES
		*nat
		:PREROUTING ACCEPT [0:0]
		:INPUT ACCEPT [0:0]
		:OUTPUT ACCEPT [0:0]
		:POSTROUTING ACCEPT [0:0]
		:DOCKER - [0:0]
		-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
		-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
		-A POSTROUTING -s $net ! -o $bridge -j MASQUERADE
		-A DOCKER -i $bridge -j RETURN
		COMMIT
		*filter
		:INPUT ACCEPT [0:0]
		:FORWARD DROP [0:0]
		:OUTPUT ACCEPT [0:0]
		:DOCKER - [0:0]
		:DOCKER-ISOLATION-STAGE-1 - [0:0]
		:DOCKER-ISOLATION-STAGE-2 - [0:0]
		:DOCKER-USER - [0:0]
		-A FORWARD -j DOCKER-USER
		-A FORWARD -j DOCKER-ISOLATION-STAGE-1
		-A FORWARD -o $bridge -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
		-A FORWARD -o $bridge -j DOCKER
		-A FORWARD -i $bridge ! -o $bridge -j ACCEPT
		-A FORWARD -i $bridge -o $bridge -j ACCEPT
		-A DOCKER-ISOLATION-STAGE-1 -i $bridge ! -o $bridge -j DOCKER-ISOLATION-STAGE-2
		-A DOCKER-ISOLATION-STAGE-1 -j RETURN
		-A DOCKER-ISOLATION-STAGE-2 -o $bridge -j DROP
		-A DOCKER-ISOLATION-STAGE-2 -j RETURN
		-A DOCKER-USER -j RETURN
		COMMIT
	RULES
}

# docker_publish HOST ADDRESS HOST_PORT CONTAINER_PORT PROTO: what "docker run -p" adds
docker_publish() {
	local host=$1 addr=$2 port=$3 to=$4 proto=$5 bridge=docker0

	topo_exec "$host" iptables -t nat -A DOCKER ! -i "$bridge" -p "$proto" -m "$proto" \
		--dport "$port" -j DNAT --to-destination "$addr:$to"
	topo_exec "$host" iptables -A DOCKER -d "$addr/32" ! -i "$bridge" -o "$bridge" \
		-p "$proto" -m "$proto" --dport "$to" -j ACCEPT
	topo_exec "$host" iptables -t nat -A POSTROUTING -s "$addr/32" -d "$addr/32" -p "$proto" \
		-m "$proto" --dport "$to" -j MASQUERADE
}

# docker_network HOST CONTAINER: docker0, the rules, and a namespace at 172.17.0.2 behind it
docker_network() {
	local host=$1 ctr=$2 h

	h=$TOPO_TAG-$host
	docker_rules "$host"
	ip -n "$h" link add docker0 type bridge
	ip -n "$h" addr add 172.17.0.1/16 brd 172.17.255.255 dev docker0
	ip -n "$h" link set docker0 up
	topo_ns "$ctr"
	ip -n "$h" link add veth0 type veth peer name eth0 netns "$TOPO_TAG-$ctr"
	ip -n "$h" link set veth0 master docker0 up
	ip -n "$TOPO_TAG-$ctr" addr add 172.17.0.2/16 brd 172.17.255.255 dev eth0
	ip -n "$TOPO_TAG-$ctr" link set eth0 up
	ip -n "$TOPO_TAG-$ctr" route add default via 172.17.0.1
}
