/* SPDX-License-Identifier: GPL-2.0-only */
/* Calling other plugins: found in CNI_PATH, given the same stdin and environment. */
#ifndef UP_CNI_DELEGATE_H
#define UP_CNI_DELEGATE_H

#include <jansson.h>

#include "cni/cni.h"

/**
 * struct up_cni_call - a call of another plugin
 * @type:  its name
 * @verb:  what it is to do
 * @id:    CNI_CONTAINERID where that is another one, else NULL
 * @ifname: the same for CNI_IFNAME
 * @not_us: skip what is this very executable: the next one of that name in CNI_PATH is meant
 */
struct up_cni_call {
	const char *type;
	enum up_cni_verb verb;
	const char *id, *ifname;
	bool not_us;
};

/**
 * up_cni_delegate() - call another plugin
 * @c:          our own call; @c->relayed is the error object, where the plugin gave one
 * @call:       what to call
 * @ret_result: what it printed, parsed; the caller's. May be NULL
 * @err:        its words
 *
 * Return: 0 or its code
 */
int up_cni_delegate(struct up_cni *c, const struct up_cni_call *call, json_t **ret_result,
		    struct up_err *err);

/** up_cni_have_next() - is there another plugin of our name in CNI_PATH? */
bool up_cni_have_next(const struct up_cni *c);

/** up_cni_next() - hand the whole call to it; @ret_result is in the latest shape, and may be NULL
 */
int up_cni_next(struct up_cni *c, json_t **ret_result, struct up_err *err);

/**
 * up_cni_ask_newer() - pass GC or STATUS on to a plugin, which is not us. Those of before version
 * 1.1.0 know neither: that is no failure of theirs
 */
int up_cni_ask_newer(struct up_cni *c, const char *type, struct up_err *err);

#endif
