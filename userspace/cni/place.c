// SPDX-License-Identifier: GPL-2.0-only
#include "cni/place.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cni/delegate.h"
#include "cni/error.h"
#include "cni/json.h"
#include "cni/state.h"
#include "core/datapath.h"
#include "net/netns.h"
#include "underpass/limits.h"

static int bring_up(const struct up_cni *c, struct up_err *err)
{
	const char *names[UP_UPLINK_MAX];
	struct up_datapath_opts opts = {.uplinks = names, .keep = true};
	json_t *uplinks = NULL, *name;
	int ret = up_cni_get_array(c->conf, "uplinks", &uplinks, err);
	size_t i;

	json_array_foreach (uplinks, i, name) {
		if (!ret && (!json_is_string(name) || i >= UP_UPLINK_MAX))
			ret = up_cni_fail(err, UP_CNI_BAD_CONFIG,
					  "uplinks: want at most %d names of interfaces",
					  UP_UPLINK_MAX);
		if (!ret)
			names[opts.n_uplinks++] = json_string_value(name);
	}
	return ret ? ret : up_datapath_up(&opts, err);
}

int up_cni_datapath(const struct up_cni *c, struct up_datapath **ret, struct up_err *err)
{
	int retval = up_datapath_open(ret, err);

	if (retval != -ENOENT)
		return retval;
	retval = bring_up(c, err);
	return retval ? retval : up_datapath_open(ret, err);
}

int up_cni_find(const struct up_cni *c, struct up_datapath **ret_dp, char name[UP_NAME_MAX + 1],
		struct up_err *err)
{
	struct up_endpoint_info info;
	int ret = up_datapath_open(ret_dp, err);

	up_cni_own_name(c, name);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	if (up_endpoint_get(*ret_dp, name, &info, NULL))
		return 0;
	return up_endpoint_is_adopted(&info) ? UP_CNI_ADOPTED : UP_CNI_OURS;
}

int up_cni_ours(struct up_cni *c, struct up_datapath **ret_dp, char name[UP_NAME_MAX + 1],
		json_t **ret_result, struct up_err *err)
{
	int ret = up_cni_find(c, ret_dp, name, err);

	return ret == UP_CNI_OURS || ret < 0 ? ret : up_cni_next(c, ret_result, err);
}

int up_cni_chained_del(struct up_cni *c, struct up_err *err)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	char name[UP_NAME_MAX + 1];
	struct up_err ignored = {};
	int ret = up_cni_find(c, &dp, name, &ignored);

	if (ret == UP_CNI_OURS || (ret != UP_CNI_ADOPTED && up_cni_state_has(name)) ||
	    !up_cni_have_next(c))
		return 0;
	ret = up_cni_next(c, NULL, err);
	/* It has done nothing that it could undo, then. */
	if (!ret || up_cni_code(err) != UP_CNI_INCOMPATIBLE)
		return ret;
	json_decref(c->relayed);
	c->relayed = NULL;
	return 0;
}

static bool is_own_netns(int fd)
{
	struct stat own, other;

	return !stat("/proc/self/ns/net", &own) && !fstat(fd, &other) &&
	       own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

int up_cni_netns_open(const struct up_cni *c, struct up_err *err)
{
	cleanup_fd int fd = up_netns_open(c->env.netns, err);

	if (fd >= 0 && !c->env.same_netns_ok && is_own_netns(fd))
		return up_cni_fail(
			err, UP_CNI_BAD_NETNS,
			"plugin's netns and netns from CNI_NETNS should not be the same");
	return take_fd(&fd);
}

int up_cni_mac_parse(const char *text, uint8_t ret[6])
{
	unsigned int b[6];
	int n = 0;

	if ((sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5],
		    &n) != 6 &&
	     sscanf(text, "%2x-%2x-%2x-%2x-%2x-%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5],
		    &n) != 6) ||
	    n != 17 || text[n] || b[0] & 1 || !(b[0] | b[1] | b[2] | b[3] | b[4] | b[5]))
		return -EINVAL;
	for (int i = 0; i < 6; i++)
		ret[i] = (uint8_t)b[i];
	return 0;
}

static int read_mac(const char *text, uint8_t mac[6], struct up_err *err)
{
	if (!*text || !up_cni_mac_parse(text, mac))
		return 0;
	return up_cni_fail(err, UP_CNI_BAD_CONFIG,
			   "mac: '%.40s' is not the MAC address of one station", text);
}

/* runtimeConfig before args.cni before CNI_ARGS. */
int up_cni_choose_mac(const struct up_cni *c, uint8_t mac[6], struct up_err *err)
{
	const json_t *args = up_cni_get(c->conf, "args");
	const char *text = "";
	char buf[64] = "";
	int ret = up_cni_get_string(c->runtime, "mac", &text, err);

	if (!ret && !*text)
		ret = up_cni_get_string(up_cni_get(args, "cni"), "mac", &text, err);
	if (!ret && !*text && up_cni_args_get(c->env.args, "MAC", buf, sizeof(buf)))
		text = buf;
	return ret ? ret : read_mac(text, mac, err);
}

json_t *up_cni_mac_json(const uint8_t mac[6])
{
	return json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
			    mac[5]);
}
