// SPDX-License-Identifier: GPL-2.0-only
/* "run": the command line of a container. */
#include <errno.h>
#include <getopt.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/life.h"
#include "cmd/options.h"
#include "core/datapath.h"
#include "core/members.h"
#include "launch/bundle.h"
#include "net/netns.h"

/* ---- what was asked for -----------------------------------------------------------------------
 */

struct up_run *up_run_new(void)
{
	struct up_run *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	r->sb = UP_SANDBOX_NONE;
	r->code = UP_EXIT_RUN_FAILED;
	r->options = json_object();
	up_stdio_none(&r->stdio);
	up_cgroup_none(&r->cgroup);
	up_sandbox_spec_init(&r->sandbox);
	r->sandbox.command.umask = 022;
	r->sandbox.command.stdio = &r->stdio;
	strcpy(r->record.net, "fast");
	return r;
}

void up_run_free(struct up_run **run)
{
	struct up_run *r = *run;

	if (!r)
		return;
	up_stdio_close(&r->stdio);
	up_cgroup_close(&r->cgroup);
	up_sandbox_spec_close(&r->sandbox);
	up_seccomp_free(&r->sandbox.command.seccomp);
	up_env_free(&r->env);
	up_publish_list_free(&r->ports);
	up_publish_list_free(&r->exposed);
	up_words_free(&r->networks);
	up_words_free(&r->groups);
	up_words_free(&r->sysctls);
	up_words_free(&r->etc.dns);
	up_words_free(&r->etc.search);
	up_words_free(&r->etc.options);
	up_words_free(&r->etc.add_hosts);
	up_bundle_free(r->bundle);
	json_decref(r->options);
	free(r);
	*run = NULL;
}

/* Under its long name: a list of what was given, in order. Variables are kept with their values. */
void up_run_note(void *run, const struct up_option *option, const char *text)
{
	struct up_run *r = run;
	json_t *list = json_object_get(r->options, option->name);

	if (!strncmp(option->name, "env", 3))
		return;
	if (!list) {
		list = json_array();
		json_object_set_new(r->options, option->name, list);
	}
	json_array_append_new(list, json_string(text ?: "true"));
}

bool up_run_is_fast(const struct up_run *r)
{
	return strcmp(r->record.net, "host") && strcmp(r->record.net, "none") &&
	       !r->join[UP_NS_NET] && !r->net_path;
}

/* With ALL added, what is dropped counts; with ALL dropped, what is added. */
static uint64_t caps_of(const struct up_run *r)
{
	uint64_t all = up_caps_all(), add = r->cap_add;

	if (add == all || r->sandbox.fs.privileged)
		return all & ~r->cap_drop;
	return (up_caps_default() & ~r->cap_drop) | add;
}

/* A bundle says which; options add to it, and take away. */
static void set_caps(struct up_run *r)
{
	struct up_caps *caps = &r->sandbox.command.caps;

	if (!r->bundle) {
		caps->bounding = caps_of(r);
		return;
	}
	caps->bounding = (caps->bounding & ~r->cap_drop) | r->cap_add;
	caps->effective = (caps->effective & ~r->cap_drop) | r->cap_add;
	caps->permitted = (caps->permitted & ~r->cap_drop) | r->cap_add;
	caps->inheritable &= ~r->cap_drop;
	caps->ambient &= ~r->cap_drop;
}

int up_run_secure(struct up_run *r, struct up_err *err)
{
	struct up_command *c = &r->sandbox.command;

	if (!c->workdir)
		c->workdir = "/";
	set_caps(r);
	c->groups = r->groups.at;
	c->n_groups = r->groups.n;
	r->sandbox.fs.unmasked = r->no_masks;
	if (r->no_seccomp || r->sandbox.fs.privileged)
		return 0;
	if (r->bundle && r->bundle->seccomp.n)
		return up_seccomp_copy(&r->bundle->seccomp, &c->seccomp, err);
	return up_seccomp_default(c->caps.bounding, &c->seccomp, err);
}

/* ---- what cannot be ---------------------------------------------------------------------------
 */

static bool shared(const struct up_run *r, enum up_ns kind)
{
	return r->sandbox.ns[kind].mode != UP_NS_PRIVATE;
}

/* A user namespace has no power over namespaces that it does not own. */
static int check_userns(const struct up_run *r, struct up_err *err)
{
	static const enum up_ns kinds[] = {UP_NS_NET, UP_NS_IPC, UP_NS_UTS, UP_NS_PID};

	if (!shared(r, UP_NS_USER))
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
			if (shared(r, kinds[i]))
				return up_fail_msg(err, EINVAL,
						   "--userns: not with a shared %s namespace",
						   up_ns_name(kinds[i]));
	if (!shared(r, UP_NS_USER) && r->sandbox.fs.privileged)
		return up_fail_msg(err, EINVAL, "--privileged: not with --userns");
	return 0;
}

static int check_network(struct up_run *r, struct up_err *err)
{
	const struct up_run none = {};
	bool wants = memcmp(r->addr, none.addr, sizeof(r->addr)) != 0 ||
		     memcmp(r->mac, none.mac, sizeof(r->mac)) != 0 || r->mtu;

	if (up_run_is_fast(r))
		return 0;
	if (r->ports.n && !strcmp(r->record.net, "host")) {
		fputs("underpass: run: -p means nothing with --net=host: the container's ports "
		      "are the host's\n",
		      stderr);
		up_publish_list_free(&r->ports);
		r->ports = (struct up_publish_list){};
	}
	if (r->ports.n)
		return up_fail_msg(err, EINVAL, "-p: not with --net=%s", r->record.net);
	if (r->limits.set)
		return up_fail_msg(err, EINVAL, "limits of the network: not with --net=%s",
				   r->record.net);
	if (wants)
		return up_fail_msg(err, EINVAL,
				   "--ip, --ip6, --mac-address, --mtu: not with --net=%s",
				   r->record.net);
	return 0;
}

static int check_netdev(const struct up_run *r, struct up_err *err)
{
	uint64_t caps = r->bundle ? r->bundle->caps.bounding | r->cap_add : caps_of(r);

	return up_netdev_check(r->netdev, !(caps >> CAP_NET_ADMIN & 1), err);
}

int up_run_admit(const struct up_run *r, int netns, struct up_err *err)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	int ret;

	if (!(r->sandbox.command.caps.bounding >> CAP_NET_ADMIN & 1))
		return 0;
	ret = up_datapath_open(&dp, err);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	return up_members_admit(dp, netns, err);
}

static int check_sysctls(const struct up_run *r, struct up_err *err)
{
	int ret = 0;

	for (size_t i = 0; i < r->sysctls.n && !ret; i++)
		ret = up_sysctl_check(r->sysctls.at[i], !shared(r, UP_NS_NET),
				      !shared(r, UP_NS_IPC), err);
	return ret;
}

/* Everything that can be refused before anything is changed. */
static int check(struct up_run *r, struct up_err *err)
{
	int ret;

	if (geteuid())
		return up_fail_msg(err, EPERM, "run: need root (CAP_SYS_ADMIN and CAP_NET_ADMIN)");
	if (shared(r, UP_NS_UTS) && (*r->record.hostname || r->sandbox.domainname))
		return up_fail_msg(err, EINVAL, "--hostname, --domainname: not with --uts=host");
	ret = check_network(r, err);
	if (!ret)
		ret = check_netdev(r, err);
	if (!ret)
		ret = check_userns(r, err);
	if (!ret)
		ret = check_sysctls(r, err);
	if (!ret)
		ret = up_root_check(r->record.rootfs, err);
	if (ret > 0 && r->rw)
		return up_fail_msg(err, EINVAL,
				   "root filesystem %s: --rw: a tar file is not written",
				   r->record.rootfs);
	return ret < 0 ? ret : 0;
}

/* ---- what is joined ---------------------------------------------------------------------------
 */

/* Another container's ipc namespace comes with its /dev/shm. */
static int join_shm(struct up_run *r, const struct up_container *c, int init, struct up_err *err)
{
	struct up_volume *v;

	if (!up_container_option(c->name, "ipc", "shareable"))
		return up_fail_msg(err, EPERM,
				   "its ipc namespace is private: run it with "
				   "--ipc=shareable");
	v = up_volume_add(&r->sandbox.fs.volumes, "shm", NULL, "/dev/shm", err);
	if (!v)
		return -EINVAL;
	v->fd = up_mount_of(init, "/dev/shm", err);
	return v->fd < 0 ? v->fd : 0;
}

static int join_container(struct up_run *r, enum up_ns kind, struct up_err *err)
{
	cleanup_fd int init = -1;
	struct up_container c;
	int ret = up_container_load(r->join[kind], &c, err);

	if (ret)
		return ret;
	init = up_process_open(&c.init);
	if (init < 0)
		return up_fail_msg(err, ESRCH, "container %s: it is not running", c.name);
	r->sandbox.ns[kind].fd = up_ns_open(c.init.pid, kind, err);
	if (r->sandbox.ns[kind].fd < 0)
		return r->sandbox.ns[kind].fd;
	ret = kind == UP_NS_IPC ? join_shm(r, &c, init, err) : 0;
	return ret ? up_wrap(err, "container %s", c.name) : 0;
}

static int join_all(struct up_run *r, struct up_err *err)
{
	int ret = 0;

	for (int i = 0; i < UP_NS_COUNT && !ret; i++)
		if (r->join[i])
			ret = join_container(r, (enum up_ns)i, err);
	if (ret || !r->net_path)
		return ret;
	r->sandbox.ns[UP_NS_NET].fd = up_netns_open(r->net_path, err);
	return r->sandbox.ns[UP_NS_NET].fd < 0 ? r->sandbox.ns[UP_NS_NET].fd : 0;
}

/* ---- completing it ----------------------------------------------------------------------------
 */

static void default_names(struct up_run *r)
{
	uint64_t random = (uint64_t)getpid();

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		abort();
	snprintf(r->record.id, sizeof(r->record.id), "%016llx", (unsigned long long)random);
	if (!*r->record.name)
		snprintf(r->record.name, sizeof(r->record.name), "up-%.8s", r->record.id);
	/* As in docker: who shares the host's network goes by its name. */
	if (shared(r, UP_NS_UTS) || (!*r->record.hostname && !strcmp(r->record.net, "host")))
		gethostname(r->record.hostname, sizeof(r->record.hostname) - 1);
	else if (!*r->record.hostname)
		strcpy(r->record.hostname, r->record.name);
}

static void describe_command(struct up_run *r, char *const *argv)
{
	size_t len = 0, size = sizeof(r->record.command);

	for (int i = 0; argv[i] && len < size; i++)
		len += (size_t)snprintf(r->record.command + len, size - len, "%s%s", i ? " " : "",
					argv[i]);
}

/* /dev/shm: the host's, or of another size than the default */
static int add_shm(struct up_run *r, struct up_err *err)
{
	bool host = r->sandbox.ns[UP_NS_IPC].mode == UP_NS_HOST;
	char text[64];

	if (host)
		return up_volume_parse("/dev/shm:/dev/shm", &r->sandbox.fs.volumes, err);
	if (!r->shm_size)
		return 0;
	snprintf(text, sizeof(text), "/dev/shm:mode=1777,size=%.32s", r->shm_size);
	return up_volume_parse_tmpfs(text, &r->sandbox.fs.volumes, err);
}

/* What --device lets it access. */
static int add_device_rules(struct up_run *r, struct up_err *err)
{
	for (size_t i = 0; i < r->sandbox.fs.volumes.n; i++) {
		const struct up_volume *v = &r->sandbox.fs.volumes.at[i];

		if (!v->device)
			continue;
		if (r->n_devices == UP_DEVICE_RULES)
			return up_fail_msg(err, E2BIG, "more than %d devices", UP_DEVICE_RULES);
		if (up_device_rule_of(v->source, v->options, &r->devices[r->n_devices++], err))
			return up_wrap(err, "device %s", v->source);
	}
	return 0;
}

static int complete(struct up_run *r, struct up_err *err)
{
	struct up_sandbox_spec *s = &r->sandbox;
	int ret;

	describe_command(r, s->command.argv);
	default_names(r);
	up_env_default(&r->env, r->record.hostname, r->stdio.terminal);
	s->hostname = r->record.hostname;
	s->command.env = r->env.at;
	s->fs.sysctls = r->sysctls.at;
	s->fs.n_sysctls = r->sysctls.n;
	s->fs.userns = !shared(r, UP_NS_USER);
	s->fs.show_cgroups |= !r->bundle && !shared(r, UP_NS_CGROUP);
	r->etc.hostname = r->record.hostname;
	r->etc.address = r->record.address;
	r->etc.address6 = r->record.address6;
	r->etc.gateway = r->gateway;
	r->etc.host_net = !strcmp(r->record.net, "host");
	ret = join_all(r, err);
	if (!ret)
		ret = add_shm(r, err);
	if (!ret)
		ret = add_device_rules(r, err);
	if (!ret)
		ret = up_run_secure(r, err);
	return ret || s->ns[UP_NS_NET].fd < 0 ? ret : up_run_admit(r, s->ns[UP_NS_NET].fd, err);
}

static int parse(const struct up_cmd *cmd, struct up_run *r, int argc, char **argv)
{
	int status = up_options_parse(cmd, r, argc, argv, up_run_note);

	if (status >= 0)
		return status;
	argv += optind;
	if (!r->bundle_dir && *argv) {
		if (!realpath(*argv, r->record.rootfs))
			snprintf(r->record.rootfs, sizeof(r->record.rootfs), "%s", *argv);
		argv++;
	}
	if (*argv && !strcmp(*argv, "--"))
		argv++;
	if (!r->bundle_dir && (!*r->record.rootfs || !*argv))
		return up_cmd_usage(cmd, "want a root filesystem and a command");
	r->sandbox.command.argv = *argv ? argv : NULL;
	return -1;
}

static int run(const struct up_cmd *cmd, int argc, char **argv)
{
	cleanup_run struct up_run *r = up_run_new();
	struct up_err err = {};
	int ret = parse(cmd, r, argc, argv);

	if (ret >= 0)
		return ret;
	if ((r->bundle_dir && up_run_adopt(r, NULL, &err)) || up_run_publish_all(r, &err) ||
	    check(r, &err) || complete(r, &err)) {
		up_cmd_error(&err);
		return UP_EXIT_RUN_FAILED;
	}
	return r->detach ? up_run_detached(r) : up_run_foreground(r);
}

const struct up_cmd cmd_run = {
	.name = "run",
	.args = "[OPTIONS] ROOTFS [--] CMD [ARG]... | --bundle DIR [--] [CMD [ARG]...]",
	.summary = "run a command in a new container",
	.options = up_run_options,
	.contains = true,
	.help = "\nROOTFS is a directory, shared by any number of containers: each has its own "
		"view\n"
		"of it, and what it changes is thrown away by rm, unless --rw is given. Or it is\n"
		"a tar file. The exit status is the command's, 125 where underpass failed, 126\n"
		"where the command cannot be executed, 127 where it was not found.\n",
	.run = run,
};
