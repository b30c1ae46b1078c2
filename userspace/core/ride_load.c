// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading, pinning and opening what "attach" needs. Maps are pinned by libbpf as they are made, and
 * reused where they are pinned: a first load, an upgrade, and the repair of either that was killed
 * are the same steps.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/paths.h"
#include "core/bpffs.h"
#include "core/kernel.h"
#include "core/ride_priv.h"
#include "net/netns.h"
#include "ride.skel.h"

static const struct {
	const char *name;
	uint32_t key_size, value_size;
} maps[UP_RIDE_MAPS] = {
	[UP_RIDE_CACHE] = {"up_rides", sizeof(struct up_tuple), sizeof(struct up_ride)},
	[UP_RIDE_OWNS] = {"up_ride_owns", sizeof(int), sizeof(struct up_ride_own)},
	[UP_RIDE_CONF] = {"up_ride_conf", sizeof(uint32_t), sizeof(struct up_ride_conf)},
	[UP_RIDE_STATS] = {"up_ride_stats", sizeof(uint32_t), sizeof(struct up_ride_stats)},
	[UP_RIDE_ROWS] = {"up_ride_ifs", sizeof(uint32_t), sizeof(struct up_ride_if)},
};

static const char *const prog_names[UP_RIDE_PROGS] = {
	[UP_RIDE_IN_UPLINK] = "up_ride_uplink",  [UP_RIDE_IN_VETH] = "up_ride_veth",
	[UP_RIDE_OUT_PEER] = "up_ride_peer",     [UP_RIDE_OUT_QUEUE] = "up_ride_queue",
	[UP_RIDE_OUT_BRIDGE] = "up_ride_bridge",
};

int up_ride_kernel_check(struct up_err *err)
{
	if (up_kernel_has_func("bpf_skb_ct_lookup") ||
	    up_kernel_module_has_func("nf_conntrack", "bpf_skb_ct_lookup"))
		return 0;
	return up_fail_msg(
		err, EOPNOTSUPP,
		"the kernel's nf_conntrack cannot be asked by BPF programs "
		"(bpf_skb_ct_lookup: Linux 5.18, nf_conntrack built in or loaded): running "
		"containers cannot be made fast; new ones can, by 'underpass run' or "
		"underpass-cni");
}

/* FNV-1a over the object that is built in. */
uint64_t up_ride_build(void)
{
	uint64_t hash = 0xcbf29ce484222325;
	size_t size;
	const uint8_t *elf = ride_bpf__elf_bytes(&size);

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ elf[i]) * 0x100000001b3;
	return hash;
}

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level, (void)fmt, (void)ap;
	return 0;
}

static struct up_rides *rides_alloc(void)
{
	struct up_rides *r = malloc(sizeof(*r));

	if (r)
		memset(r, -1, sizeof(*r));
	return r;
}

void up_ride_close(struct up_rides **r)
{
	if (!*r)
		return;
	for (int i = 0; i < UP_RIDE_MAPS; i++)
		up_close_fd(&(*r)->map[i]);
	for (int i = 0; i < UP_RIDE_PROGS; i++)
		up_close_fd(&(*r)->prog[i]);
	free(*r);
	*r = NULL;
}

static int open_pin(const char *name, int *ret_fd, struct up_err *err)
{
	char path[UP_PIN_PATH_MAX];

	up_pin_path(path, UP_PIN_RIDE, name);
	*ret_fd = bpf_obj_get(path);
	return *ret_fd < 0 ? up_fail(err, errno, "open %s", path) : 0;
}

static int another_version(struct up_err *err)
{
	return up_fail_msg(
		err, EPROTO,
		"what is attached was attached by another version of underpass, whose "
		"maps this one cannot read: run 'underpass detach --all', which breaks no "
		"connection, and attach again");
}

/* What is read from a map of another size would not fit. */
static int open_map(enum up_ride_map map, int *ret_fd, struct up_err *err)
{
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);
	int ret = open_pin(maps[map].name, ret_fd, err);

	if (ret)
		return ret;
	if (bpf_obj_get_info_by_fd(*ret_fd, (void *)&info, &len))
		return up_fail(err, errno, "map %s", maps[map].name);
	return info.key_size == maps[map].key_size && info.value_size == maps[map].value_size
		       ? 0
		       : another_version(err);
}

int up_ride_conf_read(const struct up_rides *r, struct up_ride_conf *ret_conf, struct up_err *err)
{
	uint32_t zero = 0;

	if (bpf_map_lookup_elem(r->map[UP_RIDE_CONF], &zero, ret_conf))
		return up_fail(err, errno, "read the settings");
	return 0;
}

int up_ride_conf_write(const struct up_rides *r, const struct up_ride_conf *conf,
		       struct up_err *err)
{
	uint32_t zero = 0;

	if (bpf_map_update_elem(r->map[UP_RIDE_CONF], &zero, conf, BPF_ANY))
		return up_fail(err, errno, "write the settings");
	return 0;
}

int up_ride_id(uint32_t *ret_id, bool *ret_liberal, struct up_err *err)
{
	struct bpf_map_info info = {};
	uint32_t zero = 0, len = sizeof(info);
	cleanup_free struct up_ride_conf *conf = NULL;
	cleanup_fd int fd = -1;
	int ret = open_pin(maps[UP_RIDE_CONF].name, &fd, err);

	if (ret)
		return ret;
	if (bpf_obj_get_info_by_fd(fd, (void *)&info, &len))
		return up_fail(err, errno, "map %s", maps[UP_RIDE_CONF].name);
	conf = calloc(1, info.value_size + sizeof(*conf));
	if (!conf || bpf_map_lookup_elem(fd, &zero, conf))
		return up_fail(err, errno, "read the settings");
	*ret_id = info.id;
	*ret_liberal = conf->made_liberal;
	return 0;
}

/* First of all: what of another version is like depends on it. */
static int open_conf(struct up_rides *r, struct up_err *err)
{
	struct up_ride_conf conf;
	uint64_t cookie;
	bool liberal;
	int ret = open_map(UP_RIDE_CONF, &r->map[UP_RIDE_CONF], err);

	if (!ret)
		ret = up_ride_conf_read(r, &conf, err);
	if (!ret)
		ret = up_ride_id(&r->id, &liberal, err);

	if (!ret)
		ret = up_netns_cookie(&cookie, err);
	if (ret)
		return ret;
	if (!conf.abi) /* an "attach" that was killed before it was done */
		return -ENOENT;
	if (conf.abi != UP_RIDE_ABI)
		return another_version(err);
	if (conf.netns_cookie != cookie)
		return up_fail_msg(err, EXDEV,
				   "what is attached in %s belongs to another network namespace; "
				   "set " UP_PIN_DIR_ENV " and " UP_RUN_DIR_ENV
				   " for a host of its own",
				   up_pin_dir());
	return 0;
}

int up_ride_open(struct up_rides **ret_r, struct up_err *err)
{
	cleanup_rides struct up_rides *r = rides_alloc();
	int ret;

	if (!r)
		return up_fail(err, ENOMEM, "open what is attached");
	libbpf_set_print(quiet);
	ret = open_conf(r, err);
	for (enum up_ride_map i = 0; !ret && i < UP_RIDE_MAPS; i++)
		ret = r->map[i] >= 0 ? 0 : open_map(i, &r->map[i], err);
	for (int i = 0; !ret && i < UP_RIDE_PROGS; i++)
		ret = open_pin(prog_names[i], &r->prog[i], err);
	if (ret == -ENOENT)
		return up_fail_msg(err, ENOENT, "nothing is attached in %s", up_pin_dir());
	if (!ret)
		*ret_r = take_ptr(r);
	return ret;
}

static void destroy_skel(struct ride_bpf **skel)
{
	ride_bpf__destroy(*skel);
}

static int set_pin_paths(const struct ride_bpf *skel, struct up_err *err)
{
	char path[UP_PIN_PATH_MAX];
	int ret = 0;

	for (int i = 0; !ret && i < UP_RIDE_MAPS; i++) {
		up_pin_path(path, UP_PIN_RIDE, maps[i].name);
		ret = bpf_map__set_pin_path(bpf_object__find_map_by_name(skel->obj, maps[i].name),
					    path);
	}
	return ret ? up_fail(err, ret, "pin %s", path) : 0;
}

static int pin_programs(const struct ride_bpf *skel, struct up_err *err)
{
	char path[UP_PIN_PATH_MAX];
	int ret = 0;

	for (int i = 0; !ret && i < UP_RIDE_PROGS; i++) {
		struct bpf_program *prog =
			bpf_object__find_program_by_name(skel->obj, prog_names[i]);

		up_pin_path(path, UP_PIN_RIDE, prog_names[i]);
		ret = up_pin_replace(prog ? bpf_program__fd(prog) : -1, path, err);
	}
	return ret;
}

/* The programs count in jiffies, whose length the coarse clock's resolution tells. */
static int default_conf(struct up_ride_conf *conf, struct up_err *err)
{
	struct timespec tick;
	uint64_t cookie;
	int ret;

	*conf = (struct up_ride_conf){.abi = UP_RIDE_ABI, .gen = 1, .build = up_ride_build()};
	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) || tick.tv_sec || !tick.tv_nsec)
		return up_fail(err, errno ? errno : EINVAL, "length of the kernel's tick");
	conf->tick_ns = (uint32_t)tick.tv_nsec;
	conf->refresh = (uint32_t)(UP_RIDE_REFRESH_MS * 1000000LL / tick.tv_nsec);
	ret = up_netns_cookie(&cookie, err);
	if (!ret)
		conf->netns_cookie = cookie;
	return ret;
}

/* Settings that are there are kept. */
static int settle_conf(const struct ride_bpf *skel, struct up_err *err)
{
	int fd = bpf_map__fd(skel->maps.up_ride_conf), ret;
	struct up_ride_conf conf;
	uint32_t zero = 0;

	if (bpf_map_lookup_elem(fd, &zero, &conf))
		return up_fail(err, errno, "read the settings");
	if (conf.abi)
		return 0;
	ret = default_conf(&conf, err);
	if (ret)
		return ret;
	return bpf_map_update_elem(fd, &zero, &conf, BPF_ANY)
		       ? up_fail(err, errno, "write the settings")
		       : 0;
}

static int load(struct ride_bpf *skel, struct up_err *err)
{
	int ret = set_pin_paths(skel, err);

	if (ret)
		return ret;
	skel->rodata->up_has_kern_ctx = up_kernel_has_func("bpf_cast_to_kern_ctx");
	skel->rodata->up_has_conntrack = true;
	ret = ride_bpf__load(skel);
	if (!ret)
		return 0;
	if (up_kernel_check(err))
		return -EOPNOTSUPP;
	return up_fail(err, ret, "load the programs into the kernel");
}

static int load_and_pin(struct up_err *err)
{
	__up_cleanup(destroy_skel) struct ride_bpf *skel = ride_bpf__open();
	int ret;

	if (!skel)
		return up_fail(err, errno, "open the programs");
	ret = load(skel, err);
	if (!ret)
		ret = settle_conf(skel, err);
	if (!ret)
		ret = pin_programs(skel, err);
	return ret;
}

/* Are the programs at the interfaces those that are built in? */
static bool is_current(const struct up_rides *r)
{
	struct up_ride_conf conf;

	return !up_ride_conf_read(r, &conf, NULL) && conf.build == up_ride_build();
}

int up_ride_load(struct up_rides **ret_r, struct up_err *err)
{
	cleanup_rides struct up_rides *r = NULL;
	int ret = up_ride_open(&r, err);
	bool fresh = ret == -ENOENT;

	if (ret && !fresh)
		return ret;
	if (r && is_current(r)) {
		*ret_r = take_ptr(r);
		return 0;
	}
	ret = up_ride_kernel_check(err);
	if (!ret)
		ret = up_bpffs_prepare_sub(UP_PIN_RIDE, err);
	if (!ret)
		ret = load_and_pin(err);
	if (!ret)
		ret = up_ride_open(ret_r, err);
	if (ret && fresh)
		up_ride_unpin(NULL);
	return ret;
}

int up_ride_unpin(struct up_err *err)
{
	return up_bpffs_remove_sub(UP_PIN_RIDE, err);
}
