/* SPDX-License-Identifier: GPL-2.0-only */
/* Ports of an interface that another plugin made: a veth, or a macvlan child of an uplink, is
 * adopted for them. */
#ifndef UP_CNI_ADOPT_H
#define UP_CNI_ADOPT_H

#include "cni/cni.h"
#include "core/portspec.h"

/**
 * up_cni_adopt() - publish ports of the container's interface, which is not ours
 * @c:    the call; its prevResult says the addresses
 * @list: the ports
 * @err:  why it failed
 *
 * Return: 1; 0 where the interface is neither a veth whose other end is in this namespace, nor a
 * child of an uplink of it; or a code
 */
int up_cni_adopt(struct up_cni *c, const struct up_publish_list *list, struct up_err *err);

#endif
