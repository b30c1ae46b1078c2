# shellcheck shell=bash
# underpass, with a netkit for each container. Needs underpass.sh.

mode_title netkit "underpass, netkit"

mode_netkit_missing() {
	mode_lacks busybox
	grep -q ' netkit_prog_attach$' /proc/kallsyms ||
		echo "this kernel has no netkit (Linux 6.7, CONFIG_NETKIT)"
}

mode_netkit() {
	up_mode "$1" --net-device netkit
}

mode_netkit_publish() {
	up_publish "$@"
}
