// SPDX-License-Identifier: GPL-2.0-only
/* Any bytes as an engine's answer: a container, a list of them, or neither; never more. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "attach/engine.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int check_id(const char *id, void *arg)
{
	(void)arg;
	if (strlen(id) != UP_RIDE_ID_MAX - 1)
		abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct up_container c;
	struct up_err err;

	if (!up_container_parse((const char *)data, size, &c, &err) &&
	    (c.pid <= 0 || strlen(c.id) != UP_RIDE_ID_MAX - 1 || strlen(c.name) >= sizeof(c.name)))
		abort();
	up_container_ids((const char *)data, size, check_id, NULL, &err);
	return 0;
}
