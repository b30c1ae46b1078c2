// SPDX-License-Identifier: GPL-2.0-only
/*
 * Window tracking while we ride along. Conntrack sees one segment in a second of a connection that
 * we carry, and takes the rest of the stream to be out of its window: its packets would be INVALID,
 * and rules drop those. So tracking is made liberal, and what it was is kept in a map, where it
 * survives us. Strict tracking of a connection whose window was lost cannot be resumed; those that
 * live when it is put back stay liberal one by one.
 */
#include "core/ride_priv.h"
#include "net/conntrack.h"

int up_ride_liberal(const struct up_rides *r, struct up_err *err)
{
	struct up_ride_conf conf;
	bool liberal;
	int ret = up_conntrack_liberal(&liberal, err);

	if (!ret)
		ret = up_ride_conf_read(r, &conf, err);
	if (ret || liberal)
		return ret;
	conf.made_liberal = 1;
	ret = up_ride_conf_write(r, &conf, err);
	return ret ? ret : up_conntrack_set_liberal(true, err);
}

int up_ride_strict(struct up_err *err)
{
	int ret = up_conntrack_keep_liberal(err);

	return ret ? ret : up_conntrack_set_liberal(false, err);
}
