// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bringing the datapath up and down. Theory of operation
 * ======================================================
 * "up" loads the skeleton with every map's pin path set: libbpf creates and pins the maps that are
 * missing and reuses those that are there, after comparing their attributes. Then programs are
 * attached by pinned links, or swapped under the links that are there already. A first "up", an
 * upgrade and the repair of an "up" that was killed are therefore the same steps; only a failing
 * first one is undone. Flows and published ports live in maps, so an upgrade keeps every one.
 */
#include "core/datapath.h"

#include <arpa/inet.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/paths.h"
#include "core/bpffs.h"
#include "core/netdev.h"
#include "core/hooks.h"
#include "core/kernel.h"
#include "core/maps.h"
#include "core/network.h"
#include "core/uplinks.h"
#include "core/xdp.h"
#include "net/link.h"
#include "net/netns.h"
#include "underpass.skel.h"

#define SUBNET4_DEFAULT      0x0ad70000 /* 10.215.0.0 */
#define SUBNET4_PLEN_DEFAULT 16
#define SUBNET4_PLEN_MAX     29
#define SUBNET6_PLEN_DEFAULT 64
#define SUBNET6_PLEN_MAX     120
#define SNAT_LO              1024
#define SNAT_HI              65535
#define FLOW_MAX_LIMIT       (1U << 24)
#define SWEEP_START_TRIES    1000

/* nf_conntrack's defaults, seconds. */
static const uint32_t timeouts[UP_TMO_MAX] = {
#define UP_TIMEOUT_DEFAULT(id, name, seconds) [UP_TMO_##id] = (seconds),
	UP_TIMEOUTS(UP_TIMEOUT_DEFAULT)
#undef UP_TIMEOUT_DEFAULT
};

struct cgroup_hook {
	const char *program;
	enum bpf_attach_type type;
};

static const struct cgroup_hook cgroup_hooks[] = {
	{"up_connect4", BPF_CGROUP_INET4_CONNECT},
	{"up_connect6", BPF_CGROUP_INET6_CONNECT},
	{"up_sendmsg4", BPF_CGROUP_UDP4_SENDMSG},
	{"up_sendmsg6", BPF_CGROUP_UDP6_SENDMSG},
	{"up_recvmsg4", BPF_CGROUP_UDP4_RECVMSG},
	{"up_recvmsg6", BPF_CGROUP_UDP6_RECVMSG},
	{"up_getpeer4", BPF_CGROUP_INET4_GETPEERNAME},
	{"up_getpeer6", BPF_CGROUP_INET6_GETPEERNAME},
	{"up_bind4", BPF_CGROUP_INET4_BIND},
	{"up_bind6", BPF_CGROUP_INET6_BIND},
};

/**
 * struct bring_up - the state of one "up"
 * @opts:  as asked for
 * @nl:    netlink of this host
 * @skel:  loaded programs and maps
 * @dp:    the maps, once they are pinned
 * @fresh: nothing was up before: on failure, everything goes again
 */
struct bring_up {
	const struct up_datapath_opts *opts;
	struct up_nl *nl;
	struct underpass_bpf *skel;
	struct up_datapath *dp;
	bool fresh;
};

static void destroy_skel(struct underpass_bpf **skel)
{
	underpass_bpf__destroy(*skel);
}

/* The size of the flow table that is pinned, so that an upgrade keeps it. */
static uint32_t pinned_flow_entries(void)
{
	char path[UP_PIN_PATH_MAX];
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);
	cleanup_fd int fd = -1;

	up_pin_path(path, UP_PIN_MAPS, up_map_name(UP_MAP_flows4));
	fd = bpf_obj_get(path);
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
		return 0;
	return info.max_entries;
}

/* An entry for each direction, and a slot in the list of flows. */
static void size_flow_table(struct underpass_bpf *skel, uint32_t entries)
{
	bpf_map__set_max_entries(skel->maps.up_flows4, entries);
	bpf_map__set_max_entries(skel->maps.up_flows6, entries);
	bpf_map__set_max_entries(skel->maps.up_slots, entries / 2);
	bpf_map__set_max_entries(skel->maps.up_free_slots, entries / 2);
}

static int set_flow_entries(struct bring_up *up, struct up_err *err)
{
	uint32_t pinned = pinned_flow_entries();
	uint32_t want = up->opts->flow_max * 2;

	if (up->opts->flow_max > FLOW_MAX_LIMIT)
		return up_fail_msg(err, EINVAL, "flow table: at most %u flows", FLOW_MAX_LIMIT);
	if (pinned && want && pinned != want)
		return up_fail_msg(err, EBUSY,
				   "flow table: it is up with %u flows; to change that, run "
				   "'underpass down' first",
				   pinned / 2);
	if (pinned || want)
		size_flow_table(up->skel, pinned ? pinned : want);
	return 0;
}

static int set_pin_paths(struct bring_up *up, struct up_err *err)
{
	char path[UP_PIN_PATH_MAX];
	struct bpf_map *map;
	int ret;

	bpf_object__for_each_map(map, up->skel->obj)
	{
		if (bpf_map__is_internal(map))
			continue;
		up_pin_path(path, UP_PIN_MAPS, bpf_map__name(map));
		ret = bpf_map__set_pin_path(map, path);
		if (ret)
			return up_fail(err, ret, "pin %s", path);
	}
	return 0;
}

static int load(struct bring_up *up, struct up_err *err)
{
	int ret;

	up->skel = underpass_bpf__open();
	if (!up->skel)
		return up_fail(err, errno, "open the programs");
	up->skel->rodata->up_has_kern_ctx = up_kernel_has_func("bpf_cast_to_kern_ctx");
	up->skel->rodata->up_has_conntrack = up_kernel_has_func("bpf_skb_ct_lookup");
	up->skel->rodata->up_has_fib_src = up_kernel_has_enum("BPF_FIB_LOOKUP_SRC");
	ret = set_flow_entries(up, err);
	if (!ret)
		ret = set_pin_paths(up, err);
	if (ret)
		return ret;
	ret = underpass_bpf__load(up->skel);
	if (!ret)
		return 0;
	if (up_kernel_check(err))
		return -EOPNOTSUPP;
	return up_fail(err, ret, "load the programs into the kernel");
}

static int pin_programs(struct bring_up *up, struct up_err *err)
{
	char path[UP_PIN_PATH_MAX];
	struct bpf_program *prog;
	int ret = 0;

	bpf_object__for_each_program(prog, up->skel->obj)
	{
		up_pin_path(path, UP_PIN_PROGS, bpf_program__name(prog));
		ret = up_pin_replace(bpf_program__fd(prog), path, err);
		if (ret)
			break;
	}
	return ret;
}

/* RFC 4193, 3.2: 40 random bits make it unlikely that two networks that meet have the same. */
static struct up_cidr random_ula(void)
{
	struct up_cidr net = {.plen = SUBNET6_PLEN_DEFAULT};
	uint8_t bytes[16] = {0xfd};

	if (getrandom(bytes + 1, 5, 0) != 5)
		return (struct up_cidr){};
	net.addr = up_addr_from_bytes(bytes, sizeof(bytes));
	return net;
}

static struct up_cidr subnet_for(const struct up_datapath_opts *opts, enum up_family family)
{
	if (opts->subnet[family].plen)
		return opts->subnet[family];
	if (family == UP_V4)
		return (struct up_cidr){UP_MAPPED(htonl(SUBNET4_DEFAULT)), SUBNET4_PLEN_DEFAULT};
	return opts->no_ipv6 || !up_have_ipv6() ? (struct up_cidr){} : random_ula();
}

static int default_conf(const struct up_datapath_opts *opts, struct up_config *conf,
			struct up_err *err)
{
	static const uint8_t max[UP_FAMILIES] = {SUBNET4_PLEN_MAX, SUBNET6_PLEN_MAX};

	*conf = (struct up_config){
		.abi = UP_ABI_VERSION,
		.snat_lo = SNAT_LO,
		.snat_hi = SNAT_HI,
	};
	memcpy(conf->timeout, timeouts, sizeof(timeouts));
	for (enum up_family f = UP_V4; f < UP_FAMILIES; f++) {
		struct up_cidr net = subnet_for(opts, f);

		conf->subnet[f] = net.addr;
		conf->plen[f] = net.plen;
		if (net.plen > max[f])
			return up_fail_msg(err, EINVAL, "subnet: /%u is too small, at most /%d",
					   net.plen, max[f]);
	}
	return 0;
}

static int check_conf_subnets(const struct up_config *conf, struct up_err *err)
{
	int ret = 0;

	for (enum up_family f = UP_V4; !ret && f < UP_FAMILIES; f++) {
		struct up_cidr net = {conf->subnet[f], (uint8_t)conf->plen[f]};

		ret = up_network_conflict(&net, err);
	}
	return ret;
}

static bool same_subnets(const struct up_config *conf, const struct up_datapath_opts *opts)
{
	for (enum up_family f = UP_V4; f < UP_FAMILIES; f++)
		if (opts->subnet[f].plen &&
		    (conf->plen[f] != opts->subnet[f].plen ||
		     !up_addr_equal(&conf->subnet[f], &opts->subnet[f].addr)))
			return false;
	return !opts->no_ipv6 || !conf->plen[UP_V6];
}

/* Write the settings of a first "up"; check those of an earlier one. */
static int settle_conf(struct bring_up *up, struct up_err *err)
{
	int fd = bpf_map__fd(up->skel->maps.up_conf);
	struct up_config conf;
	uint32_t zero = 0;
	uint64_t cookie;
	int ret;

	if (bpf_map_lookup_elem(fd, &zero, &conf))
		return up_fail(err, errno, "read the settings");
	if (conf.abi)
		return same_subnets(&conf, up->opts)
			       ? 0
			       : up_fail_msg(
					 err, EBUSY,
					 "subnet: it is up with another one; to change that, run "
					 "'underpass down' first");
	ret = up_netns_cookie(&cookie, err);
	if (!ret)
		ret = default_conf(up->opts, &conf, err);
	if (!ret)
		ret = check_conf_subnets(&conf, err);
	if (ret)
		return ret;
	conf.netns_cookie = cookie;
	if (bpf_map_update_elem(fd, &zero, &conf, BPF_ANY))
		return up_fail(err, errno, "write the settings");
	return 0;
}

static int add_uplink(struct bring_up *up, const char *name, int ifindex, struct up_err *err)
{
	uint32_t key = (uint32_t)ifindex;
	struct up_uplink uplink = {};
	struct bpf_program *out;
	struct up_link link;
	int ret;

	ret = up_link_get(up->nl, name, ifindex, &link, err);
	if (ret)
		return up_wrap(err, "uplink %s", name ? name : "of the default route");
	if (!link.ethernet)
		return up_fail_msg(err, EINVAL, "uplink %s: not an Ethernet interface", link.name);
	key = (uint32_t)link.ifindex;
	bpf_map_lookup_elem(up->dp->map[UP_MAP_uplinks], &key, &uplink);
	snprintf(uplink.name, sizeof(uplink.name), "%s", link.name);
	memcpy(uplink.mac, link.mac, sizeof(uplink.mac));
	if (bpf_map_update_elem(up->dp->map[UP_MAP_uplinks], &key, &uplink, BPF_ANY))
		return up_fail(err, errno, "uplink %s", link.name);
	out = up_macvlan_in_use(up->dp, up->nl) ? up->skel->progs.up_macvlan_out
						: up->skel->progs.up_uplink_out;
	ret = up_hook_uplink(bpf_program__fd(up->skel->progs.up_uplink_in), bpf_program__fd(out),
			     link.ifindex, err);
	return ret ? up_wrap(err, "uplink %s", link.name) : 0;
}

/* An uplink of an earlier "up" that has another index now: it went away and came back. */
static int replace_uplink(struct bring_up *up, uint32_t old, int *ret_n, struct up_err *err)
{
	int map = up->dp->map[UP_MAP_uplinks], ret;
	struct up_uplink uplink;
	struct up_link link;

	if (bpf_map_lookup_elem(map, &old, &uplink))
		return up_fail(err, errno, "uplink %u", old);
	uplink.name[sizeof(uplink.name) - 1] = '\0';
	up_hook_uplink_remove((int)old, NULL);
	bpf_map_delete_elem(map, &old);
	ret = up_link_get(up->nl, uplink.name, 0, &link, err);
	if (ret)
		return ret == -ENODEV ? 0 : ret;
	(*ret_n)++;
	return add_uplink(up, uplink.name, 0, err);
}

/* Uplinks of an earlier "up"; those that went away are forgotten. */
static int readd_uplinks(struct bring_up *up, int *ret_n, struct up_err *err)
{
	uint32_t keys[UP_UPLINK_MAX];
	size_t n = up_uplink_list(up->dp, keys);
	struct up_link link;
	int ret = 0;

	*ret_n = 0;
	for (size_t i = 0; !ret && i < n; i++) {
		ret = up_link_get(up->nl, NULL, (int)keys[i], &link, err);
		if (ret == -ENODEV) {
			ret = replace_uplink(up, keys[i], ret_n, err);
			continue;
		}
		if (!ret)
			ret = add_uplink(up, NULL, (int)keys[i], err);
		(*ret_n)++;
	}
	return ret;
}

static int add_uplinks(struct bring_up *up, struct up_err *err)
{
	int ifindex, n, ret = readd_uplinks(up, &n, err);

	for (size_t i = 0; !ret && i < up->opts->n_uplinks; i++)
		ret = add_uplink(up, up->opts->uplinks[i], 0, err);
	if (ret || n || up->opts->n_uplinks)
		return ret;
	ret = up_default_uplink(up->nl, &ifindex, err);
	return ret ? ret : add_uplink(up, NULL, ifindex, err);
}

/* Making a timer needs memory that the kernel does not always have at hand. */
static int start_sweeper(struct bring_up *up, struct up_err *err)
{
	const char packet[64] = {0};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet));
	int ret = 0;

	for (int i = 0; i < SWEEP_START_TRIES; i++) {
		if (bpf_prog_test_run_opts(bpf_program__fd(up->skel->progs.up_sweep_start), &opts))
			return up_fail(err, errno, "start the sweeper");
		ret = (int)opts.retval;
		if (ret != -ENOMEM)
			break;
	}
	return ret ? up_fail(err, ret, "start the sweeper") : 0;
}

static int attach_cgroup(struct bring_up *up, struct up_err *err)
{
	for (size_t i = 0; i < sizeof(cgroup_hooks) / sizeof(cgroup_hooks[0]); i++) {
		const struct cgroup_hook *h = &cgroup_hooks[i];
		struct bpf_program *prog =
			bpf_object__find_program_by_name(up->skel->obj, h->program);
		int ret = prog ? up_hook_cgroup(bpf_program__fd(prog), h->type, h->program, err)
			       : up_fail_msg(err, ENOENT, "no program %s", h->program);

		if (ret)
			return up_wrap(err, "cgroup hook %s", h->program);
	}
	return 0;
}

/* The programs of an earlier "up" that sit at the host's ends of pairs. */
struct old_progs {
	int veth, police, netkit;
};

static int swap_endpoint(struct bring_up *up, const struct up_endpoint *ep,
			 const struct old_progs *old, struct up_err *err)
{
	int ret;

	/* The programs of a macvlan child know of nothing that could change: macvlan.bpf.c. */
	if (ep->uplink)
		return 0;
	if (ep->device == UP_NETDEV_NETKIT)
		return up_hook_netkit(bpf_program__fd(up->skel->progs.up_netkit), (int)ep->ifindex,
				      old->netkit, err);
	ret = up_hook_veth(bpf_program__fd(up->skel->progs.up_veth_in), (int)ep->ifindex, old->veth,
			   err);
	if (!ret && ep->rate_out)
		ret = up_hook_police(bpf_program__fd(up->skel->progs.up_veth_police),
				     (int)ep->ifindex, old->police, err);
	return ret;
}

/* Programs at the veths of endpoints that live. */
static int swap_endpoints(struct bring_up *up, const struct old_progs *old, struct up_err *err)
{
	for (uint32_t id = 1; id < UP_ENDPOINT_MAX; id++) {
		const struct up_endpoint *ep = &up->dp->endpoints[id];
		int ret;

		if (ep->state != UP_ENDPOINT_LIVE)
			continue;
		ret = swap_endpoint(up, ep, old, err);
		/* Its container may have died; that is gc's business. */
		if (ret && ret != -ENODEV && ret != -ENOENT)
			return up_wrap(err, "endpoint %.63s", ep->name);
	}
	return 0;
}

static int set_xdp(struct bring_up *up, struct up_err *err)
{
	struct up_config conf;
	int ret = up_conf_read(up->dp, &conf, err);

	if (!ret && up->opts->xdp && conf.xdp != *up->opts->xdp) {
		conf.xdp = *up->opts->xdp;
		ret = up_conf_write(up->dp, &conf, err);
	}
	return ret ? ret : up_xdp_swap(up->dp, err);
}

static int open_pinned_prog(const char *name)
{
	char path[UP_PIN_PATH_MAX];

	up_pin_path(path, UP_PIN_PROGS, name);
	return bpf_obj_get(path);
}

static int bring_up(struct bring_up *up, struct up_err *err)
{
	cleanup_fd int old_veth = open_pinned_prog(up_prog_name(UP_PROG_veth_in));
	cleanup_fd int old_police = open_pinned_prog(up_prog_name(UP_PROG_veth_police));
	cleanup_fd int old_netkit = open_pinned_prog(up_prog_name(UP_PROG_netkit));
	const struct old_progs old = {old_veth, old_police, old_netkit};
	int ret = load(up, err);

	if (!ret)
		ret = settle_conf(up, err);
	if (!ret)
		ret = pin_programs(up, err);
	if (!ret)
		ret = start_sweeper(up, err);
	if (!ret)
		ret = up_datapath_open(&up->dp, err);
	if (!ret)
		ret = swap_endpoints(up, &old, err);
	if (!ret)
		ret = add_uplinks(up, err);
	if (!ret)
		ret = up_host_refresh(up->dp, up->nl, err);
	if (!ret)
		ret = set_xdp(up, err);
	if (!ret)
		ret = attach_cgroup(up, err);
	return ret;
}

/* Pins of an earlier "up" must be this host's and of this ABI before anything is touched. */
static int check_before(bool *ret_fresh, struct up_err *err)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	int ret = up_datapath_open(&dp, err);

	*ret_fresh = ret == -ENOENT;
	return *ret_fresh ? 0 : ret;
}

int up_datapath_up(const struct up_datapath_opts *opts, struct up_err *err)
{
	static const struct up_datapath_opts defaults;
	__up_cleanup(destroy_skel) struct underpass_bpf *skel = NULL;
	cleanup_datapath struct up_datapath *dp = NULL;
	cleanup_nl struct up_nl *nl = NULL;
	cleanup_fd int lock = up_lock(err);
	struct bring_up up = {.opts = opts ? opts : &defaults};
	int ret = lock < 0 ? lock : up_bpffs_prepare(err);

	if (!ret)
		ret = check_before(&up.fresh, err);
	if (!ret && !up.fresh && up.opts->keep)
		return 0;
	if (!ret)
		ret = up_nl_open(NETLINK_ROUTE, &nl, err);
	if (ret)
		return ret;
	up.nl = nl;
	ret = bring_up(&up, err);
	skel = up.skel;
	dp = up.dp;
	if (ret && up.fresh)
		up_datapath_remove(up.dp, NULL);
	return ret;
}
