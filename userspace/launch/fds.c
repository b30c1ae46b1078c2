// SPDX-License-Identifier: GPL-2.0-only
#include "launch/fds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* close_range() between each two that are kept, and after the last. */
int up_fds_close_but(const int *keep, size_t n, struct up_err *err)
{
	int sorted[UP_FDS_KEPT], from = 3;

	if (n > UP_FDS_KEPT)
		return up_fail(err, E2BIG, "close descriptors");
	memcpy(sorted, keep, n * sizeof(*keep));
	qsort(sorted, n, sizeof(*sorted), by_number);
	for (size_t i = 0; i < n; i++) {
		if (sorted[i] < from)
			continue;
		if (sorted[i] > from &&
		    close_range((unsigned int)from, (unsigned int)sorted[i] - 1, 0))
			return up_fail(err, errno, "close descriptors");
		from = sorted[i] + 1;
	}
	return close_range((unsigned int)from, ~0U, 0) ? up_fail(err, errno, "close descriptors")
						       : 0;
}
