// SPDX-License-Identifier: GPL-2.0-only
/* Repair: take away what a dead command or a dead container left. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "core/endpoint_priv.h"
#include "core/maps.h"
#include "core/porttab.h"
#include "net/link.h"

struct gc {
	struct up_datapath *dp;
	struct up_nl *nl;
	void (*fn)(const char *what, const char *name, void *arg);
	void *arg;
	int removed;
	int orphan[UP_ENDPOINT_MAX];
	size_t orphans;
};

static void tell(struct gc *gc, const char *what, const char *name)
{
	gc->removed++;
	if (gc->fn)
		gc->fn(what, name, gc->arg);
}

static int gc_endpoints(struct gc *gc, struct up_err *err)
{
	char name[UP_NAME_MAX + 1];

	for (uint32_t id = 1; id < UP_ENDPOINT_MAX; id++) {
		const struct up_endpoint *ep = &gc->dp->endpoints[id];
		int ret;

		if (ep->state == UP_ENDPOINT_FREE || up_endpoint_lives(gc->dp, gc->nl, id))
			continue;
		memcpy(name, ep->name, sizeof(name));
		name[sizeof(name) - 1] = '\0';
		ret = up_endpoint_remove(gc->dp, gc->nl, id, err);
		if (ret)
			return up_wrap(err, "endpoint %s", name);
		tell(gc, "endpoint", name);
	}
	return 0;
}

static bool has_row(const struct up_datapath *dp, int ifindex)
{
	for (uint32_t id = 1; id < UP_ENDPOINT_MAX; id++)
		if (dp->endpoints[id].state != UP_ENDPOINT_FREE &&
		    dp->endpoints[id].ifindex == (uint32_t)ifindex)
			return true;
	return false;
}

/* Deleting while the dump runs would disturb it: remember, delete after. */
static int note_orphan(const struct up_link *link, void *arg)
{
	struct gc *gc = arg;

	if (up_link_is_ours(link) && !has_row(gc->dp, link->ifindex) &&
	    gc->orphans < UP_ENDPOINT_MAX)
		gc->orphan[gc->orphans++] = link->ifindex;
	return 0;
}

static int gc_links(struct gc *gc, struct up_err *err)
{
	int ret = up_link_foreach(gc->nl, note_orphan, gc, err);

	for (size_t i = 0; !ret && i < gc->orphans; i++) {
		struct up_link link;

		if (up_link_get(gc->nl, NULL, gc->orphan[i], &link, NULL))
			continue;
		ret = up_link_del(gc->nl, link.ifindex, err);
		if (!ret)
			tell(gc, "interface", link.name);
	}
	return ret;
}

struct forgotten {
	char alias[128];
	int ifindex;
};

static int note_alias(const struct up_link *link, void *arg)
{
	struct forgotten *f = arg;

	if (!strcmp(link->alias, f->alias))
		f->ifindex = link->ifindex;
	return 0;
}

int up_endpoint_forget(const char *name, struct up_err *err)
{
	cleanup_nl struct up_nl *nl = NULL;
	struct forgotten f = {};
	int ret = up_nl_open(NETLINK_ROUTE, &nl, err);

	up_endpoint_alias(name, f.alias);
	if (!ret)
		ret = up_link_foreach(nl, note_alias, &f, err);
	if (!ret && f.ifindex)
		ret = up_link_del_quickly(nl, f.ifindex, err);
	return ret == -ENODEV ? 0 : ret;
}

static bool is_ownerless(const struct up_port_row *row, void *arg)
{
	const struct up_datapath *dp = arg;

	return row->endpoint >= UP_ENDPOINT_MAX ||
	       dp->endpoints[row->endpoint].state != UP_ENDPOINT_LIVE;
}

int up_endpoint_gc(struct up_datapath *dp,
		   void (*fn)(const char *what, const char *name, void *arg), void *arg,
		   struct up_err *err)
{
	cleanup_free struct gc *gc = calloc(1, sizeof(*gc));
	cleanup_nl struct up_nl *nl = NULL;
	cleanup_fd int lock = up_lock(err);
	int ret;

	if (lock < 0)
		return lock;
	if (!gc)
		return up_fail(err, ENOMEM, "gc");
	ret = up_nl_open(NETLINK_ROUTE, &nl, err);
	if (ret)
		return ret;
	*gc = (struct gc){.dp = dp, .nl = nl, .fn = fn, .arg = arg};
	ret = up_host_refresh(dp, nl, err);
	if (!ret)
		ret = gc_endpoints(gc, err);
	if (!ret)
		ret = gc_links(gc, err);
	if (!ret && up_porttab_remove(dp->ports, is_ownerless, dp))
		tell(gc, "ports", "without owner");
	return ret ? ret : gc->removed;
}
