/* SPDX-License-Identifier: GPL-2.0-only */
/* XDP on the uplinks: attached where it is wanted and there is something for it to drop. */
#ifndef UP_CORE_XDP_H
#define UP_CORE_XDP_H

#include "underpass/endpoint.h"

struct up_datapath;
struct up_err;

/** up_xdp_mode_parse() - "auto", "native", "generic" or "off". Return: 0 or -EINVAL */
int up_xdp_mode_parse(const char *text, enum up_xdp_mode *ret);

/** up_xdp_mode_name(), up_xdp_state_name() - the words for people */
const char *up_xdp_mode_name(enum up_xdp_mode mode);
const char *up_xdp_state_name(enum up_xdp_state state);

/**
 * up_xdp_sync() - attach or detach, after the settings or the lists changed
 * @dp:  open datapath
 * @err: why it failed
 *
 * UP_XDP_AUTO attaches while sources are denied or limited, or a published port has a list of
 * sources; natively where the driver can, else generic; that it cannot be attached is no error
 * then, because TC decides the same. A program of somebody else is left alone, and named in the
 * uplink's state. Callers hold the lock. Return: 0; -EOPNOTSUPP where a mode was forced and the
 * driver lacks it; or another -errno
 */
int up_xdp_sync(struct up_datapath *dp, struct up_err *err);

/** up_xdp_swap() - the same after an upgrade, or after uplinks came: also where it is attached
 * already
 */
int up_xdp_swap(struct up_datapath *dp, struct up_err *err);

/**
 * up_xdp_foreign() - the name of the XDP program on an interface, which is not ours
 * @name: at least 16 bytes; "?" where it cannot be found out
 */
void up_xdp_foreign(int ifindex, char name[16]);

#endif
