// SPDX-License-Identifier: GPL-2.0-only
/* Any text as a port: it is refused with words, or it is a range that can be written back. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "core/portspec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), formatted[UP_PORTSPEC_MAX];
	struct up_publish pub = {.proto = 0};
	struct up_err err = {.code = 0};

	if (up_portspec_parse(text, &pub, &err)) {
		if (!err.code || !*err.msg || pub.proto)
			abort();
	} else {
		if (!pub.lo || pub.hi < pub.lo || !pub.to || pub.to + pub.hi - pub.lo > 65535)
			abort();
		up_portspec_format(&pub, formatted);
		if (strlen(formatted) >= UP_PORTSPEC_MAX - 1)
			abort();
	}
	free(text);
	return 0;
}
