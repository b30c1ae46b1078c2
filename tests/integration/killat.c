// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: killat N COMMAND [ARG]...
 * Runs a command and kills it, as by kill -9, when it is about to make its Nth system call. Exit
 * status 137 where that happened; the command's own where it came to its end before.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char *what)
{
	perror(what);
	exit(125);
}

static void run(char **argv)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		fail("ptrace");
	execvp(argv[0], argv);
	fail(argv[0]);
}

/* Let it run to its next stop; @stop is then the signal it has for it. */
static int next_stop(pid_t pid, int *stop)
{
	int status, sig = *stop == SIGTRAP ? 0 : *stop;

	if (ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)sig))
		fail("ptrace");
	if (waitpid(pid, &status, 0) != pid)
		fail("waitpid");
	*stop = WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
	return status;
}

int main(int argc, char **argv)
{
	long n = argc > 2 ? strtol(argv[1], NULL, 10) : 0, calls = 0;
	int status, stop = SIGTRAP;
	pid_t pid;

	if (n < 1) {
		fputs("usage: killat N COMMAND [ARG]...\n", stderr);
		return 125;
	}
	pid = fork();
	if (!pid)
		run(argv + 2);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		fail("start");
	/* A stop at the entry of each call, and one at its end. */
	while (calls < 2 * n - 1) {
		status = next_stop(pid, &stop);
		if (WIFEXITED(status))
			return WEXITSTATUS(status);
		if (WIFSIGNALED(status))
			return 128 + WTERMSIG(status);
		calls += stop == SIGTRAP;
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return 137;
}
