/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records of containers: RUNDIR/containers/NAME/{config.json,log}. The directory is the claim on
 * the name. What is read back is hostile: a record that cannot be read is "broken", and rm removes
 * it.
 */
#ifndef UP_LAUNCH_RECORD_H
#define UP_LAUNCH_RECORD_H

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
 * @state:     as recorded; see up_container_alive() for what is true now
 * @monitor:   waits for it, and cleans up
 * @init:      its pid 1
 * @exit_code: once it has exited
 * @created, @finished: seconds since the epoch
 * @rootfs:    absolute
 * @command:   for people
 * @net:       "fast", "host" or "none"
 * @address:   IPv4 address, or empty
 * @ports:     published ports for people, or empty
 */
struct up_container {
	char name[UP_NAME_MAX + 1];
	enum up_container_state state;
	struct up_process monitor, init;
	int exit_code;
	int64_t created, finished;
	char rootfs[PATH_MAX];
	char command[512];
	char net[16];
	char address[46];
	char ports[1024];
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
 * Return: 0, -EEXIST where the name is taken, or another -errno
 */
int up_container_create(const struct up_container *c, struct up_err *err);

/** up_container_save() - replace the record. Return: 0 or -errno */
int up_container_save(const struct up_container *c, struct up_err *err);

/** up_container_load() - read a record. Return: 0, -ENOENT for no such container, or -errno */
int up_container_load(const char *name, struct up_container *ret, struct up_err *err);

/** up_container_remove() - remove record and log. Return: 0 or -errno */
int up_container_remove(const char *name, struct up_err *err);

/** up_container_log_path() - path of the log of a container */
void up_container_log_path(const char *name, char buf[PATH_MAX]);

/**
 * up_container_foreach() - hand every record to a callback, by name; a broken one with its name
 * only
 * @fn: returns 0 to go on; another value stops and is returned
 */
int up_container_foreach(int (*fn)(const struct up_container *c, void *arg), void *arg,
			 struct up_err *err);

/**
 * up_container_gc() - repair records whose processes died: "running" without an init becomes
 * "exited", "created" without a monitor and a directory without a record are removed
 * @fn: told of each repair; may be NULL
 *
 * Takes the state lock. Return: how many were repaired, or -errno
 */
int up_container_gc(void (*fn)(const char *what, const char *name, void *arg), void *arg,
		    struct up_err *err);

#endif
