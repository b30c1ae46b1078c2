/* SPDX-License-Identifier: GPL-2.0-only */
/* Who runs a command, by the container's own /etc/passwd and /etc/group. */
#ifndef UP_LAUNCH_USER_H
#define UP_LAUNCH_USER_H

#include <limits.h>
#include <stddef.h>
#include <sys/types.h>

struct up_err;

#define UP_GROUPS_MAX 64

/** struct up_user - ids of a process; @home is its directory, "/" where none is known */
struct up_user {
	uid_t uid;
	gid_t gid;
	gid_t groups[UP_GROUPS_MAX];
	size_t n_groups;
	char home[PATH_MAX];
};

/**
 * up_user_resolve() - "NAME|UID[:GROUP|GID]", in the container
 * @text:  as docker's --user; NULL for root
 * @extra: more groups, by name or id, as docker's --group-add
 * @n:     how many
 * @ret:   the user; without a group of @text also the groups that /etc/group puts it into
 * @err:   says what is unknown
 *
 * Return: 0 or -errno
 */
int up_user_resolve(const char *text, char *const *extra, size_t n, struct up_user *ret,
		    struct up_err *err);

/** up_user_become() - change all ids, keeping capabilities. Return: 0 or -errno */
int up_user_become(const struct up_user *user, struct up_err *err);

#endif
