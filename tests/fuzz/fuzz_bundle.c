// SPDX-License-Identifier: GPL-2.0-only
/* Any bytes as a bundle's config.json: read, or refused with the reason; never more. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "launch/bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct up_bundle *b)
{
	if (!b->args.n || !*b->rootfs || *b->rootfs != '/' || (b->cwd && *b->cwd != '/') ||
	    b->n_devices > UP_BUNDLE_DEVICES || b->limits.n > UP_RLIMITS_MAX || b->umask > 0777)
		abort();
	for (size_t i = 0; i < b->mounts.n; i++)
		if (*b->mounts.at[i].target != '/' ||
		    (b->mounts.at[i].source && *b->mounts.at[i].source != '/'))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct up_err err = {};
	struct up_bundle *b;
	char path[32];
	int fd = memfd_create("config.json", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	b = up_bundle_load("/", path, &err);
	if (b)
		check(b);
	else if (!err.code || !*err.msg)
		abort();
	up_bundle_free(b);
	close(fd);
	return 0;
}
