/* SPDX-License-Identifier: GPL-2.0-only */
/* Sources that are denied everything: what they send is dropped where it enters. */
#ifndef UP_CORE_DENY_H
#define UP_CORE_DENY_H

#include <stddef.h>

#include "net/addr.h"

struct up_datapath;
struct up_err;

/**
 * up_deny_add() - deny networks everything, all of them or none; their flows end
 * @dp:   open datapath
 * @nets: networks; one that is denied already is no error
 * @n:    how many
 * @err:  why it failed
 *
 * Takes the state lock. Return: 0; -EINVAL for a prefix of 0 bits, which would be everybody;
 * -ENOSPC where UP_ALLOW_MAX networks are kept; or another -errno
 */
int up_deny_add(struct up_datapath *dp, const struct up_cidr *nets, size_t n, struct up_err *err);

/**
 * up_deny_del() - let them in again, all of them or none
 *
 * Takes the state lock. Return: 0; -ENOENT for one that is not denied; or another -errno
 */
int up_deny_del(struct up_datapath *dp, const struct up_cidr *nets, size_t n, struct up_err *err);

#endif
