// SPDX-License-Identifier: GPL-2.0-only
#include "cni/delegate.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cni/error.h"
#include "cni/json.h"

#define ANSWER_MAX (1U << 20)

/* ---- finding it --------------------------------------------------------------------------------
 */

static bool is_this_executable(const struct stat *st)
{
	struct stat self;

	return !stat("/proc/self/exe", &self) && self.st_dev == st->st_dev &&
	       self.st_ino == st->st_ino;
}

/* The first regular file of that name, as libcni looks for it. */
static int find(const struct up_cni *c, const char *type, bool not_us, char path[PATH_MAX],
		struct up_err *err)
{
	const char *dir = c->env.path;
	struct stat st;

	if (!*type || strchr(type, '/'))
		return up_cni_fail(err, UP_CNI_BAD_CONFIG,
				   "type: '%.60s' is not the name of a plugin", type);
	while (*dir) {
		int len = (int)strcspn(dir, ":");

		if (len && snprintf(path, PATH_MAX, "%.*s/%s", len, dir, type) < PATH_MAX &&
		    !stat(path, &st) && S_ISREG(st.st_mode) && !(not_us && is_this_executable(&st)))
			return 0;
		dir += len + (dir[len] == ':');
	}
	return up_cni_fail(err, UP_CNI_INTERNAL, "failed to find plugin \"%.60s\" in path [%.200s]",
			   type, c->env.path);
}

/* ---- its environment ---------------------------------------------------------------------------
 */

struct overrides {
	char command[64], id[PATH_MAX], ifname[64];
};

static bool is_var(const char *entry, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(entry, name, len) && entry[len] == '=';
}

static char *entry_for(char *entry, const struct up_cni_call *call, struct overrides *o)
{
	if (is_var(entry, "CNI_COMMAND"))
		return o->command;
	if (call->id && is_var(entry, "CNI_CONTAINERID"))
		return NULL;
	return call->ifname && is_var(entry, "CNI_IFNAME") ? NULL : entry;
}

static char **make_env(const struct up_cni_call *call, struct overrides *o)
{
	size_t n = 0, kept = 0;
	char **env;

	while (environ[n])
		n++;
	env = calloc(n + 3, sizeof(*env));
	if (!env)
		return NULL;
	snprintf(o->command, sizeof(o->command), "CNI_COMMAND=%s", up_cni_verb_name(call->verb));
	for (size_t i = 0; i < n; i++) {
		char *entry = entry_for(environ[i], call, o);

		if (entry)
			env[kept++] = entry;
	}
	if (call->id && snprintf(o->id, sizeof(o->id), "CNI_CONTAINERID=%s", call->id) > 0)
		env[kept++] = o->id;
	if (call->ifname &&
	    snprintf(o->ifname, sizeof(o->ifname), "CNI_IFNAME=%s", call->ifname) > 0)
		env[kept++] = o->ifname;
	return env;
}

/* ---- running it --------------------------------------------------------------------------------
 */

/* A file rather than a pipe: both sides can then write as much as they like. */
static int input_file(const struct up_cni *c, struct up_err *err)
{
	cleanup_fd int fd = memfd_create("cni-config", MFD_CLOEXEC);

	if (fd < 0 || write(fd, c->input, c->len) != (ssize_t)c->len || lseek(fd, 0, SEEK_SET))
		return up_fail(err, errno, "copy the configuration");
	return take_fd(&fd);
}

static int spawn(const char *path, char **env, int in, int out, pid_t *ret_pid)
{
	char *argv[] = {(char *)path, NULL};
	posix_spawn_file_actions_t actions;
	int ret;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	ret = posix_spawn(ret_pid, path, &actions, NULL, argv, env);
	posix_spawn_file_actions_destroy(&actions);
	return ret;
}

static char *read_answer(int fd, size_t *ret_len)
{
	char *buf = malloc(ANSWER_MAX);
	size_t len = 0;
	ssize_t n = 1;

	while (buf && n && len < ANSWER_MAX) {
		n = read(fd, buf + len, ANSWER_MAX - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	*ret_len = len;
	return buf;
}

/* Return: its exit status; 255 where a signal ended it */
static int reap(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static int run(struct up_cni *c, const struct up_cni_call *call, const char *path, char **ret_out,
	       size_t *ret_len, int *ret_status, struct up_err *err)
{
	cleanup_free struct overrides *o = calloc(1, sizeof(*o));
	cleanup_free char **env = o ? make_env(call, o) : NULL;
	cleanup_fd int in = input_file(c, err), rd = -1, wr = -1;
	int fds[2], ret;
	pid_t pid;

	if (in < 0)
		return in;
	if (!env || pipe2(fds, O_CLOEXEC))
		return up_fail(err, errno, "call %s", path);
	rd = fds[0];
	wr = fds[1];
	ret = spawn(path, env, in, wr, &pid);
	if (ret)
		return up_fail(err, ret, "execute %s", path);
	up_close_fd(&wr);
	wr = -1;
	*ret_out = read_answer(rd, ret_len);
	*ret_status = reap(pid);
	return *ret_out ? 0 : up_fail(err, ENOMEM, "call %s", path);
}

/* ---- what it said ------------------------------------------------------------------------------
 */

static int relay(struct up_cni *c, const char *type, json_t *answer, int status, struct up_err *err)
{
	json_t *code = up_cni_get(answer, "code"), *msg = up_cni_get(answer, "msg");

	if (!json_is_integer(code) || !json_is_string(msg))
		return up_cni_fail(err, UP_CNI_INTERNAL,
				   "plugin %.60s failed with status %d and without an error object",
				   type, status);
	json_decref(c->relayed);
	c->relayed = json_incref(answer);
	return up_cni_fail(err, (enum up_cni_code)json_integer_value(code), "%.400s",
			   json_string_value(msg));
}

int up_cni_delegate(struct up_cni *c, const struct up_cni_call *call, json_t **ret_result,
		    struct up_err *err)
{
	json_auto_t *answer = NULL;
	cleanup_free char *out = NULL;
	char path[PATH_MAX];
	size_t len = 0;
	int status = 0, ret = find(c, call->type, call->not_us, path, err);

	if (!ret)
		ret = run(c, call, path, &out, &len, &status, err);
	if (ret)
		return ret;
	answer = json_loadb(out, len, JSON_REJECT_DUPLICATES, NULL);
	if (status)
		return relay(c, call->type, answer, status, err);
	if (!ret_result)
		return 0;
	if (!json_is_object(answer))
		return up_cni_fail(err, UP_CNI_DECODE, "plugin %.60s: its result is not JSON",
				   call->type);
	*ret_result = json_incref(answer);
	return 0;
}

bool up_cni_have_next(const struct up_cni *c)
{
	char path[PATH_MAX];

	return !find(c, c->plugin->name, true, path, NULL);
}

int up_cni_next(struct up_cni *c, json_t **ret_result, struct up_err *err)
{
	const struct up_cni_call call = {
		.type = c->plugin->name,
		.verb = c->env.verb,
		.not_us = true,
	};
	json_auto_t *answer = NULL;
	int ret = up_cni_delegate(c, &call, ret_result ? &answer : NULL, err);

	if (ret || !ret_result)
		return ret;
	return up_cni_result_parse(answer, c->version, ret_result, err);
}

int up_cni_ask_newer(struct up_cni *c, const char *type, struct up_err *err)
{
	const struct up_cni_call call = {.type = type, .verb = c->env.verb, .not_us = true};
	int ret = up_cni_delegate(c, &call, NULL, err);
	enum up_cni_code code = ret ? up_cni_code(err) : 0;

	if (code != UP_CNI_BAD_ENV && code != UP_CNI_INCOMPATIBLE)
		return ret;
	json_decref(c->relayed);
	c->relayed = NULL;
	return 0;
}
