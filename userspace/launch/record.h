/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records of containers: RUNDIR/containers/NAME (config.json, log, ...). The directory is the claim
 * on the name. What is read back is hostile: a record that cannot be read is "broken", and rm
 * removes it.
 */
#ifndef UP_LAUNCH_RECORD_H
#define UP_LAUNCH_RECORD_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/paths.h"

struct up_err;

enum up_container_state {
	UP_CONTAINER_CREATED, /* being made */
	UP_CONTAINER_RUNNING,
	UP_CONTAINER_EXITED,
	UP_CONTAINER_BROKEN, /* the record cannot be read */
};

/**
 * struct up_process - a process, safe against reuse of its id
 * @pid:   in the host's pid namespace; 0 for none
 * @start: its start time, field 22 of /proc/PID/stat
 */
struct up_process {
	pid_t pid;
	uint64_t start;
};

/**
 * struct up_container - a record
 * @name:      its name
 * @id:        16 hexadecimal digits, unique on the machine: names its cgroups
 * @state:     as recorded; see up_container_alive() for what is true now
 * @monitor:   waits for it, and cleans up
 * @init:      its pid 1
 * @exit_code: once it has exited
 * @created, @finished: seconds since the epoch
 * @rootfs:    absolute
 * @command:   for people
 * @hostname:  its host name
 * @net:       "fast", "host", "none", "container:NAME", "ns:PATH", or the name of a network
 * @address, @address6, @mac: of its interface, or empty
 * @ports:     published ports for people, or empty
 * @first_id, @ids: with a user namespace, the ids of the host that it has
 */
struct up_container {
	char name[UP_NAME_MAX + 1];
	char id[24];
	enum up_container_state state;
	struct up_process monitor, init;
	int exit_code;
	int64_t created, finished;
	char rootfs[PATH_MAX];
	char command[512];
	char hostname[UP_NAME_MAX + 1];
	char net[PATH_MAX];
	char address[46], address6[46], mac[18];
	char ports[1024];
	uint32_t first_id, ids;
};

/** up_process_of() - identify a live process. Return: 0, or -ESRCH */
int up_process_of(pid_t pid, struct up_process *ret);

/** up_process_open() - a pidfd of the very process that was recorded. Return: fd, or -ESRCH */
int up_process_open(const struct up_process *p);

/** up_container_alive() - do its init and its monitor live? Without the one, the other is about to
 * die */
bool up_container_alive(const struct up_container *c);

/** up_container_state_name() - "created", "running", "exited", "broken" */
const char *up_container_state_name(enum up_container_state state);

/**
 * up_container_create() - claim a name and write the first record
 * @c: where it has @ids and no @first_id, a range of ids is found for it
 * Return: 0, -EEXIST where the name is taken, or another -errno
 */
int up_container_create(struct up_container *c, struct up_err *err);

/** up_container_save() - replace the record. Return: 0 or -errno */
int up_container_save(const struct up_container *c, struct up_err *err);

/** up_container_load() - read a record. Return: 0, -ENOENT for no such container, or -errno */
int up_container_load(const char *name, struct up_container *ret, struct up_err *err);

/** up_container_remove() - remove everything that is kept of it. Return: 0 or -errno */
int up_container_remove(const char *name, struct up_err *err);

/** up_container_path() - a file in the directory of a container's record: "log" */
void up_container_path(const char *name, const char *file, char buf[PATH_MAX]);

/** up_container_data_path() - a file in the directory of its data, which may be large */
void up_container_data_path(const char *name, const char *sub, char buf[PATH_MAX]);

/** up_container_json() - the record as JSON; NULL where a text is not valid UTF-8 */
json_t *up_container_json(const struct up_container *c);

/** up_container_save_options() - keep the options that it was started with. Return: 0 or -errno */
int up_container_save_options(const char *name, const json_t *options, struct up_err *err);

/** up_container_options() - those options, by long name, lists of strings; NULL where unreadable */
json_t *up_container_options(const char *name);

/** up_container_option() - was this the last value of an option? */
bool up_container_option(const char *name, const char *key, const char *value);

/**
 * up_container_foreach() - hand every record to a callback, by name; a broken one with its name
 * only
 * @fn: returns 0 to go on; another value stops and is returned
 */
int up_container_foreach(int (*fn)(const struct up_container *c, void *arg), void *arg,
			 struct up_err *err);

/**
 * up_container_gc() - repair records whose processes died: "running" without an init becomes
 * "exited", "created" without a monitor, a directory without a record and data without one are
 * removed
 * @fn: told of each repair; may be NULL
 *
 * Takes the state lock. Return: how many were repaired, or -errno
 */
int up_container_gc(void (*fn)(const char *what, const char *name, void *arg), void *arg,
		    struct up_err *err);

#endif
