/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Published ports as people write them:
 *
 *	[ADDR:][[HOST[-END]]:]CONTAINER[-END][/PROTO[,PROTO]...][,share][,from=CIDR[,CIDR]...]
 */
#ifndef UP_CORE_PORTSPEC_H
#define UP_CORE_PORTSPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "net/addr.h"

struct up_err;

/**
 * struct up_publish - one published range
 * @addr:   host address; UP_ANY for every address of the host, UP_ANY_V4 or UP_ANY_V6 for every one
 *          of a family
 * @proto:  IPPROTO_TCP, IPPROTO_UDP or IPPROTO_SCTP
 * @lo:     first host port, host byte order
 * @hi:     last host port, inclusive
 * @to:     container port that @lo maps to
 * @to_one: every port of the range maps to @to; else the range is mapped one to one from there
 * @any:    free host ports will do, as many as from @lo to @hi: see up_ports_choose()
 * @share:  other endpoints may publish the same range too
 * @unreserved: neither are the host's own sockets asked whether they hold it, nor kept from binding
 *          it: a container's runtime holds the ports with sockets of its own
 * @from:   sources that may use it; the caller's, who frees it
 * @n_from: how many; 0 for everyone
 * @allow:  number of the list that @from is kept in, 0 for none; up_ports_publish() fills it in
 * @standby: another endpoint of the same container serves it; up_ports_publish() fills it in
 */
struct up_publish {
	struct up_addr addr;
	uint8_t proto;
	uint16_t lo, hi, to;
	bool to_one, any, share, unreserved, standby;
	struct up_cidr *from;
	size_t n_from;
	uint32_t allow;
};

#define UP_PORTSPEC_PROTOS 3   /* ranges that one text may give: one for each protocol */
#define UP_PORTSPEC_TEXT   128 /* longest text that up_portspec_format() makes, with its NUL */

/**
 * struct up_publish_list - ranges, and the memory that they need
 * @pubs: ranges
 * @n:    how many
 */
struct up_publish_list {
	struct up_publish *pubs;
	size_t n;
};

void up_publish_list_free(struct up_publish_list *list);
#define cleanup_publish_list __up_cleanup(up_publish_list_free)

/**
 * up_portspec_parse() - read docker's -p syntax, and a little more, and append what it says
 * @text: "8080:80", "127.0.0.1:8080:80/udp", "[::1]:8080:80", "8000-8100:8000-8100", "8000-8100:80"
 *        (all of them to one), "80", ":80", "127.0.0.1::80" (@any; @lo and @hi are
 *        the container's), "53:53/tcp,udp", "80:80,from=10.0.0.0/8",
 *        "80:80,from=@FILE" (a network on each line), "80:80,share"
 * @list: appended to; nothing is, where an error is returned
 * @err:  names the text and what is wrong with it
 *
 * Return: 0, -EINVAL, or -errno of reading FILE
 */
int up_portspec_parse(const char *text, struct up_publish_list *list, struct up_err *err);

/**
 * up_portspec_format() - write it back: "0.0.0.0:8080->80/tcp", docker's words
 * @pub: a range
 * @buf: at least UP_PORTSPEC_TEXT bytes
 */
void up_portspec_format(const struct up_publish *pub, char buf[UP_PORTSPEC_TEXT]);

/** up_proto_name() - "tcp", "udp", "sctp", "icmp", or "?" */
const char *up_proto_name(uint8_t proto);

#endif
