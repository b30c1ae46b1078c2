/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Container engines: who is asked which containers run, and tells when that changes. All that
 * attaching needs of one is here; a new engine is one more table of functions.
 */
#ifndef UP_ATTACH_ENGINE_H
#define UP_ATTACH_ENGINE_H

#include <stdbool.h>
#include <sys/types.h>

#include "underpass/ride.h"

struct up_err;

/**
 * struct up_container - a running container, as its engine describes it
 * @id:   64 hexadecimal digits
 * @name: without a leading slash
 * @pid:  its first process, in the pid namespace that the engine and we share
 */
struct up_container {
	char id[UP_RIDE_ID_MAX];
	char name[64];
	pid_t pid;
};

/**
 * struct up_engine - an engine
 * @name:   as in "NAME:CONTAINER"
 * @find:   a running container by its name or id. -ENOENT where there is none of that name; -ESRCH
 *          where it does not run; -EHOSTDOWN where the engine is not there
 * @list:   every running one; @fn returns 0 to go on or -errno to stop. -EHOSTDOWN as above
 * @events: an fd from which a line can be read whenever a container starts or ends, or a network is
 *          connected to one or disconnected; it ends when the engine does. @ret_pid is the process
 *          that serves it, 0 for none
 */
struct up_engine {
	const char *name;
	int (*find)(const char *name, struct up_container *ret, struct up_err *err);
	int (*list)(int (*fn)(const struct up_container *c, void *arg), void *arg,
		    struct up_err *err);
	int (*events)(pid_t *ret_pid, struct up_err *err);
};

extern const struct up_engine up_docker, up_podman;

/* In the order in which they are asked for a name that does not say whose it is. */
#define UP_ENGINES 2
extern const struct up_engine *const up_engines[UP_ENGINES];

/** up_engine_find() - an engine by its name, @len bytes long. Return: NULL where there is none */
const struct up_engine *up_engine_find(const char *name, size_t len);

/** up_container_name_check() - may this be a container's name or id? Return: 0 or -EINVAL */
int up_container_name_check(const char *name, struct up_err *err);

/**
 * up_container_parse() - read "Id", "Name" and "State"."Pid", which both engines' inspect has
 * @text, @len: JSON, an object or an array of one
 *
 * Return: 0; -ESRCH where it does not run; -EPROTO where it is something else
 */
int up_container_parse(const char *text, size_t len, struct up_container *ret, struct up_err *err);

/**
 * up_container_ids() - the "Id" of each object of a JSON array
 * @fn: returns 0 to go on or -errno to stop
 */
int up_container_ids(const char *text, size_t len, int (*fn)(const char *id, void *arg), void *arg,
		     struct up_err *err);

/**
 * up_engine_foreach() - hand every container of an engine's list to a callback
 * @engine: asked about each; one that has ended since the list was made is left out
 * @text, @len: the list: JSON, as up_container_ids() reads it
 * @fn: returns 0 to go on or -errno to stop
 */
int up_engine_foreach(const struct up_engine *engine, const char *text, size_t len,
		      int (*fn)(const struct up_container *c, void *arg), void *arg,
		      struct up_err *err);

#endif
