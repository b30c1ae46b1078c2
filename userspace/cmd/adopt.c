// SPDX-License-Identifier: GPL-2.0-only
/* "run --bundle": what the bundle says, where the command line says nothing else. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "cmd/life.h"
#include "launch/bundle.h"

/* The option that decides about each kind of namespace. */
static const char *const ns_options[UP_NS_COUNT] = {
	[UP_NS_USER] = "userns", [UP_NS_NET] = "net", [UP_NS_IPC] = "ipc",
	[UP_NS_UTS] = "uts",     [UP_NS_PID] = "pid", [UP_NS_CGROUP] = "cgroupns",
};

static bool given(const struct up_run *r, enum up_ns kind)
{
	return json_object_get(r->options, ns_options[kind]) ||
	       (kind == UP_NS_NET && json_object_get(r->options, "network"));
}

/* A network namespace of its own gets the fast path. */
static int adopt_network(struct up_run *r, const struct up_bundle *b, struct up_err *err)
{
	if (b->ns[UP_NS_NET] == UP_NS_PRIVATE)
		return 0;
	r->net_path = b->ns_path[UP_NS_NET];
	if (snprintf(r->record.net, sizeof(r->record.net), "%s%s", r->net_path ? "ns:" : "host",
		     r->net_path ? r->net_path : "") >= (int)sizeof(r->record.net))
		return up_fail(err, ENAMETOOLONG, "network namespace");
	r->sandbox.ns[UP_NS_NET].mode = b->ns[UP_NS_NET];
	return 0;
}

static int adopt_namespace(struct up_run *r, const struct up_bundle *b, enum up_ns kind,
			   struct up_err *err)
{
	struct up_ns_wish *wish = &r->sandbox.ns[kind];

	if (kind == UP_NS_NET)
		return adopt_network(r, b, err);
	wish->mode = b->ns[kind];
	if (wish->mode == UP_NS_JOIN) {
		wish->fd = open(b->ns_path[kind], O_RDONLY | O_CLOEXEC);
		if (wish->fd < 0)
			return up_fail(err, errno, "namespace %s", b->ns_path[kind]);
	}
	if (kind == UP_NS_USER && wish->mode == UP_NS_PRIVATE) {
		r->sandbox.idmap = b->idmap;
		r->record.first_id = b->idmap.uid;
		r->record.ids = b->idmap.count;
	}
	return 0;
}

/* The bundle's mounts come first: the user's may lie on them. */
static int adopt_mounts(struct up_run *r, struct up_bundle *b, struct up_err *err)
{
	struct up_volumes *own = &r->sandbox.fs.volumes, *theirs = &b->mounts;
	struct up_volume *at = reallocarray(theirs->at, theirs->n + own->n + 1, sizeof(*at));

	if (!at)
		return up_fail(err, ENOMEM, "mounts");
	if (own->n && own->at)
		memcpy(at + theirs->n, own->at, own->n * sizeof(*at));
	free(own->at);
	*own = (struct up_volumes){theirs->n + own->n, at};
	*theirs = (struct up_volumes){};
	return 0;
}

static int adopt_devices(struct up_run *r, const struct up_bundle *b, struct up_err *err)
{
	if (r->n_devices + b->n_devices > UP_DEVICE_RULES)
		return up_fail_msg(err, E2BIG, "more than %d devices", UP_DEVICE_RULES);
	for (size_t i = 0; i < b->n_devices; i++)
		r->devices[r->n_devices++] = (struct up_device_rule){
			b->devices[i].type, up_device_access(b->devices[i].access),
			b->devices[i].major, b->devices[i].minor};
	return 0;
}

static int adopt_process(struct up_run *r, const struct up_bundle *b, struct up_err *err)
{
	struct up_command *c = &r->sandbox.command;
	struct up_rlimits limits = b->limits;

	for (size_t i = 0; i < c->limits.n && limits.n < UP_RLIMITS_MAX; i++)
		limits.at[limits.n++] = c->limits.at[i];
	c->limits = limits;
	if (!c->argv)
		c->argv = b->args.at;
	if (!c->user && *b->user)
		c->user = b->user;
	if (!c->workdir)
		c->workdir = b->cwd;
	c->caps = b->caps;
	c->all_sets = true;
	c->umask = b->umask;
	c->no_new_privs |= b->no_new_privs;
	for (size_t i = 0; i < b->groups.n; i++)
		if (up_words_add(&r->groups, b->groups.at[i], err))
			return -ENOMEM;
	for (size_t i = 0; i < b->env.n; i++)
		up_env_set_default(&r->env, b->env.at[i]);
	return 0;
}

static void adopt_names(struct up_run *r, const struct up_bundle *b)
{
	if (!*r->record.hostname && b->hostname && strlen(b->hostname) <= UP_NAME_MAX)
		strcpy(r->record.hostname, b->hostname);
	if (!r->sandbox.domainname)
		r->sandbox.domainname = b->domainname;
}

static void adopt_limits(struct up_run *r, const struct up_bundle *b)
{
	if (!r->cgroup_limits.memory) {
		r->cgroup_limits.memory = b->cgroup.memory;
		r->cgroup_limits.swap = b->cgroup.swap;
	}
	r->cgroup_limits.cpus = r->cgroup_limits.cpus ? r->cgroup_limits.cpus : b->cgroup.cpus;
	r->cgroup_limits.pids = r->cgroup_limits.pids ? r->cgroup_limits.pids : b->cgroup.pids;
}

static void adopt_files(struct up_run *r, const struct up_bundle *b)
{
	struct up_rootfs *fs = &r->sandbox.fs;

	snprintf(r->record.rootfs, sizeof(r->record.rootfs), "%s", b->rootfs);
	fs->bundle = true;
	fs->readonly |= b->readonly;
	fs->show_cgroups = b->cgroups;
	fs->nodes = b->nodes;
	fs->masked = b->masked.at;
	fs->n_masked = b->masked.n;
	fs->guarded = b->guarded.at;
	fs->n_guarded = b->guarded.n;
}

int up_run_adopt(struct up_run *r, const char *file, struct up_err *err)
{
	struct up_bundle *b = up_bundle_load(r->bundle_dir, file, err);
	int ret;

	if (!b)
		return up_wrap(err, "bundle %s", r->bundle_dir);
	up_bundle_free(r->bundle);
	r->bundle = b;
	ret = adopt_process(r, b, err);
	if (ret)
		return ret;
	adopt_files(r, b);
	adopt_names(r, b);
	adopt_limits(r, b);
	for (size_t i = 0; i < b->sysctls.n && !ret; i++)
		ret = up_words_add(&r->sysctls, b->sysctls.at[i], err);
	for (int i = 0; i < UP_NS_COUNT && !ret; i++)
		ret = given(r, (enum up_ns)i) ? 0 : adopt_namespace(r, b, (enum up_ns)i, err);
	/* A user namespace cannot show the cgroups of a namespace that is not its own. */
	if (b->ns[UP_NS_USER] == UP_NS_PRIVATE && !given(r, UP_NS_CGROUP))
		r->sandbox.ns[UP_NS_CGROUP].mode = UP_NS_PRIVATE;
	if (!ret)
		ret = adopt_mounts(r, b, err);
	if (!ret)
		ret = adopt_devices(r, b, err);
	if (!ret && b->terminal) {
		r->stdio.terminal = true;
		r->stdio.interactive |= isatty(0) == 1;
	}
	return ret;
}
