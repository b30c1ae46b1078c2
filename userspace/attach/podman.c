// SPDX-License-Identifier: GPL-2.0-only
/*
 * Podman has no daemon; its command is asked. It finds its storage and settings by the environment,
 * which it therefore inherits.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

#include "attach/engine.h"
#include "attach/slurp.h"
#include "base/cleanup.h"
#include "base/err.h"

#define ANSWER_MAX (16 << 20)

/* Start "podman ...". Return: an fd of what it says, or -errno; -EHOSTDOWN where there is none */
static int start(char *const argv[], pid_t *ret_pid, struct up_err *err)
{
	posix_spawn_file_actions_t actions;
	int fds[2], ret;

	if (pipe2(fds, O_CLOEXEC))
		return up_fail(err, errno, "pipe");
	ret = posix_spawn_file_actions_init(&actions);
	if (!ret) {
		ret = posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
		if (!ret)
			ret = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null",
							       O_WRONLY, 0);
		if (!ret)
			ret = posix_spawnp(ret_pid, argv[0], &actions, NULL, argv, environ);
		posix_spawn_file_actions_destroy(&actions);
	}
	close(fds[1]);
	if (!ret)
		return fds[0];
	close(fds[0]);
	up_fail(err, ret, "start %s", argv[0]);
	return ret == ENOENT ? -EHOSTDOWN : -ret;
}

/* What it says and how it ends. Return: its exit status, or -errno */
static int ask(char *const argv[], char **ret_out, size_t *ret_len, struct up_err *err)
{
	int status = 0, ret;
	pid_t pid = 0;
	cleanup_fd int fd = start(argv, &pid, err);

	if (fd < 0)
		return fd;
	ret = up_slurp(fd, ANSWER_MAX, ret_out, ret_len, err);
	if (waitpid(pid, &status, 0) < 0)
		return up_fail(err, errno, "wait for %s", argv[0]);
	if (ret)
		return ret;
	return WIFEXITED(status) ? WEXITSTATUS(status)
				 : up_fail_msg(err, EPROTO, "podman was killed");
}

static int podman_find(const char *name, struct up_container *ret_c, struct up_err *err)
{
	char *const argv[] = {"podman", "container", "inspect",    "--format",
			      "json",   "--",        (char *)name, NULL};
	cleanup_free char *out = NULL;
	size_t len;
	int ret = ask(argv, &out, &len, err);

	if (ret < 0)
		return ret;
	if (ret)
		return up_fail_msg(err, ENOENT, "podman has no container %s", name);
	ret = up_container_parse(out, len, ret_c, err);
	return ret ? up_wrap(err, "podman") : 0;
}

static int podman_list(int (*fn)(const struct up_container *c, void *arg), void *arg,
		       struct up_err *err)
{
	char *const argv[] = {"podman", "ps", "--no-trunc", "--format", "json", NULL};
	cleanup_free char *out = NULL;
	size_t len;
	int ret = ask(argv, &out, &len, err);

	if (ret > 0)
		return up_fail_msg(err, EPROTO, "'podman ps' fails with status %d", ret);
	return ret ? ret : up_engine_foreach(&up_podman, out, len, fn, arg, err);
}

static int podman_events(pid_t *ret_pid, struct up_err *err)
{
	char *const argv[] = {"podman",      "events",   "--format",   "json", "--filter",
			      "event=start", "--filter", "event=died", NULL};

	return start(argv, ret_pid, err);
}

const struct up_engine up_podman = {
	.name = "podman",
	.find = podman_find,
	.list = podman_list,
	.events = podman_events,
};
