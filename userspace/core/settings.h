/* SPDX-License-Identifier: GPL-2.0-only */
/* Settings of the datapath that can be changed while it runs. */
#ifndef UP_CORE_SETTINGS_H
#define UP_CORE_SETTINGS_H

#include <stddef.h>

struct up_datapath;
struct up_err;

#define UP_SETTING_TEXT 64

/**
 * up_settings_change() - change settings, all of them or none
 * @dp:    open datapath
 * @texts: "KEY=VALUE"
 * @n:     how many
 * @err:   names the key, and what it wants
 *
 * Takes the state lock. A change counts at once, also for flows that exist.
 * Return: 0; -EINVAL; or another -errno
 */
int up_settings_change(struct up_datapath *dp, char *const *texts, size_t n, struct up_err *err);

/**
 * up_settings_foreach() - hand every setting to a callback
 * @fn: is given the key, the value as it is written, and what it means; returns 0 to go on
 *
 * Return: 0, what @fn returned, or -errno
 */
int up_settings_foreach(struct up_datapath *dp,
			int (*fn)(const char *key, const char *value, const char *help, void *arg),
			void *arg, struct up_err *err);

#endif
