// SPDX-License-Identifier: GPL-2.0-only
#include "base/orphan.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"

static void __attribute__((noreturn)) run(void (*fn)(int fd, int arg), int fd, int arg)
{
	signal(SIGPIPE, SIG_IGN);
	if (dup2(fd, 0) < 0)
		_exit(1);
	syscall(SYS_close_range, 1, ~0U, 0);
	fn(0, arg);
	_exit(0);
}

int up_orphan(void (*fn)(int fd, int arg), int fd, int arg, struct up_err *err)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return up_fail(err, errno, "make a process");
	if (!pid) {
		pid = setsid() < 0 ? -1 : fork();
		if (!pid)
			run(fn, fd, arg);
		_exit(pid < 0);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return up_fail(err, errno, "wait for a process");
	return status ? up_fail(err, EAGAIN, "make a process") : 0;
}
