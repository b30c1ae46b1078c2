#!/usr/bin/env bats
# What is mounted into a container, and what it cannot reach through it.
# shellcheck disable=SC2016 # what is quoted is for the shell in the container

load lib

setup_file() {
	export BATS_TEST_TIMEOUT=60
	make_world
}

teardown_file() {
	end_world
}

setup() {
	VOL=$TOPO_DIR/vol.$BATS_TEST_NUMBER
	mkdir "$VOL"
	echo data >"$VOL/file"
	before=$(grep -c "$TOPO_DIR" /proc/self/mounts)
}

teardown() {
	local name
	for name in $(up ps -a -q); do
		up rm -f "$name"
	done
	equals "$(grep -c "$TOPO_DIR" /proc/self/mounts)" "$before"
}

tree() {
	find "$1" -printf '%P %M %U:%G %s\n' | sort
}

@test "containers share a root directory; what one changes, neither the other nor the directory sees" {
	local was
	was=$(tree "$ROOT")
	up run -d --net=none --name a "$ROOT" sh -c 'echo a >/new; rm /bin/probe; chmod 700 /etc; echo ready; exec sleep 100'
	up run -d --net=none --name b "$ROOT" sh -c 'echo b >/new; echo ready; exec sleep 100'
	topo_wait 5 up_logged host a ready
	topo_wait 5 up_logged host b ready
	equals "$(up exec a cat /new)$(up exec b cat /new)" ab
	run -1 up exec a test -e /bin/probe
	up exec b test -e /bin/probe
	equals "$(tree "$ROOT")" "$was"
	test -e "$TOPO_DIR/run-host/data/containers/a/upper/new"
	up rm -f a b
	equals "$(ls "$TOPO_DIR/run-host/data/containers")" ""
}

@test "--rw writes to the directory itself" {
	one --rw "$ROOT" sh -c 'echo kept >/kept'
	equals "$(<"$ROOT/kept")" kept
	rm "$ROOT/kept"
}

@test "a directory whose name needs care" {
	local odd="$TOPO_DIR/a:b,c=d \\e"
	cp -a "$ROOT" "$odd"
	equals "$(one "$odd" sh -c 'echo x >/x && cat /x')" x
	run ! test -e "$odd/x"
}

@test "a tar file as the root, also in a user namespace; not with --rw" {
	tar -C "$ROOT" -czf "$VOL/root.tar.gz" .
	equals "$(one "$VOL/root.tar.gz" sh -c 'echo x >/x && cat /x && stat -c %u /bin/busybox' | xargs)" "x 0"
	equals "$(one --userns=auto "$VOL/root.tar.gz" stat -c %u /bin/busybox)" 0
	run -125 one --rw "$VOL/root.tar.gz" true
	contains "$output" "a tar file is not written"
	head -c 100000 "$VOL/root.tar.gz" >"$VOL/half.tar.gz"
	run -125 one "$VOL/half.tar.gz" true
	contains "$output" "not a directory, and"
	equals "$(ls "$TOPO_DIR/run-host/data/containers")" ""
}

@test "-v: files and directories, made where missing, ro also below" {
	mkdir "$VOL/sub"
	mount -t tmpfs none "$VOL/sub"
	run -0 one -v "$VOL:/a/b" -v "$VOL/file:/c/d/file" "$ROOT" sh -c \
		'cat /a/b/file /c/d/file; echo x >/a/b/written; echo y >/a/b/sub/written'
	equals "$output" $'data\ndata'
	equals "$(<"$VOL/written")" x
	equals "$(<"$VOL/sub/written")" y
	run -1 one -v "$VOL:/v:ro" "$ROOT" sh -c 'echo x >/v/no'
	contains "$output" "Read-only file system"
	run -1 one -v "$VOL:/v:ro" "$ROOT" sh -c 'echo x >/v/sub/no'
	contains "$output" "Read-only file system"
	umount "$VOL/sub"
}

@test "--volume /:/host: the host's files; with ro a write fails" {
	run -0 one --volume /:/host "$ROOT" sh -c 'ls /host; test -e /host/proc/1'
	contains "$output" bin
	run -1 one --workdir /host --volume /:/host:ro "$ROOT" sh -c 'pwd; echo x >tmp/underpass-no'
	contains "$output" /host
	contains "$output" "Read-only file system"
	run -1 one --volume /:/host:ro "$ROOT" sh -c "echo x >/host$VOL/no"
}

@test "--mount: bind and tmpfs by keys" {
	run -1 one --mount "type=bind,source=$VOL,target=/m,readonly" "$ROOT" sh -c 'cat /m/file; echo x >/m/no'
	contains "$output" data
	contains "$output" "Read-only"
	equals "$(one --mount type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=0700 "$ROOT" \
		sh -c 'stat -c %a /t; df -k /t | tail -n 1' | awk '{print $1, $2}' | xargs)" "700 tmpfs 1024"
}

@test "--tmpfs: nosuid, nodev and noexec unless asked for" {
	contains "$(one --tmpfs /t:size=2m "$ROOT" grep ' /t ' /proc/mounts)" "rw,nosuid,nodev,noexec"
	run -0 one --tmpfs /t:exec,mode=1777 "$ROOT" sh -c 'cp /bin/busybox /t/sh && /t/sh -c "echo ran"'
	equals "$output" ran
	run -126 one --tmpfs /t "$ROOT" sh -c 'cp /bin/busybox /t/sh && exec /t/sh'
}

@test "--read-only: nothing of the root, but volumes and tmpfs" {
	run -1 one --read-only "$ROOT" touch /x
	contains "$output" "Read-only file system"
	one --read-only -v "$VOL:/v" --tmpfs /t "$ROOT" sh -c 'touch /v/x /t/x /dev/shm/x'
}

@test "--shm-size" {
	equals "$(one --shm-size 3m "$ROOT" df -k /dev/shm | awk 'NR == 2 {print $2}')" 3072
	equals "$(one "$ROOT" df -k /dev/shm | awk 'NR == 2 {print $2}')" 65536
}

@test "--device: that device and no other, with that access and no more" {
	run -1 one --device /dev/loop-control "$ROOT" sh -c 'test -c /dev/loop-control && : <>/dev/loop-control && : </dev/fuse'
	contains "$output" /dev/fuse
	one --device /dev/loop-control:/dev/lc:r "$ROOT" sh -c ': </dev/lc'
	run -1 one --device /dev/loop-control:/dev/lc:r "$ROOT" sh -c ': >/dev/lc'
	contains "$output" "Operation not permitted"
	run -1 one -v /dev/loop-control:/dev/loop-control "$ROOT" sh -c ': </dev/loop-control'
	contains "$output" "Operation not permitted"
	run -125 one --device "$VOL/file" "$ROOT" true
	contains "$output" "not a device"
}

@test "bad mounts are refused with the reason, before anything is changed" {
	local spec
	for spec in nosource /a:b data:/x /a:/b:wrong /a:/ ""; do
		run -2 up run -v "$spec" "$ROOT" true
		contains "$output" "volume '$spec'"
		((${#lines[@]} == 1))
	done
	for spec in type=volume,dst=/x dst=/x type=bind,src=/a type=tmpfs,dst=x type=bind,odd=1; do
		run -2 up run --mount "$spec" "$ROOT" true
		contains "$output" "mount '$spec'"
	done
	run -2 up run --tmpfs /t:size=1m,wrong "$ROOT" true
	run -2 up run --device /dev/null:x "$ROOT" true
	run -2 up run --shm-size lots "$ROOT" true
	run -125 one -v "$TOPO_DIR/missing:/x" "$ROOT" true
	contains "$output" "bind $TOPO_DIR/missing: No such file or directory"
	run -125 one -v "$VOL:/bin/busybox" "$ROOT" true
	contains "$output" "mount /bin/busybox: mount point: Not a directory"
	equals "$(up ps -a -q)" ""
}

# A root whose paths lead out of it, and a victim that nothing may touch
hostile_root() {
	EVIL=$TOPO_DIR/evil.$BATS_TEST_NUMBER
	cp -a "$ROOT" "$EVIL"
	VICTIM=$TOPO_DIR/victim.$BATS_TEST_NUMBER
	mkdir "$VICTIM"
	ln -s "$VICTIM" "$EVIL/absolute"
	ln -s "../../../../../../../../..$VICTIM" "$EVIL/dots"
	ln -s /proc/self/root "$EVIL/magic"
	ln -s loop "$EVIL/loop"
	ln -s "$VICTIM/made" "$EVIL/dangling"
}

@test "a volume's target stays inside, whatever links the root has" {
	local target
	hostile_root
	for target in /absolute/x /dots/x "/../../../..$VICTIM/x" /dangling/x "/..%2f..%2f$VICTIM/x"; do
		run -0 one -v "$VOL:$target" "$EVIL" sh -c "test -e '$target/file'"
		equals "$(ls -A "$VICTIM")" ""
	done
	for target in /magic/x /loop/x; do
		run -125 one -v "$VOL:$target" "$EVIL" true
		contains "$output" "mount point"
		equals "$(ls -A "$VICTIM")" ""
	done
}

@test "files below /etc are generated inside, whatever links the root has" {
	hostile_root
	rm -rf "${EVIL:?}/etc"
	ln -s "$VICTIM" "$EVIL/etc"
	run -0 one "$EVIL" sh -c "cat '$VICTIM/hostname'"
	equals "$(ls -A "$VICTIM")" ""
}

@test "/proc, /sys and /dev that are links are refused" {
	local name
	for name in proc sys dev; do
		hostile_root
		rmdir "$EVIL/$name"
		ln -s tmp "$EVIL/$name"
		run -125 one "$EVIL" true
		contains "$output" "mount point /$name"
		rm -r "$EVIL" "$VICTIM"
	done
}

@test "/etc/hosts, /etc/hostname, /etc/resolv.conf" {
	run -0 up run --rm --name box --add-host db:10.1.2.3 --add-host six:2001:db8::9 \
		--add-host up:host-gateway "$ROOT" cat /etc/hosts
	contains "$output" $'127.0.0.1\tlocalhost'
	contains "$output" $'10.1.2.3\tdb'
	contains "$output" $'2001:db8::9\tsix'
	grep -qE $'^10\\.[0-9.]+\tup$' <<<"$output"
	grep -qE $'^10\\.[0-9.]+\tbox$' <<<"$output"
	equals "$(one --hostname h "$ROOT" cat /etc/hostname)" h
	run -0 one --dns 9.9.9.9 --dns 2620:fe::fe --dns-search a.example --dns-option ndots:2 "$ROOT" \
		cat /etc/resolv.conf
	equals "$output" $'search a.example\nnameserver 9.9.9.9\nnameserver 2620:fe::fe\noptions ndots:2'
	equals "$(one -v "$VOL/file:/etc/hosts" "$ROOT" cat /etc/hosts)" data
	equals "$(up run --rm --net=host "$ROOT" cat /etc/resolv.conf)" "$(</etc/resolv.conf)"
	for bad in --dns=x --add-host=x --add-host=a:b "--dns-search=a b"; do
		run -2 up run "$bad" "$ROOT" true
	done
	run -0 one --userns=auto "$ROOT" sh -c 'stat -c %u /etc/hosts; echo more >>/etc/hosts'
	equals "$output" 0
}
