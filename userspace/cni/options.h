/* SPDX-License-Identifier: GPL-2.0-only */
/* Options of plugins that we stand in for: which are honoured, and what becomes of the others. */
#ifndef UP_CNI_OPTIONS_H
#define UP_CNI_OPTIONS_H

#include "cni/cni.h"

/**
 * struct up_cni_option - an option that is not honoured
 * @key:    as the plugin's documentation has it
 * @why:    for people
 * @refuse: it changes what the container gets: the call fails; else it is only noted
 */
struct up_cni_option {
	const char *key;
	const char *why;
	bool refuse;
};

/**
 * up_cni_options_check() - refuse, or note, what is set of a table that ends with a NULL key
 *
 * An option counts as set unless it is false, 0 or empty. Return: 0 or -UP_CNI_UNSUPPORTED, with
 * key and value
 */
int up_cni_options_check(const struct up_cni *c, const struct up_cni_option *table,
			 struct up_err *err);

#endif
