/* SPDX-License-Identifier: GPL-2.0-only */
/* Files and directories of the state: whole or not at all, and one lock around every change. */
#ifndef UP_BASE_FILE_H
#define UP_BASE_FILE_H

#include <stddef.h>
#include <sys/types.h>

struct up_err;

/**
 * up_mkdir_p() - make a directory and its parents
 * @path: absolute
 * @mode: of the directories that are made; one that is there keeps its mode
 * @err:  which directory, and why
 *
 * Return: 0 or -errno
 */
int up_mkdir_p(const char *path, mode_t mode, struct up_err *err);

/**
 * up_file_write() - replace a file by rename, so that a reader sees the old or the new one
 * @path: the file; a crash may leave PATH.tmp, which the next write replaces
 * @data: bytes
 * @len:  how many
 * @mode: of the new file
 * @err:  why it failed
 *
 * Return: 0 or -errno
 */
int up_file_write(const char *path, const void *data, size_t len, mode_t mode, struct up_err *err);

/**
 * up_file_read() - read a whole small file
 * @path:     the file
 * @max:      the most that is accepted, bytes; -EFBIG beyond
 * @ret_data: NUL-terminated, to be freed by the caller
 * @err:      why it failed
 *
 * Return: its length, or -errno
 */
ssize_t up_file_read(const char *path, size_t max, char **ret_data, struct up_err *err);

/**
 * up_remove_tree() - remove a file, or a directory with all that is in it; follows no link
 * @path: nothing there is no failure
 * @err:  why it failed
 *
 * Return: 0 or -errno
 */
int up_remove_tree(const char *path, struct up_err *err);

/**
 * up_lock() - take the lock of this host's state, waiting for another command to finish
 * @err: why it failed
 *
 * Held around every change of pins, maps, interfaces and state files. The kernel drops it when the
 * holder dies, so that a kill leaves nothing locked.
 *
 * Return: a close-on-exec fd whose close releases the lock, or -errno
 */
int up_lock(struct up_err *err);

#endif
