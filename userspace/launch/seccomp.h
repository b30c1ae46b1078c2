/* SPDX-License-Identifier: GPL-2.0-only */
/* System call filters. */
#ifndef UP_LAUNCH_SECCOMP_H
#define UP_LAUNCH_SECCOMP_H

#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>

struct up_err;

/* No mitigations switched on besides (SECCOMP_FILTER_FLAG_SPEC_ALLOW): as docker and runc, where
 * nothing else is said. */
#define UP_SECCOMP_FLAGS SECCOMP_FILTER_FLAG_SPEC_ALLOW

/**
 * struct up_seccomp - a filter, compiled
 * @n:     how many instructions; 0 for none
 * @flags: SECCOMP_FILTER_FLAG_*
 */
struct up_seccomp {
	size_t n;
	unsigned int flags;
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

/**
 * up_seccomp_export() - take over what libseccomp has compiled
 * @ctx: its scmp_filter_ctx
 * @ret: to be freed by up_seccomp_free(); without flags
 *
 * Return: 0 or -errno
 */
int up_seccomp_export(void *ctx, struct up_seccomp *ret);

/** up_seccomp_copy() - Return: 0 or -ENOMEM */
int up_seccomp_copy(const struct up_seccomp *from, struct up_seccomp *ret, struct up_err *err);

/** up_seccomp_load() - filter this process from now on. Return: 0 or -errno */
int up_seccomp_load(const struct up_seccomp *filter, struct up_err *err);

/** up_seccomp_free() - free */
void up_seccomp_free(struct up_seccomp *filter);

#endif
