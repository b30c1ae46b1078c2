/* SPDX-License-Identifier: GPL-2.0-only */
/* host-local's way to give out addresses: round robin in ranges, a file for each lease. */
#ifndef UP_CNI_HOSTLOCAL_H
#define UP_CNI_HOSTLOCAL_H

#include "cni/cni.h"

/*
 * Each is a verb of the IPAM plugin; @ipam is its section. They return 0 or a CNI code.
 */
int up_cni_hostlocal_add(const struct up_cni *c, const json_t *ipam, json_t **ret_result,
			 struct up_err *err);
int up_cni_hostlocal_check(const struct up_cni *c, const json_t *ipam, struct up_err *err);
int up_cni_hostlocal_release(const struct up_cni *c, const json_t *ipam, const char *id,
			     const char *ifname, struct up_err *err);
int up_cni_hostlocal_gc(const struct up_cni *c, const json_t *ipam, struct up_err *err);
int up_cni_hostlocal_status(const struct up_cni *c, const json_t *ipam, struct up_err *err);

/**
 * up_cni_requested_ips() - addresses that the runtime or the user asks for: runtimeConfig.ips,
 * args.cni.ips and IP in CNI_ARGS, each once
 * @ret: their number is left in @ret->n
 */
int up_cni_requested_ips(const struct up_cni *c, struct up_cni_ips *ret, struct up_err *err);

#endif
