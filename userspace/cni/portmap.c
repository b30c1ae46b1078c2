// SPDX-License-Identifier: GPL-2.0-only
/*
 * portmap: publish the container's ports.
 *
 * Behind an interface of ours that is rows in the port table. A veth that another plugin made is
 * adopted for it: our program at its host's end takes care of the published ports' flows and lets
 * everything else pass. So is a macvlan child of an uplink, whose packets pass the uplink's hooks.
 * For any other interface the next portmap in CNI_PATH is called.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cni/adopt.h"
#include "cni/cni.h"
#include "cni/delegate.h"
#include "cni/error.h"
#include "cni/iface.h"
#include "cni/options.h"
#include "cni/place.h"
#include "cni/ports.h"
#include "cni/state.h"
#include "core/datapath.h"
#include "core/endpoint.h"
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

static int let_go(struct up_datapath *dp, const char *name, struct up_err *err)
{
	int ret = up_endpoint_del(dp, name, err);

	if (!ret)
		up_cni_state_remove(name);
	return ret;
}

/* Rows without their endpoint are gone already, as are rows without their maps. */
static int portmap_del(struct up_cni *c, struct up_err *err)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	char name[UP_NAME_MAX + 1];
	struct up_err ignored = {};
	int ret = up_cni_find(c, &dp, name, &ignored);

	if (ret <= 0) {
		ret = up_cni_chained_del(c, err);
		up_cni_state_remove_own(c); /* of an adopted one that was collected */
		return ret;
	}
	ret = ret == UP_CNI_ADOPTED ? let_go(dp, name, err) : up_port_del_all(dp, name, err);
	return ret == -ENOENT ? 0 : ret;
}

/* Return: 1 where they are published, 0 where another plugin has done it, or a code */
static int publish(struct up_cni *c, const struct up_publish_list *list, json_t **ret_result,
		   struct up_err *err)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	char name[UP_NAME_MAX + 1];
	/* Who made the interface is done: what was begun is by a portmap that was killed. */
	int ret = up_cni_state_begun(c) ? portmap_del(c, err) : 0;

	if (!ret)
		ret = up_cni_find(c, &dp, name, err);
	if (ret < 0)
		return ret;
	if (ret) {
		ret = list->n ? up_port_add(dp, name, list->pubs, list->n, err) : 0;
		return ret ? ret : 1;
	}
	/* Also one without ports: it may want to reach those of others. */
	ret = up_cni_adopt(c, list, err);
	if (!ret)
		ret = list->n ? up_cni_next(c, ret_result, err) : 1;
	return ret;
}

static int portmap_add(struct up_cni *c, json_t **ret_result, struct up_err *err)
{
	cleanup_publish_list struct up_publish_list list = {};
	int ret = up_cni_prev_needed(c, err);

	if (!ret)
		ret = up_cni_options_check(c, table, err);
	if (!ret)
		ret = up_cni_ports_parse(c, &list, err);
	if (!ret)
		ret = publish(c, &list, ret_result, err);
	if (ret <= 0)
		return ret;
	*ret_result = json_incref(c->prev);
	return 0;
}

static int portmap_gc(struct up_cni *c, struct up_err *err)
{
	return up_cni_gc(c, c->plugin->name, false, err);
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

/* An interface of ours is looked at by who made it; of somebody else's it is us who changed it. */
static int check_adopted(struct up_datapath *dp, const char *name, struct up_err *err)
{
	struct up_err why = {};

	if (up_endpoint_check(dp, name, &why) != -ESTALE)
		return 0;
	return up_cni_fail(err, UP_CNI_DAMAGED, "%.480s", why.msg);
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
	ret = up_cni_find(c, &dp, name, err);
	if (ret < 0)
		return ret;
	if (!ret)
		return up_cni_state_has(name)
			       ? up_cni_fail(err, UP_CNI_DAMAGED,
					     "there is no longer an endpoint %s", name)
			       : up_cni_next(c, NULL, err);
	if (ret == UP_CNI_ADOPTED)
		ret = check_adopted(dp, name, err);
	return ret < 0 ? ret : check_rows(dp, name, &list, err);
}

const struct up_cni_plugin up_cni_portmap = {
	"portmap", portmap_add, portmap_del, portmap_check, portmap_gc, NULL,
};
