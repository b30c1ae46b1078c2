/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading what another program says, to its end. */
#ifndef UP_ATTACH_SLURP_H
#define UP_ATTACH_SLURP_H

#include <stddef.h>

struct up_err;

/**
 * up_slurp() - read to the end
 * @fd:      of a socket or a pipe
 * @max:     the most that is accepted, bytes
 * @ret_buf: NUL-terminated, to be freed by the caller
 * @ret_len: its length
 * @err:     why it failed; -EFBIG beyond @max
 *
 * Return: 0 or -errno
 */
int up_slurp(int fd, size_t max, char **ret_buf, size_t *ret_len, struct up_err *err);

#endif
