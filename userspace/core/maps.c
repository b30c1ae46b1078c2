// SPDX-License-Identifier: GPL-2.0-only
#include "core/maps.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/paths.h"
#include "core/bpffs.h"
#include "net/netns.h"

static const char *const names[UP_MAP_MAX] = {
#define UP_MAP_NAME(name) [UP_MAP_##name] = "up_" #name,
	UP_MAPS(UP_MAP_NAME)
#undef UP_MAP_NAME
};

static const char *const prog_names[UP_PROG_MAX] = {
#define UP_PROG_NAME(name) [UP_PROG_##name] = "up_" #name,
	UP_PROGS(UP_PROG_NAME)
#undef UP_PROG_NAME
};

const char *up_map_name(enum up_map map)
{
	return names[map];
}

const char *up_prog_name(enum up_prog prog)
{
	return prog_names[prog];
}

/* The library does not log; what libbpf would say is in our own errors. */
static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level, (void)fmt, (void)ap;
	return 0;
}

static int open_pin(const char *sub, const char *name, int *ret_fd, struct up_err *err)
{
	char path[UP_PIN_PATH_MAX];
	int fd;

	up_pin_path(path, sub, name);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return up_fail(err, errno, "open %s", path);
	*ret_fd = fd;
	return 0;
}

static int open_pins(struct up_datapath *dp, struct up_err *err)
{
	int ret = 0;

	for (int i = 0; !ret && i < UP_MAP_MAX; i++)
		if (dp->map[i] < 0)
			ret = open_pin(UP_PIN_MAPS, names[i], &dp->map[i], err);
	for (int i = 0; !ret && i < UP_PROG_MAX; i++)
		ret = open_pin(UP_PIN_PROGS, prog_names[i], &dp->prog[i], err);
	return ret;
}

int up_conf_read(struct up_datapath *dp, struct up_config *ret, struct up_err *err)
{
	uint32_t zero = 0;

	if (bpf_map_lookup_elem(dp->map[UP_MAP_conf], &zero, ret))
		return up_fail(err, errno, "read the settings");
	return 0;
}

int up_conf_write(struct up_datapath *dp, const struct up_config *conf, struct up_err *err)
{
	uint32_t zero = 0;

	if (bpf_map_update_elem(dp->map[UP_MAP_conf], &zero, conf, BPF_ANY))
		return up_fail(err, errno, "write the settings");
	dp->conf = *conf;
	return 0;
}

static int not_up(struct up_err *err)
{
	return up_fail_msg(err, ENOENT, "the datapath is not up in %s: run 'underpass up' first",
			   up_pin_dir());
}

/* Of the settings, whatever their size is, the first word is the version that wrote them. */
static int read_abi(int fd, uint32_t *ret_abi, uint32_t *ret_size, struct up_err *err)
{
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info), zero = 0;
	cleanup_free uint32_t *value = NULL;

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return up_fail(err, errno, "read the settings");
	value = calloc(1, info.value_size + sizeof(*value));
	if (!value || bpf_map_lookup_elem(fd, &zero, value))
		return up_fail(err, errno, "read the settings");
	*ret_abi = *value;
	*ret_size = info.value_size;
	return 0;
}

/* First of all: which other maps there are, and what they are like, depends on the version. */
static int open_conf(struct up_datapath *dp, struct up_err *err)
{
	int *fd = &dp->map[UP_MAP_conf];
	uint32_t abi = 0, size = 0;
	int ret = open_pin(UP_PIN_MAPS, names[UP_MAP_conf], fd, err);

	if (!ret)
		ret = read_abi(*fd, &abi, &size, err);
	if (ret)
		return ret;
	if (!abi) /* an "up" that was killed before it was done */
		return -ENOENT;
	if (abi == UP_ABI_VERSION && size == sizeof(struct up_config))
		return 0;
	return up_fail_msg(err, EPROTO,
			   "the datapath in %s has ABI %u, this underpass has %d: run "
			   "'underpass down --force' and 'underpass up'",
			   up_pin_dir(), abi, UP_ABI_VERSION);
}

static int check_conf(struct up_datapath *dp, struct up_err *err)
{
	uint64_t cookie;
	int ret = up_conf_read(dp, &dp->conf, err);

	if (!ret)
		ret = up_netns_cookie(&cookie, err);
	if (ret)
		return ret;
	if (cookie != dp->conf.netns_cookie)
		return up_fail_msg(err, EXDEV,
				   "the datapath in %s belongs to another network namespace; "
				   "set " UP_PIN_DIR_ENV " and " UP_RUN_DIR_ENV
				   " for a host of its own",
				   up_pin_dir());
	return 0;
}

/* The kernel rounds a mapping up to whole pages and checks it against the map. */
static int map_table(int fd, size_t size, void *ret_ptr, const char *name, struct up_err *err)
{
	void *ptr = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (ptr == MAP_FAILED)
		return up_fail(err, errno, "map %s", name);
	*(void **)ret_ptr = ptr;
	return 0;
}

#define ENDPOINTS_SIZE (UP_ENDPOINT_MAX * sizeof(struct up_endpoint))

static struct up_datapath *datapath_alloc(void)
{
	struct up_datapath *dp = calloc(1, sizeof(*dp));

	if (dp) {
		memset(dp->map, -1, sizeof(dp->map));
		memset(dp->prog, -1, sizeof(dp->prog));
	}
	return dp;
}

int up_datapath_open(struct up_datapath **ret_dp, struct up_err *err)
{
	cleanup_datapath struct up_datapath *dp = datapath_alloc();
	int ret;

	libbpf_set_print(quiet);
	if (!dp)
		return up_fail(err, ENOMEM, "open the datapath");
	ret = open_conf(dp, err);
	if (!ret)
		ret = open_pins(dp, err);
	if (!ret)
		ret = check_conf(dp, err);
	if (!ret)
		ret = map_table(dp->map[UP_MAP_ports], sizeof(*dp->ports), &dp->ports, "up_ports",
				err);
	if (!ret)
		ret = map_table(dp->map[UP_MAP_endpoints], ENDPOINTS_SIZE, &dp->endpoints,
				"up_endpoints", err);
	if (!ret)
		*ret_dp = take_ptr(dp);
	return ret == -ENOENT ? not_up(err) : ret;
}

void up_datapath_close(struct up_datapath **dpp)
{
	struct up_datapath *dp = *dpp;

	if (!dp)
		return;
	for (int i = 0; i < UP_MAP_MAX; i++)
		up_close_fd(&dp->map[i]);
	for (int i = 0; i < UP_PROG_MAX; i++)
		up_close_fd(&dp->prog[i]);
	if (dp->ports)
		munmap(dp->ports, sizeof(*dp->ports));
	if (dp->endpoints)
		munmap(dp->endpoints, ENDPOINTS_SIZE);
	free(dp);
	*dpp = NULL;
}
