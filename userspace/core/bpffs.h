/* SPDX-License-Identifier: GPL-2.0-only */
/* The directory of pins: found, mounted where it is missing, made, and removed again. */
#ifndef UP_CORE_BPFFS_H
#define UP_CORE_BPFFS_H

#include <stddef.h>

struct up_err;

#define UP_PIN_PATH_MAX 256

/* Subdirectories of the pin directory. */
#define UP_PIN_MAPS  "maps"
#define UP_PIN_PROGS "progs"
#define UP_PIN_LINKS "links"

/** up_pin_path() - the path of a pin: PINDIR/SUB/NAME */
void up_pin_path(char buf[UP_PIN_PATH_MAX], const char *sub, const char *name);

/**
 * up_bpffs_prepare() - make the pin directory and its subdirectories, mounting bpffs at its usual
 * place where nothing is mounted yet
 * @err: where the pin directory is not below a bpffs, says how to mount one
 *
 * Return: 0 or -errno
 */
int up_bpffs_prepare(struct up_err *err);

/** up_bpffs_prepare_sub() - the same for one subdirectory that is not among those */
int up_bpffs_prepare_sub(const char *sub, struct up_err *err);

/**
 * up_bpffs_remove_sub() - remove one subdirectory with its pins, and the pin directory where
 * nothing is left in it. Return: 0, also where there is none; or -errno
 */
int up_bpffs_remove_sub(const char *sub, struct up_err *err);

/**
 * up_bpffs_remove() - remove every pin of the datapath, and its directories
 * @err: why it failed
 *
 * Return: 0, also where there are none; or -errno
 */
int up_bpffs_remove(struct up_err *err);

/** up_pin_replace() - pin an object in place of the one that is there: at no time is there neither.
 * Return: 0 or -errno */
int up_pin_replace(int fd, const char *path, struct up_err *err);

#endif
