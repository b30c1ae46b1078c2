/* SPDX-License-Identifier: GPL-2.0-only */
/* System call filters. */
#ifndef UP_LAUNCH_SECCOMP_H
#define UP_LAUNCH_SECCOMP_H

#include <stddef.h>
#include <stdint.h>

struct up_err;

/** struct up_seccomp - a filter, compiled; n is 0 for none */
struct up_seccomp {
	size_t n;
	struct sock_filter *insns;
};

/**
 * up_seccomp_default() - docker's default profile
 * @caps: what the container has: a system call that needs a capability is allowed with it only
 * @ret:  to be freed by up_seccomp_free()
 * @err:  why it failed
 *
 * Return: 0 or -errno
 */
int up_seccomp_default(uint64_t caps, struct up_seccomp *ret, struct up_err *err);

/** up_seccomp_load() - filter this process from now on. Return: 0 or -errno */
int up_seccomp_load(const struct up_seccomp *filter, struct up_err *err);

/** up_seccomp_free() - free */
void up_seccomp_free(struct up_seccomp *filter);

#endif
