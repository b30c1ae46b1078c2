// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/container.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "core/datapath.h"
#include "core/members.h"

#define PATH_DEFAULT "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static int put(struct up_env *env, char *text)
{
	size_t len = strcspn(text, "=") + 1;

	for (size_t i = 0; i < env->n; i++)
		if (!strncmp(env->at[i], text, len)) {
			free(env->at[i]);
			env->at[i] = text;
			return 0;
		}
	if (env->n == UP_ENV_MAX)
		return -E2BIG;
	env->at[env->n++] = text;
	return 0;
}

int up_env_set(struct up_env *env, const char *text, struct up_err *err)
{
	const char *value = getenv(text);
	char *copy = NULL;
	int ret;

	if (!*text || *text == '=')
		return up_fail_msg(err, EINVAL, "environment '%s': want NAME=VALUE or NAME", text);
	if (strchr(text, '='))
		copy = strdup(text);
	else if (!value)
		return 0;
	else if (asprintf(&copy, "%s=%s", text, value) < 0)
		copy = NULL;
	ret = copy ? put(env, copy) : -ENOMEM;
	if (!ret)
		return 0;
	free(copy);
	return up_fail(err, ret, "environment '%s'", text);
}

void up_env_set_default(struct up_env *env, const char *text)
{
	size_t len = strcspn(text, "=");

	for (size_t i = 0; i < env->n; i++)
		if (!strncmp(env->at[i], text, len) && env->at[i][len] == '=')
			return;
	up_env_set(env, text, NULL);
}

void up_env_default(struct up_env *env, const char *hostname, bool terminal)
{
	char text[80];

	snprintf(text, sizeof(text), "HOSTNAME=%s", hostname);
	up_env_set_default(env, PATH_DEFAULT);
	up_env_set_default(env, text);
	if (terminal)
		up_env_set_default(env, getenv("TERM") ? "TERM" : "TERM=xterm");
}

void up_env_free(struct up_env *env)
{
	for (size_t i = 0; i < env->n; i++)
		free(env->at[i]);
	env->n = 0;
}

int up_container_wait_end(const struct up_container *c, int timeout_ms)
{
	cleanup_fd int fd = up_process_open(&c->monitor);
	struct pollfd p = {fd, POLLIN, 0};
	int n;

	if (fd < 0)
		return 0;
	do {
		n = poll(&p, 1, timeout_ms);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n ? 0 : -ETIMEDOUT;
}

int up_container_purge(const char *name, struct up_err *err)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	int ret = up_datapath_open(&dp, err);

	if (!ret)
		ret = up_members_del(dp, name, err);
	if (ret && ret != -ENOENT)
		return ret;
	return up_container_remove(name, err);
}
