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

# docker_publish_rules ADDRESS HOST_PORT:CONTAINER_PORT/PROTO...: what "docker run -p" adds, for
# iptables-restore --noflush
docker_publish_rules() {
	local addr=$1 bridge=docker0
	shift

	echo "*nat"
	printf '%s\n' "$@" | sed -E "s|(.*):(.*)/(.*)|\
		-A DOCKER ! -i $bridge -p \3 -m \3 --dport \1 -j DNAT --to-destination $addr:\2\n\
		-A POSTROUTING -s $addr/32 -d $addr/32 -p \3 -m \3 --dport \2 -j MASQUERADE|"
	printf 'COMMIT\n*filter\n'
	printf '%s\n' "$@" | sed -E "s|(.*):(.*)/(.*)|\
		-A DOCKER -d $addr/32 ! -i $bridge -o $bridge -p \3 -m \3 --dport \2 -j ACCEPT|"
	echo COMMIT
}

# docker_network HOST: docker0 and the rules
docker_network() {
	local h=$TOPO_TAG-$1

	docker_rules "$1"
	ip -n "$h" link add docker0 type bridge
	ip -n "$h" addr add 172.17.0.1/16 brd 172.17.255.255 dev docker0
	ip -n "$h" link set docker0 up
}

# docker_container HOST CONTAINER N: a namespace at 172.17.0.N behind docker0
docker_container() {
	local h=$TOPO_TAG-$1 c=$TOPO_TAG-$2

	topo_ns "$2"
	ip -n "$h" link add "veth$3" type veth peer name eth0 netns "$c"
	ip -n "$h" link set "veth$3" master docker0 up
	ip -n "$c" addr add "172.17.0.$3/16" brd 172.17.255.255 dev eth0
	ip -n "$c" link set eth0 up
	ip -n "$c" route add default via 172.17.0.1
}
