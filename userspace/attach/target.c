// SPDX-License-Identifier: GPL-2.0-only
#include "attach/target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "net/netns.h"

#define ID_SHORT 12

/* What kind of target is meant by the words before a colon. */
static int attach_pid(const char *text, const struct up_ride_opts *opts, struct up_err *err);
static int attach_netns(const char *path, const struct up_ride_opts *opts, struct up_err *err);
static int attach_if(const char *name, const struct up_ride_opts *opts, struct up_err *err);

static const struct {
	const char *prefix;
	int (*attach)(const char *rest, const struct up_ride_opts *opts, struct up_err *err);
} kinds[] = {
	{"pid:", attach_pid},
	{"netns:", attach_netns},
	{"if:", attach_if},
};
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static int attach_netns_fd(int fd, const char *engine, const char *id, const char *name,
			   const struct up_ride_opts *opts, struct up_err *err)
{
	const struct up_ride_target target = {
		.netns_fd = fd, .engine = engine, .id = id, .name = name};

	return up_ride_attach(&target, opts, err);
}

static int attach_pid(const char *text, const struct up_ride_opts *opts, struct up_err *err)
{
	unsigned long pid;
	char *end, name[32];
	cleanup_fd int fd = -1;

	pid = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || !pid || pid > 1UL << 22)
		return up_fail_msg(err, EINVAL, "pid:%s: not a process id", text);
	fd = up_netns_open_pid((pid_t)pid, err);
	if (fd < 0)
		return fd;
	snprintf(name, sizeof(name), "%lu", pid);
	return attach_netns_fd(fd, "pid", "", name, opts, err);
}

static int attach_netns(const char *path, const struct up_ride_opts *opts, struct up_err *err)
{
	cleanup_fd int fd = up_netns_open(path, err);

	return fd < 0 ? fd : attach_netns_fd(fd, "netns", "", path, opts, err);
}

static int attach_if(const char *name, const struct up_ride_opts *opts, struct up_err *err)
{
	const struct up_ride_target target = {
		.netns_fd = -1, .ifname = name, .engine = "if", .id = "", .name = name};

	return up_ride_attach(&target, opts, err);
}

int up_target_attach_container(const struct up_engine *engine, const struct up_container *c,
			       const struct up_ride_opts *opts, struct up_err *err)
{
	cleanup_fd int fd = up_netns_open_pid(c->pid, err);
	int ret = fd < 0 ? fd : attach_netns_fd(fd, engine->name, c->id, c->name, opts, err);

	return ret ? up_wrap(err, "%s container %s", engine->name, c->name) : 0;
}

/* A name that does not say whose it is: the first engine that has it. */
static int find_container(const char *name, const struct up_engine **engine,
			  struct up_container *ret_c, struct up_err *err)
{
	bool asked = *engine != NULL;
	int ret;

	if (asked)
		return (*engine)->find(name, ret_c, err);
	for (size_t i = 0; i < UP_ENGINES; i++) {
		ret = up_engines[i]->find(name, ret_c, err);
		*engine = up_engines[i];
		if (ret != -ENOENT && ret != -EHOSTDOWN)
			return ret;
		asked = asked || ret == -ENOENT;
	}
	return asked ? up_fail_msg(err, ENOENT, "no container %s", name)
		     : up_fail_msg(err, EHOSTDOWN,
				   "container %s: neither docker nor podman is there to be asked",
				   name);
}

static int attach_container(const char *word, const struct up_ride_opts *opts, struct up_err *err)
{
	const char *colon = strchr(word, ':');
	const struct up_engine *engine =
		colon ? up_engine_find(word, (size_t)(colon - word)) : NULL;
	const char *name = engine ? colon + 1 : word;
	struct up_container c;
	int ret = up_container_name_check(name, err);

	if (!ret)
		ret = find_container(name, &engine, &c, err);
	return ret ? ret : up_target_attach_container(engine, &c, opts, err);
}

int up_target_attach(const char *word, const struct up_ride_opts *opts, struct up_err *err)
{
	for (size_t i = 0; i < N_KINDS; i++)
		if (!strncmp(word, kinds[i].prefix, strlen(kinds[i].prefix)))
			return kinds[i].attach(word + strlen(kinds[i].prefix), opts, err);
	return strchr(word, '/') ? attach_netns(word, opts, err)
				 : attach_container(word, opts, err);
}

bool up_target_matches(const struct up_ride_if *row, const char *word)
{
	const char *colon = strchr(word, ':');
	size_t len = colon ? (size_t)(colon - word) : 0;

	if (colon && !strncmp(word, "if:", len) && !strcmp(row->ifname, colon + 1))
		return true;
	if (colon && strlen(row->engine) == len && !memcmp(row->engine, word, len))
		word = colon + 1;
	return !strncmp(row->name, word, sizeof(row->name) - 1) ||
	       (strlen(word) >= ID_SHORT && !strncmp(row->id, word, strlen(word)));
}
