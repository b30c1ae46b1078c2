// SPDX-License-Identifier: GPL-2.0-only
#include "base/paths.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define PATH_LIMIT 200

static const char *from_env(const char *name, const char *fallback)
{
	const char *value = secure_getenv(name);

	return value && *value ? value : fallback;
}

const char *up_pin_dir(void)
{
	return from_env(UP_PIN_DIR_ENV, UP_PIN_DIR_DEFAULT);
}

const char *up_run_dir(void)
{
	return from_env(UP_RUN_DIR_ENV, UP_RUN_DIR_DEFAULT);
}

/* A run directory that was moved takes the data along. */
const char *up_data_dir(void)
{
	static char moved[PATH_LIMIT + 8];
	const char *run = up_run_dir();

	if (!strcmp(run, UP_RUN_DIR_DEFAULT))
		return from_env(UP_DATA_DIR_ENV, UP_DATA_DIR_DEFAULT);
	snprintf(moved, sizeof(moved), "%s/data", run);
	return from_env(UP_DATA_DIR_ENV, moved);
}

static int check_one(const char *env, const char *path, struct up_err *err)
{
	if (path[0] == '/' && strlen(path) <= PATH_LIMIT && !strstr(path, ".."))
		return 0;
	return up_fail_msg(err, EINVAL,
			   "%s: want an absolute path of at most %d bytes without '..'", env,
			   PATH_LIMIT);
}

int up_paths_check(struct up_err *err)
{
	int ret = check_one(UP_PIN_DIR_ENV, up_pin_dir(), err);

	if (!ret)
		ret = check_one(UP_RUN_DIR_ENV, up_run_dir(), err);
	return ret ? ret : check_one(UP_DATA_DIR_ENV, from_env(UP_DATA_DIR_ENV, "/"), err);
}

#define ALNUM "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

int up_name_check(const char *what, const char *name, struct up_err *err)
{
	size_t len = strlen(name);

	if (len <= UP_NAME_MAX && strspn(name, ALNUM) && strspn(name, ALNUM "_.-") == len)
		return 0;
	return up_fail_msg(
		err, EINVAL,
		"%s '%.80s': want 1 to %d of [a-zA-Z0-9_.-], the first a letter or digit", what,
		name, UP_NAME_MAX);
}
