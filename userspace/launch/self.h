/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * This program's own file, kept from containers. A process that is about to become a container's
 * command, or is told to by "#!/proc/self/exe", is reached from inside through /proc/PID/exe, and
 * what is open for writing there is the host's executable (CVE-2019-5736).
 */
#ifndef UP_LAUNCH_SELF_H
#define UP_LAUNCH_SELF_H

struct up_err;

/**
 * up_self_protect() - execute this program again, from a read-only mount that nobody else has
 * @argv: its command line
 * @err:  why it failed
 *
 * Through that mount the file cannot be opened for writing, whoever asks. Nothing happens where the
 * program is on a read-only mount already. Return: 0 or -errno
 */
int up_self_protect(char **argv, struct up_err *err);

#endif
