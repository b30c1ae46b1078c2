// SPDX-License-Identifier: GPL-2.0-only
#include "core/xdp.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "core/hooks.h"
#include "core/maps.h"
#include "core/porttab.h"
#include "core/uplinks.h"

static const char *const modes[] = {
	[UP_XDP_AUTO] = "auto",
	[UP_XDP_NATIVE] = "native",
	[UP_XDP_GENERIC] = "generic",
	[UP_XDP_OFF] = "off",
};

static const char *const states[] = {
	[UP_XDP_DETACHED] = "off",
	[UP_XDP_IS_NATIVE] = "native",
	[UP_XDP_IS_GENERIC] = "generic",
	[UP_XDP_FOREIGN] = "foreign",
};

#define N_MODES  (sizeof(modes) / sizeof(modes[0]))
#define N_STATES (sizeof(states) / sizeof(states[0]))

int up_xdp_mode_parse(const char *text, enum up_xdp_mode *ret)
{
	for (size_t i = 0; i < N_MODES; i++)
		if (!strcmp(text, modes[i])) {
			*ret = (enum up_xdp_mode)i;
			return 0;
		}
	return -EINVAL;
}

const char *up_xdp_mode_name(enum up_xdp_mode mode)
{
	return (size_t)mode < N_MODES ? modes[mode] : "?";
}

const char *up_xdp_state_name(enum up_xdp_state state)
{
	return (size_t)state < N_STATES ? states[state] : "?";
}

/* Is there anything that it would drop? */
static bool has_work(const struct up_datapath *dp, const struct up_config *conf)
{
	const struct up_port_half *half = up_porttab_active(dp->ports);

	if (conf->denied || conf->source_rate)
		return true;
	for (uint32_t i = 0; i < half->count && i < UP_PORT_ROWS; i++)
		if (half->rows[i].allow)
			return true;
	return false;
}

static bool is_wanted(const struct up_datapath *dp, const struct up_config *conf)
{
	if (conf->xdp == UP_XDP_AUTO)
		return has_work(dp, conf);
	return conf->xdp != UP_XDP_OFF;
}

static bool is_foreign(int ret)
{
	return ret == -EBUSY || ret == -EEXIST;
}

/* First what mends the packets, then what they need to be mended after. */
static int attach_generic(struct up_datapath *dp, int ifindex, struct up_err *err)
{
	int ret = up_hook_generic_mac(dp->prog[UP_PROG_generic_mac], ifindex, err);

	if (!ret)
		ret = up_hook_xdp(dp->prog[UP_PROG_xdp], ifindex, XDP_FLAGS_SKB_MODE, err);
	if (ret)
		up_hook_generic_mac_remove(ifindex, NULL);
	return ret;
}

static int detach(int ifindex, struct up_err *err)
{
	int ret = up_hook_xdp_remove(ifindex, err);

	return ret ? ret : up_hook_generic_mac_remove(ifindex, err);
}

/* Natively, and where the driver cannot, generic; or as it is forced. */
static int attach(struct up_datapath *dp, int ifindex, enum up_xdp_mode mode,
		  enum up_xdp_state *ret_state, struct up_err *err)
{
	int ret = -EOPNOTSUPP;

	if (mode != UP_XDP_GENERIC) {
		*ret_state = UP_XDP_IS_NATIVE;
		ret = up_hook_xdp(dp->prog[UP_PROG_xdp], ifindex, XDP_FLAGS_DRV_MODE, err);
	}
	if (ret && !is_foreign(ret) && mode != UP_XDP_NATIVE) {
		*ret_state = UP_XDP_IS_GENERIC;
		ret = attach_generic(dp, ifindex, err);
	}
	if (ret)
		*ret_state = is_foreign(ret) ? UP_XDP_FOREIGN : UP_XDP_DETACHED;
	return mode == UP_XDP_AUTO || is_foreign(ret) ? 0 : ret;
}

static bool fits(enum up_xdp_state state, enum up_xdp_mode mode)
{
	return !(state == UP_XDP_IS_NATIVE && mode == UP_XDP_GENERIC) &&
	       !(state == UP_XDP_IS_GENERIC && mode == UP_XDP_NATIVE);
}

static bool has_program(int ifindex)
{
	uint32_t id = 0;

	return !bpf_xdp_query_id(ifindex, 0, &id) && id;
}

/* With a program of somebody else there may be packets to be mended, whatever we want. */
static int sync_foreign(struct up_datapath *dp, int ifindex, enum up_xdp_state *state,
			struct up_err *err)
{
	if (*state == UP_XDP_DETACHED && has_program(ifindex))
		*state = UP_XDP_FOREIGN;
	if (*state != UP_XDP_FOREIGN)
		return 0;
	return up_hook_generic_mac(dp->prog[UP_PROG_generic_mac], ifindex, err);
}

static bool is_settled(enum up_xdp_state state, enum up_xdp_mode mode, bool wanted)
{
	if (!wanted)
		return state == UP_XDP_DETACHED;
	return (state == UP_XDP_IS_NATIVE || state == UP_XDP_IS_GENERIC) && fits(state, mode);
}

static int sync_one(struct up_datapath *dp, const struct up_config *conf, uint32_t ifindex,
		    bool swap, struct up_err *err)
{
	bool wanted = is_wanted(dp, conf);
	enum up_xdp_state state = UP_XDP_DETACHED;
	int map = dp->map[UP_MAP_uplinks], ret = 0;
	struct up_uplink uplink;

	if (bpf_map_lookup_elem(map, &ifindex, &uplink))
		return up_fail(err, errno, "uplink %u", ifindex);
	if (!swap && is_settled(uplink.xdp, conf->xdp, wanted))
		return 0;
	if (!wanted || !fits(uplink.xdp, conf->xdp))
		ret = detach((int)ifindex, err);
	if (!ret && wanted)
		ret = attach(dp, (int)ifindex, conf->xdp, &state, err);
	if (!ret)
		ret = sync_foreign(dp, (int)ifindex, &state, err);
	uplink.xdp = state;
	if (bpf_map_update_elem(map, &ifindex, &uplink, BPF_EXIST))
		return up_fail(err, errno, "uplink %u", ifindex);
	return ret ? up_wrap(err, "uplink %.15s: XDP", uplink.name) : 0;
}

static int sync_all(struct up_datapath *dp, bool swap, struct up_err *err)
{
	uint32_t keys[UP_UPLINK_MAX];
	size_t n = up_uplink_list(dp, keys);
	struct up_config conf;
	int ret = up_conf_read(dp, &conf, err);

	for (size_t i = 0; !ret && i < n; i++)
		ret = sync_one(dp, &conf, keys[i], swap, err);
	return ret;
}

int up_xdp_sync(struct up_datapath *dp, struct up_err *err)
{
	return sync_all(dp, false, err);
}

int up_xdp_swap(struct up_datapath *dp, struct up_err *err)
{
	return sync_all(dp, true, err);
}

void up_xdp_foreign(int ifindex, char name[16])
{
	struct bpf_prog_info info = {};
	uint32_t id = 0, len = sizeof(info);
	cleanup_fd int fd =
		bpf_xdp_query_id(ifindex, 0, &id) || !id ? -1 : bpf_prog_get_fd_by_id(id);

	snprintf(name, 16, "?");
	if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) && *info.name)
		snprintf(name, 16, "%.15s", info.name);
}
