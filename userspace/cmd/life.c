// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/life.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "cmd/cmd.h"
#include "cmd/plug.h"
#include "core/datapath.h"
#include "core/members.h"
#include "launch/bundle.h"
#include "launch/mount.h"
#include "launch/relay.h"
#include "net/netns.h"

#define INIT_DEATH_MS 5000

/* ---- the container's life ---------------------------------------------------------------------
 */

static int open_log(struct up_run *r, struct up_err *err)
{
	char path[PATH_MAX];

	if (!r->detach)
		return 0;
	up_container_path(r->record.name, "log", path);
	r->stdio.log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	return r->stdio.log < 0 ? up_fail(err, errno, "open %s", path) : 0;
}

/* ---- files of its own -------------------------------------------------------------------------
 */

/* In place: the container has this very file mounted. */
static int write_etc(const struct up_run *r, const char *name, const char *text, struct up_err *err)
{
	const struct up_idmap *ids = &r->sandbox.idmap;
	cleanup_fd int fd = -1;
	char path[PATH_MAX];

	if (!text)
		return up_fail(err, ENOMEM, "%s", name);
	up_container_path(r->record.name, name, path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) ||
	    fchown(fd, ids->uid, ids->gid) || fchmod(fd, 0644))
		return up_fail(err, errno, "write %s", path);
	return 0;
}

static int write_hosts(const struct up_run *r, struct up_err *err)
{
	cleanup_free char *text = up_etcfiles_hosts(&r->etc);

	return write_etc(r, "hosts", text, err);
}

static int write_resolv(const struct up_run *r, struct up_err *err)
{
	cleanup_free char *host = NULL, *text = NULL;

	if (up_file_read("/etc/resolv.conf", 1 << 16, &host, NULL) < 0)
		host = NULL;
	text = up_etcfiles_resolv(&r->etc, host ? host : "");
	return write_etc(r, "resolv.conf", text, err);
}

static int write_hostname(const struct up_run *r, struct up_err *err)
{
	char text[UP_NAME_MAX + 2];

	snprintf(text, sizeof(text), "%s\n", r->record.hostname);
	return write_etc(r, "hostname", text, err);
}

/* A container whose network is another's has the other's files. */
static int mount_etc(struct up_run *r, struct up_err *err)
{
	static const char *const names[] = {"hosts", "resolv.conf", "hostname"};
	const char *owner = r->join[UP_NS_NET] ? r->join[UP_NS_NET] : r->record.name;
	char path[PATH_MAX], target[32];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		up_container_path(owner, names[i], path);
		snprintf(target, sizeof(target), "/etc/%s", names[i]);
		if (!up_volumes_has(&r->sandbox.fs.volumes, target) &&
		    !up_volume_add(&r->sandbox.fs.volumes, "bind", path, target, err))
			return -EINVAL;
	}
	return 0;
}

static int make_etc(struct up_run *r, struct up_err *err)
{
	int ret = r->join[UP_NS_NET] ? 0 : write_hosts(r, err);

	if (!ret && !r->join[UP_NS_NET])
		ret = write_resolv(r, err);
	if (!ret && !r->join[UP_NS_NET])
		ret = write_hostname(r, err);
	return ret ? ret : mount_etc(r, err);
}

static int make_root(struct up_run *r, struct up_err *err)
{
	struct up_root *root = &r->sandbox.root;
	int ret;

	strcpy(root->path, r->record.rootfs);
	root->uid = r->sandbox.idmap.uid;
	root->gid = r->sandbox.idmap.gid;
	if (r->rw)
		return 0;
	up_container_data_path(r->record.name, "", root->scratch);
	/* A reboot empties the run directory, not this one: what is there is nobody's. */
	ret = up_remove_tree(root->scratch, err);
	if (!ret)
		ret = up_mkdir_p(root->scratch, 0700, err);
	return ret ? ret : up_root_prepare(root, err);
}

/*
 * Its own groups at /sys/fs/cgroup, as copies of the mounts that the host has: nobody else's are
 * seen then, whatever cgroup namespace it is in, and the kernel takes 10 ms to mount a tree anew.
 * That is left to init where the host has none mounted.
 */
static int show_cgroups(struct up_run *r, struct up_err *err)
{
	struct up_rootfs *fs = &r->sandbox.fs;
	const struct up_mount_change change = {
		.set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
		       (fs->privileged ? 0 : MOUNT_ATTR_RDONLY),
		.propagation = MS_PRIVATE,
	};
	size_t n = r->cgroup.n_v1 ? r->cgroup.n_v1 : 1;
	int ret = 0;

	for (size_t i = 0; fs->show_cgroups && i < n && !ret; i++) {
		int *fd = &fs->cgroup_mounts[i];

		*fd = up_mount_copy(r->cgroup.n_v1 ? r->cgroup.v1[i] : r->cgroup.v2, "", false,
				    NULL);
		if (*fd >= 0)
			ret = up_mount_change(*fd, &change, err);
	}
	return ret;
}

static int make_cgroup(struct up_run *r, struct up_err *err)
{
	const struct up_cgroup_limits *l = &r->cgroup_limits;
	bool limited = l->memory || l->cpus || l->pids;
	int ret = up_cgroup_open(r->record.id, limited ? UP_CGROUP_LIMIT : UP_CGROUP_CREATE,
				 &r->cgroup, err);

	if (!ret)
		ret = up_cgroup_limit(&r->cgroup, &r->cgroup_limits, err);
	if (!ret && !r->sandbox.fs.privileged)
		ret = up_devices_restrict(r->cgroup.v2, r->devices, r->n_devices, err);
	if (ret)
		return ret;
	r->sandbox.cgroup = fcntl(r->cgroup.v2, F_DUPFD_CLOEXEC, 3);
	r->sandbox.n_cgroup_procs = r->sandbox.fs.n_cgroups = r->cgroup.n_v1;
	for (size_t i = 0; i < r->cgroup.n_v1; i++)
		r->cgroup_names[i] = r->cgroup.controllers[i];
	r->sandbox.fs.cgroups = r->cgroup_names;
	ret = up_cgroup_procs(&r->cgroup, r->sandbox.cgroup_procs, err);
	return ret ? ret : show_cgroups(r, err);
}

/* A user who says "run" wants it to run: bring the datapath up where it is not. */
static int open_datapath(struct up_run *r, struct up_err *err)
{
	int ret = up_datapath_open(&r->dp, err);

	if (ret != -ENOENT)
		return ret;
	ret = up_datapath_up(NULL, err);
	return ret ? ret : up_datapath_open(&r->dp, err);
}

static void describe_ports(struct up_run *r)
{
	size_t len = 0;

	for (size_t i = 0; i < r->ports.n && len < sizeof(r->record.ports); i++) {
		char text[UP_PORTSPEC_TEXT];

		up_portspec_format(&r->ports.pubs[i], text);
		len += (size_t)snprintf(r->record.ports + len, sizeof(r->record.ports) - len,
					"%s%s", i ? ", " : "", text);
	}
}

static void describe_endpoint(struct up_run *r, const struct up_endpoint_info *info)
{
	const uint8_t *m = info->mac;

	if (up_addr_set(&info->addr[UP_V4]))
		up_addr_format(&info->addr[UP_V4], r->record.address);
	if (up_addr_set(&info->addr[UP_V6]))
		up_addr_format(&info->addr[UP_V6], r->record.address6);
	if (up_addr_set(&info->gateway[UP_V4]))
		up_addr_format(&info->gateway[UP_V4], r->gateway);
	snprintf(r->record.mac, sizeof(r->record.mac), "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1],
		 m[2], m[3], m[4], m[5]);
}

static int add_networks(struct up_run *r, int netns, struct up_err *err)
{
	const struct up_addr any[UP_FAMILIES] = {};
	int ret = 0;

	for (size_t i = 0; !ret && i < r->networks.n; i++) {
		ret = up_plug_further(r, netns, r->networks.at[i], any, r->netdev, err);
		if (ret)
			return up_wrap(err, "network %s", r->networks.at[i]);
	}
	return ret;
}

static int add_endpoints(struct up_run *r, int netns, struct up_err *err)
{
	int ret = open_datapath(r, err);

	if (!ret)
		ret = up_plug_first(r, netns, &r->first, err);
	if (ret)
		return ret;
	r->endpoint = true;
	describe_endpoint(r, &r->first);
	describe_ports(r);
	ret = write_hosts(r, err);
	return ret ? ret : add_networks(r, netns, err);
}

/* The bundle as it is now: its config.json may change while the container runs. */
static int save_bundle(const struct up_run *r, struct up_err *err)
{
	cleanup_free char *text = NULL;
	char path[PATH_MAX];

	if (!r->bundle)
		return 0;
	text = json_dumps(r->bundle->json, 0);
	up_container_path(r->record.name, "bundle.json", path);
	return text ? up_file_write(path, text, strlen(text), 0600, err)
		    : up_fail(err, ENOMEM, "bundle");
}

/* Variables with their values: the caller of exec may have others. */
static int save_options(const struct up_run *r, struct up_err *err)
{
	json_t *env = json_array();

	for (size_t i = 0; i < r->env.n; i++)
		json_array_append_new(env, json_string(r->env.at[i]));
	json_object_set_new(r->options, "env", env);
	return up_container_save_options(r->record.name, r->options, err);
}

static int prepare(struct up_run *r, struct up_err *err)
{
	int ret = open_log(r, err);

	if (r->record.ids && !r->sandbox.idmap.count)
		r->sandbox.idmap =
			(struct up_idmap){r->record.first_id, r->record.first_id, r->record.ids};
	if (!ret)
		ret = save_options(r, err);
	if (!ret)
		ret = save_bundle(r, err);
	if (!ret)
		ret = make_root(r, err);
	if (!ret)
		ret = make_etc(r, err);
	if (!ret)
		ret = make_cgroup(r, err);
	return ret ? ret : up_stdio_open(&r->stdio, err);
}

/* Its network namespace is gone, so init is ending: what it said first is why the start failed. */
static int explain(struct up_run *r, struct up_err *err)
{
	struct pollfd p = {r->sb.pidfd, POLLIN, 0};
	cleanup_fd int master = -1;
	struct up_err why = {};

	if (poll(&p, 1, INIT_DEATH_MS) > 0 && up_sandbox_go(&r->sb, &master, &r->code, &why))
		*err = why;
	return -err->code;
}

static int plug(struct up_run *r, struct up_err *err)
{
	cleanup_fd int netns = up_netns_open_pid(r->sb.pid, err);

	return netns < 0 ? explain(r, err) : add_endpoints(r, netns, err);
}

static int bring_to_life(struct up_run *r, struct up_err *err)
{
	int master, ret = prepare(r, err);

	if (!ret)
		ret = up_sandbox_start(&r->sandbox, &r->sb, err);
	if (!ret)
		ret = up_sandbox_furnish(&r->sb, &r->sandbox, err);
	if (!ret)
		ret = up_process_of(r->sb.pid, &r->record.init);
	if (!ret)
		ret = up_container_save(&r->record, err);
	if (!ret && up_run_is_fast(r))
		ret = plug(r, err);
	if (!ret)
		ret = up_sandbox_go(&r->sb, &master, &r->code, err);
	if (ret)
		return ret;
	up_stdio_started(&r->stdio, master);
	r->record.state = UP_CONTAINER_RUNNING;
	return up_container_save(&r->record, err);
}

/* None is left where "network disconnect" took them all. */
static void drop_endpoints(struct up_run *r, struct up_err *err)
{
	if (r->endpoint && up_members_del(r->dp, r->record.name, err) && err->code != ENOENT)
		up_cmd_error(err);
	r->endpoint = false;
	up_datapath_close(&r->dp);
}

/* Return: 0, or -errno with everything undone */
static int start(struct up_run *r, struct up_err *err)
{
	struct up_err ignored;
	int ret;

	r->record.created = time(NULL);
	if (up_process_of(getpid(), &r->record.monitor))
		return up_fail_msg(err, ESRCH, "/proc is not mounted");
	ret = up_container_create(&r->record, err);
	if (ret)
		return ret;
	ret = bring_to_life(r, err);
	if (!ret)
		return 0;
	up_stdio_close(&r->stdio);
	up_sandbox_end(&r->sb);
	drop_endpoints(r, &ignored);
	up_cgroup_remove(r->record.id, NULL);
	up_container_remove(r->record.name, NULL);
	return up_wrap(err, "container %s", r->record.name);
}

/* Wait for the end and clean up. Return: the exit status of the command */
static int finish(struct up_run *r)
{
	struct up_err err = {};
	int code = UP_EXIT_RUN_FAILED;
	int ret;

	if (r->endpoint)
		up_endpoint_settle(r->dp, &r->first);
	ret = up_relay_run(r->sb.pidfd, &r->stdio, &code, &err);
	up_stdio_close(&r->stdio);
	if (ret) {
		up_cmd_error(&err);
		up_sandbox_end(&r->sb);
	}
	drop_endpoints(r, &err);
	if (up_cgroup_remove(r->record.id, &err))
		up_cmd_error(&err);
	r->record.state = UP_CONTAINER_EXITED;
	r->record.exit_code = code;
	r->record.finished = time(NULL);
	if (r->remove ? up_container_remove(r->record.name, &err)
		      : up_container_save(&r->record, &err))
		up_cmd_error(&err);
	return code;
}

int up_run_foreground(struct up_run *r)
{
	struct up_err err = {};

	up_signals_block();
	if (!start(r, &err))
		return finish(r);
	up_cmd_error(&err);
	return r->code;
}

/* ---- detached ---------------------------------------------------------------------------------
 */

static void let_go_of_terminal(void)
{
	cleanup_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; null >= 0 && fd < 3; fd++)
		dup2(null, fd);
	if (chdir("/"))
		_exit(UP_EXIT_RUN_FAILED);
}

/* What the foreground is told of a start that failed; nothing at all means success. */
struct outcome {
	int code;
	struct up_err err;
};

static void monitor(struct up_run *r, int ready)
{
	struct outcome outcome = {};

	setsid();
	up_signals_block();
	if (start(r, &outcome.err)) {
		outcome.code = r->code;
		if (write(ready, &outcome, sizeof(outcome)) != sizeof(outcome))
			_exit(UP_EXIT_RUN_FAILED);
		_exit(UP_EXIT_FAIL);
	}
	close(ready);
	let_go_of_terminal();
	finish(r);
	_exit(0);
}

static int await_start(int ready, struct up_err *err)
{
	struct outcome outcome;
	ssize_t n = read(ready, &outcome, sizeof(outcome));

	if (!n)
		return UP_EXIT_OK;
	if (n != (ssize_t)sizeof(outcome)) {
		up_fail_msg(err, EIO, "the monitor failed");
		return UP_EXIT_RUN_FAILED;
	}
	*err = outcome.err;
	return outcome.code;
}

int up_run_detached(struct up_run *r)
{
	int ends[2], code = UP_EXIT_RUN_FAILED;
	struct up_err err = {};
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC)) {
		up_fail(&err, errno, "pipe");
		return up_cmd_error(&err), code;
	}
	pid = fork();
	if (!pid)
		monitor(r, ends[1]);
	close(ends[1]);
	if (pid < 0)
		up_fail(&err, errno, "fork");
	else
		code = await_start(ends[0], &err);
	close(ends[0]);
	if (code)
		up_cmd_error(&err);
	else
		puts(r->record.name);
	return code;
}
