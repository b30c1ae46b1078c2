// SPDX-License-Identifier: GPL-2.0-only
#include "attach/slurp.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/err.h"

#define FIRST_SIZE 65536

int up_slurp(int fd, size_t max, char **ret_buf, size_t *ret_len, struct up_err *err)
{
	size_t size = FIRST_SIZE, len = 0;
	cleanup_free char *buf = malloc(size + 1);

	while (buf) {
		ssize_t n = read(fd, buf + len, size - len);

		if (n < 0 && errno != EINTR)
			return up_fail(err, errno, "read an answer");
		if (!n) {
			buf[len] = '\0';
			*ret_buf = take_ptr(buf);
			*ret_len = len;
			return 0;
		}
		len += n > 0 ? (size_t)n : 0;
		if (len > max)
			return up_fail(err, EFBIG, "read an answer");
		if (len == size) {
			char *more = realloc(buf, 2 * size + 1);

			if (!more)
				break;
			buf = more;
			size *= 2;
		}
	}
	return up_fail(err, ENOMEM, "read an answer");
}
