/* SPDX-License-Identifier: GPL-2.0-only */
/* Capabilities of what runs in a container. */
#ifndef UP_LAUNCH_CAPS_H
#define UP_LAUNCH_CAPS_H

struct up_err;

/**
 * up_caps_reduce() - keep docker's default capabilities and give up every other one for good
 * @err: why it failed
 *
 * Return: 0 or -errno
 */
int up_caps_reduce(struct up_err *err);

#endif
