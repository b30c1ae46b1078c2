// SPDX-License-Identifier: GPL-2.0-only
#include "launch/user.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"

/* Ids beyond this would be -1 somewhere. Return: is it a number? */
static bool number(const char *text, uint32_t *ret)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || n > INT32_MAX)
		return false;
	*ret = (uint32_t)n;
	return true;
}

/* Hostile: a pipe there must not hold us up. */
static FILE *open_regular(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode))
		return fdopen(fd, "r");
	up_close_fd(&fd);
	return NULL;
}

static bool find_user(const char *name, const uint32_t *uid, struct up_user *u)
{
	cleanup_file FILE *f = open_regular("/etc/passwd");
	const struct passwd *p;

	while (f && (p = fgetpwent(f)))
		if (uid ? p->pw_uid == *uid : !strcmp(p->pw_name, name)) {
			u->uid = p->pw_uid;
			u->gid = p->pw_gid;
			snprintf(u->home, sizeof(u->home), "%s", p->pw_dir);
			return true;
		}
	return false;
}

static bool find_group(const char *name, gid_t *ret)
{
	cleanup_file FILE *f = open_regular("/etc/group");
	const struct group *g;

	while (f && (g = fgetgrent(f)))
		if (!strcmp(g->gr_name, name)) {
			*ret = g->gr_gid;
			return true;
		}
	return false;
}

static int add_group(struct up_user *u, gid_t gid)
{
	if (u->n_groups == UP_GROUPS_MAX)
		return -E2BIG;
	u->groups[u->n_groups++] = gid;
	return 0;
}

/* The groups of which the user is a member by name. */
static int add_memberships(struct up_user *u, const char *name)
{
	cleanup_file FILE *f = open_regular("/etc/group");
	const struct group *g;
	int ret = 0;

	while (f && !ret && (g = fgetgrent(f)))
		for (char **member = g->gr_mem; *member && !ret; member++)
			if (!strcmp(*member, name))
				ret = add_group(u, g->gr_gid);
	return ret;
}

static int group_of(const char *text, gid_t *ret, struct up_err *err)
{
	if (number(text, ret) || find_group(text, ret))
		return 0;
	return up_fail_msg(err, ENOENT, "group '%s': not in the container's /etc/group", text);
}

static int resolve_name(const char *name, struct up_user *u, struct up_err *err)
{
	uint32_t uid;

	if (number(name, &uid)) {
		u->uid = uid; /* need not be in the file */
		find_user(NULL, &uid, u);
		return 0;
	}
	if (find_user(name, NULL, u))
		return 0;
	return up_fail_msg(err, ENOENT, "user '%s': not in the container's /etc/passwd", name);
}

int up_user_resolve(const char *text, char *const *extra, size_t n, struct up_user *ret,
		    struct up_err *err)
{
	cleanup_free char *name = strdup(text ?: "0");
	char *group = name ? strchr(name, ':') : NULL;
	struct up_user u = {.home = "/"};
	int failed;

	if (!name)
		return up_fail(err, ENOMEM, "user");
	if (group)
		*group++ = '\0';
	failed = resolve_name(name, &u, err);
	if (!failed && group)
		failed = group_of(group, &u.gid, err);
	else if (!failed && add_memberships(&u, name))
		failed = up_fail(err, E2BIG, "groups of user '%s'", name);
	for (size_t i = 0; i < n && !failed; i++) {
		gid_t gid = 0;

		failed = group_of(extra[i], &gid, err);
		if (!failed && add_group(&u, gid))
			failed = up_fail(err, E2BIG, "groups of user '%s'", name);
	}
	if (!failed)
		*ret = u;
	return failed;
}

int up_user_become(const struct up_user *user, struct up_err *err)
{
	prctl(PR_SET_KEEPCAPS, 1);
	if (setgroups(user->n_groups, user->groups) || setresgid(user->gid, user->gid, user->gid) ||
	    setresuid(user->uid, user->uid, user->uid))
		return up_fail(err, errno, "become user %u", user->uid);
	prctl(PR_SET_KEEPCAPS, 0);
	return 0;
}
