// SPDX-License-Identifier: GPL-2.0-only
#include "core/ports.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "core/allow.h"
#include "core/endpoint_priv.h"
#include "core/flows.h"
#include "core/maps.h"
#include "core/network.h"
#include "core/portfree.h"
#include "core/porttab.h"
#include "core/xdp.h"
#include "net/nl.h"
#include "net/sockdiag.h"

static const char *owner_name(const struct up_datapath *dp, const struct up_port_row *row)
{
	return row->endpoint < UP_ENDPOINT_MAX ? dp->endpoints[row->endpoint].name : "?";
}

/* What makes endpoints siblings: they are in one network namespace. */
struct family {
	const struct up_datapath *dp;
	uint64_t netns_cookie;
};

static bool is_sibling(uint16_t endpoint, const void *arg)
{
	const struct family *f = arg;

	return f->netns_cookie && endpoint < UP_ENDPOINT_MAX &&
	       f->dp->endpoints[endpoint].state == UP_ENDPOINT_LIVE &&
	       f->dp->endpoints[endpoint].netns_cookie == f->netns_cookie;
}

static int check_holder(const struct up_publish *pub, const char *text, struct up_err *err)
{
	uint16_t port;
	int ret = up_sockdiag_holder(pub->proto, &pub->addr, pub->lo, pub->hi, &port, err);

	if (ret)
		return up_wrap(err, "port %s", text);
	if (port)
		return up_fail_msg(err, EADDRINUSE,
				   "port %s: a socket of the host holds %s port %u", text,
				   up_proto_name(pub->proto), port);
	return 0;
}

static int check_one(struct up_datapath *dp, uint32_t endpoint, const struct up_siblings *siblings,
		     const struct up_publish *pub, struct up_err *err)
{
	const struct up_port_row *row =
		up_porttab_conflict(dp->ports, (uint16_t)endpoint, pub, siblings);
	char text[UP_PORTSPEC_TEXT], theirs[UP_PORTSPEC_TEXT];
	struct up_publish other;

	up_portspec_format(pub, text);
	if (row) {
		up_porttab_row(row, &other);
		up_portspec_format(&other, theirs);
		return up_fail_msg(err, EEXIST, "port %s: endpoint %.63s has %s", text,
				   owner_name(dp, row), theirs);
	}
	if (pub->proto == IPPROTO_SCTP && (pub->to_one || pub->to != pub->lo))
		return up_fail_msg(err, EOPNOTSUPP,
				   "port %s: SCTP's checksum covers its ports, so they cannot be "
				   "changed: publish the port that the container uses",
				   text);
	return pub->unreserved ? 0 : check_holder(pub, text, err);
}

int up_ports_check(struct up_datapath *dp, uint32_t endpoint, uint64_t netns_cookie,
		   struct up_publish *pubs, size_t n, struct up_err *err)
{
	const struct family family = {dp, netns_cookie};
	const struct up_siblings siblings = {is_sibling, &family};
	int ret = up_ports_choose(dp, pubs, n, err);

	for (size_t i = 0; !ret && i < n; i++)
		ret = check_one(dp, endpoint, &siblings, &pubs[i], err);
	return ret;
}

static void set_standby(const struct up_datapath *dp, uint32_t endpoint, struct up_publish *pubs,
			size_t n)
{
	const struct family family = {dp, dp->endpoints[endpoint].netns_cookie};
	const struct up_siblings siblings = {is_sibling, &family};

	for (size_t i = 0; i < n; i++)
		pubs[i].standby = up_porttab_sibling_has(dp->ports, &pubs[i], &siblings);
}

static int sync_xdp(struct up_datapath *dp, const struct up_publish *pubs, size_t n,
		    struct up_err *err)
{
	for (size_t i = 0; i < n; i++)
		if (pubs[i].n_from)
			return up_xdp_sync(dp, err);
	return 0;
}

/* Lists first, rows last: a crash in between leaves lists that no row names, which gc removes. */
int up_ports_publish(struct up_datapath *dp, uint32_t endpoint, const struct up_publish *pubs,
		     size_t n, struct up_err *err)
{
	cleanup_free struct up_publish *copy = n ? malloc(n * sizeof(*copy)) : NULL;
	int ret;

	if (!n)
		return 0;
	if (!copy)
		return up_fail(err, ENOMEM, "publish ports");
	memcpy(copy, pubs, n * sizeof(*copy));
	set_standby(dp, endpoint, copy, n);
	ret = up_allow_add(dp, copy, n, err);
	if (!ret)
		ret = up_porttab_add(dp->ports, (uint16_t)endpoint, copy, n, err);
	if (ret)
		up_allow_gc(dp, NULL);
	return ret ? ret : sync_xdp(dp, pubs, n, err);
}

static bool owned_by(const struct up_port_row *row, void *arg)
{
	return row->endpoint == *(uint32_t *)arg;
}

/* With the last list, XDP may have nothing more to do. */
static void drop_lists(struct up_datapath *dp)
{
	up_allow_gc(dp, NULL);
	up_xdp_sync(dp, NULL);
}

void up_ports_withdraw(struct up_datapath *dp, uint32_t endpoint)
{
	if (up_porttab_remove(dp->ports, owned_by, &endpoint))
		drop_lists(dp);
}

static int find_live(struct up_datapath *dp, const char *name, uint32_t *ret_id, struct up_err *err)
{
	uint32_t id = up_endpoint_find(dp, name);

	if (!id || dp->endpoints[id].state != UP_ENDPOINT_LIVE)
		return up_fail_msg(err, ENOENT, "endpoint %.80s: no such endpoint", name);
	*ret_id = id;
	return 0;
}

int up_port_add(struct up_datapath *dp, const char *name, const struct up_publish *pubs, size_t n,
		struct up_err *err)
{
	cleanup_free struct up_publish *own = malloc((n + !n) * sizeof(*own));
	cleanup_nl struct up_nl *nl = NULL;
	cleanup_fd int lock = up_lock(err);
	uint32_t id = 0;
	int ret = lock < 0 ? lock : find_live(dp, name, &id, err);

	if (!own)
		return up_fail(err, ENOMEM, "publish ports");
	memcpy(own, pubs, n * sizeof(*own));
	if (!ret && up_network_is_closed(dp->endpoints[id].net, dp->endpoints[id].flags))
		return up_fail_msg(
			err, EINVAL,
			"endpoint %.80s: its network is internal: no port can be published", name);
	if (!ret)
		ret = up_nl_open(NETLINK_ROUTE, &nl, err);
	if (!ret)
		ret = up_host_refresh(dp, nl, err);
	if (!ret)
		ret = up_ports_check(dp, id, dp->endpoints[id].netns_cookie, own, n, err);
	return ret ? ret : up_ports_publish(dp, id, own, n, err);
}

struct wanted {
	uint32_t endpoint;
	const struct up_publish *pub;
};

static bool is_wanted(const struct up_port_row *row, void *arg)
{
	const struct wanted *w = arg;
	struct up_publish pub;

	up_porttab_row(row, &pub);
	return row->endpoint == w->endpoint && pub.proto == w->pub->proto &&
	       up_addr_equal(&pub.addr, &w->pub->addr) && pub.lo == w->pub->lo &&
	       pub.hi == w->pub->hi && (!w->pub->to || pub.to == w->pub->to);
}

static int not_published(const char *name, const struct up_publish *pub, struct up_err *err)
{
	char text[UP_PORTSPEC_TEXT];

	up_portspec_format(pub, text);
	return up_fail_msg(err, ENOENT, "endpoint %.80s: port %s is not published", name, text);
}

int up_port_del(struct up_datapath *dp, const char *name, const struct up_publish *pub,
		struct up_err *err)
{
	struct wanted w = {.pub = pub};
	cleanup_fd int lock = up_lock(err);
	int ret = lock < 0 ? lock : find_live(dp, name, &w.endpoint, err);

	if (ret)
		return ret;
	if (!up_porttab_remove(dp->ports, is_wanted, &w))
		return not_published(name, pub, err);
	drop_lists(dp);
	return up_flows_end(dp, w.endpoint, pub, err);
}

int up_port_del_all(struct up_datapath *dp, const char *name, struct up_err *err)
{
	cleanup_fd int lock = up_lock(err);
	uint32_t id = 0;
	int ret = lock < 0 ? lock : find_live(dp, name, &id, err);

	if (ret)
		return ret;
	up_ports_withdraw(dp, id);
	return up_flows_end(dp, id, NULL, err);
}

static bool set_list(struct up_port_row *row, void *arg)
{
	struct wanted *w = arg;

	if (!is_wanted(row, w))
		return false;
	row->allow = w->pub->allow;
	return true;
}

/* The new list first; the old one goes when no row names it any more. */
int up_port_allow(struct up_datapath *dp, const char *name, const struct up_publish *pub,
		  struct up_err *err)
{
	struct up_publish copy = *pub;
	struct wanted w = {.pub = &copy};
	cleanup_fd int lock = up_lock(err);
	int ret = lock < 0 ? lock : find_live(dp, name, &w.endpoint, err);

	if (ret)
		return ret;
	ret = up_allow_add(dp, &copy, 1, err);
	if (!ret && !up_porttab_edit(dp->ports, set_list, &w))
		ret = not_published(name, pub, err);
	up_allow_gc(dp, NULL);
	return ret ? ret : up_xdp_sync(dp, err);
}

int up_port_drain(struct up_datapath *dp, const char *name, bool drain, struct up_err *err)
{
	cleanup_fd int lock = up_lock(err);
	uint32_t id = 0;
	int ret = lock < 0 ? lock : find_live(dp, name, &id, err);

	if (ret)
		return ret;
	if (drain)
		__atomic_or_fetch(&dp->endpoints[id].flags, UP_EP_DRAINED, __ATOMIC_RELAXED);
	else
		__atomic_and_fetch(&dp->endpoints[id].flags, ~(uint32_t)UP_EP_DRAINED,
				   __ATOMIC_RELAXED);
	return 0;
}

static int append_source(const struct up_cidr *net, void *arg)
{
	struct up_publish *pub = arg;
	struct up_cidr *more = reallocarray(pub->from, pub->n_from + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	pub->from = more;
	pub->from[pub->n_from++] = *net;
	return 0;
}

int up_port_foreach(struct up_datapath *dp,
		    int (*fn)(const struct up_publish *pub, const char *endpoint, void *arg),
		    void *arg)
{
	const struct up_port_half *half = up_porttab_active(dp->ports);
	struct up_publish pub;
	int ret = 0;

	for (uint32_t i = 0; !ret && i < half->count && i < UP_PORT_ROWS; i++) {
		up_porttab_row(&half->rows[i], &pub);
		if (pub.allow)
			ret = up_allow_foreach(dp, pub.allow, append_source, &pub);
		if (!ret)
			ret = fn(&pub, owner_name(dp, &half->rows[i]), arg);
		free(pub.from);
	}
	return ret;
}
