/* SPDX-License-Identifier: GPL-2.0-only */
/* Lists of sources: who may use a published port, and who may do nothing. Callers hold the lock. */
#ifndef UP_CORE_ALLOW_H
#define UP_CORE_ALLOW_H

#include "core/portspec.h"

struct up_datapath;
struct up_err;

/**
 * up_allow_add() - keep the sources of ranges that are about to be published
 * @dp:   open datapath
 * @pubs: the ranges; @allow of each is set, and stays 0 where everyone may use it
 * @n:    how many
 * @err:  why it failed; up_allow_gc() then removes what was kept
 *
 * Return: 0; -ENOSPC where UP_ALLOW_MAX networks are kept already; or another -errno
 */
int up_allow_add(struct up_datapath *dp, struct up_publish *pubs, size_t n, struct up_err *err);

/** up_allow_gc() - remove the lists that no published range names. Return: 0 or -errno */
int up_allow_gc(struct up_datapath *dp, struct up_err *err);

/**
 * up_allow_foreach() - hand the networks of a list to a callback
 * @list: its number, UP_ALLOW_DENY_ALL for those that are denied everything
 * @fn:   returns 0 to go on; another value stops and is returned
 */
int up_allow_foreach(struct up_datapath *dp, uint32_t list,
		     int (*fn)(const struct up_cidr *net, void *arg), void *arg);

/** up_allow_list_add(), _del(), _has() - one network of a list. Return: 0 or -errno; is it there?
 */
int up_allow_list_add(struct up_datapath *dp, uint32_t list, const struct up_cidr *net,
		      struct up_err *err);
int up_allow_list_del(struct up_datapath *dp, uint32_t list, const struct up_cidr *net,
		      struct up_err *err);
bool up_allow_list_has(struct up_datapath *dp, uint32_t list, const struct up_cidr *net);

/** up_allow_list_covers() - is an address in one of a list's networks? */
bool up_allow_list_covers(struct up_datapath *dp, uint32_t list, const struct up_addr *addr);

#endif
