// SPDX-License-Identifier: GPL-2.0-only
/* DEL and GC: see iface.c. */
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "cni/iface.h"
#include "cni/ipam.h"
#include "cni/masquerade.h"
#include "cni/state.h"
#include "core/datapath.h"
#include "core/endpoint.h"

/* Also where the maps are gone, or of another version: then the interface is all that is left. */
static int remove_endpoint(struct up_cni *c, const char *name, struct up_err *err)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	int ret = up_datapath_open(&dp, err);

	if (ret == -EPROTO || ret == -EXDEV)
		up_cni_note(c, "%s", err->msg);
	if (ret == -ENOENT || ret == -EPROTO || ret == -EXDEV)
		return up_endpoint_forget(name, err);
	if (!ret)
		ret = up_endpoint_del(dp, name, err);
	return ret == -ENOENT ? 0 : ret;
}

/* Addresses are given back even where the interface could not be removed. */
int up_cni_iface_del(struct up_cni *c, struct up_err *err)
{
	char name[UP_NAME_MAX + 1];
	struct up_err second = {};
	int ret, ipam;

	up_cni_own_name(c, name);
	ret = remove_endpoint(c, name, err);
	ipam = up_cni_ipam_del(c, ret ? &second : err);
	if (!ret && !ipam)
		up_cni_state_remove(name);
	up_cni_masquerade_end(c);
	return ret ? ret : ipam;
}

struct gc {
	struct up_cni *c;
	const char *plugin;
	bool release;
	struct up_err *err;
	int ret;
};

/* Go on where one cannot be removed; the first reason is the answer. */
static int remove_stale(const struct up_cni_attachment *at, void *arg)
{
	struct gc *gc = arg;
	struct up_err second = {}, *err = gc->ret ? &second : gc->err;
	int ret;

	if (strcmp(at->network, gc->c->name) || (gc->plugin && strcmp(at->plugin, gc->plugin)) ||
	    up_cni_is_valid(gc->c, at->id, at->ifname))
		return 0;
	ret = remove_endpoint(gc->c, at->endpoint, err);
	if (!ret && gc->release)
		ret = up_cni_ipam_release(gc->c, at->id, at->ifname, err);
	if (!ret)
		up_cni_state_remove(at->endpoint);
	if (!gc->ret)
		gc->ret = ret;
	return 0;
}

int up_cni_gc(struct up_cni *c, const char *plugin, bool release, struct up_err *err)
{
	struct gc gc = {.c = c, .plugin = plugin, .release = release, .err = err};

	up_cni_state_foreach(remove_stale, &gc);
	up_cni_state_sweep();
	return gc.ret;
}

int up_cni_iface_gc(struct up_cni *c, struct up_err *err)
{
	struct up_err second = {};
	int ret = up_cni_gc(c, NULL, true, err);
	int ipam = up_cni_ipam_gc(c, ret ? &second : err);

	up_cni_masquerade_end(c);
	return ret ? ret : ipam;
}
