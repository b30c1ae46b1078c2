#!/usr/bin/env bats
# Containers in several networks: "network connect", "network disconnect", run with several --network.
# shellcheck disable=SC2016 # what is quoted is for the shell in the container

load lib

setup_file() {
	export BATS_TEST_TIMEOUT=120
	make_world
	up network create --subnet 10.99.1.0/24 --subnet fd99:1::/64 back >/dev/null
	up network create --subnet 10.99.2.0/24 side >/dev/null
	up network create --internal --subnet 10.99.3.0/24 vault >/dev/null
	SERVE_ON=:: start b --network back
	start s --network side
	start v --network vault
	start d
	serve client outside 7000
}

teardown_file() {
	end_world
}

setup() {
	SERVE_ON=:: start web -p 8080:80 -p 9000:9000
}

teardown() {
	topo_wait 10 nothing_of web
}

nothing_of() {
	up rm -f "$1" 2>/dev/null
	equals "$(members "$1")" ""
}

# members CONTAINER: its endpoints
members() {
	up status --json | jq -r --arg name "$1" \
		'.endpoints | map(.name | select(. == $name or startswith($name + "@"))) | sort | join(" ")'
}

# talks CONTAINER OTHER: by the other's address
talks() {
	contains "$(ctr "$1" probe ask tcp "$(address_of "$2")" 80)" "${2%@*} saw"
}

silent() {
	run -1 ctr "$1" nc -w 1 "$(address_of "$2")" 80
}

routes() {
	ctr "$1" ip route | sed 's/ *$//; s/ onlink$//'
}

@test "a running container gets an interface in another network, and loses it again" {
	silent web b
	equals "$(up network connect back web)" ""
	equals "$(members web)" "web web@back"
	contains "$(ctr web ip addr show eth1)" "$(address_of web@back)"
	talks web b
	talks b web@back
	contains "$(ctr web probe ask tcp "$(endpoint_of b address6)" 80)" "b saw"
	contains "$(ctr b probe ask udp "$(endpoint_of web@back address6)" 80)" "web saw"
	contains "$(ctr web probe ask tcp "$CLIENT" 7000)" "outside saw $HOST:"
	contains "$(ask client tcp "$HOST" 8080)" "web saw $CLIENT:"
	contains "$(ask host tcp "$(address_of web@back)" 80)" "web saw"
	silent web s
	silent d web@back
	up network disconnect back web
	equals "$(members web)" web
	run ! ctr web ip link show eth1
	silent web b
	contains "$(ask client tcp "$HOST" 8080)" "web saw $CLIENT:"
}

@test "addresses can be asked for; /etc/hosts, inspect and ls tell of them" {
	up network connect --ip 10.99.1.77 --ip6 fd99:1::77 back web
	equals "$(address_of web@back)" 10.99.1.77
	contains "$(ctr web cat /etc/hosts)" $'10.99.1.77\tweb\nfd99:1::77\tweb'
	equals "$(up inspect web | jq -c '.[0].networks | map([.network, .endpoint, .address])')" \
		"[[\"fast\",\"web\",\"$(address_of web)\"],[\"back\",\"web@back\",\"10.99.1.77\"]]"
	equals "$(up network inspect back | jq -c '.[0].endpoints | map(.name)')" '["b","web@back"]'
	run -1 up network rm back
	ctr web sh -c 'echo "192.0.2.9 mine" >>/etc/hosts'
	up network disconnect back web
	equals "$(ctr web cat /etc/hosts | grep -c '77')" 0
	contains "$(ctr web cat /etc/hosts)" "192.0.2.9 mine"
	contains "$(ctr web cat /etc/hosts)" "$(address_of web)"
	equals "$(up inspect web | jq -r '.[0].networks | map(.network) | join(" ")')" fast
}

@test "the first interface keeps the default route, as docker's; the next one inherits it" {
	local first
	first=$(routes web)
	contains "$first" "default via 10.215.0.1 dev eth0"
	up network connect back web
	up network connect side web
	equals "$(routes web)" "$first"$'\n10.99.1.0/24 via 10.99.1.1 dev eth1\n10.99.2.0/24 via 10.99.2.1 dev eth2'
	up network disconnect fast web
	equals "$(members web)" "web@back web@side"
	contains "$(routes web)" "default via 10.99.1.1 dev eth1"
	contains "$(ctr web ip -6 route)" "default via fd99:1::1 dev eth1"
	contains "$(ctr web probe ask tcp "$CLIENT" 7000)" "outside saw $HOST:"
	contains "$(ask client tcp "$HOST" 8080)" "web saw $CLIENT:"
	up network disconnect back web
	contains "$(ask client tcp "$HOST" 8080)" "web saw $CLIENT:"
	equals "$(up port list --json | jq -r '.[].endpoint' | sort -u)" web@side
	up network disconnect side web
	equals "$(members web)" ""
	equals "$(routes web)" ""
	run -1 ask client tcp "$HOST" 8080
	up network connect vault web
	equals "$(up port list --json | jq length)" 0
	up network disconnect vault web
	up network connect back web
	equals "$(members web)" web
	contains "$(routes web)" "default via 10.99.1.1 dev eth0"
	contains "$(ask client tcp "$HOST" 8080)" "web saw"
}

@test "an internal network leads nowhere, so another one has the default route" {
	start i --network vault
	contains "$(routes i)" "default via 10.99.3.1 dev eth0"
	up network connect side i
	contains "$(routes i)" "default via 10.99.2.1 dev eth1"
	talks i v
	talks i s
	contains "$(ctr i probe ask tcp "$CLIENT" 7000)" "outside saw $HOST:"
	up network disconnect side i
	contains "$(routes i)" "default via 10.99.3.1 dev eth0"
	talks i v
	up rm -f i
}

@test "connections of the interface end with it, those of the others go on" {
	up network connect back web
	live_start client "$HOST" 9000 4
	spawn web "$TOPO_DIR/ended" bash -c 'sleep 100 | exec nc "$0" 9001' "$(address_of b)"
	topo_wait 10 has_flow 9001
	up network disconnect back web
	run ! has_flow 9001
	has_flow 9000
	live_end
}

has_flow() {
	up flows --json | jq -e --argjson port "$1" 'any(.in.dport == $port)' >/dev/null
}

@test "limits are those of the container, for each interface; limit takes the endpoint's name" {
	start slow --limit-in 20mbit --limit-flows 40
	up network connect back slow
	equals "$(up limit slow@back --json | jq -c '[.in, .flows]')" '[20000000,40]'
	up limit slow@back --flows 7
	equals "$(up limit slow --json | jq .flows)" 40
	equals "$(up limit slow@back --json | jq .flows)" 7
	up rm -f slow
}

@test "run with several networks" {
	start two --network side --network back --network vault --ip 10.99.2.50
	equals "$(members two)" "two two@back two@vault"
	equals "$(address_of two)" 10.99.2.50
	contains "$(routes two)" "default via 10.99.2.1 dev eth0"
	talks two s
	talks two b
	talks two v
	contains "$(ctr two cat /etc/hosts)" "$(address_of two@vault)"$'\ttwo'
	up rm -f two
	equals "$(members two)" ""
	run -125 up run --rm --name two --network side --network nosuch "$ROOT" true
	contains "$output" "network nosuch"
	equals "$(members two)" ""
	run -2 up run --network side --network host "$ROOT" true
	contains "$output" "not together with 'side'"
	run -2 up run --net none --network side "$ROOT" true
	contains "$output" "not together with 'none'"
}

@test "stop, rm and the container's own end take all interfaces along" {
	up network connect back web
	up stop -t 0 web >/dev/null
	equals "$(members web)" ""
	up rm web
	up run -d --name web --network back --network side "$ROOT" sleep 100
	up kill web >/dev/null
	topo_wait 10 up_ended web
	equals "$(members web)" ""
	equals "$(on host ip -br link | grep -c '^up')" 4
}

up_ended() {
	[[ $(up inspect "$1" | jq -r '.[0].state') == exited ]]
}

@test "what cannot be is refused with one line, and nothing is changed" {
	local before line
	up run -d --name lone --net=none "$ROOT" sleep 100
	before=$(up status --json | jq -c '.endpoints | map(del(.flows))')
	while read -r line; do
		# shellcheck disable=SC2086 # words of a command line
		run up network ${line%% =*}
		[[ $status == 1 || $status == 2 ]]
		equals "${#lines[@]}" 1
		contains "$output" "${line##*= }"
	done <<-END
		connect back nosuch = nosuch: no such container
		connect nosuch web = no such network
		connect fast web = it is in network fast already
		connect back lone = --net=none, which is its only one
		connect back ../web = container
		connect back = connect needs a network and a container
		connect --ip 10.99.9.9 back web = not one of the containers' network back
		connect --ip $(address_of b) back web = $(address_of b)
		connect --ip 1.2.3 back web = not an IPv4 address
		connect --ip6 10.99.1.7 back web = not an IPv6 address
		connect --alias w back web = use --add-host
		connect --link b back web = link
		disconnect back web = it is not in network back
		disconnect -f back nosuch = it is not in network back
		disconnect -f back ../x = container name
	END
	equals "$(up status --json | jq -c '.endpoints | map(del(.flows))')" "$before"
	up rm -f lone
}

@test "connect killed at any call: gc leaves nothing of it, and the container is as it was" {
	local n=1 status=137 before
	before=$(up status --json | jq -c '.endpoints | map([.name, .address])')
	while ((status == 137)); do
		status=0
		up_killed "$n" network connect back web || status=$?
		up gc >/dev/null
		! contains "$(members web)" web@back 2>/dev/null || up network disconnect back web
		equals "$(up status --json | jq -c '.endpoints | map([.name, .address])')" "$before"
		equals "$(on host ip -br link | grep -c '^up')" 5
		n=$((n + 7))
	done
	equals "$status" 0
	((n > 50))
	contains "$(ask client tcp "$HOST" 8080)" "web saw"
}

@test "disconnect killed at any call: gc and the next one finish it" {
	local n=1 status=137
	while ((status == 137)); do
		status=0
		[[ " $(members web) " == *" web@back "* ]] || up network connect back web
		up_killed "$n" network disconnect fast web || status=$?
		up gc >/dev/null
		up network disconnect fast web 2>/dev/null || true
		contains "$(routes web)" "default via 10.99.1.1"
		contains "$(ask client tcp "$HOST" 8080)" "web saw"
		equals "$(on host ip -br link | grep -c '^up')" 5
		up network connect fast web
		up network disconnect back web
		n=$((n + 11))
	done
	equals "$status" 0
	((n > 30))
}

# up_killed N ARG...: underpass, killed at its Nth call
up_killed() {
	local n=$1
	shift
	UNDERPASS_PIN_DIR=$TOPO_DIR/bpf-host/underpass UNDERPASS_RUN_DIR=$TOPO_DIR/run-host \
		on host "$BUILD/tests/integration/killat" "$n" "$UNDERPASS" "$@" >/dev/null 2>&1
}

@test "connect and the container's end at once: nothing is left" {
	for _ in 1 2 3 4 5; do
		up run -d --name brief --network side "$ROOT" sleep 100 >/dev/null
		up network connect back brief >/dev/null 2>&1 &
		up kill brief >/dev/null
		wait $! || true
		topo_wait 10 up_ended brief
		equals "$(members brief)" ""
		up rm brief
	done
}
