// SPDX-License-Identifier: GPL-2.0-only
/* Any bytes as a network's record: what is read is a network that containers can be in. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/network.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_family(const struct up_network *net, enum up_family f)
{
	if (!net->subnet[f].plen) {
		if (up_addr_set(&net->gateway[f]))
			abort();
		return;
	}
	if (up_addr_family(&net->subnet[f].addr) != f ||
	    up_network_check_subnet(&net->subnet[f], NULL) ||
	    !up_cidr_contains(&net->subnet[f], &net->gateway[f]) ||
	    up_addr_equal(&net->subnet[f].addr, &net->gateway[f]))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct up_network net = {.name = "kept", .id = UP_NETWORK_ID_MAX + 1};

	if (up_network_parse((const char *)data, size, &net)) {
		if (net.id != UP_NETWORK_ID_MAX + 1 || net.mtu || net.internal ||
		    net.subnet[UP_V4].plen || net.subnet[UP_V6].plen)
			abort();
		return 0;
	}
	if (!net.id || net.id > UP_NETWORK_ID_MAX || net.mtu > 65535 ||
	    strcmp(net.name, "kept") != 0)
		abort();
	check_family(&net, UP_V4);
	check_family(&net, UP_V6);
	return 0;
}
