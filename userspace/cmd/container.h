/* SPDX-License-Identifier: GPL-2.0-only */
/* What the commands that deal with containers share. */
#ifndef UP_CMD_CONTAINER_H
#define UP_CMD_CONTAINER_H

#include <stddef.h>

#include "launch/record.h"

struct up_err;

#define UP_ENV_MAX 256

/**
 * struct up_env - environment of a command, under construction
 * @n:    how many are set
 * @at:   "NAME=VALUE", allocated; NULL-terminated
 */
struct up_env {
	size_t n;
	char *at[UP_ENV_MAX + 1];
};

/** up_env_default() - what every command gets unless it is set: PATH, HOSTNAME, TERM with a
 * terminal */
void up_env_default(struct up_env *env, const char *hostname, bool terminal);

/**
 * up_env_set() - set or replace a variable
 * @text: "NAME=VALUE", or "NAME" to take the caller's value (nothing where it has none), as docker
 * Return: 0 or -EINVAL
 */
int up_env_set(struct up_env *env, const char *text, struct up_err *err);

/** up_env_set_default() - up_env_set() unless it is set; what cannot be set is left out */
void up_env_set_default(struct up_env *env, const char *text);

void up_env_free(struct up_env *env);

/**
 * up_container_wait_end() - wait until the container's monitor has cleaned up
 * @c:          its record
 * @timeout_ms: -1 to wait for ever
 * Return: 0, -ETIMEDOUT, or another -errno
 */
int up_container_wait_end(const struct up_container *c, int timeout_ms);

/** up_container_purge() - remove the record and, after a crash, the endpoints. Return: 0 or
 * -errno */
int up_container_purge(const char *name, struct up_err *err);

#endif
