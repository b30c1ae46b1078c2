// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attaching and detaching. A row is written before the interface gets its programs, and removed
 * after it has lost them, so that whoever is killed in between leaves a row by which the next
 * command finds what is left to do.
 */
#include "core/ride.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "core/hooks.h"
#include "core/ride_priv.h"
#include "core/uplinks.h"
#include "net/link.h"
#include "net/netns.h"

#define VETHS_MAX 64 /* networks of one container */

/**
 * struct attach - the state of one "attach"
 * @r:      maps and programs
 * @nl:     netlink of this host
 * @target: as asked for
 * @nsid:   id of the target's namespace
 * @veth:   those that lead there
 * @n:      how many
 * @err:    of the caller
 */
struct attach {
	struct up_rides *r;
	struct up_nl *nl;
	const struct up_ride_target *target;
	int nsid;
	struct up_link veth[VETHS_MAX];
	size_t n;
	struct up_err *err;
};

static enum up_ride_prog prog_in(const struct up_ride_if *row)
{
	return row->kind == UP_RIDE_UPLINK ? UP_RIDE_IN_UPLINK : UP_RIDE_IN_VETH;
}

static enum up_ride_prog prog_out(const struct up_ride_if *row)
{
	if (row->kind == UP_RIDE_BRIDGE)
		return UP_RIDE_OUT_BRIDGE;
	return row->queued ? UP_RIDE_OUT_QUEUE : UP_RIDE_OUT_PEER;
}

static int write_row(struct up_rides *r, uint32_t ifindex, const struct up_ride_if *row,
		     struct up_err *err)
{
	if (bpf_map_update_elem(r->map[UP_RIDE_ROWS], &ifindex, row, BPF_ANY))
		return up_fail(err, errno, "interface %.15s", row->ifname);
	return 0;
}

/* Counters that are there are kept: the interface is attached anew. */
static int write_stats(struct up_rides *r, uint32_t ifindex, struct up_err *err)
{
	int cpus = libbpf_num_possible_cpus();
	cleanup_free struct up_ride_stats *zero =
		cpus > 0 ? calloc((size_t)cpus, sizeof(*zero)) : NULL;

	if (!zero)
		return up_fail(err, cpus < 0 ? cpus : ENOMEM, "counters");
	if (bpf_map_update_elem(r->map[UP_RIDE_STATS], &ifindex, zero, BPF_NOEXIST) &&
	    errno != EEXIST)
		return up_fail(err, errno, "counters");
	return 0;
}

static void unhook(uint32_t id, uint32_t ifindex)
{
	up_hook_ride_remove(id, (int)ifindex, false);
	up_hook_ride_remove(id, (int)ifindex, true);
}

static void remove_if(struct up_rides *r, uint32_t ifindex)
{
	unhook(r->id, ifindex);
	bpf_map_delete_elem(r->map[UP_RIDE_STATS], &ifindex);
	bpf_map_delete_elem(r->map[UP_RIDE_ROWS], &ifindex);
}

/* The far end first: what it learns is of use only once the near end is there. Programs that are
 * there already are replaced. */
static int hook(struct up_rides *r, uint32_t ifindex, const struct up_ride_if *row,
		struct up_err *err)
{
	int ret = up_hook_ride(r->prog[prog_out(row)], r->id, (int)ifindex, true, err);

	if (ret || row->kind == UP_RIDE_BRIDGE)
		return ret;
	return up_hook_ride(r->prog[prog_in(row)], r->id, (int)ifindex, false, err);
}

static int add_if(struct up_rides *r, uint32_t ifindex, const struct up_ride_if *row,
		  struct up_err *err)
{
	int ret = write_row(r, ifindex, row, err);

	if (!ret)
		ret = write_stats(r, ifindex, err);
	if (!ret)
		ret = hook(r, ifindex, row, err);
	return ret ? up_wrap(err, "interface %.15s", row->ifname) : 0;
}

/* What the host itself sends comes to the bridge that the veth is a port of. One that is an uplink
 * has the programs of one. */
static int add_bridge(struct attach *a, int ifindex)
{
	struct up_ride_if row = {.kind = UP_RIDE_BRIDGE, .engine = "bridge"}, old;
	uint32_t key = (uint32_t)ifindex;
	struct up_link link;
	int ret = up_link_get(a->nl, NULL, ifindex, &link, a->err);

	if (ret || strcmp(link.kind, "bridge"))
		return ret;
	if (!bpf_map_lookup_elem(a->r->map[UP_RIDE_ROWS], &key, &old) && old.kind == UP_RIDE_UPLINK)
		return 0;
	snprintf(row.ifname, sizeof(row.ifname), "%s", link.name);
	snprintf(row.name, sizeof(row.name), "%s", link.name);
	return add_if(a->r, key, &row, a->err);
}

static int add_veth(struct attach *a, const struct up_link *link)
{
	struct up_ride_if row = {.kind = UP_RIDE_VETH, .queued = link->queued};
	struct up_link end;
	int ret = up_link_get_in(a->nl, link->peer_nsid, link->peer, &end, a->err);

	if (ret)
		return up_wrap(a->err, "interface %s: its other end", link->name);
	memcpy(row.mac, end.mac, sizeof(row.mac));
	snprintf(row.ifname, sizeof(row.ifname), "%s", link->name);
	snprintf(row.engine, sizeof(row.engine), "%s", a->target->engine);
	snprintf(row.id, sizeof(row.id), "%s", a->target->id);
	snprintf(row.name, sizeof(row.name), "%s", a->target->name);
	ret = add_if(a->r, (uint32_t)link->ifindex, &row, a->err);
	return ret || !link->master ? ret : add_bridge(a, link->master);
}

static int find_if_of_netns(const struct up_link *link, void *arg)
{
	struct attach *a = arg;

	if (link->peer_nsid == a->nsid && !strcmp(link->kind, "veth") && a->n < VETHS_MAX)
		a->veth[a->n++] = *link;
	return 0;
}

static int no_veth(const struct attach *a)
{
	return up_fail_msg(a->err, ENXIO,
			   "%s: no veth leads to it from this host: there is no bridge on its way "
			   "to be saved (host network, none, macvlan, or another host's)",
			   a->target->name);
}

/* The kernel gives namespaces their ids when it lists veths that lead there. */
static int find_netns(struct attach *a)
{
	int ret;

	a->nsid = -2;
	ret = up_link_foreach(a->nl, find_if_of_netns, a, a->err);
	if (ret)
		return ret;
	a->nsid = up_netns_id(a->nl, a->target->netns_fd);
	if (a->nsid < 0)
		return no_veth(a);
	ret = up_link_foreach(a->nl, find_if_of_netns, a, a->err);
	return ret || a->n ? ret : no_veth(a);
}

static int find_ifname(struct attach *a)
{
	struct up_link link;
	int ret = up_link_get(a->nl, a->target->ifname, 0, &link, a->err);

	if (ret)
		return ret;
	if (strcmp(link.kind, "veth") || link.peer_nsid < 0)
		return up_fail_msg(a->err, EINVAL,
				   "interface %s: not the host's end of a container's veth",
				   link.name);
	a->veth[a->n++] = link;
	return 0;
}

static int add_uplink(struct attach *a, const char *name, int ifindex)
{
	struct up_ride_if row = {.kind = UP_RIDE_UPLINK, .queued = 1, .engine = "uplink"};
	struct up_link link;
	int ret = up_link_get(a->nl, name, ifindex, &link, a->err);

	if (ret)
		return ret;
	if (!link.ethernet)
		return up_fail_msg(a->err, EINVAL, "uplink %s: not an Ethernet interface",
				   link.name);
	snprintf(row.ifname, sizeof(row.ifname), "%s", link.name);
	snprintf(row.name, sizeof(row.name), "%s", link.name);
	return add_if(a->r, (uint32_t)link.ifindex, &row, a->err);
}

static uint32_t next_row(const struct up_rides *r, uint32_t key, struct up_ride_if *ret_row)
{
	while (!bpf_map_get_next_key(r->map[UP_RIDE_ROWS], key ? &key : NULL, &key))
		if (!bpf_map_lookup_elem(r->map[UP_RIDE_ROWS], &key, ret_row))
			return key;
	return 0;
}

static bool any_veth(const struct up_rides *r)
{
	struct up_ride_if row;

	for (uint32_t key = 0; (key = next_row(r, key, &row));)
		if (row.kind == UP_RIDE_VETH)
			return true;
	return false;
}

/* Listed before any is written to: see up_uplink_list(). */
static size_t list_uplinks(const struct up_rides *r, uint32_t keys[UP_UPLINK_MAX])
{
	struct up_ride_if row;
	size_t n = 0;

	for (uint32_t key = 0; n < UP_UPLINK_MAX && (key = next_row(r, key, &row));)
		if (row.kind == UP_RIDE_UPLINK)
			keys[n++] = key;
	return n;
}

/* Uplinks of an earlier "attach", which may have been killed before it was done with them. */
static int readd_uplinks(struct attach *a, size_t *ret_n)
{
	uint32_t keys[UP_UPLINK_MAX];
	size_t n = list_uplinks(a->r, keys);
	struct up_err gone = {};
	struct up_ride_if row;
	struct up_link link;
	int ret = 0;

	*ret_n = 0;
	for (size_t i = 0; !ret && i < n; i++) {
		if (up_link_get(a->nl, NULL, (int)keys[i], &link, &gone) == -ENODEV ||
		    bpf_map_lookup_elem(a->r->map[UP_RIDE_ROWS], &keys[i], &row))
			continue;
		ret = add_if(a->r, keys[i], &row, a->err);
		(*ret_n)++;
	}
	return ret;
}

/* Where none is named: those that are attached, or that of the default route. */
static int add_uplinks(struct attach *a, const struct up_ride_opts *opts)
{
	size_t n;
	int ifindex, ret = readd_uplinks(a, &n);

	for (size_t i = 0; !ret && i < opts->n_uplinks; i++)
		ret = add_uplink(a, opts->uplinks[i], 0);
	if (ret || opts->n_uplinks || n)
		return ret;
	ret = up_default_uplink(a->nl, &ifindex, a->err);
	return ret ? ret : add_uplink(a, NULL, ifindex);
}

static int set_conf(struct up_rides *r, const struct up_ride_opts *opts, struct up_err *err)
{
	struct up_ride_conf conf;
	int ret = up_ride_conf_read(r, &conf, err);

	if (ret || (!opts->refresh_ms && !opts->skip_mark))
		return ret;
	if (opts->refresh_ms)
		conf.refresh = (uint32_t)(opts->refresh_ms * 1000000ULL / conf.tick_ns);
	if (opts->skip_mark)
		conf.skip_mark = opts->skip_mark;
	return up_ride_conf_write(r, &conf, err);
}

static int attach(struct attach *a, const struct up_ride_opts *opts)
{
	int ret = set_conf(a->r, opts, a->err);

	if (!ret)
		ret = up_ride_liberal(a->r, a->err);
	if (!ret)
		ret = add_uplinks(a, opts);
	if (!ret)
		ret = a->target->ifname ? find_ifname(a) : find_netns(a);
	for (size_t i = 0; !ret && i < a->n; i++)
		ret = add_veth(a, &a->veth[i]);
	return ret;
}

/* A new generation: no decision of an earlier one holds. The entries stay, and are learned again.
 */
static int forget_all(struct up_rides *r, struct up_err *err)
{
	struct up_ride_conf conf;
	int ret = up_ride_conf_read(r, &conf, err);

	if (ret)
		return ret;
	conf.gen++;
	return up_ride_conf_write(r, &conf, err);
}

static int put_back(bool liberal, struct up_err *err)
{
	int ret = liberal ? up_ride_strict(err) : 0;

	return ret ? ret : up_ride_unpin(err);
}

/* The last container is gone. */
static int take_down(struct up_rides *r, struct up_err *err)
{
	struct up_ride_conf conf;
	struct up_ride_if row;
	uint32_t key;
	int ret = up_ride_conf_read(r, &conf, err);

	if (ret)
		return ret;
	while ((key = next_row(r, 0, &row)))
		remove_if(r, key);
	return put_back(conf.made_liberal, err);
}

static int purge_if(const struct up_link *link, void *arg)
{
	unhook(*(const uint32_t *)arg, (uint32_t)link->ifindex);
	return 0;
}

/* What another version has attached: its rows cannot be read, but all that it hooked uses its map.
 */
static int purge(struct up_nl *nl, struct up_err *err)
{
	bool liberal;
	uint32_t id;
	int ret = up_ride_id(&id, &liberal, err);

	if (!ret)
		ret = up_link_foreach(nl, purge_if, &id, err);
	return ret ? ret : put_back(liberal, err);
}

static bool is_gone(struct up_nl *nl, uint32_t ifindex)
{
	struct up_err err = {};
	struct up_link link;

	return up_link_get(nl, NULL, (int)ifindex, &link, &err) == -ENODEV;
}

/* Programs of another build give way to this one's, under the packets that pass; what they share is
 * in the maps. Noted when it is done: whoever is killed before lets the next command do it. */
static int upgrade(struct up_rides *r, struct up_nl *nl, struct up_err *err)
{
	struct up_ride_conf conf;
	struct up_ride_if row;
	int ret = up_ride_conf_read(r, &conf, err);

	if (ret || conf.build == up_ride_build())
		return ret;
	for (uint32_t key = 0; !ret && (key = next_row(r, key, &row));) {
		ret = hook(r, key, &row, err);
		if (ret && is_gone(nl, key))
			ret = 0;
	}
	conf.build = up_ride_build();
	return ret ? ret : up_ride_conf_write(r, &conf, err);
}

int up_ride_upgrade(struct up_err *err)
{
	cleanup_rides struct up_rides *old = NULL, *r = NULL;
	cleanup_nl struct up_nl *nl = NULL;
	cleanup_fd int lock = up_lock(err);
	int ret = lock < 0 ? lock : up_ride_open(&old, err);

	if (ret)
		return ret == -ENOENT ? 0 : ret;
	ret = up_nl_open(NETLINK_ROUTE, &nl, err);
	if (!ret)
		ret = up_ride_load(&r, err);
	return ret ? ret : upgrade(r, nl, err);
}

int up_ride_attach(const struct up_ride_target *target, const struct up_ride_opts *opts,
		   struct up_err *err)
{
	struct attach a = {.target = target, .err = err};
	cleanup_rides struct up_rides *r = NULL;
	cleanup_nl struct up_nl *nl = NULL;
	cleanup_fd int lock = up_lock(err);
	int ret = lock < 0 ? lock : up_nl_open(NETLINK_ROUTE, &nl, err);

	if (!ret)
		ret = up_ride_load(&r, err);
	if (!ret)
		ret = upgrade(r, nl, err);
	if (ret)
		return ret;
	a.r = r;
	a.nl = nl;
	ret = attach(&a, opts);
	if (ret && !any_veth(r))
		take_down(r, NULL);
	return ret;
}

static size_t detach_matching(struct up_rides *r, struct up_nl *nl,
			      bool (*match)(const struct up_ride_if *row, void *arg), void *arg)
{
	uint32_t key = 0, next;
	struct up_ride_if row, next_row_;
	size_t n = 0;

	next = next_row(r, 0, &next_row_);
	while ((key = next)) {
		row = next_row_;
		next = next_row(r, key, &next_row_);
		if (row.kind == UP_RIDE_VETH && (!match || match(&row, arg)))
			n++;
		else if (!is_gone(nl, key))
			continue;
		remove_if(r, key);
	}
	return n;
}

int up_ride_detach(bool (*match)(const struct up_ride_if *row, void *arg), void *arg, size_t *ret_n,
		   struct up_err *err)
{
	cleanup_rides struct up_rides *r = NULL;
	cleanup_nl struct up_nl *nl = NULL;
	cleanup_fd int lock = up_lock(err);
	int ret = lock < 0 ? lock : up_nl_open(NETLINK_ROUTE, &nl, err);
	size_t n = 0;

	if (!ret)
		ret = up_ride_open(&r, err);
	if (!ret) {
		n = detach_matching(r, nl, match, arg);
		ret = forget_all(r, err);
	}
	if (!ret && !any_veth(r))
		ret = take_down(r, err);
	if (ret == -EPROTO && !match)
		ret = purge(nl, err);
	if (ret ==
	    -ENOENT) /* nothing, or what a command left that was killed when it was all but done */
		ret = up_ride_unpin(err);
	if (!ret && ret_n)
		*ret_n = n;
	return ret;
}

int up_ride_flush(struct up_err *err)
{
	cleanup_rides struct up_rides *r = NULL;
	cleanup_fd int lock = up_lock(err);
	int ret = lock < 0 ? lock : up_ride_open(&r, err);

	return ret ? ret : forget_all(r, err);
}
