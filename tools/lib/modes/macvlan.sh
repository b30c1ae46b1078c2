# shellcheck shell=bash
# underpass, with a macvlan child of the uplink for each container. Needs underpass.sh.

mode_title macvlan "underpass, macvlan"

mode_macvlan_missing() {
	mode_lacks busybox
}

mode_macvlan() {
	up_mode "$1" --net-device macvlan
}

mode_macvlan_publish() {
	up_publish "$@"
}
