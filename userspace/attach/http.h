/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * As much of HTTP as an engine on a local socket takes: GET by version 1.0, whose answers are not
 * chunked and end with the connection. (libcurl would do it too, and its two dozen libraries would
 * cost every start of underpass more than attaching does.)
 */
#ifndef UP_ATTACH_HTTP_H
#define UP_ATTACH_HTTP_H

#include <stddef.h>

struct up_err;

#define UP_HTTP_MAX (16 << 20) /* bytes of an answer */

/**
 * up_http_open() - send a request, and read the head of the answer
 * @socket:     path of a UNIX socket
 * @path:       with query; already encoded
 * @ret_status: status code
 * @err:        why it failed
 *
 * Return: an fd that the body can be read from up to its end; or -errno
 */
int up_http_open(const char *socket, const char *path, int *ret_status, struct up_err *err);

/**
 * up_http_get() - the whole body
 * @ret_body: NUL-terminated, to be freed by the caller
 * @ret_len:  its length
 *
 * Return: the status code; or -errno
 */
int up_http_get(const char *socket, const char *path, char **ret_body, size_t *ret_len,
		struct up_err *err);

#endif
