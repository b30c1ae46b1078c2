// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any event of an engine only says that something changed: the engine is then asked what runs, and
 * what is attached is brought in step with that (sync.h). So nothing depends on events being
 * complete, in order, or in a form that we understand; after an engine's restart the same is done.
 */
#include "attach/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "attach/engine.h"
#include "attach/sync.h"
#include "base/cleanup.h"
#include "base/err.h"

#define RETRY_MS 1000

/**
 * struct source - an engine that is followed
 * @engine: it
 * @fd:     its events, -1 while it is not there
 * @pid:    the process that serves them, 0 for none
 * @said:   what was last said to be wrong with it: once is enough, as it is tried every second
 */
struct source {
	const struct up_engine *engine;
	int fd;
	pid_t pid;
	char said[UP_ERR_MAX];
};

/* An engine that is not there is no news. */
static void complain(struct source *s, int ret, const struct up_err *err,
		     void (*say)(const char *text))
{
	if (ret && ret != -EHOSTDOWN && strcmp(s->said, err->msg))
		say(err->msg);
	snprintf(s->said, sizeof(s->said), "%s", ret ? err->msg : "");
}

static void source_close(struct source *s)
{
	up_close_fd(&s->fd);
	s->fd = -1;
	if (s->pid) {
		kill(s->pid, SIGTERM);
		waitpid(s->pid, NULL, 0);
	}
	s->pid = 0;
}

/* Events first, then the list: nothing falls between the two. */
static void source_open(struct source *s, const struct up_ride_opts *opts,
			void (*say)(const char *text))
{
	struct up_err err = {};
	size_t n;
	int ret;

	s->fd = s->engine->events(&s->pid, &err);
	if (s->fd >= 0) {
		fcntl(s->fd, F_SETFL, O_NONBLOCK);
		ret = up_sync(s->engine, true, opts, &n, &err);
		if (ret)
			source_close(s);
	} else {
		ret = s->fd;
	}
	complain(s, ret, &err, say);
}

/* Return: false where the engine has gone */
static bool drain(int fd)
{
	char buf[4096];
	ssize_t n;

	do
		n = read(fd, buf, sizeof(buf));
	while (n > 0);
	return n < 0 && errno == EAGAIN;
}

static void source_event(struct source *s, const struct up_ride_opts *opts,
			 void (*say)(const char *text))
{
	struct up_err err = {};
	size_t n;
	int ret;

	if (!drain(s->fd)) {
		source_close(s);
		return;
	}
	ret = up_sync(s->engine, true, opts, &n, &err);
	complain(s, ret, &err, say);
}

static int open_signals(struct up_err *err)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	return fd < 0 ? up_fail(err, errno, "signalfd") : fd;
}

static bool any_closed(const struct source *s)
{
	for (size_t i = 0; i < UP_ENGINES; i++)
		if (s[i].fd < 0)
			return true;
	return false;
}

/* Return: 1 to go on, 0 at the end, or -errno */
static int turn(struct source *s, int signals, const struct up_ride_opts *opts,
		void (*say)(const char *text), struct up_err *err)
{
	struct pollfd fds[UP_ENGINES + 1] = {[UP_ENGINES] = {signals, POLLIN, 0}};

	for (size_t i = 0; i < UP_ENGINES; i++) {
		if (s[i].fd < 0)
			source_open(&s[i], opts, say);
		fds[i] = (struct pollfd){s[i].fd, POLLIN, 0};
	}
	if (poll(fds, UP_ENGINES + 1, any_closed(s) ? RETRY_MS : -1) < 0 && errno != EINTR)
		return up_fail(err, errno, "poll");
	for (size_t i = 0; i < UP_ENGINES; i++)
		if (fds[i].revents)
			source_event(&s[i], opts, say);
	return !fds[UP_ENGINES].revents;
}

int up_watch(const struct up_ride_opts *opts, void (*say)(const char *text), struct up_err *err)
{
	cleanup_fd int signals = open_signals(err);
	struct source s[UP_ENGINES];
	int ret = signals < 0 ? signals : up_ride_kernel_check(err);

	if (ret)
		return ret;
	for (size_t i = 0; i < UP_ENGINES; i++)
		s[i] = (struct source){.engine = up_engines[i], .fd = -1};
	do
		ret = turn(s, signals, opts, say, err);
	while (ret > 0);
	for (size_t i = 0; i < UP_ENGINES; i++)
		source_close(&s[i]);
	return ret;
}
