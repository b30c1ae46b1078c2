/* SPDX-License-Identifier: GPL-2.0-only */
/* The files that tell a container who it is: /etc/hostname, /etc/hosts, /etc/resolv.conf. */
#ifndef UP_LAUNCH_ETCFILES_H
#define UP_LAUNCH_ETCFILES_H

#include <stdbool.h>
#include <stddef.h>

struct up_err;

/** struct up_words - a list of words, allocated; NULL-terminated unless empty */
struct up_words {
	size_t n;
	char **at;
};

/** up_words_add() - append a copy. Return: 0 or -ENOMEM */
int up_words_add(struct up_words *list, const char *word, struct up_err *err);

void up_words_free(struct up_words *list);

/**
 * struct up_etcfiles - what they say
 * @hostname:  the host name
 * @address, @address6: of the container; empty for none
 * @gateway:   stands in for "host-gateway" in @add_hosts
 * @host_net:  the host's network: its /etc/hosts and name servers as they are
 * @dns, @search, @options: take the place of those of the host's resolv.conf
 * @add_hosts: "NAME:ADDRESS"
 */
struct up_etcfiles {
	const char *hostname, *address, *address6, *gateway;
	bool host_net;
	struct up_words dns, search, options, add_hosts;
};

/** up_etcfiles_hosts() - text of /etc/hosts, allocated; NULL where memory is short */
char *up_etcfiles_hosts(const struct up_etcfiles *f);

/**
 * up_etcfiles_resolv() - text of /etc/resolv.conf, allocated; NULL where memory is short
 * @host: text of the host's. Name servers on the host's loopback are left out with a network of the
 *        container's own, where they cannot be reached; nobody else is asked in their place
 */
char *up_etcfiles_resolv(const struct up_etcfiles *f, const char *host);

/**
 * up_etcfiles_add_line(), up_etcfiles_remove_line() - change the /etc/hosts of a running container
 * @path: of the file, which it has mounted: it stays the same one
 *
 * Lines that it wrote itself stay as they are. Return: 0 or -errno
 */
int up_etcfiles_add_line(const char *path, const char *address, const char *hostname,
			 struct up_err *err);
int up_etcfiles_remove_line(const char *path, const char *address, struct up_err *err);

/** up_etcfiles_check_host() - is this a good --add-host? Return: 0 or -EINVAL */
int up_etcfiles_check_host(const char *text, struct up_err *err);

#endif
