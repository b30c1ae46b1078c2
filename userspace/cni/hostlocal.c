// SPDX-License-Identifier: GPL-2.0-only
#include "cni/hostlocal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "cni/error.h"
#include "cni/ipam.h"
#include "cni/json.h"
#include "cni/lease.h"
#include "cni/range.h"

#define RESOLV_CONF_MAX 65536

/* ---- what is asked for -------------------------------------------------------------------------
 */

static int request(struct up_cni_ips *all, const char *text, struct up_err *err)
{
	struct up_cni_ip ip = {.interface = -1};

	if (up_cni_parse_ip(text, &ip.addr, &ip.plen))
		return up_cni_fail(err, UP_CNI_BAD_CONFIG, "requested IP '%.60s' is not an address",
				   text);
	for (size_t i = 0; i < all->n; i++)
		if (up_addr_equal(&all->at[i].addr, &ip.addr))
			return 0;
	if (all->n == UP_CNI_IPS_MAX)
		return up_cni_fail(err, UP_CNI_BAD_CONFIG, "more than %d requested IPs",
				   UP_CNI_IPS_MAX);
	all->at[all->n++] = ip;
	return 0;
}

static int request_list(struct up_cni_ips *all, const json_t *holder, struct up_err *err)
{
	json_t *ips = NULL, *ip;
	int ret = up_cni_get_array(holder, "ips", &ips, err);
	size_t i;

	json_array_foreach (ips, i, ip) {
		if (!ret && !json_is_string(ip))
			ret = up_cni_fail(err, UP_CNI_DECODE, "ips: want strings");
		if (!ret)
			ret = request(all, json_string_value(ip), err);
	}
	return ret;
}

static const json_t *args_cni(const struct up_cni *c)
{
	const json_t *args = up_cni_get(c->conf, "args");

	return json_is_object(args) ? up_cni_get(args, "cni") : NULL;
}

int up_cni_requested_ips(const struct up_cni *c, struct up_cni_ips *ret, struct up_err *err)
{
	const json_t *args = args_cni(c);
	char list[256], *save = NULL;
	int retval = 0;

	ret->n = 0;
	if (c->runtime)
		retval = request_list(ret, c->runtime, err);
	if (!retval && json_is_object(args))
		retval = request_list(ret, args, err);
	if (!retval && up_cni_args_get(c->env.args, "IP", list, sizeof(list)))
		for (char *ip = strtok_r(list, ",", &save); ip && !retval;
		     ip = strtok_r(NULL, ",", &save))
			retval = request(ret, ip, err);
	return retval;
}

/* ---- giving out --------------------------------------------------------------------------------
 */

/**
 * struct pool - one ADD
 * @c:      the call
 * @ranges: of the configuration
 * @leases: locked
 * @want:   addresses that were asked for and not given yet
 */
struct pool {
	const struct up_cni *c;
	struct up_cni_ranges ranges;
	struct up_cni_leases *leases;
	struct up_cni_ips want;
};

static const char *data_dir(const json_t *ipam, struct up_err *err, int *ret)
{
	const char *dir = NULL;

	*ret = up_cni_get_string(ipam, "dataDir", &dir, err);
	return dir && *dir ? dir : NULL;
}

static int open_leases(const struct up_cni *c, const json_t *ipam, bool make,
		       struct up_cni_leases **ret, struct up_err *err)
{
	int retval;
	const char *dir = data_dir(ipam, err, &retval);

	return retval ? retval : up_cni_leases_open(dir, c->name, make, ret, err);
}

static int take(struct pool *p, const struct up_addr *addr, struct up_err *err)
{
	return up_cni_lease_take(p->leases, addr, p->c->env.container_id, p->c->env.ifname, err);
}

static struct up_cni_ip lease_of(const struct up_cni_range *r, const struct up_addr *addr)
{
	return (struct up_cni_ip){
		.addr = *addr,
		.plen = r->subnet.plen,
		.gateway = r->gateway,
		.interface = -1,
	};
}

static int take_wanted(struct pool *p, const struct up_cni_range *r, const struct up_addr *addr,
		       struct up_cni_ip *ret, struct up_err *err)
{
	char text[UP_ADDR_TEXT];
	int retval;

	up_addr_format(addr, text);
	if (up_addr_equal(addr, &r->gateway))
		return up_cni_fail(err, UP_CNI_TAKEN, "requested ip %s is subnet's gateway", text);
	retval = take(p, addr, err);
	if (retval == -EEXIST)
		return up_cni_fail(err, UP_CNI_TAKEN,
				   "requested IP address %s is not available: somebody has it",
				   text);
	if (!retval)
		*ret = lease_of(r, addr);
	return retval;
}

/* From where the last search ended, once round. */
static int take_next(struct pool *p, unsigned int set, struct up_cni_ip *ret, struct up_err *err)
{
	struct up_addr last = up_cni_lease_last(p->leases, set);
	struct up_addr addr = up_cni_ranges_next(&p->ranges, set, &last), start = addr;

	do {
		const struct up_cni_range *r = up_cni_range_of(&p->ranges, set, &addr);
		int retval = up_addr_equal(&addr, &r->gateway) ? -EEXIST : take(p, &addr, err);

		if (!retval) {
			*ret = lease_of(r, &addr);
			return up_cni_lease_set_last(p->leases, set, &addr, err);
		}
		if (retval != -EEXIST)
			return retval;
		addr = up_cni_ranges_next(&p->ranges, set, &addr);
	} while (!up_addr_equal(&addr, &start));
	return up_cni_fail(err, UP_CNI_FULL, "no IP addresses available in range set %u of %s", set,
			   p->c->name);
}

static int take_for_set(struct pool *p, unsigned int set, struct up_cni_ip *ret, struct up_err *err)
{
	for (size_t i = 0; i < p->want.n; i++) {
		const struct up_addr addr = p->want.at[i].addr;
		const struct up_cni_range *r = up_cni_range_of(&p->ranges, set, &addr);

		if (!r)
			continue;
		p->want.at[i] = p->want.at[--p->want.n];
		return take_wanted(p, r, &addr, ret, err);
	}
	return take_next(p, set, ret, err);
}

static bool is_own(const struct up_addr *addr, const char *id, const char *ifname, void *arg)
{
	const struct up_cni *c = arg;

	(void)addr;
	return !strcmp(id, c->env.container_id) && !strcmp(ifname, c->env.ifname);
}

struct search {
	const struct up_cni *c;
	bool found;
};

static bool note_own(const struct up_addr *addr, const char *id, const char *ifname, void *arg)
{
	struct search *s = arg;

	if (is_own(addr, id, ifname, (void *)s->c))
		s->found = true;
	return false;
}

static int take_all(struct pool *p, json_t *ips, struct up_err *err)
{
	struct search s = {p->c, false};
	char text[UP_ADDR_TEXT];
	int ret = 0;

	up_cni_lease_foreach(p->leases, note_own, &s);
	if (s.found)
		return up_cni_fail(err, UP_CNI_TAKEN,
				   "%.64s has an address for %s already, duplicate allocation is "
				   "not allowed",
				   p->c->env.container_id, p->c->env.ifname);
	for (unsigned int set = 0; !ret && set < p->ranges.sets; set++) {
		struct up_cni_ip ip;

		ret = take_for_set(p, set, &ip, err);
		if (!ret)
			json_array_append_new(ips, up_cni_ip_json(&ip));
	}
	if (!ret && p->want.n)
		ret = up_cni_fail(err, UP_CNI_BAD_CONFIG,
				  "requested IP %s is in no range of %s that is left",
				  up_addr_format(&p->want.at[0].addr, text), p->c->name);
	if (ret)
		up_cni_lease_foreach(p->leases, is_own, (void *)p->c);
	return ret;
}

/* ---- the rest of the result --------------------------------------------------------------------
 */

/* resolv.conf(5), as far as a result has room for it. */
static void add_resolv_line(json_t *dns, char *line)
{
	char *save = NULL, *key = strtok_r(line, " \t", &save), *word;
	const char *list = !key                         ? NULL
			   : !strcmp(key, "nameserver") ? "nameservers"
			   : !strcmp(key, "search")     ? "search"
			   : !strcmp(key, "options")    ? "options"
							: NULL;

	while (key && (list || !strcmp(key, "domain")) && (word = strtok_r(NULL, " \t", &save))) {
		if (!list) {
			json_object_set_new(dns, "domain", json_string(word));
			continue;
		}
		if (!json_object_get(dns, list))
			json_object_set_new(dns, list, json_array());
		json_array_append_new(json_object_get(dns, list), json_string(word));
	}
}

static int read_resolv_conf(const json_t *ipam, json_t *result, struct up_err *err)
{
	const char *path = "";
	cleanup_free char *text = NULL;
	char *save = NULL;
	json_t *dns;
	int ret = up_cni_get_string(ipam, "resolvConf", &path, err);

	if (ret || !*path)
		return ret;
	if (up_file_read(path, RESOLV_CONF_MAX, &text, err) < 0)
		return -err->code;
	dns = json_object();
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		add_resolv_line(dns, line);
	json_object_set_new(result, "dns", dns);
	return 0;
}

static int add_routes(const json_t *ipam, json_t *result, struct up_err *err)
{
	json_t *routes = NULL, *in;
	struct up_cni_route route;
	int ret = up_cni_get_array(ipam, "routes", &routes, err);
	size_t i;

	json_array_foreach (routes, i, in)
		if (!ret)
			ret = up_cni_route_parse(in, &route, err);
	if (!ret && routes)
		json_object_set_new(result, "routes", json_deep_copy(routes));
	return ret;
}

int up_cni_hostlocal_add(const struct up_cni *c, const json_t *ipam, json_t **ret_result,
			 struct up_err *err)
{
	__up_cleanup(up_cni_leases_close) struct up_cni_leases *leases = NULL;
	cleanup_free struct pool *p = calloc(1, sizeof(*p));
	json_t *ips = json_array();
	json_auto_t *result = json_pack("{s:o}", "ips", ips);
	int ret;

	if (!p || !result)
		return up_fail(err, ENOMEM, "addresses");
	p->c = c;
	ret = up_cni_ranges_parse(ipam, c->runtime, c->version, &p->ranges, err);
	if (!ret)
		ret = up_cni_requested_ips(c, &p->want, err);
	if (!ret)
		ret = add_routes(ipam, result, err);
	if (!ret)
		ret = read_resolv_conf(ipam, result, err);
	if (!ret)
		ret = open_leases(c, ipam, true, &leases, err);
	p->leases = leases;
	if (!ret)
		ret = take_all(p, ips, err);
	if (!ret)
		*ret_result = json_incref(result);
	return ret;
}

/* ---- the other verbs ---------------------------------------------------------------------------
 */

int up_cni_hostlocal_check(const struct up_cni *c, const json_t *ipam, struct up_err *err)
{
	__up_cleanup(up_cni_leases_close) struct up_cni_leases *leases = NULL;
	struct search s = {c, false};
	int ret = open_leases(c, ipam, false, &leases, err);

	if (ret && ret != -ENOENT)
		return ret;
	if (leases)
		up_cni_lease_foreach(leases, note_own, &s);
	if (!s.found)
		return up_cni_fail(err, UP_CNI_DAMAGED, "ipam: no address is leased to %.64s",
				   c->env.container_id);
	return 0;
}

struct owner {
	const char *id, *ifname;
	bool with_ifname;
};

static bool is_owners(const struct up_addr *addr, const char *id, const char *ifname, void *arg)
{
	const struct owner *o = arg;

	(void)addr;
	return !strcmp(id, o->id) && (o->with_ifname ? !strcmp(ifname, o->ifname) : !*ifname);
}

/* Leases of older versions do not say which interface: they go only where no other does. */
int up_cni_hostlocal_release(const struct up_cni *c, const json_t *ipam, const char *id,
			     const char *ifname, struct up_err *err)
{
	__up_cleanup(up_cni_leases_close) struct up_cni_leases *leases = NULL;
	struct owner o = {id, ifname, true};
	int ret = open_leases(c, ipam, false, &leases, err);

	if (ret)
		return ret == -ENOENT ? 0 : ret;
	if (up_cni_lease_foreach(leases, is_owners, &o))
		return 0;
	o.with_ifname = false;
	up_cni_lease_foreach(leases, is_owners, &o);
	return 0;
}

static bool is_stale(const struct up_addr *addr, const char *id, const char *ifname, void *arg)
{
	(void)addr;
	return !up_cni_is_valid(arg, id, *ifname ? ifname : NULL);
}

int up_cni_hostlocal_gc(const struct up_cni *c, const json_t *ipam, struct up_err *err)
{
	__up_cleanup(up_cni_leases_close) struct up_cni_leases *leases = NULL;
	int ret = open_leases(c, ipam, false, &leases, err);

	if (ret)
		return ret == -ENOENT ? 0 : ret;
	up_cni_lease_foreach(leases, is_stale, (void *)c);
	return 0;
}

/* Could ADD write there? */
int up_cni_hostlocal_status(const struct up_cni *c, const json_t *ipam, struct up_err *err)
{
	struct up_cni_ranges ranges;
	int ret = up_cni_ranges_parse(ipam, c->runtime, c->version, &ranges, err);
	const char *dir = ret ? NULL : data_dir(ipam, err, &ret);

	if (ret)
		return ret;
	dir = dir ? dir : UP_CNI_LEASE_DIR;
	if (access(dir, W_OK) && (errno != ENOENT || up_mkdir_p(dir, 0755, NULL)))
		return up_cni_fail(err, UP_CNI_NOT_AVAILABLE, "ipam: cannot write to %.200s", dir);
	return 0;
}
