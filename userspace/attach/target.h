/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What "attach" and "detach" may be given:
 *	NAME             a container by name or id: docker's, else podman's
 *	docker:NAME      whose it is
 *	podman:NAME
 *	pid:N            the namespace of a process
 *	netns:PATH       a namespace by path; a word with a slash needs no "netns:"
 *	if:NAME          the host's end of a veth
 */
#ifndef UP_ATTACH_TARGET_H
#define UP_ATTACH_TARGET_H

#include <stdbool.h>

#include "attach/engine.h"
#include "core/ride.h"

/** up_target_attach() - find a target, and attach it. Return: 0 or -errno */
int up_target_attach(const char *word, const struct up_ride_opts *opts, struct up_err *err);

/** up_target_attach_container() - attach a container that an engine described */
int up_target_attach_container(const struct up_engine *engine, const struct up_container *c,
			       const struct up_ride_opts *opts, struct up_err *err);

/**
 * up_target_matches() - is this attached interface what a word means?
 *
 * By what was kept when it was attached, so that it can be said of a container which has ended.
 * An id may be cut to 12 digits or more.
 */
bool up_target_matches(const struct up_ride_if *row, const char *word);

#endif
