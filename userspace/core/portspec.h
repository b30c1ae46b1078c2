/* SPDX-License-Identifier: GPL-2.0-only */
/* Published ports as people write them: [ADDR:][HOST[-END]:]CONTAINER[-END][/PROTO] */
#ifndef UP_CORE_PORTSPEC_H
#define UP_CORE_PORTSPEC_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

struct up_err;

/**
 * struct up_publish - one published range
 * @addr:  host address, network byte order; 0.0.0.0 for every address of the host
 * @proto: IPPROTO_TCP or IPPROTO_UDP
 * @lo:    first host port, host byte order
 * @hi:    last host port, inclusive
 * @to:    container port that @lo maps to; the range is mapped one to one from there
 */
struct up_publish {
	struct in_addr addr;
	uint8_t proto;
	uint16_t lo, hi, to;
};

#define UP_PORTSPEC_MAX 64 /* longest text of one, with its NUL */

/**
 * up_portspec_parse() - read docker's -p syntax
 * @text:    "8080:80", "127.0.0.1:8080:80/udp", "8000-8100:8000-8100", "80" (the same port)
 * @ret_pub: the parsed range
 * @err:     names the text and what is wrong with it
 *
 * Return: 0 or -EINVAL
 */
int up_portspec_parse(const char *text, struct up_publish *ret_pub, struct up_err *err);

/**
 * up_portspec_format() - write it back: "0.0.0.0:8080->80/tcp", docker's words
 * @pub: a parsed range
 * @buf: at least UP_PORTSPEC_MAX bytes
 */
void up_portspec_format(const struct up_publish *pub, char buf[UP_PORTSPEC_MAX]);

/** up_proto_name() - "tcp", "udp", "icmp", or "?" */
const char *up_proto_name(uint8_t proto);

#endif
