// SPDX-License-Identifier: GPL-2.0-only
#include "cni/ports.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cni/error.h"
#include "cni/json.h"

static const struct {
	const char *name;
	uint8_t proto;
} protocols[] = {{"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP}, {"sctp", IPPROTO_SCTP}};

static int parse_proto(const json_t *in, uint8_t *ret, struct up_err *err)
{
	const char *text = "tcp";
	int retval = up_cni_get_string(in, "protocol", &text, err);

	if (retval)
		return retval;
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		if (!strcasecmp(protocols[i].name, text)) {
			*ret = protocols[i].proto;
			return 0;
		}
	return up_cni_fail(err, UP_CNI_UNSUPPORTED,
			   "portMappings: protocol '%.20s': want tcp, udp or sctp", text);
}

static int parse_port(const json_t *in, const char *key, uint16_t *ret, struct up_err *err)
{
	const json_t *value = up_cni_get(in, key);
	json_int_t port = json_integer_value(value);

	if (value && !json_is_integer(value))
		return up_cni_fail(err, UP_CNI_DECODE, "portMappings: %s: want a number", key);
	if (port < 1 || port > 65535)
		return up_cni_fail(err, UP_CNI_BAD_CONFIG,
				   "portMappings: %s %lld is not from 1 to 65535", key,
				   (long long)port);
	*ret = (uint16_t)port;
	return 0;
}

static int parse_end(const json_t *in, struct up_publish *pub, struct up_err *err)
{
	int ret;

	pub->hi = pub->lo;
	if (!up_cni_get(in, "hostPortEnd"))
		return 0;
	ret = parse_port(in, "hostPortEnd", &pub->hi, err);
	if (!ret && (pub->hi < pub->lo || pub->to + (pub->hi - pub->lo) > 65535))
		ret = up_cni_fail(err, UP_CNI_BAD_CONFIG,
				  "portMappings: hostPortEnd %u does not fit hostPort %u and "
				  "containerPort %u",
				  pub->hi, pub->lo, pub->to);
	return ret;
}

/* Nothing is every address; 0.0.0.0 and :: are every one of their family. */
static int parse_host_ip(const json_t *in, struct up_addr *ret, struct up_err *err)
{
	const struct up_addr any = UP_ANY, any6 = UP_ANY_V6;
	const char *text = "";
	int retval = up_cni_get_string(in, "hostIP", &text, err);

	if (!retval)
		retval = up_cni_get_addr(in, "hostIP", ret, err);
	if (!retval && *text && up_addr_equal(ret, &any))
		*ret = any6;
	return retval;
}

static int parse_mapping(const json_t *in, struct up_publish *ret, struct up_err *err)
{
	struct up_publish pub = {.unreserved = true};
	int retval = json_is_object(in)
			     ? parse_port(in, "hostPort", &pub.lo, err)
			     : up_cni_fail(err, UP_CNI_DECODE, "portMappings: want objects");

	if (!retval)
		retval = parse_port(in, "containerPort", &pub.to, err);
	if (!retval)
		retval = parse_proto(in, &pub.proto, err);
	if (!retval)
		retval = parse_host_ip(in, &pub.addr, err);
	if (!retval)
		retval = parse_end(in, &pub, err);
	if (!retval)
		*ret = pub;
	return retval;
}

static int by_port(const void *a, const void *b)
{
	const struct up_publish *x = a, *y = b;
	int cmp = x->proto - y->proto;

	if (!cmp)
		cmp = memcmp(&x->addr, &y->addr, sizeof(x->addr));
	if (!cmp)
		cmp = x->lo - y->lo;
	return cmp ? cmp : x->to - y->to;
}

/* Does @b begin where @a ends, or is it in it already? */
static bool continues(const struct up_publish *a, const struct up_publish *b)
{
	return a->proto == b->proto && up_addr_equal(&a->addr, &b->addr) && b->lo <= a->hi + 1 &&
	       b->to - a->to == b->lo - a->lo;
}

static size_t join(struct up_publish *pubs, size_t n)
{
	size_t last = 0;

	if (!n)
		return 0;
	qsort(pubs, n, sizeof(*pubs), by_port);
	for (size_t i = 1; i < n; i++) {
		if (continues(&pubs[last], &pubs[i]))
			pubs[last].hi = pubs[i].hi > pubs[last].hi ? pubs[i].hi : pubs[last].hi;
		else
			pubs[++last] = pubs[i];
	}
	return last + 1;
}

int up_cni_ports_parse(const struct up_cni *c, struct up_publish_list *ret, struct up_err *err)
{
	cleanup_publish_list struct up_publish_list list = {};
	json_t *mappings = NULL, *in;
	int retval = c->runtime ? up_cni_get_array(c->runtime, "portMappings", &mappings, err) : 0;
	size_t i;

	if (retval || !json_array_size(mappings))
		return retval;
	list.pubs = calloc(json_array_size(mappings), sizeof(*list.pubs));
	if (!list.pubs)
		return up_cni_fail(err, UP_CNI_FULL, "portMappings: out of memory");
	json_array_foreach (mappings, i, in) {
		retval = parse_mapping(in, &list.pubs[i], err);
		if (retval)
			return retval;
		list.n = i + 1;
	}
	list.n = join(list.pubs, list.n);
	*ret = list;
	list = (struct up_publish_list){};
	return 0;
}
