/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ipMasq in a cluster. kube-proxy translates the addresses of services in the host's netfilter, so
 * what a pod sends goes the kernel's way, and the kernel has to masquerade it: by a rule of
 * iptables for each network, as long as anything is attached to it.
 */
#ifndef UP_CNI_MASQUERADE_H
#define UP_CNI_MASQUERADE_H

#include "cni/cni.h"
#include "net/addr.h"

/** up_cni_in_cluster() - is it a kubelet's pod that this is called for? */
bool up_cni_in_cluster(const struct up_cni *c);

/**
 * up_cni_masquerade() - have what leaves a network masqueraded by the kernel
 * @net: the network; its host bits do not matter
 *
 * The attachment has been written down (state.h). Return: 0 or a CNI code
 */
int up_cni_masquerade(const struct up_cni *c, const struct up_cidr *net, struct up_err *err);

/** up_cni_masquerade_end() - no longer, where nothing is attached to this call's network any more
 */
void up_cni_masquerade_end(const struct up_cni *c);

#endif
