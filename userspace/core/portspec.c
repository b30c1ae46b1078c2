// SPDX-License-Identifier: GPL-2.0-only
#include "core/portspec.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static const struct {
	const char *name;
	uint8_t proto;
	bool publishable;
} protos[] = {
	{"tcp", IPPROTO_TCP, true},
	{"udp", IPPROTO_UDP, true},
	{"icmp", IPPROTO_ICMP, false},
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

/* The host's side: nothing, HOST, or ADDR:HOST */
static int parse_host(char *host, struct up_publish *pub, struct up_err *err, const char *text)
{
	char *colon = strrchr(host, ':');
	const char *range = colon ? colon + 1 : host;

	if (colon) {
		*colon = '\0';
		if (inet_pton(AF_INET, host, &pub->addr) != 1)
			return up_fail_msg(err, EINVAL, "port '%s': '%s' is not an IPv4 address",
					   text, host);
	}
	if (parse_range(range, &pub->lo, &pub->hi))
		return up_fail_msg(err, EINVAL,
				   "port '%s': host port '%s' is not 1 to 65535, or a range LO-HI",
				   text, range);
	return 0;
}

static int check_lengths(const struct up_publish *pub, uint16_t to_hi, struct up_err *err,
			 const char *text)
{
	if (pub->hi - pub->lo == to_hi - pub->to)
		return 0;
	return up_fail_msg(err, EINVAL,
			   "port '%s': %d host ports cannot map one to one to %d container ports",
			   text, pub->hi - pub->lo + 1, to_hi - pub->to + 1);
}

int up_portspec_parse(const char *text, struct up_publish *ret_pub, struct up_err *err)
{
	struct up_publish pub = {.proto = IPPROTO_TCP};
	char buf[UP_PORTSPEC_MAX], *slash, *colon;
	uint16_t to_hi;
	int ret;

	if ((size_t)snprintf(buf, sizeof(buf), "%s", text) >= sizeof(buf))
		return up_fail_msg(err, EINVAL, "port '%.70s...': too long", text);
	slash = strchr(buf, '/');
	if (slash) {
		*slash = '\0';
		if (parse_proto(slash + 1, &pub.proto))
			return up_fail_msg(err, EINVAL, "port '%s': protocol is not tcp or udp",
					   text);
	}
	colon = strrchr(buf, ':');
	if (parse_range(colon ? colon + 1 : buf, &pub.to, &to_hi))
		return up_fail_msg(
			err, EINVAL,
			"port '%s': container port '%s' is not 1 to 65535, or a range LO-HI", text,
			colon ? colon + 1 : buf);
	pub.lo = pub.to;
	pub.hi = to_hi;
	if (colon) {
		*colon = '\0';
		ret = parse_host(buf, &pub, err, text);
		if (ret)
			return ret;
	}
	ret = check_lengths(&pub, to_hi, err, text);
	if (!ret)
		*ret_pub = pub;
	return ret;
}

static int format_range(char *buf, size_t size, uint16_t lo, uint16_t hi)
{
	return lo == hi ? snprintf(buf, size, "%u", lo) : snprintf(buf, size, "%u-%u", lo, hi);
}

void up_portspec_format(const struct up_publish *pub, char buf[UP_PORTSPEC_MAX])
{
	char addr[INET_ADDRSTRLEN], from[16], to[16];

	inet_ntop(AF_INET, &pub->addr, addr, sizeof(addr));
	format_range(from, sizeof(from), pub->lo, pub->hi);
	format_range(to, sizeof(to), pub->to, (uint16_t)(pub->to + pub->hi - pub->lo));
	snprintf(buf, UP_PORTSPEC_MAX, "%s:%s->%s/%s", addr, from, to, up_proto_name(pub->proto));
}
