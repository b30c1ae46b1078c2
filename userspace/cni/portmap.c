// SPDX-License-Identifier: GPL-2.0-only
/*
 * portmap: publish the container's ports.
 *
 * Behind an interface of ours that is rows in the port table. An interface of somebody else's has
 * no endpoint; the next portmap in CNI_PATH knows what to do for it.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cni/cni.h"
#include "cni/delegate.h"
#include "cni/error.h"
#include "cni/options.h"
#include "cni/place.h"
#include "cni/ports.h"
#include "core/datapath.h"
#include "core/ports.h"

static const struct up_cni_option table[] = {
	{"conditionsV4", "there are no iptables rules that could have conditions", true},
	{"conditionsV6", "there are no iptables rules that could have conditions", true},
	{"masqAll", "sources are kept, but for a container's own port", false},
	{"backend", "ports are published by neither iptables nor nftables", false},
	{"markMasqBit", "no packet is marked to be masqueraded", false},
	{"externalSetMarkChain", "no packet is marked to be masqueraded", false},
	{},
};

static int portmap_add(struct up_cni *c, json_t **ret_result, struct up_err *err)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	cleanup_publish_list struct up_publish_list list = {};
	char name[UP_NAME_MAX + 1];
	int ret = up_cni_prev_needed(c, err);

	if (!ret)
		ret = up_cni_options_check(c, table, err);
	if (!ret)
		ret = up_cni_ports_parse(c, &list, err);
	if (!ret && list.n) {
		ret = up_cni_ours(c, &dp, name, ret_result, err);
		if (ret <= 0)
			return ret;
		ret = up_port_add(dp, name, list.pubs, list.n, err);
	}
	if (!ret)
		*ret_result = json_incref(c->prev);
	return ret;
}

/* Rows without their endpoint are gone already, as are rows without their maps. */
static int portmap_del(struct up_cni *c, struct up_err *err)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	char name[UP_NAME_MAX + 1];
	struct up_err ignored = {};
	int ret;

	if (up_cni_find(c, &dp, name, &ignored) <= 0)
		return up_cni_chained_del(c, err);
	ret = up_port_del_all(dp, name, err);
	return ret == -ENOENT ? 0 : ret;
}

struct search {
	const char *endpoint;
	const struct up_publish *want;
	bool found;
};

static int note_row(const struct up_publish *pub, const char *endpoint, void *arg)
{
	struct search *s = arg;

	if (!strcmp(endpoint, s->endpoint) && pub->proto == s->want->proto &&
	    up_addr_equal(&pub->addr, &s->want->addr) && pub->lo <= s->want->lo &&
	    pub->hi >= s->want->hi && s->want->to - pub->to == s->want->lo - pub->lo)
		s->found = true;
	return 0;
}

static int check_rows(struct up_datapath *dp, const char *name, const struct up_publish_list *list,
		      struct up_err *err)
{
	char text[UP_PORTSPEC_TEXT];

	for (size_t i = 0; i < list->n; i++) {
		struct search s = {name, &list->pubs[i], false};

		up_port_foreach(dp, note_row, &s);
		up_portspec_format(&list->pubs[i], text);
		if (!s.found)
			return up_cni_fail(err, UP_CNI_DAMAGED, "no longer published is %s", text);
	}
	return 0;
}

static int portmap_check(struct up_cni *c, struct up_err *err)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	cleanup_publish_list struct up_publish_list list = {};
	char name[UP_NAME_MAX + 1];
	int ret = up_cni_prev_needed(c, err);

	if (!ret)
		ret = up_cni_ports_parse(c, &list, err);
	if (ret || !list.n)
		return ret;
	ret = up_cni_ours(c, &dp, name, NULL, err);
	return ret <= 0 ? ret : check_rows(dp, name, &list, err);
}

const struct up_cni_plugin up_cni_portmap = {
	"portmap", portmap_add, portmap_del, portmap_check, NULL, NULL,
};
