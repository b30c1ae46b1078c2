/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptors that a process may keep. */
#ifndef UP_LAUNCH_FDS_H
#define UP_LAUNCH_FDS_H

#include <stddef.h>

struct up_err;

/**
 * up_fds_close_but() - close every descriptor from 3 on except those named
 * @keep: in any order; -1 and what is below 3 do not matter
 * @n:    how many, at most UP_FDS_KEPT
 *
 * Return: 0 or -errno
 */
#define UP_FDS_KEPT 160
int up_fds_close_but(const int *keep, size_t n, struct up_err *err);

#endif
