// SPDX-License-Identifier: GPL-2.0-only
#include "core/allow.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "core/maps.h"
#include "core/porttab.h"

#define LIST_BITS   32
#define MAPPED_BITS 96

static struct up_allow_key key_of(uint32_t list, const struct up_cidr *net)
{
	return (struct up_allow_key){
		.plen = LIST_BITS + net->plen + (up_addr_is_v4(&net->addr) ? MAPPED_BITS : 0U),
		.list = htonl(list),
		.addr = net->addr,
	};
}

static struct up_cidr cidr_of(const struct up_allow_key *key)
{
	struct up_cidr net = {.addr = key->addr};

	net.plen = (uint8_t)(key->plen - LIST_BITS - (up_addr_is_v4(&net.addr) ? MAPPED_BITS : 0U));
	return net;
}

int up_allow_list_add(struct up_datapath *dp, uint32_t list, const struct up_cidr *net,
		      struct up_err *err)
{
	struct up_allow_key key = key_of(list, net);
	uint8_t one = 1;

	if (!bpf_map_update_elem(dp->map[UP_MAP_allow], &key, &one, BPF_ANY))
		return 0;
	return up_fail(err, errno, "list of sources: at most %d networks in all", UP_ALLOW_MAX);
}

static bool is_named(const struct up_datapath *dp, uint32_t list)
{
	const struct up_port_half *half = up_porttab_active(dp->ports);

	for (uint32_t i = 0; i < half->count && i < UP_PORT_ROWS; i++)
		if (half->rows[i].allow == list)
			return true;
	return false;
}

static uint32_t highest_list(const struct up_datapath *dp)
{
	const struct up_port_half *half = up_porttab_active(dp->ports);
	uint32_t list = UP_ALLOW_DENY_ALL;

	for (uint32_t i = 0; i < half->count && i < UP_PORT_ROWS; i++)
		if (half->rows[i].allow > list)
			list = half->rows[i].allow;
	return list;
}

static bool any_sources(const struct up_publish *pubs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (pubs[i].n_from)
			return true;
	return false;
}

int up_allow_add(struct up_datapath *dp, struct up_publish *pubs, size_t n, struct up_err *err)
{
	uint32_t list = highest_list(dp);
	int ret = 0;

	/* What a dead command left must not become part of a new list. */
	if (any_sources(pubs, n))
		ret = up_allow_gc(dp, err);
	for (size_t i = 0; !ret && i < n; i++) {
		if (!pubs[i].n_from)
			continue;
		pubs[i].allow = ++list;
		for (size_t j = 0; !ret && j < pubs[i].n_from; j++)
			ret = up_allow_list_add(dp, list, &pubs[i].from[j], err);
	}
	return ret;
}

/**
 * struct unnamed - networks of lists that no range names
 * @keys: to be removed, after the walk that deleting would disturb
 * @n:    how many
 */
struct unnamed {
	struct up_allow_key keys[UP_ALLOW_MAX];
	size_t n;
};

static void find_unnamed(struct up_datapath *dp, struct unnamed *u)
{
	uint32_t known = UP_ALLOW_DENY_ALL, list;
	struct up_allow_key key, *prev = NULL, last;
	bool keep = true;

	for (; !bpf_map_get_next_key(dp->map[UP_MAP_allow], prev, &key); prev = &last) {
		list = ntohl(key.list);
		if (list != known) {
			known = list;
			keep = list == UP_ALLOW_DENY_ALL || is_named(dp, list);
		}
		if (!keep && u->n < UP_ALLOW_MAX)
			u->keys[u->n++] = key;
		last = key;
	}
}

int up_allow_gc(struct up_datapath *dp, struct up_err *err)
{
	struct up_allow_key first;
	cleanup_free struct unnamed *u = NULL;

	if (bpf_map_get_next_key(dp->map[UP_MAP_allow], NULL, &first))
		return 0;
	u = calloc(1, sizeof(*u));
	if (!u)
		return up_fail(err, ENOMEM, "remove a list of sources");
	find_unnamed(dp, u);
	for (size_t i = 0; i < u->n; i++)
		if (bpf_map_delete_elem(dp->map[UP_MAP_allow], &u->keys[i]))
			return up_fail(err, errno, "remove a list of sources");
	return 0;
}

int up_allow_foreach(struct up_datapath *dp, uint32_t list,
		     int (*fn)(const struct up_cidr *net, void *arg), void *arg)
{
	struct up_allow_key key, *prev = NULL, last;
	int ret = 0;

	while (!ret && !bpf_map_get_next_key(dp->map[UP_MAP_allow], prev, &key)) {
		struct up_cidr net = cidr_of(&key);

		if (key.list == htonl(list))
			ret = fn(&net, arg);
		last = key;
		prev = &last;
	}
	return ret;
}

int up_allow_list_del(struct up_datapath *dp, uint32_t list, const struct up_cidr *net,
		      struct up_err *err)
{
	struct up_allow_key key = key_of(list, net);

	if (!bpf_map_delete_elem(dp->map[UP_MAP_allow], &key))
		return 0;
	return up_fail(err, errno, "list of sources");
}

static int is_this(const struct up_cidr *net, void *arg)
{
	const struct up_cidr *this = arg;

	return net->plen == this->plen && up_addr_equal(&net->addr, &this->addr);
}

/* A lookup would find any prefix that covers it. */
bool up_allow_list_has(struct up_datapath *dp, uint32_t list, const struct up_cidr *net)
{
	struct up_cidr this = *net;

	return up_allow_foreach(dp, list, is_this, &this);
}

bool up_allow_list_covers(struct up_datapath *dp, uint32_t list, const struct up_addr *addr)
{
	const struct up_cidr net = {*addr, up_addr_is_v4(addr) ? 32 : 128};
	struct up_allow_key key = key_of(list, &net);
	uint8_t value;

	return !bpf_map_lookup_elem(dp->map[UP_MAP_allow], &key, &value);
}
