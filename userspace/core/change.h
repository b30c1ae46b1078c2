/* SPDX-License-Identifier: GPL-2.0-only */
/* Changes of live endpoints that others' configuration may ask for after they were made. */
#ifndef UP_CORE_CHANGE_H
#define UP_CORE_CHANGE_H

#include <stdbool.h>
#include <stdint.h>

struct up_datapath;
struct up_err;

/**
 * up_endpoint_isolate() - move an endpoint into a network of its own, or its kind's
 * @dp:     open datapath
 * @name:   the endpoint
 * @choose: says which, with the lock held, so that two callers do not choose the same
 * @arg:    handed to it
 * @alone:  not even the others of that network reach it
 * @err:    why it failed
 *
 * Takes the state lock; established flows end. Return: 0; -ENOENT; -ENOSPC where @choose returns 0;
 * or another -errno
 */
int up_endpoint_isolate(struct up_datapath *dp, const char *name,
			uint16_t (*choose)(struct up_datapath *dp, void *arg), void *arg,
			bool alone, struct up_err *err);

/**
 * up_endpoint_set_mac() - change the MAC address of the container's interface
 * @dp:       open datapath
 * @name:     the endpoint
 * @netns_fd: its namespace
 * @ifname:   the interface's name in there
 * @mac:      the new one
 * @err:      why it failed
 *
 * Takes the state lock; established flows end. Return: 0 or -errno
 */
int up_endpoint_set_mac(struct up_datapath *dp, const char *name, int netns_fd, const char *ifname,
			const uint8_t mac[6], struct up_err *err);

#endif
