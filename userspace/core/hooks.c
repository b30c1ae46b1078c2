// SPDX-License-Identifier: GPL-2.0-only
#include "core/hooks.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/orphan.h"
#include "compat/bpf.h"
#include "core/bpffs.h"

#define TCX_INGRESS ((enum bpf_attach_type)UP_BPF_TCX_INGRESS)
#define TCX_EGRESS  ((enum bpf_attach_type)UP_BPF_TCX_EGRESS)
#define NETKIT_PEER ((enum bpf_attach_type)UP_BPF_NETKIT_PEER)

/* Our places among the filters of a clsact hook; nobody else's is touched. */
#define CLSACT_FIRST    0x756f
#define CLSACT_PRIORITY 0x7570
#define CLSACT_RIDE     0x7571
#define CLSACT_HANDLE   1

#define BEFORE_ALL (1U << 3) /* BPF_F_BEFORE, Linux 6.6, with no program named */

#define NO_SUCH_IFINDEX 0x7fffffff

bool up_hook_has_tcx(int prog_fd)
{
	const char *forced_off = secure_getenv("UNDERPASS_NO_TCX");
	int fd;

	if (forced_off && *forced_off == '1')
		return false;
	/* ENODEV where the attach type is known, EINVAL where it is not. */
	fd = bpf_link_create(prog_fd, NO_SUCH_IFINDEX, TCX_INGRESS, NULL);
	if (fd >= 0)
		close(fd);
	return fd >= 0 || errno == ENODEV;
}

/**
 * struct direction - a side of an interface
 * @tcx:    its attach type
 * @clsact: its place at the qdisc
 */
struct direction {
	enum bpf_attach_type tcx;
	enum bpf_tc_attach_point clsact;
};

static const struct direction ingress = {TCX_INGRESS, BPF_TC_INGRESS};
static const struct direction egress = {TCX_EGRESS, BPF_TC_EGRESS};

static void uplink_pin(char buf[UP_PIN_PATH_MAX], const struct direction *dir, int ifindex)
{
	char name[32];

	snprintf(name, sizeof(name), dir == &ingress ? "uplink_%d" : "uplink_%d_out", ifindex);
	up_pin_path(buf, UP_PIN_LINKS, name);
}

/*
 * Swap the program of a pinned link. Return: 1 where that was all; 0 where there is no link, or a
 * dead one whose device went away, and a new one is needed; or -errno
 */
static int link_swap(const char *pin, int prog_fd, struct up_err *err)
{
	cleanup_fd int fd = bpf_obj_get(pin);

	if (fd < 0)
		return errno == ENOENT ? 0 : up_fail(err, errno, "open %s", pin);
	if (!bpf_link_update(fd, prog_fd, NULL))
		return 1;
	if (errno != ENOLINK)
		return up_fail(err, errno, "replace the program of %s", pin);
	unlink(pin);
	return 0;
}

static int link_make(int prog_fd, int target, enum bpf_attach_type type, uint32_t flags,
		     const char *pin, struct up_err *err)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = flags);
	int ret = link_swap(pin, prog_fd, err);
	cleanup_fd int fd = -1;

	if (ret)
		return ret < 0 ? ret : 0;
	fd = bpf_link_create(prog_fd, target, type, &opts);
	if (fd < 0)
		return up_fail(err, errno, "attach");
	if (bpf_obj_pin(fd, pin))
		return up_fail(err, errno, "pin %s", pin);
	return 0;
}

/* Detached by the link, because dropping the last reference would detach a moment later, and who
 * attaches again meanwhile would find the program there. */
static int link_end(const char *pin, struct up_err *err)
{
	cleanup_fd int fd = bpf_obj_get(pin);

	if (fd >= 0)
		bpf_link_detach(fd);
	if (unlink(pin) && errno != ENOENT)
		return up_fail(err, errno, "remove %s", pin);
	return 0;
}

static int clsact_attach(int prog_fd, const struct direction *dir, uint32_t priority, int ifindex,
			 struct up_err *err)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = dir->clsact);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = prog_fd, .handle = CLSACT_HANDLE,
		    .priority = priority, .flags = BPF_TC_F_REPLACE);
	int ret = bpf_tc_hook_create(&hook);

	if (ret && ret != -EEXIST)
		return up_fail(err, ret, "create clsact");
	ret = bpf_tc_attach(&hook, &opts);
	return ret ? up_fail(err, ret, "attach to clsact") : 0;
}

/* The qdisc stays: other programs may sit there, and an empty one costs nothing. */
static void clsact_detach(const struct direction *dir, uint32_t priority, int ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = dir->clsact);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = CLSACT_HANDLE, .priority = priority);

	if (!bpf_tc_query(&hook, &opts)) {
		opts.flags = opts.prog_fd = opts.prog_id = 0;
		bpf_tc_detach(&hook, &opts);
	}
}

static int uplink_attach(int prog_fd, const struct direction *dir, int ifindex, struct up_err *err)
{
	char pin[UP_PIN_PATH_MAX];
	int ret;

	uplink_pin(pin, dir, ifindex);
	if (!up_hook_has_tcx(prog_fd)) {
		ret = clsact_attach(prog_fd, dir, CLSACT_PRIORITY, ifindex, err);
		if (!ret)
			unlink(pin);
		return ret;
	}
	ret = link_make(prog_fd, ifindex, dir->tcx, 0, pin, err);
	if (!ret)
		clsact_detach(dir, CLSACT_PRIORITY, ifindex);
	return ret;
}

int up_hook_uplink(int in_fd, int out_fd, int ifindex, struct up_err *err)
{
	int ret = uplink_attach(in_fd, &ingress, ifindex, err);

	return ret ? ret : uplink_attach(out_fd, &egress, ifindex, err);
}

int up_hook_uplink_out(int out_fd, int ifindex, struct up_err *err)
{
	return uplink_attach(out_fd, &egress, ifindex, err);
}

static int uplink_detach(const struct direction *dir, int ifindex, struct up_err *err)
{
	char pin[UP_PIN_PATH_MAX];

	clsact_detach(dir, CLSACT_PRIORITY, ifindex);
	uplink_pin(pin, dir, ifindex);
	return link_end(pin, err);
}

static void xdp_pin(char buf[UP_PIN_PATH_MAX], int ifindex)
{
	char name[32];

	snprintf(name, sizeof(name), "uplink_%d_xdp", ifindex);
	up_pin_path(buf, UP_PIN_LINKS, name);
}

int up_hook_xdp(int prog_fd, int ifindex, uint32_t flags, struct up_err *err)
{
	char pin[UP_PIN_PATH_MAX];

	xdp_pin(pin, ifindex);
	return link_make(prog_fd, ifindex, BPF_XDP, flags, pin, err);
}

int up_hook_xdp_remove(int ifindex, struct up_err *err)
{
	char pin[UP_PIN_PATH_MAX];

	xdp_pin(pin, ifindex);
	return link_end(pin, err);
}

static void mac_pin(char buf[UP_PIN_PATH_MAX], int ifindex)
{
	char name[32];

	snprintf(name, sizeof(name), "uplink_%d_mac", ifindex);
	up_pin_path(buf, UP_PIN_LINKS, name);
}

int up_hook_generic_mac(int prog_fd, int ifindex, struct up_err *err)
{
	char pin[UP_PIN_PATH_MAX];
	int ret;

	if (!up_hook_has_tcx(prog_fd))
		return clsact_attach(prog_fd, &ingress, CLSACT_FIRST, ifindex, err);
	mac_pin(pin, ifindex);
	ret = link_make(prog_fd, ifindex, TCX_INGRESS, BEFORE_ALL, pin, err);
	if (!ret)
		clsact_detach(&ingress, CLSACT_FIRST, ifindex);
	return ret;
}

int up_hook_generic_mac_remove(int ifindex, struct up_err *err)
{
	char pin[UP_PIN_PATH_MAX];

	clsact_detach(&ingress, CLSACT_FIRST, ifindex);
	mac_pin(pin, ifindex);
	return link_end(pin, err);
}

int up_hook_uplink_remove(int ifindex, struct up_err *err)
{
	int ret = up_hook_xdp_remove(ifindex, err);

	if (!ret)
		ret = up_hook_generic_mac_remove(ifindex, err);
	if (!ret)
		ret = uplink_detach(&egress, ifindex, err);
	return ret ? ret : uplink_detach(&ingress, ifindex, err);
}

static int veth_attach(int prog_fd, uint32_t priority, int ifindex, int old_fd, struct up_err *err)
{
	LIBBPF_OPTS(bpf_prog_attach_opts, opts);
	int ret;

	if (!up_hook_has_tcx(prog_fd))
		return clsact_attach(prog_fd, &ingress, priority, ifindex, err);
	if (old_fd >= 0) {
		opts.flags = BPF_F_REPLACE;
		opts.replace_prog_fd = old_fd;
	} else if (priority == CLSACT_FIRST) {
		opts.flags = BEFORE_ALL;
	}
	ret = bpf_prog_attach_opts(prog_fd, ifindex, TCX_INGRESS, &opts);
	if (ret == -ENOENT && old_fd >= 0) {
		/* The old one is still at clsact: up_hook_veth_at_once() */
		opts.flags = priority == CLSACT_FIRST ? BEFORE_ALL : 0;
		opts.replace_prog_fd = 0;
		ret = bpf_prog_attach_opts(prog_fd, ifindex, TCX_INGRESS, &opts);
	}
	if (ret)
		return up_fail(err, ret, "attach");
	clsact_detach(&ingress, priority, ifindex);
	return 0;
}

int up_hook_veth(int prog_fd, int ifindex, int old_fd, struct up_err *err)
{
	return veth_attach(prog_fd, CLSACT_PRIORITY, ifindex, old_fd, err);
}

void up_hook_veth_remove(int prog_fd, int ifindex)
{
	clsact_detach(&ingress, CLSACT_PRIORITY, ifindex);
	bpf_prog_detach2(prog_fd, ifindex, TCX_INGRESS);
}

int up_hook_police(int prog_fd, int ifindex, int old_fd, struct up_err *err)
{
	return veth_attach(prog_fd, CLSACT_FIRST, ifindex, old_fd, err);
}

void up_hook_police_remove(int prog_fd, int ifindex)
{
	clsact_detach(&ingress, CLSACT_FIRST, ifindex);
	bpf_prog_detach2(prog_fd, ifindex, TCX_INGRESS);
}

static uint32_t program_id(int prog_fd)
{
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);

	return bpf_obj_get_info_by_fd(prog_fd, &info, &len) ? 0 : info.id;
}

#define PROGS_MAX 64 /* BPF_MPROG_MAX */
#define MAPS_MAX  16 /* that a program of ours uses */

static bool uses_map(int prog_fd, uint32_t map_id)
{
	uint32_t ids[MAPS_MAX];
	struct bpf_prog_info info = {.nr_map_ids = MAPS_MAX, .map_ids = (uintptr_t)ids};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(prog_fd, &info, &len))
		return false;
	for (uint32_t i = 0; i < info.nr_map_ids && i < MAPS_MAX; i++)
		if (ids[i] == map_id)
			return true;
	return false;
}

/* Return: an fd of the program at this side that uses a map, or -1 */
static int find_user(uint32_t map_id, int ifindex, const struct direction *dir)
{
	uint32_t ids[PROGS_MAX] = {};
	LIBBPF_OPTS(bpf_prog_query_opts, opts, .prog_ids = ids, .prog_cnt = PROGS_MAX);

	if (bpf_prog_query_opts(ifindex, dir->tcx, &opts))
		return -1;
	for (uint32_t i = 0; i < opts.prog_cnt && i < PROGS_MAX; i++) {
		cleanup_fd int fd = bpf_prog_get_fd_by_id(ids[i]);

		if (fd >= 0 && uses_map(fd, map_id))
			return take_fd(&fd);
	}
	return -1;
}

int up_hook_ride(int prog_fd, uint32_t map_id, int ifindex, bool out, struct up_err *err)
{
	const struct direction *dir = out ? &egress : &ingress;
	LIBBPF_OPTS(bpf_prog_attach_opts, opts);
	cleanup_fd int old = -1;

	if (!up_hook_has_tcx(prog_fd))
		return clsact_attach(prog_fd, dir, CLSACT_RIDE, ifindex, err);
	old = find_user(map_id, ifindex, dir);
	if (old >= 0 && program_id(old) == program_id(prog_fd))
		return 0;
	if (old >= 0) {
		opts.flags = BPF_F_REPLACE;
		opts.replace_prog_fd = old;
	}
	if (bpf_prog_attach_opts(prog_fd, ifindex, dir->tcx, &opts))
		return up_fail(err, errno, "attach");
	clsact_detach(dir, CLSACT_RIDE, ifindex);
	return 0;
}

void up_hook_ride_remove(uint32_t map_id, int ifindex, bool out)
{
	const struct direction *dir = out ? &egress : &ingress;
	cleanup_fd int prog = find_user(map_id, ifindex, dir);

	clsact_detach(dir, CLSACT_RIDE, ifindex);
	if (prog >= 0)
		bpf_prog_detach2(prog, ifindex, dir->tcx);
}

static bool clsact_has(uint32_t id, int ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = CLSACT_HANDLE, .priority = CLSACT_PRIORITY);

	return !bpf_tc_query(&hook, &opts) && opts.prog_id == id;
}

/* A link whose device went away, or came back as another, has no interface. */
static bool link_is_at(const char *pin, int ifindex)
{
	cleanup_fd int fd = bpf_obj_get(pin);
	struct {
		struct bpf_link_info info;
		uint8_t newer[64]; /* what later kernels append */
	} link = {};
	uint32_t len = sizeof(link);

	/* tcx { __u32 ifindex; __u32 attach_type; }: newer than the headers of Debian 12 */
	return fd >= 0 && !bpf_obj_get_info_by_fd(fd, (struct bpf_prog_info *)&link, &len) &&
	       link.info.xdp.ifindex == (uint32_t)ifindex;
}

bool up_hook_uplink_has(int ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = CLSACT_HANDLE, .priority = CLSACT_PRIORITY);
	char pin[UP_PIN_PATH_MAX];

	uplink_pin(pin, &ingress, ifindex);
	return link_is_at(pin, ifindex) || !bpf_tc_query(&hook, &opts);
}

static bool is_attached(uint32_t id, int ifindex, enum bpf_attach_type type)
{
	uint32_t ids[PROGS_MAX] = {};
	LIBBPF_OPTS(bpf_prog_query_opts, opts, .prog_ids = ids, .prog_cnt = PROGS_MAX);

	if (bpf_prog_query_opts(ifindex, type, &opts))
		return false;
	for (uint32_t i = 0; i < opts.prog_cnt && i < PROGS_MAX; i++)
		if (ids[i] == id)
			return true;
	return false;
}

bool up_hook_veth_has(int prog_fd, int ifindex)
{
	uint32_t id = program_id(prog_fd);

	return clsact_has(id, ifindex) ||
	       (up_hook_has_tcx(prog_fd) && is_attached(id, ifindex, TCX_INGRESS));
}

/* As up_hook_has_tcx(): ENODEV where the attach type is known, EINVAL where it is not. */
bool up_hook_has_netkit(int prog_fd)
{
	return bpf_prog_attach_opts(prog_fd, NO_SUCH_IFINDEX, NETKIT_PEER, NULL) == -ENODEV;
}

bool up_hook_netkit_has(int prog_fd, int ifindex)
{
	return is_attached(program_id(prog_fd), ifindex, NETKIT_PEER);
}

int up_hook_netkit(int prog_fd, int ifindex, int old_fd, struct up_err *err)
{
	LIBBPF_OPTS(bpf_prog_attach_opts, opts);

	if (old_fd >= 0) {
		opts.flags = BPF_F_REPLACE;
		opts.replace_prog_fd = old_fd;
	}
	if (bpf_prog_attach_opts(prog_fd, ifindex, NETKIT_PEER, &opts))
		return up_fail(err, errno, "attach");
	return 0;
}

static int child_attach(int prog_fd, const struct direction *dir, int ifindex, struct up_err *err)
{
	if (!up_hook_has_tcx(prog_fd))
		return clsact_attach(prog_fd, dir, CLSACT_PRIORITY, ifindex, err);
	return bpf_prog_attach_opts(prog_fd, ifindex, dir->tcx, NULL)
		       ? up_fail(err, errno, "attach")
		       : 0;
}

int up_hook_child(int in_fd, int out_fd, int ifindex, struct up_err *err)
{
	int ret = child_attach(in_fd, &ingress, ifindex, err);

	return ret || out_fd < 0 ? ret : child_attach(out_fd, &egress, ifindex, err);
}

int up_hook_veth_at_once(int prog_fd, int ifindex, struct up_err *err)
{
	return clsact_attach(prog_fd, &ingress, CLSACT_PRIORITY, ifindex, err);
}

/* Is this program the one that is pinned? It may have been replaced meanwhile. */
static bool is_pinned(int prog_fd)
{
	char path[UP_PIN_PATH_MAX];
	cleanup_fd int fd = -1;

	up_pin_path(path, UP_PIN_PROGS, "up_veth_in");
	fd = bpf_obj_get(path);
	return fd >= 0 && program_id(fd) == program_id(prog_fd);
}

/*
 * An upgrade may be under way. If it comes to this interface later, it finds this program and
 * replaces it; if it has been here, the pin is the new program's, and this one goes again.
 */
static void settle(int prog_fd, int ifindex)
{
	if (!up_hook_veth(prog_fd, ifindex, -1, NULL) && !is_pinned(prog_fd))
		bpf_prog_detach2(prog_fd, ifindex, TCX_INGRESS);
}

void up_hook_veth_settle(int prog_fd, int ifindex)
{
	if (up_hook_has_tcx(prog_fd))
		up_orphan(settle, prog_fd, ifindex, NULL);
}

/* The root of the v2 tree, mounted nowhere: needs no place in the file system, and sees no other.
 */
static int cgroup_root(struct up_err *err)
{
	cleanup_fd int fs = fsopen("cgroup2", FSOPEN_CLOEXEC);
	int fd;

	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return up_fail(err, errno, "open the cgroup v2 tree");
	fd = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	return fd < 0 ? up_fail(err, errno, "open the cgroup v2 tree") : fd;
}

int up_hook_cgroup(int prog_fd, enum bpf_attach_type type, const char *name, struct up_err *err)
{
	cleanup_fd int cgroup = cgroup_root(err);
	char pin[UP_PIN_PATH_MAX];

	if (cgroup < 0)
		return cgroup;
	up_pin_path(pin, UP_PIN_LINKS, name);
	return link_make(prog_fd, cgroup, type, 0, pin, err);
}
