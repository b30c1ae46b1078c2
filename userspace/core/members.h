/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A container with several interfaces: an endpoint for each. The first is named like the container,
 * further ones "CONTAINER@NETWORK"; a container's own name has no '@'. Beside the endpoint table
 * nothing records that they belong together.
 */
#ifndef UP_CORE_MEMBERS_H
#define UP_CORE_MEMBERS_H

#include <stdbool.h>

#include "core/endpoint.h"

/** up_member_of() - does the endpoint @name belong to @container? */
bool up_member_of(const char *name, const char *container);

/**
 * up_member_name() - what the endpoint of a further network is to be named
 * Return: 0, or -ENAMETOOLONG
 */
int up_member_name(const char *container, const char *network, char buf[UP_NAME_MAX + 1],
		   struct up_err *err);

/** up_member_name_check() - can an endpoint be named that? Return: 0 or -EINVAL */
int up_member_name_check(const char *name, struct up_err *err);

/**
 * up_members_del() - take every endpoint of a container away, as up_endpoint_del() does with one
 * Return: 0; -ENOENT where it has none; or another -errno
 */
int up_members_del(struct up_datapath *dp, const char *container, struct up_err *err);

/**
 * up_member_del() - take one endpoint of a container away
 * @dp:        open datapath
 * @container: whose
 * @name:      the endpoint
 * @err:       why it failed
 *
 * What it has published is published, from one instant to the next, by the first of the others
 * whose network leads outside, as in docker; without one, it goes with it. Takes the state lock.
 * Return: 0, -ENOENT, or another -errno
 */
int up_member_del(struct up_datapath *dp, const char *container, const char *name,
		  struct up_err *err);

/**
 * up_members_route() - give a container's namespace the default routes that follow from its
 * endpoints
 * @dp:        open datapath
 * @container: its name
 * @netns_fd:  its namespace
 * @err:       why it failed
 *
 * Of each family: the endpoint that has the default route keeps it, unless its network is internal
 * and another one's is not; where none has it, the first that leads outside is given it, or else
 * the first. Takes the state lock. Return: 0 or -errno
 */
int up_members_route(struct up_datapath *dp, const char *container, int netns_fd,
		     struct up_err *err);

/**
 * up_members_admit() - may somebody with CAP_NET_ADMIN get into a network namespace?
 *
 * Not into one with a macvlan child: see up_netdev_check(). Return: 0 or -EPERM
 */
int up_members_admit(struct up_datapath *dp, int netns_fd, struct up_err *err);

#endif
