// SPDX-License-Identifier: GPL-2.0-only
#include "core/network.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "core/maps.h"
#include "net/link.h"

#define RECORD_MAX 4096
#define SUFFIX     ".json"

/* Where a network without a given range looks for one: 10.216.0.0/24, 10.216.1.0/24 and so on. */
#define POOL4      0x0ad80000U
#define POOL4_STEP 0x100U
#define POOL4_SIZE 1024
#define POOL4_PLEN 24
#define POOL6_PLEN 64

static const uint8_t plen_min[UP_FAMILIES] = {8, 16}, plen_max[UP_FAMILIES] = {29, 120};

/* Names that mean something else to "run". */
static const char *const reserved[] = {UP_NETWORK_DEFAULT, "host", "none", "bridge", "default"};

/* ---- records ----------------------------------------------------------------------------------
 */

static void dir_of(char buf[PATH_MAX])
{
	snprintf(buf, PATH_MAX, "%s/networks", up_run_dir());
}

static void path_of(const char *name, char buf[PATH_MAX])
{
	snprintf(buf, PATH_MAX, "%s/networks/%s" SUFFIX, up_run_dir(), name);
}

static void free_json(json_t **json)
{
	json_decref(*json);
}
#define cleanup_json __up_cleanup(free_json)

static json_t *pack_range(const struct up_network *net, enum up_family f)
{
	char subnet[UP_ADDR_TEXT], gateway[UP_ADDR_TEXT];

	if (!net->subnet[f].plen)
		return NULL;
	return json_pack("{s:o, s:s}", "subnet",
			 json_sprintf("%s/%u", up_addr_format(&net->subnet[f].addr, subnet),
				      net->subnet[f].plen),
			 "gateway", up_addr_format(&net->gateway[f], gateway));
}

static int write_record(const struct up_network *net, struct up_err *err)
{
	cleanup_json json_t *json =
		json_pack("{s:i, s:b, s:I, s:o*, s:o*}", "id", net->id, "internal", net->internal,
			  "mtu", (json_int_t)net->mtu, "ipv4", pack_range(net, UP_V4), "ipv6",
			  pack_range(net, UP_V6));
	cleanup_free char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
	char path[PATH_MAX];
	int ret;

	if (!text)
		return up_fail(err, ENOMEM, "write a record");
	dir_of(path);
	ret = up_mkdir_p(path, 0700, err);
	if (ret)
		return ret;
	path_of(net->name, path);
	return up_file_write(path, text, strlen(text), 0600, err);
}

static bool is_inside(const struct up_cidr *subnet, const struct up_addr *addr)
{
	struct up_addr first = up_addr_offset(&subnet->addr, 0);

	return up_addr_family(addr) == up_addr_family(&first) && up_cidr_contains(subnet, addr) &&
	       !up_addr_equal(addr, &first);
}

static int unpack_range(const json_t *json, enum up_family f, struct up_network *net)
{
	const char *subnet, *gateway;

	if (!json)
		return 0;
	if (json_unpack((json_t *)json, "{s:s, s:s}", "subnet", &subnet, "gateway", &gateway) ||
	    up_cidr_parse(subnet, &net->subnet[f]) || up_addr_parse(gateway, &net->gateway[f]) ||
	    up_addr_family(&net->subnet[f].addr) != f ||
	    up_network_check_subnet(&net->subnet[f], NULL) ||
	    !is_inside(&net->subnet[f], &net->gateway[f]))
		return -EBADMSG;
	return 0;
}

int up_network_parse(const char *text, size_t len, struct up_network *net)
{
	struct up_network n = *net;
	cleanup_json json_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	const json_t *range[UP_FAMILIES] = {NULL, NULL};
	json_int_t id, mtu;
	int internal;

	if (!json ||
	    json_unpack(json, "{s:I, s:b, s:I, s?o, s?o}", "id", &id, "internal", &internal, "mtu",
			&mtu, "ipv4", &range[UP_V4], "ipv6", &range[UP_V6]))
		return -EBADMSG;
	if (id < 1 || id > UP_NETWORK_ID_MAX || mtu < 0 || mtu > 65535)
		return -EBADMSG;
	n.id = (uint16_t)id;
	n.mtu = (uint32_t)mtu;
	n.internal = internal;
	for (enum up_family f = UP_V4; f < UP_FAMILIES; f++)
		if (unpack_range(range[f], f, &n))
			return -EBADMSG;
	*net = n;
	return 0;
}

static int read_record(const char *name, struct up_network *ret, struct up_err *err)
{
	struct up_network net = {};
	cleanup_free char *text = NULL;
	char path[PATH_MAX];
	ssize_t len;

	path_of(name, path);
	len = up_file_read(path, RECORD_MAX, &text, err);
	if (len == -ENOENT)
		return up_fail_msg(err, ENOENT, "network %.80s: no such network", name);
	if (len < 0)
		return up_wrap(err, "network %.80s", name);
	if (up_network_parse(text, (size_t)len, &net))
		return up_fail_msg(err, EBADMSG,
				   "network %.80s: its record %s cannot be read; remove it with "
				   "'underpass network rm'",
				   name, path);
	snprintf(net.name, sizeof(net.name), "%s", name);
	*ret = net;
	return 0;
}

/* ---- looking ----------------------------------------------------------------------------------
 */

struct up_network up_network_of_conf(const struct up_config *conf)
{
	struct up_network net = {.name = UP_NETWORK_DEFAULT};

	for (enum up_family f = UP_V4; f < UP_FAMILIES; f++) {
		if (!conf->plen[f])
			continue;
		net.subnet[f] = (struct up_cidr){conf->subnet[f], (uint8_t)conf->plen[f]};
		net.gateway[f] = up_addr_offset(&conf->subnet[f], 1);
	}
	return net;
}

int up_network_get(const struct up_datapath *dp, const char *name, struct up_network *ret,
		   struct up_err *err)
{
	int rc;

	if (!name || !strcmp(name, UP_NETWORK_DEFAULT)) {
		*ret = up_network_of_conf(&dp->conf);
		return 0;
	}
	rc = up_name_check("network name", name, err);
	return rc ? rc : read_record(name, ret, err);
}

static int is_record(const struct dirent *e)
{
	size_t len = strlen(e->d_name), suffix = strlen(SUFFIX);

	return len > suffix && len - suffix <= UP_NAME_MAX &&
	       !strcmp(e->d_name + len - suffix, SUFFIX);
}

static int each_record(int (*fn)(const struct up_network *net, void *arg), void *arg,
		       struct up_err *err)
{
	struct dirent **names = NULL;
	char path[PATH_MAX];
	int n, ret = 0;

	dir_of(path);
	n = scandir(path, &names, is_record, alphasort);
	if (n < 0)
		return errno == ENOENT ? 0 : up_fail(err, errno, "read %s", path);
	for (int i = 0; i < n; i++) {
		struct up_network net;
		char *name = names[i]->d_name;

		name[strlen(name) - strlen(SUFFIX)] = '\0';
		if (!ret)
			ret = read_record(name, &net, err);
		/* Removed meanwhile. */
		ret = ret == -ENOENT ? 0 : ret ? ret : fn(&net, arg);
		free(names[i]);
	}
	free(names);
	return ret;
}

int up_network_foreach(const struct up_datapath *dp,
		       int (*fn)(const struct up_network *net, void *arg), void *arg,
		       struct up_err *err)
{
	const struct up_network net = up_network_of_conf(&dp->conf);
	int ret = fn(&net, arg);

	return ret ? ret : each_record(fn, arg, err);
}

/* ---- what is taken ----------------------------------------------------------------------------
 */

static bool overlaps(const struct up_cidr *a, const struct up_cidr *b)
{
	return a->plen && b->plen &&
	       (up_cidr_contains(a, &b->addr) || up_cidr_contains(b, &a->addr));
}

/**
 * struct clash - who has a range, or a part of it
 * @range: the range
 * @what:  "network", "interface address"; NULL where nobody has
 * @name:  whose
 */
struct clash {
	const struct up_cidr *range;
	const char *what;
	char name[UP_ADDR_TEXT + UP_NAME_MAX];
};

static int clashes_with(const struct up_network *net, void *arg)
{
	struct clash *c = arg;

	for (enum up_family f = UP_V4; f < UP_FAMILIES; f++)
		if (overlaps(c->range, &net->subnet[f])) {
			c->what = "network";
			snprintf(c->name, sizeof(c->name), "%s", net->name);
			return -EEXIST;
		}
	return 0;
}

static int clashes_with_address(const struct up_ifaddr *addr, void *arg)
{
	const struct up_cidr net = {addr->addr, addr->plen};
	struct clash *c = arg;

	if (!overlaps(c->range, &net))
		return 0;
	c->what = "the host's address";
	up_addr_format(&addr->addr, c->name);
	return -EEXIST;
}

static int say_clash(const struct clash *c, int ret, struct up_err *err)
{
	char text[UP_ADDR_TEXT];

	if (!c->what)
		return ret;
	return up_fail_msg(err, EEXIST, "subnet %s/%u: overlaps %s %s",
			   up_addr_format(&c->range->addr, text), c->range->plen, c->what, c->name);
}

int up_network_conflict(const struct up_cidr *range, struct up_err *err)
{
	struct clash c = {.range = range};
	int ret = range->plen ? each_record(clashes_with, &c, err) : 0;

	return say_clash(&c, ret, err);
}

/* Of all networks and of the host itself. */
static int is_taken(const struct up_datapath *dp, struct up_nl *nl, const struct up_cidr *range,
		    struct up_err *err)
{
	struct clash c = {.range = range};
	int ret = up_network_foreach(dp, clashes_with, &c, err);

	if (!ret)
		ret = up_addr_foreach(nl, clashes_with_address, &c, err);
	return say_clash(&c, ret, err);
}

/* ---- making one -------------------------------------------------------------------------------
 */

int up_network_check_subnet(const struct up_cidr *subnet, struct up_err *err)
{
	enum up_family f = up_addr_family(&subnet->addr);
	char text[UP_ADDR_TEXT];

	up_addr_format(&subnet->addr, text);
	if (subnet->plen < plen_min[f] || subnet->plen > plen_max[f])
		return up_fail_msg(err, EINVAL, "subnet %s/%u: want a prefix of %u to %u bits",
				   text, subnet->plen, plen_min[f], plen_max[f]);
	if (up_addr_is_multicast(&subnet->addr) || up_addr_is_loopback(&subnet->addr) ||
	    up_addr_is_linklocal(&subnet->addr) || (f == UP_V4 && !subnet->addr.w[3]))
		return up_fail_msg(err, EINVAL, "subnet %s/%u: no addresses for containers", text,
				   subnet->plen);
	return 0;
}

static int pick_subnet4(const struct up_datapath *dp, struct up_nl *nl, struct up_cidr *ret,
			struct up_err *err)
{
	for (uint32_t i = 0; i < POOL4_SIZE; i++) {
		struct up_cidr net = {UP_MAPPED(htonl(POOL4 + i * POOL4_STEP)), POOL4_PLEN};
		int taken = is_taken(dp, nl, &net, err);

		if (taken == -EEXIST)
			continue;
		if (!taken)
			*ret = net;
		return taken;
	}
	return up_fail_msg(err, ENOSPC, "no subnet is free: name one with --subnet");
}

/* RFC 4193, 3.2: at random, so that it is nobody else's. */
static int pick_subnet6(struct up_cidr *ret, struct up_err *err)
{
	uint8_t bytes[16] = {0xfd};

	if (getrandom(bytes + 1, 5, 0) != 5)
		return up_fail(err, errno, "make up a subnet");
	*ret = (struct up_cidr){up_addr_from_bytes(bytes, sizeof(bytes)), POOL6_PLEN};
	return 0;
}

static int complete_subnets(const struct up_datapath *dp, struct up_nl *nl, struct up_network *net,
			    struct up_err *err)
{
	int ret = 0;

	if (!net->subnet[UP_V4].plen && !net->subnet[UP_V6].plen) {
		ret = pick_subnet4(dp, nl, &net->subnet[UP_V4], err);
		if (!ret && dp->conf.plen[UP_V6])
			ret = pick_subnet6(&net->subnet[UP_V6], err);
	}
	for (enum up_family f = UP_V4; !ret && f < UP_FAMILIES; f++) {
		if (!net->subnet[f].plen)
			continue;
		ret = up_network_check_subnet(&net->subnet[f], err);
		if (!ret)
			ret = is_taken(dp, nl, &net->subnet[f], err);
	}
	return ret;
}

static int complete_gateways(struct up_network *net, struct up_err *err)
{
	char text[UP_ADDR_TEXT];

	for (enum up_family f = UP_V4; f < UP_FAMILIES; f++) {
		const struct up_cidr *subnet = &net->subnet[f];
		struct up_addr *gateway = &net->gateway[f];

		if (!up_addr_set(gateway) && subnet->plen)
			*gateway = up_addr_offset(&subnet->addr, 1);
		if (up_addr_set(gateway) && (!subnet->plen || !is_inside(subnet, gateway)))
			return up_fail_msg(err, EINVAL, "gateway %s: in no subnet of the network",
					   up_addr_format(gateway, text));
	}
	return 0;
}

/* RFC 8200, section 5, asks 1280 of every link; RFC 791 asks 68. */
static int check_mtu(const struct up_network *net, struct up_err *err)
{
	uint32_t min = net->subnet[UP_V6].plen ? 1280 : 68;

	if (net->mtu && (net->mtu < min || net->mtu > 65535))
		return up_fail_msg(err, EINVAL, "MTU %u: want %u to 65535", net->mtu, min);
	return 0;
}

static bool endpoints_have(const struct up_datapath *dp, uint16_t id)
{
	for (uint32_t i = 1; i < UP_ENDPOINT_MAX; i++)
		if (dp->endpoints[i].state != UP_ENDPOINT_FREE && dp->endpoints[i].net == id)
			return true;
	return false;
}

static int mark_id(const struct up_network *net, void *arg)
{
	((bool *)arg)[net->id] = true;
	return 0;
}

static int pick_id(const struct up_datapath *dp, uint16_t *ret_id, struct up_err *err)
{
	bool used[UP_NETWORK_ID_MAX + 1] = {true};
	int ret = each_record(mark_id, used, err);

	if (ret)
		return ret;
	for (uint16_t id = 1; id <= UP_NETWORK_ID_MAX; id++)
		if (!used[id] && !endpoints_have(dp, id)) {
			*ret_id = id;
			return 0;
		}
	return up_fail_msg(err, ENOSPC, "all %d networks are used", UP_NETWORK_ID_MAX);
}

static int check_name(const char *name, struct up_err *err)
{
	char path[PATH_MAX];
	int ret = up_name_check("network name", name, err);

	if (ret)
		return ret;
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (!strcmp(name, reserved[i]))
			return up_fail_msg(err, EINVAL, "network %s: the name is reserved", name);
	path_of(name, path);
	return access(path, F_OK) ? 0 : up_fail_msg(err, EEXIST, "network %s: there is one", name);
}

int up_network_create(struct up_datapath *dp, struct up_network *net, struct up_err *err)
{
	cleanup_nl struct up_nl *nl = NULL;
	cleanup_fd int lock = up_lock(err);
	struct up_network n = *net;
	int ret = lock < 0 ? lock : check_name(n.name, err);

	if (!ret)
		ret = up_nl_open(NETLINK_ROUTE, &nl, err);
	if (!ret)
		ret = complete_subnets(dp, nl, &n, err);
	if (!ret)
		ret = complete_gateways(&n, err);
	if (!ret)
		ret = check_mtu(&n, err);
	if (!ret)
		ret = pick_id(dp, &n.id, err);
	if (!ret)
		ret = write_record(&n, err);
	if (!ret)
		*net = n;
	return ret;
}

int up_network_rm(struct up_datapath *dp, const char *name, struct up_err *err)
{
	cleanup_fd int lock = up_lock(err);
	struct up_network net = {};
	char path[PATH_MAX];
	int ret = lock < 0 ? lock : up_network_get(dp, name, &net, err);

	if (ret && ret != -EBADMSG)
		return ret;
	if (!ret && !net.id)
		return up_fail_msg(err, EBUSY, "network %s: it goes with 'underpass down'", name);
	if (!ret && endpoints_have(dp, net.id))
		return up_fail_msg(err, EBUSY, "network %s: endpoints are in it", name);
	path_of(name, path);
	return unlink(path) ? up_fail(err, errno, "remove %s", path) : 0;
}
