/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the plugins that make an interface share. */
#ifndef UP_CNI_IFACE_H
#define UP_CNI_IFACE_H

#include "cni/cni.h"

/** up_cni_network_of() - the network that an address is in */
struct up_cidr up_cni_network_of(const struct up_addr *addr, uint8_t plen);

/**
 * up_cni_gc() - remove what is attached to this call's network and is not valid
 * @plugin:  only what this one made; NULL for all
 * @release: its addresses too
 *
 * Goes on where one cannot be removed. Return: 0 or the first one's code
 */
int up_cni_gc(struct up_cni *c, const char *plugin, bool release, struct up_err *err);

/** up_cni_iface_add() and the others - the verbs, by whatever name the interface is asked for */
int up_cni_iface_add(struct up_cni *c, json_t **ret_result, struct up_err *err);
int up_cni_iface_del(struct up_cni *c, struct up_err *err);
int up_cni_iface_check(struct up_cni *c, struct up_err *err);
int up_cni_iface_gc(struct up_cni *c, struct up_err *err);
int up_cni_iface_status(struct up_cni *c, struct up_err *err);

#endif
