/* SPDX-License-Identifier: GPL-2.0-only */
/* nf_conntrack's window tracking, of all connections to come and of those that are. */
#ifndef UP_NET_CONNTRACK_H
#define UP_NET_CONNTRACK_H

#include <stdbool.h>

struct up_err;

/**
 * up_conntrack_liberal() - does window tracking accept segments outside of the window?
 * (net.netfilter.nf_conntrack_tcp_be_liberal of the caller's network namespace)
 *
 * Return: 0 or -errno
 */
int up_conntrack_liberal(bool *ret_liberal, struct up_err *err);
int up_conntrack_set_liberal(bool liberal, struct up_err *err);

/**
 * up_conntrack_keep_liberal() - have it accept them in the TCP connections that there are, whatever
 * is set for those to come (IP_CT_TCP_FLAG_BE_LIBERAL, by ctnetlink)
 *
 * Return: 0 or -errno
 */
int up_conntrack_keep_liberal(struct up_err *err);

#endif
