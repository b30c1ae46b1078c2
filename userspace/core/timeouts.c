// SPDX-License-Identifier: GPL-2.0-only
#include "core/timeouts.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "core/flows.h"
#include "core/maps.h"

static const char *const names[UP_TMO_MAX] = {
#define UP_TIMEOUT_NAME(id, name, seconds) [UP_TMO_##id] = (name),
	UP_TIMEOUTS(UP_TIMEOUT_NAME)
#undef UP_TIMEOUT_NAME
};

const char *up_timeout_name(enum up_timeout which)
{
	return names[which];
}

enum up_timeout up_timeout_find(const char *name)
{
	enum up_timeout which = 0;

	while (which < UP_TMO_MAX && strcmp(names[which], name))
		which++;
	return which;
}

static int read_conf(struct up_datapath *dp, struct up_err *err)
{
	uint32_t zero = 0;

	if (!bpf_map_lookup_elem(dp->map[UP_MAP_conf], &zero, &dp->conf))
		return 0;
	return up_fail(err, errno, "read the timeouts");
}

int up_timeouts_get(struct up_datapath *dp, uint32_t ret_seconds[UP_TMO_MAX], struct up_err *err)
{
	int ret = read_conf(dp, err);

	if (!ret)
		memcpy(ret_seconds, dp->conf.timeout, sizeof(dp->conf.timeout));
	return ret;
}

int up_timeouts_set(struct up_datapath *dp, const uint32_t seconds[UP_TMO_MAX], struct up_err *err)
{
	cleanup_fd int lock = up_lock(err);
	uint32_t zero = 0;
	int ret = lock < 0 ? lock : read_conf(dp, err);

	if (ret)
		return ret;
	for (enum up_timeout which = 0; which < UP_TMO_MAX; which++)
		if (seconds[which])
			dp->conf.timeout[which] = seconds[which];
	if (bpf_map_update_elem(dp->map[UP_MAP_conf], &zero, &dp->conf, BPF_ANY))
		return up_fail(err, errno, "write the timeouts");
	return up_flows_recheck(dp, err);
}
