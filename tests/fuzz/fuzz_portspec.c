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
	char *text = strndup((const char *)data, size), formatted[UP_PORTSPEC_TEXT];
	struct up_publish_list list = {.n = 0};
	struct up_err err = {.code = 0};

	/* No file of the machine is to be read. */
	if (strchr(text, '@')) {
		free(text);
		return 0;
	}
	if (up_portspec_parse(text, &list, &err)) {
		if (!err.code || !*err.msg || list.n)
			abort();
	} else if (!list.n || list.n > UP_PORTSPEC_PROTOS) {
		abort();
	}
	for (size_t i = 0; i < list.n; i++) {
		const struct up_publish *pub = &list.pubs[i];

		if (!pub->lo || pub->hi < pub->lo || !pub->to ||
		    (!pub->to_one && pub->to + pub->hi - pub->lo > 65535))
			abort();
		up_portspec_format(pub, formatted);
		if (strlen(formatted) >= UP_PORTSPEC_TEXT - 1)
			abort();
	}
	up_publish_list_free(&list);
	free(text);
	return 0;
}
