// SPDX-License-Identifier: GPL-2.0-only
#include "launch/init.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "launch/relay.h"

void up_init_block(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
}

/* Return: true once the command itself has ended */
static bool reap(pid_t command, int *ret_code)
{
	bool ended = false;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == command) {
			*ret_code = up_status_code(status);
			ended = true;
		}
	return ended;
}

int up_init_loop(pid_t command)
{
	struct signalfd_siginfo info;
	sigset_t set;
	int fd, code = 125;

	sigfillset(&set); /* all but SIGKILL and SIGSTOP, which are not for us */
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd < 0)
		return 125;
	while (!reap(command, &code))
		if (read(fd, &info, sizeof(info)) == sizeof(info) && info.ssi_signo != SIGCHLD)
			kill(command, (int)info.ssi_signo);
	close(fd);
	return code;
}

/* Where the kernel takes /proc/PID/cmdline from: fields 48 and 49 of /proc/PID/stat. */
static size_t command_line_area(char **ret_start)
{
	cleanup_free char *text = NULL;
	uintptr_t field[50] = {};
	char *at;
	int i = 3;

	if (up_file_read("/proc/self/stat", 4096, &text, NULL) < 0 || !(at = strrchr(text, ')')))
		return 0;
	for (at = strtok(at + 1, " "); at && i < 50; at = strtok(NULL, " "))
		field[i++] = strtoull(at, NULL, 10);
	*ret_start = (char *)field[48];
	return field[49] > field[48] ? field[49] - field[48] : 0;
}

void up_init_title(char *const *argv)
{
	char *start = NULL, text[4096];
	size_t len = command_line_area(&start), used = 0;
	const char *base = strrchr(argv[0], '/');

	prctl(PR_SET_NAME, base ? base + 1 : argv[0]);
	for (; *argv && used < sizeof(text); argv++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s", *argv) + 1;
	if (used > sizeof(text))
		used = sizeof(text);
	if (!len)
		return;
	memset(start, 0, len);
	memcpy(start, text, used < len ? used : len - 1);
}
