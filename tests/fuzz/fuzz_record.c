// SPDX-License-Identifier: GPL-2.0-only
/* Any bytes as a container's record: read, or called broken; never more. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/paths.h"
#include "launch/record.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char record[192];
static char dir[] = "/tmp/underpass-fuzz-XXXXXX";

static void leave_nothing(void)
{
	static const char *const parts[] = {"containers/c/config.json", "containers/c",
					    "containers", ""};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s/%s", dir, parts[i]);
		remove(path);
	}
}

/* The signature is libFuzzer's. */
int LLVMFuzzerInitialize(int *argc, char ***argv) /* NOLINT(readability-non-const-parameter) */
{
	char path[128];
	struct up_err err;

	(void)argc, (void)argv;
	if (!mkdtemp(dir) || setenv(UP_RUN_DIR_ENV, dir, 1))
		abort();
	atexit(leave_nothing);
	snprintf(path, sizeof(path), "%s/containers/c", dir);
	if (up_mkdir_p(path, 0700, &err))
		abort();
	snprintf(record, sizeof(record), "%s/config.json", path);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct up_container c = {.exit_code = -7};
	struct up_err err = {.code = 0};
	FILE *file = fopen(record, "w");

	if (!file)
		abort();
	fwrite(data, 1, size, file);
	fclose(file);
	if (up_container_load("c", &c, &err)) {
		if (!err.code || !*err.msg || c.exit_code != -7)
			abort();
	} else if (strlen(c.rootfs) >= sizeof(c.rootfs) || c.state >= UP_CONTAINER_BROKEN) {
		abort();
	}
	return 0;
}
