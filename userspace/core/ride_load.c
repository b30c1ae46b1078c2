// SPDX-License-Identifier: GPL-2.0-only
/* Loading, pinning and opening what "attach" needs. */
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

static const char *const map_names[UP_RIDE_MAPS] = {
	[UP_RIDE_CACHE] = "up_rides",
	[UP_RIDE_CONF] = "up_ride_conf",
	[UP_RIDE_STATS] = "up_ride_stats",
	[UP_RIDE_ROWS] = "up_ride_ifs",
};

static const char *const prog_names[UP_RIDE_PROGS] = {
	[UP_RIDE_IN_UPLINK] = "up_ride_uplink",
	[UP_RIDE_IN_VETH] = "up_ride_veth",
	[UP_RIDE_OUT_PEER] = "up_ride_peer",
	[UP_RIDE_OUT_QUEUE] = "up_ride_queue",
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

static int check_conf(const struct up_rides *r, struct up_err *err)
{
	struct up_ride_conf conf;
	uint64_t cookie;
	int ret = up_ride_conf_read(r, &conf, err);

	if (!ret)
		ret = up_netns_cookie(&cookie, err);
	if (ret)
		return ret;
	if (!conf.abi) /* an "attach" that was killed before it was done */
		return -ENOENT;
	if (conf.abi != UP_RIDE_ABI)
		return up_fail_msg(err, EPROTO,
				   "what is attached was attached by another version of underpass: "
				   "detach with that one");
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
	int ret = r ? 0 : up_fail(err, ENOMEM, "open what is attached");

	libbpf_set_print(quiet);
	for (int i = 0; !ret && i < UP_RIDE_MAPS; i++)
		ret = open_pin(map_names[i], &r->map[i], err);
	for (int i = 0; !ret && i < UP_RIDE_PROGS; i++)
		ret = open_pin(prog_names[i], &r->prog[i], err);
	if (!ret)
		ret = check_conf(r, err);
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

static int pin_all(const struct ride_bpf *skel, struct up_err *err)
{
	char path[UP_PIN_PATH_MAX];
	int ret = 0;

	for (int i = 0; !ret && i < UP_RIDE_MAPS; i++) {
		up_pin_path(path, UP_PIN_RIDE, map_names[i]);
		ret = up_pin_replace(bpf_object__find_map_fd_by_name(skel->obj, map_names[i]), path,
				     err);
	}
	for (int i = 0; !ret && i < UP_RIDE_PROGS; i++) {
		struct bpf_program *prog =
			bpf_object__find_program_by_name(skel->obj, prog_names[i]);

		up_pin_path(path, UP_PIN_RIDE, prog_names[i]);
		ret = up_pin_replace(prog ? bpf_program__fd(prog) : -1, path, err);
	}
	return ret;
}

/* The programs count in jiffies, whose length the coarse clock's resolution tells. */
static int first_conf(const struct ride_bpf *skel, struct up_err *err)
{
	struct up_ride_conf conf = {.abi = UP_RIDE_ABI, .gen = 1};
	struct timespec tick;
	uint32_t zero = 0;
	uint64_t cookie;
	int ret = up_netns_cookie(&cookie, err);

	if (ret)
		return ret;
	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) || tick.tv_sec || !tick.tv_nsec)
		return up_fail(err, errno ? errno : EINVAL, "length of the kernel's tick");
	conf.netns_cookie = cookie;
	conf.tick_ns = (uint32_t)tick.tv_nsec;
	conf.refresh = (uint32_t)(UP_RIDE_REFRESH_MS * 1000000LL / tick.tv_nsec);
	if (bpf_map_update_elem(bpf_map__fd(skel->maps.up_ride_conf), &zero, &conf, BPF_ANY))
		return up_fail(err, errno, "write the settings");
	return 0;
}

static int load(struct ride_bpf *skel, struct up_err *err)
{
	int ret;

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
		ret = first_conf(skel, err);
	if (!ret)
		ret = pin_all(skel, err);
	return ret;
}

int up_ride_load(struct up_rides **ret_r, struct up_err *err)
{
	int ret = up_ride_open(ret_r, err);

	if (ret != -ENOENT)
		return ret;
	ret = up_ride_kernel_check(err);
	if (!ret)
		ret = up_bpffs_prepare_sub(UP_PIN_RIDE, err);
	if (!ret)
		ret = load_and_pin(err);
	if (!ret)
		ret = up_ride_open(ret_r, err);
	if (ret)
		up_ride_unpin(NULL);
	return ret;
}

int up_ride_unpin(struct up_err *err)
{
	return up_bpffs_remove_sub(UP_PIN_RIDE, err);
}
