/* SPDX-License-Identifier: GPL-2.0-only */
/* Work that is to be done, and that nobody has to wait for. */
#ifndef UP_BASE_ORPHAN_H
#define UP_BASE_ORPHAN_H

struct up_err;

/**
 * up_orphan() - call a function in a process of its own, which ends when it returns
 * @fn:  the function
 * @fd:  the only file that stays open there; handed to @fn under another number
 * @arg: handed to @fn
 * @err: why there is no such process
 *
 * The process is orphaned on purpose: whoever adopts orphans reaps it. It has a copy of its
 * parent's memory, but neither a lock of its parent's nor a pipe whose other end waits for the
 * parent to be done. Return: 0 or -errno
 */
int up_orphan(void (*fn)(int fd, int arg), int fd, int arg, struct up_err *err);

#endif
