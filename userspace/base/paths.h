/* SPDX-License-Identifier: GPL-2.0-only */
/* Where underpass keeps what it keeps, and the one place that knows these names. */
#ifndef UP_BASE_PATHS_H
#define UP_BASE_PATHS_H

#include <stddef.h>

struct up_err;

#define UP_PIN_DIR_DEFAULT  "/sys/fs/bpf/underpass"
#define UP_RUN_DIR_DEFAULT  "/run/underpass"
#define UP_DATA_DIR_DEFAULT "/var/lib/underpass"

/*
 * One machine can carry several hosts, each in a network namespace of its own, so these
 * directories can be moved. The environment is the only way, because every process that takes part
 * (a monitor, a hook) must agree and inherits it.
 */
#define UP_PIN_DIR_ENV  "UNDERPASS_PIN_DIR"
#define UP_RUN_DIR_ENV  "UNDERPASS_RUN_DIR"
#define UP_DATA_DIR_ENV "UNDERPASS_DATA_DIR"

/** up_pin_dir() - directory of this host's pins, below a bpffs mount */
const char *up_pin_dir(void);

/** up_run_dir() - directory of this host's state files and lock */
const char *up_run_dir(void);

/** up_data_dir() - directory of what containers write; "data" in a run directory that was moved */
const char *up_data_dir(void);

/**
 * up_paths_check() - refuse directories that the environment set to something unusable
 * @err: says which variable, and that an absolute path of at most 200 bytes without ".." is wanted
 *
 * Return: 0 or -EINVAL
 */
int up_paths_check(struct up_err *err);

/**
 * up_name_check() - may this be the name of a container or an endpoint?
 * @what: what it names, for the message: "container name"
 * @name: 1 to 63 bytes, [a-zA-Z0-9][a-zA-Z0-9_.-]*: docker's rule with a bound, so that a name
 *        never leaves a directory nor needs quoting
 * @err:  says what is allowed
 *
 * Return: 0 or -EINVAL
 */
#define UP_NAME_MAX 63
int up_name_check(const char *what, const char *name, struct up_err *err);

#endif
