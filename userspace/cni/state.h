/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What was attached to which network: a file for each, in the run directory. It is there before
 * anything else of the attachment is, and goes last; by it GC finds what an ADD left that was
 * killed, and the endpoints of a network.
 */
#ifndef UP_CNI_STATE_H
#define UP_CNI_STATE_H

#include <stdbool.h>
#include <jansson.h>

#include "base/paths.h"

struct up_cni;
struct up_err;

/**
 * up_cni_endpoint_name() - the endpoint of an attachment: the id's beginning, the interface, and a
 * hash of all three, so that people see what it is and no two are the same
 */
void up_cni_endpoint_name(const char *network, const char *id, const char *ifname,
			  char buf[UP_NAME_MAX + 1]);

/** up_cni_own_name() - of the attachment that a call is about */
void up_cni_own_name(const struct up_cni *c, char buf[UP_NAME_MAX + 1]);

/**
 * struct up_cni_attachment - what a file says
 * @endpoint: its name
 * @network, @id, @ifname: whose it is
 * @plugin:   who made it
 * @complete: ADD has succeeded
 */
struct up_cni_attachment {
	char endpoint[UP_NAME_MAX + 1];
	const char *network, *id, *ifname, *plugin;
	bool complete;
};

/** up_cni_state_save() - write, or replace, that of this call */
int up_cni_state_save(const struct up_cni *c, bool complete, struct up_err *err);

/** up_cni_state_begun() - is there an ADD of the same attachment that did not come to its end? */
bool up_cni_state_begun(const struct up_cni *c);

/** up_cni_state_has() - is there an attachment, complete or not, with this endpoint? */
bool up_cni_state_has(const char *endpoint);

/** up_cni_state_remove() - by endpoint; it need not be there */
void up_cni_state_remove(const char *endpoint);

/** up_cni_state_remove_own() - this call's, where the same plugin wrote it: a chain has one record
 */
void up_cni_state_remove_own(const struct up_cni *c);

/** up_cni_state_sweep() - remove files that were half written when their writer died */
void up_cni_state_sweep(void);

/**
 * up_cni_state_foreach() - hand over every attachment; files that cannot be read are passed over
 * @fn: may remove the one that it is handed; returns 0 to go on
 */
int up_cni_state_foreach(int (*fn)(const struct up_cni_attachment *a, void *arg), void *arg);

#endif
