/* SPDX-License-Identifier: GPL-2.0-only */
/* Capabilities of what runs in a container. */
#ifndef UP_LAUNCH_CAPS_H
#define UP_LAUNCH_CAPS_H

#include <stdbool.h>
#include <stdint.h>

struct up_err;

/** struct up_caps - the five sets of capabilities(7), a bit for each capability */
struct up_caps {
	uint64_t bounding, effective, permitted, inheritable, ambient;
};

/** up_caps_default() - docker's default ones: notably without NET_ADMIN, SYS_ADMIN, SYS_PTRACE, BPF
 */
uint64_t up_caps_default(void);

/** up_caps_all() - every one that this process may have */
uint64_t up_caps_all(void);

/**
 * up_caps_parse() - a capability by name
 * @name:     "NET_ADMIN", "CAP_NET_ADMIN", in any case, or "ALL"
 * @ret_mask: its bit, or up_caps_all()
 * @err:      says that there is none of that name
 *
 * Return: 0 or -EINVAL
 */
int up_caps_parse(const char *name, uint64_t *ret_mask, struct up_err *err);

/** up_caps_name() - "CAP_NET_ADMIN"; NULL for a number that has none */
const char *up_caps_name(unsigned int number);

/** up_caps_bound() - give up for good what is not in the set. Return: 0 or -errno */
int up_caps_bound(uint64_t bounding, struct up_err *err);

/** up_caps_apply() - make the other four sets these. Return: 0 or -errno */
int up_caps_apply(const struct up_caps *caps, struct up_err *err);

/** up_caps_only() - keep only these, and never have others again; what cannot be is not told */
void up_caps_only(uint64_t mask);

#endif
