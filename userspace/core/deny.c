// SPDX-License-Identifier: GPL-2.0-only
#include "core/deny.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "core/allow.h"
#include "core/flows.h"
#include "core/maps.h"
#include "core/xdp.h"
#include "underpass/flow.h"
#include "underpass/port.h"

static int not_empty(const struct up_cidr *net, void *arg)
{
	(void)net, (void)arg;
	return 1;
}

/* Whether there are any is a setting, so that packets need not search an empty list. */
static int settle(struct up_datapath *dp, struct up_err *err)
{
	struct up_config conf;
	int ret = up_conf_read(dp, &conf, err);

	if (ret)
		return ret;
	conf.denied = (uint32_t)up_allow_foreach(dp, UP_ALLOW_DENY_ALL, not_empty, NULL);
	ret = up_conf_write(dp, &conf, err);
	return ret ? ret : up_xdp_sync(dp, err);
}

/* What was added before a failure goes again, unless it was there before. */
static int add_all(struct up_datapath *dp, const struct up_cidr *nets, size_t n, struct up_err *err)
{
	cleanup_free bool *fresh = calloc(n + 1, sizeof(*fresh));
	int ret = 0;
	size_t i;

	if (!fresh)
		return up_fail(err, ENOMEM, "deny");
	for (i = 0; !ret && i < n; i++) {
		fresh[i] = !up_allow_list_has(dp, UP_ALLOW_DENY_ALL, &nets[i]);
		ret = up_allow_list_add(dp, UP_ALLOW_DENY_ALL, &nets[i], err);
	}
	while (ret && i > 0)
		if (fresh[--i])
			up_allow_list_del(dp, UP_ALLOW_DENY_ALL, &nets[i], NULL);
	return ret;
}

/**
 * struct ending - flows that end
 * @dp:  open datapath
 * @err: why that failed
 */
struct ending {
	struct up_datapath *dp;
	struct up_err *err;
};

/* Who is behind an uplink: whoever came by one, or is sent to by one. */
static int end_denied(const struct up_tuple *key, const struct up_flow *flow, void *arg)
{
	const struct ending *e = arg;
	const struct up_addr *other = key->ifindex ? &flow->out.daddr : &key->saddr;

	if ((key->ifindex && flow->out.ifindex) ||
	    !up_allow_list_covers(e->dp, UP_ALLOW_DENY_ALL, other))
		return 0;
	return up_flow_end(e->dp, key, e->err);
}

int up_deny_add(struct up_datapath *dp, const struct up_cidr *nets, size_t n, struct up_err *err)
{
	cleanup_fd int lock = up_lock(err);
	struct ending e = {dp, err};
	int ret;

	if (lock < 0)
		return lock;
	for (size_t i = 0; i < n; i++)
		if (!nets[i].plen)
			return up_fail_msg(err, EINVAL, "a prefix of 0 bits would deny everybody");
	ret = add_all(dp, nets, n, err);
	if (!ret)
		ret = settle(dp, err);
	return ret ? ret : up_flows_foreach(dp, end_denied, &e);
}

int up_deny_del(struct up_datapath *dp, const struct up_cidr *nets, size_t n, struct up_err *err)
{
	cleanup_fd int lock = up_lock(err);
	char text[UP_ADDR_TEXT];
	int ret = lock < 0 ? lock : 0;

	for (size_t i = 0; !ret && i < n; i++)
		if (!up_allow_list_has(dp, UP_ALLOW_DENY_ALL, &nets[i]))
			return up_fail_msg(err, ENOENT, "%s/%u is not denied",
					   up_addr_format(&nets[i].addr, text), nets[i].plen);
	for (size_t i = 0; !ret && i < n; i++)
		ret = up_allow_list_del(dp, UP_ALLOW_DENY_ALL, &nets[i], err);
	return ret ? ret : settle(dp, err);
}
