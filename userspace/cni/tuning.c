// SPDX-License-Identifier: GPL-2.0-only
/* tuning: settings of the container's namespace, and of its interface. */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "cni/error.h"
#include "cni/json.h"
#include "cni/place.h"
#include "cni/state.h"
#include "core/change.h"
#include "core/datapath.h"
#include "net/link.h"
#include "net/netns.h"

#define ALLOW_LIST     "/etc/cni/tuning/allowlist.conf"
#define ALLOW_LIST_MAX (1U << 20)
#define SYSCTL_MAX     256
#define VALUE_MAX      4096

/* ---- sysctl ------------------------------------------------------------------------------------
 */

/*
 * "net.ipv4.conf.IFNAME.arp_filter" or "net/ipv4/conf/eth0.100/arp_filter" as a path below
 * /proc/sys: whichever separator comes first is the one, sysctl(8). Nothing but net/ is a
 * namespace's own.
 */
static int sysctl_path(const char *key, const char *ifname, char path[SYSCTL_MAX])
{
	const char *first = strpbrk(key, "./"), *word;
	bool dots = first && *first == '.';
	char copy[SYSCTL_MAX];

	if (snprintf(copy, sizeof(copy), "%s", key) >= SYSCTL_MAX)
		return -EINVAL;
	for (char *c = copy; dots && *c; c++)
		if (*c == '.' || *c == '/')
			*c = *c == '.' ? '/' : '.';
	word = strstr(copy, "IFNAME");
	if (snprintf(path, SYSCTL_MAX, "%.*s%s%s", (int)(word ? word - copy : SYSCTL_MAX), copy,
		     word ? ifname : "", word ? word + strlen("IFNAME") : "") >= SYSCTL_MAX)
		return -EINVAL;
	return strncmp(path, "net/", 4) || strstr(path, "..") ? -EINVAL : 0;
}

/* Return: does a line of the allow-list match it? Without a list, everything is allowed */
static bool is_allowed(const char *key)
{
	cleanup_free char *list = NULL;
	char *save = NULL;
	bool found = false;

	if (up_file_read(ALLOW_LIST, ALLOW_LIST_MAX, &list, NULL) < 0)
		return access(ALLOW_LIST, F_OK) != 0;
	for (char *line = strtok_r(list, "\n", &save); line && !found;
	     line = strtok_r(NULL, "\n", &save)) {
		regex_t re;

		if (regcomp(&re, line, REG_EXTENDED | REG_NOSUB))
			continue;
		found = !regexec(&re, key, 0, NULL, 0);
		regfree(&re);
	}
	return found;
}

static int open_sysctl(const struct up_cni *c, const char *key, int flags, struct up_err *err)
{
	char name[SYSCTL_MAX], path[SYSCTL_MAX + 16];
	int fd;

	if (sysctl_path(key, c->env.ifname, name))
		return up_cni_fail(err, UP_CNI_BAD_CONFIG,
				   "sysctl: '%.80s' is not one of a network namespace", key);
	if (!is_allowed(key))
		return up_cni_fail(err, UP_CNI_BAD_CONFIG,
				   "sysctl: '%.80s' is not allowed by " ALLOW_LIST, key);
	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? up_fail(err, errno, "sysctl: %.80s", key) : fd;
}

static int write_sysctl(const struct up_cni *c, const char *key, const char *value,
			struct up_err *err)
{
	cleanup_fd int fd = open_sysctl(c, key, O_WRONLY, err);

	if (fd < 0)
		return fd;
	if (write(fd, value, strlen(value)) < 0)
		return up_fail(err, errno, "sysctl: %.80s: '%.80s'", key, value);
	return 0;
}

static int check_sysctl(const struct up_cni *c, const char *key, const char *value,
			struct up_err *err)
{
	cleanup_fd int fd = open_sysctl(c, key, O_RDONLY, err);
	char now[VALUE_MAX];
	ssize_t n = fd < 0 ? -1 : read(fd, now, sizeof(now) - 1);

	if (fd < 0)
		return fd;
	now[n > 0 ? n : 0] = '\0';
	now[strcspn(now, "\n")] = '\0';
	if (strcmp(now, value))
		return up_cni_fail(err, UP_CNI_DAMAGED, "sysctl %.80s is '%.80s', not '%.80s'", key,
				   now, value);
	return 0;
}

static int each_sysctl(const struct up_cni *c, int netns,
		       int (*fn)(const struct up_cni *c, const char *key, const char *value,
				 struct up_err *err),
		       struct up_err *err)
{
	cleanup_netns int old = -1;
	json_t *all = NULL, *value;
	const char *key;
	int ret = up_cni_get_object(c->conf, "sysctl", &all, err);

	if (!ret && json_object_size(all))
		ret = up_netns_enter(netns, &old, err);
	json_object_foreach (all, key, value) {
		if (!ret && !json_is_string(value))
			ret = up_cni_fail(err, UP_CNI_DECODE, "sysctl: %.80s: want a string", key);
		if (!ret)
			ret = fn(c, key, json_string_value(value), err);
	}
	return ret;
}

/* ---- the interface -----------------------------------------------------------------------------
 */

/**
 * struct tuning - what the interface is to be like
 * @link:    all but the MAC address
 * @mac:     all 0 to keep it
 */
struct tuning {
	struct up_link_change link;
	uint8_t mac[6];
};

static int parse_flag(const struct up_cni *c, const char *key, uint32_t flag,
		      struct up_link_change *change, struct up_err *err)
{
	bool set = false;
	int ret = up_cni_get_bool(c->conf, key, &set, err);

	if (ret || !up_cni_get(c->conf, key))
		return ret;
	change->flag_mask |= flag;
	change->flags |= set ? flag : 0;
	return 0;
}

static int parse_link(const struct up_cni *c, struct up_link_change *change, struct up_err *err)
{
	uint64_t mtu = 0, queue = 0;
	int ret = parse_flag(c, "promisc", IFF_PROMISC, change, err);

	if (!ret)
		ret = parse_flag(c, "allmulti", IFF_ALLMULTI, change, err);
	if (!ret)
		ret = up_cni_get_uint(c->conf, "mtu", 65535, &mtu, err);
	if (!ret)
		ret = up_cni_get_uint(c->conf, "txQLen", INT32_MAX, &queue, err);
	change->mtu = (uint32_t)mtu;
	change->tx_queue = (uint32_t)queue;
	change->set_tx_queue = up_cni_get(c->conf, "txQLen");
	return ret;
}

static int parse_tuning(const struct up_cni *c, struct tuning *t, struct up_err *err)
{
	const char *mac = "";
	int ret = parse_link(c, &t->link, err);

	if (!ret)
		ret = up_cni_get_string(c->conf, "mac", &mac, err);
	if (!ret && *mac && up_cni_mac_parse(mac, t->mac))
		ret = up_cni_fail(err, UP_CNI_BAD_CONFIG,
				  "mac: '%.40s' is not the MAC address of one station", mac);
	return ret ? ret : up_cni_choose_mac(c, t->mac, err);
}

static bool changes_link(const struct tuning *t)
{
	return t->link.mtu || t->link.set_tx_queue || t->link.flag_mask;
}

static bool changes_mac(const struct tuning *t)
{
	static const uint8_t none[6];

	return memcmp(t->mac, none, sizeof(none));
}

static int change_link(const struct up_cni *c, int netns, const struct tuning *t,
		       struct up_err *err)
{
	cleanup_nl struct up_nl *nl = NULL;
	struct up_link link;
	int ret = up_nl_open_in(NETLINK_ROUTE, netns, &nl, err);

	if (!ret)
		ret = up_link_get(nl, c->env.ifname, 0, &link, err);
	return ret ? ret : up_link_change(nl, link.ifindex, &t->link, err);
}

/* The result says what the interface is like now. */
static json_t *describe(const struct up_cni *c, const struct tuning *t)
{
	json_t *result = json_deep_copy(c->prev), *interface;
	size_t i;

	json_array_foreach (up_cni_get(result, "interfaces"), i, interface) {
		const char *name = json_string_value(up_cni_get(interface, "name"));
		const char *sandbox = json_string_value(up_cni_get(interface, "sandbox"));

		if (!name || strcmp(name, c->env.ifname) || !sandbox || !*sandbox)
			continue;
		if (changes_mac(t))
			json_object_set_new(interface, "mac", up_cni_mac_json(t->mac));
		if (t->link.mtu)
			json_object_set_new(interface, "mtu", json_integer(t->link.mtu));
	}
	return result;
}

/* ---- verbs -------------------------------------------------------------------------------------
 */

static int tune(const struct up_cni *c, struct up_datapath *dp, const char *endpoint,
		const struct tuning *t, struct up_err *err)
{
	cleanup_fd int netns = up_cni_netns_open(c, err);
	int ret = netns < 0 ? netns : each_sysctl(c, netns, write_sysctl, err);

	if (!ret && changes_link(t))
		ret = change_link(c, netns, t, err);
	if (!ret && changes_mac(t))
		ret = up_endpoint_set_mac(dp, endpoint, netns, c->env.ifname, t->mac, err);
	return ret;
}

static int tuning_add(struct up_cni *c, json_t **ret_result, struct up_err *err)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	char name[UP_NAME_MAX + 1];
	struct tuning t = {};
	int ret = up_cni_prev_needed(c, err);

	if (!ret)
		ret = parse_tuning(c, &t, err);
	if (ret)
		return ret;
	ret = up_cni_ours(c, &dp, name, ret_result, err);
	if (ret <= 0)
		return ret;
	ret = tune(c, dp, name, &t, err);
	if (!ret)
		*ret_result = describe(c, &t);
	return ret;
}

static int check_link(const struct up_cni *c, int netns, const struct tuning *t, struct up_err *err)
{
	cleanup_nl struct up_nl *nl = NULL;
	struct up_link link;
	int ret = up_nl_open_in(NETLINK_ROUTE, netns, &nl, err);

	if (!ret)
		ret = up_link_get(nl, c->env.ifname, 0, &link, err);
	if (ret)
		return ret;
	if ((t->link.mtu && t->link.mtu != link.mtu) ||
	    ((link.flags ^ t->link.flags) & t->link.flag_mask) ||
	    (changes_mac(t) && memcmp(t->mac, link.mac, sizeof(link.mac))))
		return up_cni_fail(err, UP_CNI_DAMAGED, "%s is no longer as it was tuned",
				   c->env.ifname);
	return 0;
}

static int tuning_check(struct up_cni *c, struct up_err *err)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	cleanup_fd int netns = -1;
	char name[UP_NAME_MAX + 1];
	struct tuning t = {};
	int ret = up_cni_prev_needed(c, err);

	if (!ret)
		ret = parse_tuning(c, &t, err);
	if (ret)
		return ret;
	ret = up_cni_ours(c, &dp, name, NULL, err);
	if (ret <= 0)
		return ret;
	netns = up_cni_netns_open(c, err);
	ret = netns < 0 ? netns : each_sysctl(c, netns, check_sysctl, err);
	return ret ? ret : check_link(c, netns, &t, err);
}

/* What was tuned is the interface, or the namespace, that goes. */
const struct up_cni_plugin up_cni_tuning = {
	"tuning", tuning_add, up_cni_chained_del, tuning_check, NULL, NULL,
};
