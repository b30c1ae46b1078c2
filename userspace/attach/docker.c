// SPDX-License-Identifier: GPL-2.0-only
/* Docker, by the API on its socket: DOCKER_HOST where that is unix://PATH, else the usual place. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/engine.h"
#include "attach/http.h"
#include "base/cleanup.h"
#include "base/err.h"

#define SOCKET_USUAL "/run/docker.sock"
#define UNIX_SCHEME  "unix://"

/* {"type":["container","network"],"event":["start","die","connect","disconnect"]} */
#define EVENTS_PATH                                                                               \
	"/events?filters=%7B%22type%22%3A%5B%22container%22%2C%22network%22%5D%2C%22event%22%3A%" \
	"5B"                                                                                      \
	"%22start%22%2C%22die%22%2C%22connect%22%2C%22disconnect%22%5D%7D"

static const char *socket_path(void)
{
	const char *host = secure_getenv("DOCKER_HOST");

	return host && !strncmp(host, UNIX_SCHEME, strlen(UNIX_SCHEME)) ? host + strlen(UNIX_SCHEME)
									: SOCKET_USUAL;
}

static int not_there(int ret)
{
	return ret == -ENOENT || ret == -ECONNREFUSED ? -EHOSTDOWN : ret;
}

static int docker_find(const char *name, struct up_container *ret_c, struct up_err *err)
{
	cleanup_free char *body = NULL;
	char path[256];
	size_t len;
	int ret;

	snprintf(path, sizeof(path), "/containers/%.128s/json", name);
	ret = up_http_get(socket_path(), path, &body, &len, err);
	if (ret < 0)
		return not_there(ret);
	if (ret == 404)
		return up_fail_msg(err, ENOENT, "docker has no container %s", name);
	if (ret != 200)
		return up_fail_msg(err, EPROTO, "docker answers %d about container %s", ret, name);
	ret = up_container_parse(body, len, ret_c, err);
	return ret ? up_wrap(err, "docker") : 0;
}

static int docker_list(int (*fn)(const struct up_container *c, void *arg), void *arg,
		       struct up_err *err)
{
	cleanup_free char *body = NULL;
	size_t len;
	int ret = up_http_get(socket_path(), "/containers/json", &body, &len, err);

	if (ret < 0)
		return not_there(ret);
	if (ret != 200)
		return up_fail_msg(err, EPROTO, "docker answers %d", ret);
	return up_engine_foreach(&up_docker, body, len, fn, arg, err);
}

static int docker_events(pid_t *ret_pid, struct up_err *err)
{
	int status = 0;
	cleanup_fd int fd = up_http_open(socket_path(), EVENTS_PATH, &status, err);

	if (fd < 0)
		return not_there(fd);
	if (status != 200)
		return up_fail_msg(err, EPROTO, "docker answers %d to a wish for events", status);
	*ret_pid = 0;
	return take_fd(&fd);
}

const struct up_engine up_docker = {
	.name = "docker",
	.find = docker_find,
	.list = docker_list,
	.events = docker_events,
};
