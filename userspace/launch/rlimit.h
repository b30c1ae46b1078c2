/* SPDX-License-Identifier: GPL-2.0-only */
/* Resource limits of a process, as in getrlimit(2). */
#ifndef UP_LAUNCH_RLIMIT_H
#define UP_LAUNCH_RLIMIT_H

#include <stddef.h>
#include <sys/resource.h>

struct up_err;

#define UP_RLIMITS_MAX 16

/** struct up_rlimits - what is to be set */
struct up_rlimits {
	size_t n;
	struct {
		int resource;
		struct rlimit value;
	} at[UP_RLIMITS_MAX];
};

/**
 * up_rlimit_parse() - "NAME=SOFT[:HARD]", docker's --ulimit
 * @text: "nofile=1024:2048"; -1 means without limit
 * @to:   the list it is added to
 *
 * Return: 0 or -EINVAL
 */
int up_rlimit_parse(const char *text, struct up_rlimits *to, struct up_err *err);

/** up_rlimit_add() - by name, "nofile" or "RLIMIT_NOFILE". Return: 0 or -EINVAL */
int up_rlimit_add(const char *name, rlim_t soft, rlim_t hard, struct up_rlimits *to,
		  struct up_err *err);

/** up_rlimits_set() - set them for the caller. Return: 0 or -errno */
int up_rlimits_set(const struct up_rlimits *limits, struct up_err *err);

#endif
