// SPDX-License-Identifier: GPL-2.0-only
#include "core/portspec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"

#define FROM_FILE_MAX (8U << 20) /* bytes of a file of networks */

static const struct {
	const char *name;
	uint8_t proto;
	bool publishable;
} protos[] = {
	{"tcp", IPPROTO_TCP, true},        {"udp", IPPROTO_UDP, true},
	{"sctp", IPPROTO_SCTP, true},      {"icmp", IPPROTO_ICMP, false},
	{"icmpv6", IPPROTO_ICMPV6, false},
};

const char *up_proto_name(uint8_t proto)
{
	for (size_t i = 0; i < sizeof(protos) / sizeof(protos[0]); i++)
		if (protos[i].proto == proto)
			return protos[i].name;
	return "?";
}

static int parse_proto(const char *s, uint8_t *ret_proto)
{
	for (size_t i = 0; i < sizeof(protos) / sizeof(protos[0]); i++)
		if (protos[i].publishable && !strcmp(protos[i].name, s)) {
			*ret_proto = protos[i].proto;
			return 0;
		}
	return -EINVAL;
}

/**
 * struct spec - a text that is being read
 * @text:   all of it, for messages
 * @pub:    what it says, but for the protocol
 * @protos: its protocols
 * @n:      how many
 * @err:    where to complain
 */
struct spec {
	const char *text;
	struct up_publish pub;
	uint8_t protos[UP_PORTSPEC_PROTOS];
	size_t n;
	struct up_err *err;
};

/* ---- ports ------------------------------------------------------------------------------------
 */

/* 1 to 65535, digits only; *s moves behind it. */
static int parse_port(const char **s, uint16_t *ret_port)
{
	size_t digits = strspn(*s, "0123456789");
	unsigned long port = strtoul(*s, NULL, 10);

	if (digits < 1 || digits > 5 || port < 1 || port > 65535)
		return -EINVAL;
	*s += digits;
	*ret_port = (uint16_t)port;
	return 0;
}

/* PORT or PORT-END, the whole string. */
static int parse_range(const char *s, uint16_t *ret_lo, uint16_t *ret_hi)
{
	if (parse_port(&s, ret_lo))
		return -EINVAL;
	*ret_hi = *ret_lo;
	if (*s == '-') {
		s++;
		if (parse_port(&s, ret_hi) || *ret_hi < *ret_lo)
			return -EINVAL;
	}
	return *s ? -EINVAL : 0;
}

/* ADDR: IPv4, or IPv6 in brackets. The unspecified one means all of its family. */
static int parse_address(struct spec *s, char *text)
{
	const struct up_addr any = UP_ANY;
	size_t len = strlen(text);
	bool six = len > 2 && text[0] == '[' && text[len - 1] == ']';
	struct up_addr addr;

	if (six) {
		text[len - 1] = '\0';
		text++;
	}
	if (up_addr_parse(text, &addr) || six == up_addr_is_v4(&addr))
		return up_fail_msg(s->err, EINVAL,
				   "port '%s': '%s' is not an IPv4 address, nor an IPv6 one in "
				   "brackets",
				   s->text, text);
	s->pub.addr = up_addr_equal(&addr, &any) ? UP_ANY_V6 : addr;
	return 0;
}

/* The host's side: HOST or ADDR:HOST, where HOST may be empty for a free one */
static int parse_host(struct spec *s, char *host)
{
	char *colon = strrchr(host, ':'), *bracket = strchr(host, ']');
	const char *range = host;
	int ret = 0;

	if (bracket && colon && colon < bracket)
		colon = NULL;
	if (colon) {
		*colon = '\0';
		range = colon + 1;
		ret = parse_address(s, host);
	}
	s->pub.any = !*range;
	if (ret || s->pub.any)
		return ret;
	if (parse_range(range, &s->pub.lo, &s->pub.hi))
		return up_fail_msg(s->err, EINVAL,
				   "port '%s': host port '%s' is not 1 to 65535, or a range LO-HI",
				   s->text, range);
	return 0;
}

static int parse_ports(struct spec *s, char *head)
{
	char *colon = strrchr(head, ':'), *container = colon ? colon + 1 : head;
	uint16_t to_hi;
	int ret = 0;

	if (parse_range(container, &s->pub.to, &to_hi))
		return up_fail_msg(
			s->err, EINVAL,
			"port '%s': container port '%s' is not 1 to 65535, or a range LO-HI",
			s->text, container);
	s->pub.lo = s->pub.to;
	s->pub.hi = to_hi;
	s->pub.any = !colon;
	if (colon) {
		*colon = '\0';
		ret = parse_host(s, head);
	}
	s->pub.to_one = s->pub.to == to_hi && s->pub.hi != s->pub.lo;
	if (ret || s->pub.to_one || s->pub.hi - s->pub.lo == to_hi - s->pub.to)
		return ret;
	return up_fail_msg(s->err, EINVAL,
			   "port '%s': %d host ports cannot map one to one to %d container ports",
			   s->text, s->pub.hi - s->pub.lo + 1, to_hi - s->pub.to + 1);
}

/* ---- what follows after commas ----------------------------------------------------------------
 */

static int add_proto(struct spec *s, const char *name)
{
	uint8_t proto;

	if (parse_proto(name, &proto))
		return up_fail_msg(s->err, EINVAL,
				   "port '%s': '%s' is not tcp, udp or sctp, nor share or "
				   "from=CIDR",
				   s->text, name);
	for (size_t i = 0; i < s->n; i++)
		if (s->protos[i] == proto)
			return up_fail_msg(s->err, EINVAL, "port '%s': %s twice", s->text, name);
	s->protos[s->n++] = proto;
	return 0;
}

static int add_source(struct spec *s, const char *text)
{
	struct up_publish *pub = &s->pub;
	struct up_cidr *more;

	/* Grows by doubling: there may be thousands. */
	if (!(pub->n_from & (pub->n_from - 1))) {
		more = reallocarray(pub->from, pub->n_from ? pub->n_from * 2 : 1, sizeof(*more));
		if (!more)
			return up_fail(s->err, ENOMEM, "port '%s'", s->text);
		pub->from = more;
	}
	if (up_cidr_parse(text, &pub->from[pub->n_from]))
		return up_fail_msg(s->err, EINVAL,
				   "port '%s': '%s' is not an address or a network in CIDR "
				   "notation",
				   s->text, text);
	pub->n_from++;
	return 0;
}

/* A network on each line; what follows '#' is for people. */
static int add_sources_of(struct spec *s, const char *path)
{
	cleanup_free char *data = NULL;
	ssize_t len = up_file_read(path, FROM_FILE_MAX, &data, s->err);
	char *line, *rest;
	int ret = 0;

	if (len < 0)
		return up_wrap(s->err, "port '%s'", s->text);
	for (line = strtok_r(data, "\n", &rest); line && !ret; line = strtok_r(NULL, "\n", &rest)) {
		line[strcspn(line, "#\r")] = '\0';
		line += strspn(line, " \t");
		line[strcspn(line, " \t")] = '\0';
		if (*line)
			ret = add_source(s, line);
	}
	if (!ret && !s->pub.n_from)
		return up_fail_msg(s->err, EINVAL, "port '%s': no network in %s", s->text, path);
	return ret;
}

static int parse_from(struct spec *s, const char *value)
{
	return *value == '@' ? add_sources_of(s, value + 1) : add_source(s, value);
}

/* Protocols first, then options; networks may only follow "from=". */
static int parse_tail(struct spec *s, char *tail)
{
	bool in_from = false, in_protos = s->n > 0;
	char *token, *rest;
	int ret = 0;

	for (token = strtok_r(tail, ",", &rest); token && !ret;
	     token = strtok_r(NULL, ",", &rest)) {
		bool from = !strncmp(token, "from=", 5);

		if (!strcmp(token, "share"))
			s->pub.share = true;
		else if (from || (in_from && strpbrk(token, ".:")))
			ret = parse_from(s, from ? token + 5 : token);
		else if (in_protos && !in_from && s->n < UP_PORTSPEC_PROTOS)
			ret = add_proto(s, token);
		else
			ret = up_fail_msg(s->err, EINVAL,
					  "port '%s': '%s' is not share or from=CIDR", s->text,
					  token);
		in_from |= from;
	}
	return ret;
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static int parse(struct spec *s, char *buf)
{
	char *comma = strchr(buf, ','), *slash;
	int ret = 0;

	if (comma)
		*comma = '\0';
	slash = strchr(buf, '/');
	if (slash) {
		*slash = '\0';
		ret = add_proto(s, slash + 1);
	}
	if (!ret)
		ret = parse_ports(s, buf);
	if (!ret && comma)
		ret = parse_tail(s, comma + 1);
	if (!ret && !s->n)
		s->protos[s->n++] = IPPROTO_TCP;
	return ret;
}

/* A range for each protocol; each with networks of its own, so that each can be freed. */
static int append(struct spec *s, struct up_publish_list *list)
{
	struct up_publish *more = reallocarray(list->pubs, list->n + s->n, sizeof(*more));

	if (!more)
		return up_fail(s->err, ENOMEM, "port '%s'", s->text);
	list->pubs = more;
	for (size_t i = 0; i < s->n; i++) {
		struct up_publish *pub = &list->pubs[list->n];
		size_t bytes = s->pub.n_from * sizeof(*pub->from);

		*pub = s->pub;
		pub->proto = s->protos[i];
		pub->from = bytes ? malloc(bytes) : NULL;
		if (bytes && !pub->from)
			return up_fail(s->err, ENOMEM, "port '%s'", s->text);
		if (bytes)
			memcpy(pub->from, s->pub.from, bytes);
		list->n++;
	}
	return 0;
}

int up_portspec_parse(const char *text, struct up_publish_list *list, struct up_err *err)
{
	struct spec s = {.text = text, .err = err};
	cleanup_free char *buf = strdup(text);
	int ret;

	if (!buf)
		return up_fail(err, ENOMEM, "port '%s'", text);
	ret = parse(&s, buf);
	if (!ret)
		ret = append(&s, list);
	free(s.pub.from);
	return ret;
}

void up_publish_list_free(struct up_publish_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->pubs[i].from);
	free(list->pubs);
	*list = (struct up_publish_list){};
}

static int format_range(char *buf, size_t size, uint16_t lo, uint16_t hi)
{
	return lo == hi ? snprintf(buf, size, "%u", lo) : snprintf(buf, size, "%u-%u", lo, hi);
}

/* docker prints a port of every address as one of 0.0.0.0, and another one of [::]. */
static void format_address(const struct up_addr *addr, char buf[UP_ADDR_TEXT + 2])
{
	char text[UP_ADDR_TEXT];

	if (!up_addr_set(addr))
		strcpy(buf, "*");
	else if (up_addr_is_v4(addr))
		snprintf(buf, UP_ADDR_TEXT + 2, "%s", up_addr_format(addr, text));
	else
		snprintf(buf, UP_ADDR_TEXT + 2, "[%s]", up_addr_format(addr, text));
}

void up_portspec_format(const struct up_publish *pub, char buf[UP_PORTSPEC_TEXT])
{
	char addr[UP_ADDR_TEXT + 2], from[16], to[16];
	uint16_t to_hi = pub->to_one ? pub->to : (uint16_t)(pub->to + pub->hi - pub->lo);

	format_address(&pub->addr, addr);
	format_range(from, sizeof(from), pub->lo, pub->hi);
	format_range(to, sizeof(to), pub->to, to_hi);
	snprintf(buf, UP_PORTSPEC_TEXT, "%s:%s->%s/%s%s", addr, from, to, up_proto_name(pub->proto),
		 pub->share ? " shared" : "");
}
