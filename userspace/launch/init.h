/* SPDX-License-Identifier: GPL-2.0-only */
/* Pid 1 of a container. */
#ifndef UP_LAUNCH_INIT_H
#define UP_LAUNCH_INIT_H

#include <sys/types.h>

/**
 * up_init_loop() - be pid 1: reap every orphan, hand signals to the command, end when it ends
 * @command: the container's command
 *
 * Return: the command's exit status, 128 + n where signal n ended it
 */
int up_init_loop(pid_t command);

/**
 * up_init_title() - show the command's name and arguments as those of this process
 * @argv: the command
 *
 * Else /proc/1/cmdline would show the launcher's: paths of the host, and every -e. To be called
 * with /proc mounted, after the last use of what was on the launcher's command line.
 */
void up_init_title(char *const *argv);

/** up_init_block() - block every signal, so that none is lost before up_init_loop() */
void up_init_block(void);

#endif
