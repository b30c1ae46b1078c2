/* SPDX-License-Identifier: GPL-2.0-only */
/* Steps of an endpoint's life that only core uses. Callers hold the state lock. */
#ifndef UP_CORE_ENDPOINT_PRIV_H
#define UP_CORE_ENDPOINT_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "core/endpoint.h"
#include "core/maps.h"

struct up_link;
struct up_nl;

/** up_endpoint_find() - id of the endpoint of that name, 0 where there is none */
uint32_t up_endpoint_find(const struct up_datapath *dp, const char *name);

/** up_endpoint_flow_quota() - flows that an endpoint may have where nobody said how many */
uint32_t up_endpoint_flow_quota(struct up_datapath *dp);

/** up_endpoint_lives() - is its row complete and its interface still there? */
bool up_endpoint_lives(const struct up_datapath *dp, struct up_nl *nl, uint32_t id);

/**
 * up_endpoint_remove() - take an endpoint away in whatever state it is: ports, flows, rows,
 * interface. Can be repeated after a failure or a crash.
 * Return: 0 or -errno
 */
int up_endpoint_remove(struct up_datapath *dp, struct up_nl *nl, uint32_t id, struct up_err *err);

/* IFLA_IFALIAS of the host's end of a veth: the endpoint's name follows. */
#define UP_ALIAS_PREFIX "underpass:"
void up_endpoint_alias(const char *name, char buf[128]);

/** up_link_is_ours() - is this interface of the host an endpoint's? */
bool up_link_is_ours(const struct up_link *link);

#endif
