/* SPDX-License-Identifier: GPL-2.0-only */
/* An interface that comes with its address: see ipam.h. */
#ifndef UP_CNI_CHILD_H
#define UP_CNI_CHILD_H

#include <jansson.h>

#include "cni/cni.h"

/**
 * up_cni_child_add() - have it made
 * @netns: fd of the container's namespace
 * @ret:   the result of who made it, in the latest shape; the caller's
 *
 * Where it fails, nothing is there that was not before. up_cni_ipam_del() takes it back. Return: 0
 * or a CNI code
 */
int up_cni_child_add(struct up_cni *c, int netns, json_t **ret, struct up_err *err);

#endif
