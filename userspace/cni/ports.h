/* SPDX-License-Identifier: GPL-2.0-only */
/* The capability portMappings: a list of single ports, which become ranges again. */
#ifndef UP_CNI_PORTS_H
#define UP_CNI_PORTS_H

#include "cni/cni.h"
#include "core/portspec.h"

/**
 * up_cni_ports_parse() - runtimeConfig.portMappings
 * @c:   the call
 * @ret: ranges, as few as there can be; the host's sockets may hold them (up_publish.unreserved)
 * @err: names the mapping that is wrong
 *
 * Runtimes send a range port by port: 10,000 of them are one row of the table again. An entry may
 * also have a "hostPortEnd", which makes it a range. Return: 0 or a CNI code
 */
int up_cni_ports_parse(const struct up_cni *c, struct up_publish_list *ret, struct up_err *err);

#endif
