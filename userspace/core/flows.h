/* SPDX-License-Identifier: GPL-2.0-only */
/* Flows as user space sees them: listed, counted, ended. */
#ifndef UP_CORE_FLOWS_H
#define UP_CORE_FLOWS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/portspec.h"
#include "underpass/flow.h"

struct up_datapath;
struct up_err;

/**
 * up_flows_end() - end flows and wait until they are gone
 * @dp:       open datapath
 * @endpoint: whose
 * @pub:      only those that came by this published range; NULL for all
 * @err:      why it failed
 *
 * New flows of that kind must be impossible already. Return: 0; -ETIMEDOUT; or another -errno
 */
int up_flows_end(struct up_datapath *dp, uint32_t endpoint, const struct up_publish *pub,
		 struct up_err *err);

/** up_flows_recheck() - have the sweeper look at every flow soon. Return: 0 or -errno */
int up_flows_recheck(struct up_datapath *dp, struct up_err *err);

/** up_flow_end() - end the flow of that original direction, if it is there. Return: 0 or -errno */
int up_flow_end(struct up_datapath *dp, const struct up_tuple *key, struct up_err *err);

/** up_flow_fn - told of a flow by its original direction. Return: 0 to go on; another value stops
 */
typedef int up_flow_fn(const struct up_tuple *key, const struct up_flow *flow, void *arg);

/**
 * up_flows_foreach() - hand every flow's original direction to a callback
 *
 * The table changes meanwhile: a flow may be missed or seen twice. Return: 0, or what @fn returned
 */
int up_flows_foreach(struct up_datapath *dp, up_flow_fn *fn, void *arg);

/** up_flows_max() - size of the flow table, flows */
uint32_t up_flows_max(struct up_datapath *dp);

#endif
