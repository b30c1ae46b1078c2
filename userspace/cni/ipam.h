/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Addresses of an attachment. The types "host-local" and "underpass" are served here, with
 * host-local's configuration and files; any other, and host-local where its section says
 * "delegate": true, by the plugin of that name.
 *
 * Type "dhcp" is another matter. A server gives addresses of the network that it is on to who asks
 * from there, and the dhcp plugin asks by the container's interface: the interface must be there
 * first, and be on that network, as a link to this host is not. So the macvlan plugin is called,
 * which makes a child of the uplink and calls the dhcp plugin in turn; what it made is adopted, as
 * portmap does it: the published ports are ours, all else goes past us. (A bridge with such
 * addresses is somebody else's altogether: bridge.c.)
 */
#ifndef UP_CNI_IPAM_H
#define UP_CNI_IPAM_H

#include <jansson.h>
#include <stdbool.h>

#include "cni/cni.h"

/** up_cni_ipam_is_dhcp() - does the interface come with its address? */
bool up_cni_ipam_is_dhcp(const struct up_cni *c);

/** up_cni_has_ipam() - does the configuration say who manages addresses? */
bool up_cni_has_ipam(const struct up_cni *c);

/**
 * up_cni_ipam_add() - get addresses
 * @ret: a result with ips, routes and dns; the caller's
 *
 * Nothing is held where it fails. Return: 0 or a CNI code
 */
int up_cni_ipam_add(struct up_cni *c, json_t **ret, struct up_err *err);

/** up_cni_ipam_del() - give them back; succeeds where there are none */
int up_cni_ipam_del(struct up_cni *c, struct up_err *err);

/** up_cni_ipam_release() - the same for another attachment of this network */
int up_cni_ipam_release(struct up_cni *c, const char *id, const char *ifname, struct up_err *err);

int up_cni_ipam_check(struct up_cni *c, struct up_err *err);

/** up_cni_ipam_gc() - give back what no valid attachment holds */
int up_cni_ipam_gc(struct up_cni *c, struct up_err *err);

int up_cni_ipam_status(struct up_cni *c, struct up_err *err);

/**
 * up_cni_is_valid() - does "cni.dev/valid-attachments" list this attachment? An absent list is an
 * empty one, as it is to libcni
 */
bool up_cni_is_valid(const struct up_cni *c, const char *id, const char *ifname);

#endif
