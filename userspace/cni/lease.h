/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Leases in host-local's format, so that a subnet can be shared with it:
 *
 *	DIR/lock			locked around every change
 *	DIR/10.1.2.3			"CONTAINERID\r\nIFNAME"
 *	DIR/last_reserved_ip.0		where the search in set 0 goes on
 */
#ifndef UP_CNI_LEASE_H
#define UP_CNI_LEASE_H

#include <stdbool.h>

#include "net/addr.h"

struct up_err;

#define UP_CNI_LEASE_DIR "/var/lib/cni/networks"

struct up_cni_leases;

/**
 * up_cni_leases_open() - open a network's leases, and wait for the lock
 * @dir:     of all networks; NULL for UP_CNI_LEASE_DIR
 * @network: its name
 * @make:    make what is missing
 *
 * Return: 0; -ENOENT where there is nothing and @make is false; or another -errno
 */
int up_cni_leases_open(const char *dir, const char *network, bool make, struct up_cni_leases **ret,
		       struct up_err *err);
void up_cni_leases_close(struct up_cni_leases **leases);

/** up_cni_lease_take() - Return: 0; -EEXIST where somebody has it; or another -errno */
int up_cni_lease_take(struct up_cni_leases *leases, const struct up_addr *addr, const char *id,
		      const char *ifname, struct up_err *err);

/** up_cni_lease_foreach() - every lease: @fn says whether it goes. Return: how many went */
int up_cni_lease_foreach(struct up_cni_leases *leases,
			 bool (*drop)(const struct up_addr *addr, const char *id,
				      const char *ifname, void *arg),
			 void *arg);

/** up_cni_lease_last() - where the last search in a set ended; UP_ANY where there was none */
struct up_addr up_cni_lease_last(struct up_cni_leases *leases, unsigned int set);
int up_cni_lease_set_last(struct up_cni_leases *leases, unsigned int set,
			  const struct up_addr *addr, struct up_err *err);

#endif
