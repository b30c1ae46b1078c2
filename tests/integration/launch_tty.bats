#!/usr/bin/env bats
# The launcher's standard streams and terminals, driven by a real terminal program: tmux.
# shellcheck disable=SC2016 # what is quoted is for the shell in the container

load lib

setup_file() {
	export BATS_TEST_TIMEOUT=60
	make_world
	export UNDERPASS_PIN_DIR=$TOPO_DIR/bpf-host/underpass UNDERPASS_RUN_DIR=$TOPO_DIR/run-host
}

teardown_file() {
	end_world
}

setup() {
	SOCKET=$TOPO_DIR/tmux.$BATS_TEST_NUMBER
}

teardown() {
	[[ ! -S $SOCKET ]] || mux kill-server
}

mux() {
	tmux -S "$SOCKET" -f /dev/null "$@"
}

# terminal: a 160 by 24 terminal with a shell, on the host
terminal() {
	on host env PS1='outer$ ' tmux -S "$SOCKET" -f /dev/null new-session -d -x 160 -y 24 \
		bash --norc --noprofile 3>&-
	shows 'outer$'
}

# type_in TEXT: and press enter
type_in() {
	mux send-keys -l "$1"
	mux send-keys Enter
}

press() {
	mux send-keys "$@"
}

on_screen() {
	[[ $(mux capture-pane -pJ -S -200) == *"$1"* ]]
}

# shows TEXT: wait for it; on failure, print the screen
shows() {
	topo_wait 20 on_screen "$1" || {
		mux capture-pane -pJ -S -200 >&2
		return 1
	}
}

# settings: every mode of the terminal, on its screen between marks
settings() {
	local mark=$1
	type_in "stty -g | sed 's/^/$mark=/'"
	shows "
$mark="
	mux capture-pane -pJ -S -200 | sed -n "s/^$mark=//p"
}

# inner SHELL_COMMAND: a shell in a container, on the terminal
inner() {
	type_in "$1"
	shows 'inner#'
}

pane_pid() {
	mux list-panes -F '#{pane_pid}'
}

# back: wait until what was started has ended, and keys are the outer shell's again
back() {
	topo_wait 20 no_child "$(pane_pid)"
}

@test "-i -t: a terminal of the container's own, as large as the user's, also after a resize" {
	terminal
	inner "$UNDERPASS run --rm -ti --net=none -e PS1='inner# ' $ROOT sh"
	type_in 'tty; stty size; echo term=$TERM'
	shows '/dev/pts/0'
	shows '24 160'
	shows 'term='
	type_in 'trap "stty size" WINCH; while :; do sleep 0.1; done'
	mux resize-window -x 100 -y 30
	shows '30 100'
	press C-c
	type_in 'exit 7'
	back
	type_in 'echo status=$?'
	shows 'status=7'
}

@test "-i -t: ctrl-C, ctrl-Z and ctrl-D are the container's; the terminal is left as it was" {
	local before after
	terminal
	before=$(settings before)
	inner "$UNDERPASS run --rm -ti --net=none -e PS1='inner# ' $ROOT sh"
	type_in 'sleep 1000; echo interrupted=$?'
	topo_wait 10 busy
	press C-c
	type_in 'echo alive'
	shows '
alive'
	type_in 'sleep 1001'
	topo_wait 10 busy
	press C-z
	shows 'Stopped'
	type_in 'fg'
	press C-c
	type_in 'echo again'
	shows '
again'
	press C-d
	back
	after=$(settings after)
	equals "$after" "$before"
}

# Is a sleep running in the terminal's container?
busy() {
	pgrep -f '^sleep 100[01]$'
}

@test "the terminal is restored when the launcher is killed, and nothing of it stays" {
	local before after monitor
	terminal
	before=$(settings before)
	inner "$UNDERPASS run --rm --name k -ti --net=none -e PS1='inner# ' $ROOT sh"
	monitor=$(pgrep -P "$(pane_pid)")
	kill -KILL "$monitor"
	shows 'Killed'
	after=$(settings after)
	equals "$after" "$before"
	up gc
	up rm k
	equals "$(up ps -a -q)" ""
	topo_wait 5 no_child "$(pane_pid)"
}

no_child() {
	! pgrep -P "$1"
}

@test "SIGTERM to the launcher ends the container, with the terminal restored and the status told" {
	local before after
	terminal
	before=$(settings before)
	inner "$UNDERPASS run --rm -ti --net=none -e PS1='inner# ' $ROOT sh -c 'echo inner#; exec sleep 1002'; echo status=\$?"
	kill -TERM "$(pgrep -P "$(pane_pid)" underpass)"
	shows 'status=143'
	back
	after=$(settings after)
	equals "$after" "$before"
}

@test "exec -ti: a second terminal in the same container" {
	local before after
	terminal
	before=$(settings before)
	up run -d --net=none --name x "$ROOT" sleep 1003
	inner "$UNDERPASS exec -ti -e PS1='inner# ' x sh"
	type_in 'tty; stty size; hostname'
	shows '/dev/pts/0'
	shows '24 160'
	shows '
x'
	type_in 'sleep 1000'
	topo_wait 10 busy
	press C-c
	type_in 'exit 9'
	back
	type_in 'echo status=$?'
	shows 'status=9'
	after=$(settings after)
	equals "$after" "$before"
	up rm -f x
}

@test "without -t the container never holds the user's terminal" {
	terminal
	type_in "$UNDERPASS run --rm --net=none $ROOT sh -c 'tty; for i in 0 1 2; do readlink /proc/self/fd/\$i; done; : </dev/tty'; echo status=\$?"
	shows 'not a tty'
	shows '
/dev/null
pipe:'
	shows 'status=1'
	run ! on_screen pts
}

@test "without -t: a ctrl-C is handed on, a ctrl-D ends the input" {
	terminal
	type_in "$UNDERPASS run --rm --net=none $ROOT sh -c 'echo started; exec sleep 1000'; echo status=\$?"
	shows '
started'
	press C-c
	shows 'status=130'
	type_in "clear; $UNDERPASS run --rm -i --net=none $ROOT wc -c; echo status=\$?"
	topo_wait 10 pgrep -f '^wc -c$'
	type_in 'twelve bytes'
	press C-d
	shows '
13
status=0'
}

@test "-i -t without a terminal is refused, and nothing is left" {
	run -125 up run --name n -ti --net=none "$ROOT" true </dev/null
	contains "$output" "standard input is not a terminal"
	equals "$(up ps -a -q)" ""
}

@test "standard input: /dev/null without -i, the caller's with it; every byte arrives" {
	local sum
	equals "$(echo secret | up run --rm --net=none "$ROOT" cat)" ""
	head -c 3000000 /dev/urandom >"$TOPO_DIR/bytes"
	sum=$(sha256sum <"$TOPO_DIR/bytes")
	equals "$(up run --rm -i --net=none "$ROOT" sha256sum <"$TOPO_DIR/bytes")" "$sum"
	equals "$(up run --rm -i --net=none "$ROOT" cat <"$TOPO_DIR/bytes" | sha256sum)" "$sum"
	equals "$(dd if="$TOPO_DIR/bytes" status=none | up run --rm -i --net=none "$ROOT" cat | cat | sha256sum)" "$sum"
}

@test "a reader that goes away ends the writer" {
	local first
	first=$(up run --rm --net=none "$ROOT" yes | head -n 1)
	equals "$first" y
	equals "$(up ps -a -q)" ""
}

@test "-t: what is written last arrives, whole" {
	equals "$(up run --rm -t --net=none "$ROOT" seq 20000 | tr -d '\r' | sha256sum)" \
		"$(seq 20000 | sha256sum)"
}

@test "-d -t and -d -i: a shell stays, the log has what the terminal showed" {
	up run -dt --net=none --name t "$ROOT" sh -c 'tty; exec sh'
	topo_wait 5 up_logged host t /dev/pts/0
	up run -di --net=none --name i "$ROOT" cat
	equals "$(up ps -q)" $'i\nt'
	up rm -f t i
}

# bash_root: a root with the host's bash and ps, and the libraries that they need
bash_root() {
	local file
	BASH_ROOT=$TOPO_DIR/bash-root
	cp -a "$ROOT" "$BASH_ROOT"
	mkdir -p "$BASH_ROOT/usr/bin" "$BASH_ROOT/host"
	rm "$BASH_ROOT/bin/ps"
	cp "$(command -v bash)" "$(command -v ps)" "$BASH_ROOT/bin"
	for file in $(ldd "$(command -v bash)" "$(command -v ps)" | grep -o '/[^ )]*' | grep '\.so'); do
		install -D "$file" "$BASH_ROOT$file"
	done
}

# in_bash COMMAND_LINE: start it, and wait for its bash
in_bash() {
	type_in "PS1='outer\$ ' $1"
	shows "$2"
}

@test "as people type it: bash on the host's network, on the host's files, and in the host" {
	bash_root
	terminal
	in_bash "$UNDERPASS run -ti --net=host $BASH_ROOT /bin/bash" 'bash-5'
	type_in 'ps -p 1 -o comm=; echo "net $(readlink /proc/self/ns/net)"; exit'
	shows '
bash
'
	shows "net $(on host readlink /proc/self/ns/net)"
	back
	type_in clear
	in_bash "$UNDERPASS run -ti --volume /:/host $BASH_ROOT /bin/bash" 'bash-5'
	type_in 'test -e /host/proc/1/status && echo "host $(ls /host | grep -c usr)"; exit 3'
	shows 'host 1'
	back
	type_in clear
	in_bash "$UNDERPASS run -ti --workdir /host --volume /:/host:ro $BASH_ROOT /bin/bash" 'bash-5'
	type_in 'pwd; touch tmp/underpass-no'
	shows 'Read-only file system'
	type_in 'exit'
	back
	type_in clear
	type_in "$UNDERPASS run -ti --net=host --pid=host --ipc=host --volume /:/host $BASH_ROOT chroot /host; echo status=\$?"
	shows '# '
	type_in 'ps -p 1 -o comm= | sed "s/^/first=/"; exit 5'
	shows "first=$(</proc/1/comm)"
	shows 'status=5'
	for name in $(up ps -a -q); do
		up rm "$name"
	done
}
