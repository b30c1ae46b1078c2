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
 * Return: UP_CNI_OURS; UP_CNI_ADOPTED where the interface is somebody else's; 0 where there is no
 * such endpoint; or -errno
 */
#define UP_CNI_OURS    1
#define UP_CNI_ADOPTED 2
int up_cni_find(const struct up_cni *c, struct up_datapath **ret_dp, char name[UP_NAME_MAX + 1],
		struct up_err *err);

/**
 * up_cni_ours() - is the interface that a chained plugin is called for one of ours? Where it is
 * not, the call is handed to the next plugin of our name in CNI_PATH, which knows what to do for it
 * @ret_dp:     open, where it is ours
 * @name:       the endpoint's
 * @ret_result: the other plugin's; NULL for verbs without a result
 *
 * Return: 1 where it is ours; 0 where the other plugin has done it; or its code
 */
int up_cni_ours(struct up_cni *c, struct up_datapath **ret_dp, char name[UP_NAME_MAX + 1],
		json_t **ret_result, struct up_err *err);

/**
 * up_cni_chained_del() - DEL of what goes with the endpoint, and needs nothing of its own: only
 * where the interface is not ours, the next plugin is called
 */
int up_cni_chained_del(struct up_cni *c, struct up_err *err);

/**
 * up_cni_netns_open() - open CNI_NETNS, which must not be the host's own
 * Return: a close-on-exec fd; -UP_CNI_BAD_NETNS; or -errno
 */
int up_cni_netns_open(const struct up_cni *c, struct up_err *err);

/** up_cni_mac_parse() - "02:00:00:00:00:01", of a single station. Return: 0 or -EINVAL */
int up_cni_mac_parse(const char *text, uint8_t ret[6]);

/**
 * up_cni_choose_mac() - the MAC address that is asked for: by runtimeConfig, else by args.cni, else
 * by CNI_ARGS
 * @mac: left as it is where nobody asks
 *
 * Return: 0 or -UP_CNI_BAD_CONFIG
 */
int up_cni_choose_mac(const struct up_cni *c, uint8_t mac[6], struct up_err *err);

/** up_cni_mac_json() - the text of a MAC address */
json_t *up_cni_mac_json(const uint8_t mac[6]);

#endif
