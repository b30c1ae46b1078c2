// SPDX-License-Identifier: GPL-2.0-only
/* Any bytes as a frame: what parse() says is there is there, and it reads nothing beyond. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* The first byte says how much of the frame is linear. */
	size_t linear = size ? (size_t)data[0] % size : 0;
	uint8_t *copy = malloc(linear ? linear : 1);
	struct pkt p, again;

	memcpy(copy, data, linear);
	parse(copy, copy + linear, (uint32_t)size, &p);
	parse(copy, copy + linear, (uint32_t)size, &again);
	/* parse() clears the padding too.
	 * NOLINTNEXTLINE(bugprone-suspicious-memory-comparison,cert-*) */
	if (memcmp(&p, &again, sizeof(p)))
		abort();
	if (p.res == PARSE_OK &&
	    (p.csum_off + 2U > linear || p.port_off + 2U > linear || p.l4_off + 8U > linear))
		abort();
	if (p.res == PARSE_ICMP_ERROR && linear > p.l4_off + sizeof(struct icmp_head)) {
		size_t start = p.l4_off + sizeof(struct icmp_head);

		if (parse_inner(copy, copy + linear, &p, &again) == PARSE_OK &&
		    (start + again.l4_off + 8U > linear || start + again.port_off + 2U > linear))
			abort();
	}
	free(copy);
	return 0;
}
