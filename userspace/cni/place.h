/* SPDX-License-Identifier: GPL-2.0-only */
/* The two places that a call is about: this host's datapath, and the container's namespace. */
#ifndef UP_CNI_PLACE_H
#define UP_CNI_PLACE_H

#include "cni/cni.h"
#include "core/endpoint.h"

struct up_datapath;

/**
 * up_cni_datapath() - open this host's datapath, and bring it up first where nobody has yet
 * Return: 0 or -errno
 */
int up_cni_datapath(const struct up_cni *c, struct up_datapath **ret, struct up_err *err);

/**
 * up_cni_find() - open this host's datapath and look the attachment's endpoint up
 * @ret_dp: NULL where nothing is up
 * @name:   the endpoint's
 *
 * Return: 1 where there is such an endpoint, 0 where there is none, or -errno
 */
int up_cni_find(const struct up_cni *c, struct up_datapath **ret_dp, char name[UP_NAME_MAX + 1],
		struct up_err *err);

/**
 * up_cni_netns_open() - open CNI_NETNS, which must not be the host's own
 * Return: a close-on-exec fd; -UP_CNI_BAD_NETNS; or -errno
 */
int up_cni_netns_open(const struct up_cni *c, struct up_err *err);

/** up_cni_mac_parse() - "02:00:00:00:00:01", of a single station. Return: 0 or -EINVAL */
int up_cni_mac_parse(const char *text, uint8_t ret[6]);

/** up_cni_mac_json() - the text of a MAC address */
json_t *up_cni_mac_json(const uint8_t mac[6]);

#endif
