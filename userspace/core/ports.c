// SPDX-License-Identifier: GPL-2.0-only
#include "core/ports.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "core/endpoint_priv.h"
#include "core/flows.h"
#include "core/maps.h"
#include "core/porttab.h"
#include "net/nl.h"
#include "net/sockdiag.h"

static const char *owner_name(const struct up_datapath *dp, const struct up_port_row *row)
{
	return row->endpoint < UP_ENDPOINT_MAX ? dp->endpoints[row->endpoint].name : "?";
}

static int check_one(struct up_datapath *dp, const struct up_publish *pub, struct up_err *err)
{
	const struct up_port_row *row = up_porttab_conflict(dp->ports, pub);
	char text[UP_PORTSPEC_MAX], theirs[UP_PORTSPEC_MAX];
	struct up_publish other;
	uint16_t port;
	int ret;

	up_portspec_format(pub, text);
	if (row) {
		up_porttab_row(row, &other);
		up_portspec_format(&other, theirs);
		return up_fail_msg(err, EEXIST, "port %s: endpoint %.63s has %s", text,
				   owner_name(dp, row), theirs);
	}
	ret = up_sockdiag_holder(pub->proto, pub->addr, pub->lo, pub->hi, &port, err);
	if (ret)
		return up_wrap(err, "port %s", text);
	if (port)
		return up_fail_msg(err, EADDRINUSE,
				   "port %s: a socket of the host holds %s port %u", text,
				   up_proto_name(pub->proto), port);
	return 0;
}

int up_ports_check(struct up_datapath *dp, const struct up_publish *pubs, size_t n,
		   struct up_err *err)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < n; i++)
		ret = check_one(dp, &pubs[i], err);
	return ret;
}

int up_ports_publish(struct up_datapath *dp, uint32_t endpoint, const struct up_publish *pubs,
		     size_t n, struct up_err *err)
{
	return up_porttab_add(dp->ports, (uint16_t)endpoint, pubs, n, err);
}

static bool owned_by(const struct up_port_row *row, void *arg)
{
	return row->endpoint == *(uint32_t *)arg;
}

void up_ports_withdraw(struct up_datapath *dp, uint32_t endpoint)
{
	up_porttab_remove(dp->ports, owned_by, &endpoint);
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
	cleanup_nl struct up_nl *nl = NULL;
	cleanup_fd int lock = up_lock(err);
	uint32_t id = 0;
	int ret = lock < 0 ? lock : find_live(dp, name, &id, err);

	if (!ret)
		ret = up_nl_open(NETLINK_ROUTE, &nl, err);
	if (!ret)
		ret = up_ports_check(dp, pubs, n, err);
	if (!ret)
		ret = up_host_refresh(dp, nl, err);
	return ret ? ret : up_ports_publish(dp, id, pubs, n, err);
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
	       pub.addr.s_addr == w->pub->addr.s_addr && pub.lo == w->pub->lo &&
	       pub.hi == w->pub->hi && (!w->pub->to || pub.to == w->pub->to);
}

int up_port_del(struct up_datapath *dp, const char *name, const struct up_publish *pub,
		struct up_err *err)
{
	struct wanted w = {.pub = pub};
	cleanup_fd int lock = up_lock(err);
	char text[UP_PORTSPEC_MAX];
	int ret = lock < 0 ? lock : find_live(dp, name, &w.endpoint, err);

	if (ret)
		return ret;
	if (!up_porttab_remove(dp->ports, is_wanted, &w)) {
		up_portspec_format(pub, text);
		return up_fail_msg(err, ENOENT, "endpoint %.80s: port %s is not published", name,
				   text);
	}
	return up_flows_end(dp, w.endpoint, pub, err);
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
		ret = fn(&pub, owner_name(dp, &half->rows[i]), arg);
	}
	return ret;
}
