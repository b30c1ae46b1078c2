#!/usr/bin/env bats
# Named networks: who reaches whom, what may leave, and what a name stands for.

load lib

setup_file() {
	export BATS_TEST_TIMEOUT=60
	make_world
	up network create front >/dev/null
	up network create --subnet 10.99.1.0/24 --gateway 10.99.1.254 --subnet fd99:1::/64 \
		--mtu 1400 back >/dev/null
	up network create --internal --subnet 10.99.2.0/28 vault >/dev/null
	start f1 --network front -p 8081:80
	start f2 --network front
	start b1 --network back -p 8082:80 -p 8082:80/udp
	start v1 --network vault
	start v2 --network vault
	start d1
	serve client outside 7000
	serve host service 7100
}

teardown_file() {
	end_world
}

about() {
	up network inspect "$1" | jq -r ".[0].$2"
}

# unreachable CONTAINER ADDRESS: and it is counted
unreachable() {
	local before
	before=$(counter drop_network)
	run -1 ctr "$1" nc -w 1 "$2" 80
	run ! ctr "$1" ping -c 1 -W 1 "$2"
	(($(counter drop_network) > before))
}

@test "within a network containers reach each other, and nobody else does" {
	contains "$(ctr f1 probe ask tcp "$(address_of f2)" 80)" "f2 saw $(address_of f1):"
	contains "$(ctr v1 probe ask udp "$(address_of v2)" 80)" "v2 saw $(address_of v1):"
	unreachable f1 "$(address_of b1)"
	unreachable b1 "$(address_of f1)"
	unreachable d1 "$(address_of f1)"
	unreachable f1 "$(address_of d1)"
	unreachable v1 "$(address_of f1)"
	unreachable d1 "$(address_of v1)"
}

@test "every network has the host, and its published ports" {
	contains "$(ctr f1 probe ask tcp "$(about front 'subnets[0].gateway')" 7100)" "service saw"
	contains "$(ctr b1 probe ask tcp 10.99.1.254 7100)" "service saw $(address_of b1):"
	contains "$(ctr f1 probe ask tcp "$HOST" 8082)" "b1 saw"
	contains "$(ask client tcp "$HOST" 8081)" "f1 saw $CLIENT:"
	contains "$(ask client udp "$HOST" 8082)" "b1 saw $CLIENT:"
	contains "$(ask host tcp "$(address_of v1)" 80)" "v1 saw"
}

@test "a network leads outside, an internal one does not" {
	local before
	contains "$(ctr f1 probe ask tcp "$CLIENT" 7000)" "outside saw $HOST:"
	contains "$(ctr b1 probe ask udp "$CLIENT" 7000)" "outside saw $HOST:"
	before=$(counter drop_network)
	run -1 ctr v1 nc -w 1 "$CLIENT" 7000
	run -1 ctr v1 probe ask udp "$CLIENT" 7000
	run ! ctr v1 ping -c 1 -W 1 "$CLIENT"
	(($(counter drop_network) > before))
}

@test "ports of an internal network cannot be published" {
	run -125 up run -d --name v3 --network vault -p 8083:80 "$ROOT" true
	contains "$output" "network vault is internal: no port can be published"
	run -1 up port add v1 8083:80
	contains "$output" "its network is internal"
	equals "$(up port list | grep -c 8083)" 0
	[[ $(up network inspect vault | jq '.[0].endpoints | length') == 2 ]]
}

@test "addresses, gateway and MTU are the network's" {
	equals "$(address_of b1)" 10.99.1.1
	equals "$(up status --json | jq -r '.endpoints[] | select(.name == "b1") | .address6')" fd99:1::2
	contains "$(ctr b1 ip route)" "default via 10.99.1.254"
	contains "$(ctr b1 ip link show eth0)" "mtu 1400"
	contains "$(ctr f1 ip link show eth0)" "mtu 1500"
	[[ $(address_of f1) == 10.216.0.2 ]]
	start b7 --network back --ip 10.99.1.7
	equals "$(address_of b7)" 10.99.1.7
	run -125 up run --network back --ip 10.99.1.254 "$ROOT" true
	contains "$output" "10.99.1.254"
	run -125 up run --network back --ip 10.216.0.9 "$ROOT" true
	contains "$output" "network back"
	up rm -f b7
}

@test "ls and inspect" {
	equals "$(up network ls --json | jq -r '.[].name' | xargs)" "fast back front vault"
	equals "$(up network ls --json | jq -c 'map(.id) | unique | length')" 4
	contains "$(up network ls)" "10.99.2.0/28"
	equals "$(up network ls | awk '$1 == "vault" { print $NF, $(NF - 1) }')" "2 internal"
	equals "$(up network inspect back | jq -c '.[0] | [.internal, .mtu, .subnets, (.endpoints | map(.name))]')" \
		'[false,1400,[{"subnet":"10.99.1.0/24","gateway":"10.99.1.254"},{"subnet":"fd99:1::/64","gateway":"fd99:1::1"}],["b1"]]'
	equals "$(up network inspect fast | jq -c '.[0] | [.id, (.endpoints | map(.name))]')" '[0,["d1"]]'
}

@test "what is taken or senseless is refused with one line, and nothing is changed" {
	local before line
	before=$(up network ls --json)
	while read -r line; do
		# shellcheck disable=SC2086 # words of a command line
		run up network create ${line%% =*}
		[[ $status == 1 || $status == 2 ]]
		equals "${#lines[@]}" 1
		contains "$output" "${line##*= }"
	done <<-END
		front = there is one
		host = reserved
		fast = reserved
		-x = -x is not an option
		../etc = network name
		a b = needs one name
		--subnet 10.99.1.128/25 n = overlaps network back
		--subnet 10.0.0.0/8 n = overlaps network
		--subnet 10.215.7.0/24 n = overlaps network fast
		--subnet 192.0.2.0/25 n = overlaps the host's address 192.0.2.1
		--subnet 192.0.0.0/16 n = overlaps the host's address
		--subnet 10.99.3.1/24 n = no bits beyond it
		--subnet 10.99.3.0/30 n = want a prefix of 8 to 29 bits
		--subnet 224.1.0.0/24 n = no addresses for containers
		--subnet fe80::/64 n = no addresses for containers
		--subnet 10.99.3.0/24 --subnet 10.99.4.0/24 n = one of each family
		--subnet 10.99.3.0/24 --gateway 10.99.4.1 n = in no subnet
		--subnet 10.99.3.0/24 --gateway 10.99.3.0 n = in no subnet
		--subnet 10.99.3.0/24 --gateway fd00::1 n = in no subnet
		--subnet fd98::/64 --mtu 1000 n = want 1280 to 65535
		--mtu 60 n = want 68 to 65535
	END
	run -1 up network rm front
	contains "$output" "endpoints are in it"
	run -1 up network rm nosuch
	contains "$output" "no such network"
	run -1 up network rm ../front
	run -1 up network rm fast
	run -1 up network inspect nosuch
	run -2 up network
	run -2 up network join front
	run -125 up run --network nosuch "$ROOT" true
	contains "$output" "nosuch: no such network"
	equals "$(up network ls --json)" "$before"
}

@test "removed and made again, ids are not those of networks that are there" {
	local ids
	up network create --subnet 10.99.5.0/24 one >/dev/null
	start o1 --network one
	run -1 up network rm one
	up rm -f o1
	equals "$(up network rm one)" one
	run -1 up network inspect one
	up network create --subnet 10.99.5.0/24 two >/dev/null
	ids=$(up network ls --json | jq -c 'map(.id) | length == (unique | length)')
	equals "$ids" true
	up network rm two
}

@test "a record that cannot be read is named, and can be removed" {
	local record=$TOPO_DIR/run-host/networks/bad.json
	echo '{"id": 70000}' >"$record"
	run -1 up network ls
	contains "$output" "network bad: its record"
	run -125 up run --network bad "$ROOT" true
	contains "$output" "network bad: its record"
	contains "$(ctr d1 probe ask tcp "$CLIENT" 7000)" "outside saw"
	equals "$(up network rm bad)" bad
	up network ls
}

@test "networks outlive the datapath, and a subnet that meets one is refused" {
	local before
	for c in f1 f2 b1 v1 v2 d1; do up rm -f "$c"; done
	before=$(up network ls --json | jq -c 'map(select(.id != 0) | del(.endpoints))')
	up down
	run -1 up up --subnet 10.99.0.0/16
	contains "$output" "overlaps network back"
	up up
	equals "$(up network ls --json | jq -c 'map(select(.id != 0) | del(.endpoints))')" "$before"
	start b2 --network back
	equals "$(address_of b2)" 10.99.1.1
}
