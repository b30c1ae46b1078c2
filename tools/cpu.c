// SPDX-License-Identifier: GPL-2.0-only
/*
 * Run a command and say what CPU time it and other processes spent meanwhile. For load generators
 * that do not count the server's share.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "cputime.h"

__attribute__((noreturn)) static void usage(void)
{
	fputs("usage: cpu [-c CPU] [-i] [-p PID]... -o FILE COMMAND [ARG]...\n"
	      "\n"
	      "  -c CPU   run the command on this CPU only\n"
	      "  -i       add what this CPU spent in interrupts\n"
	      "  -p PID   add what this process spent\n"
	      "  -o FILE  where to write {\"wall_s\", \"cpu_s\"}\n",
	      stderr);
	exit(2);
}

__attribute__((noreturn)) static void die(const char *what)
{
	fprintf(stderr, "cpu: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int number(const char *s)
{
	char *end;
	long n = strtol(s, &end, 10);

	if (end == s || *end || n < 0 || n > 1 << 22)
		usage();
	return (int)n;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("pin");
}

static int run(char **argv)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		die("fork");
	if (!pid) {
		execvp(argv[0], argv);
		die(argv[0]);
	}
	if (waitpid(pid, &status, 0) < 0)
		die("wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static double children_s(void)
{
	struct rusage u;

	getrusage(RUSAGE_CHILDREN, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv)
{
	struct cputime others = {.cpu = -1};
	uint64_t wall, cpu;
	FILE *out = NULL;
	int opt, status;

	while ((opt = getopt(argc, argv, "+c:ip:o:")) != -1) {
		if (opt == 'c')
			pin(others.cpu = number(optarg));
		else if (opt == 'i')
			others.irq = true;
		else if (opt == 'p' && others.n < CPUTIME_PIDS)
			others.pid[others.n++] = number(optarg);
		else if (opt == 'o')
			out = fopen(optarg, "we");
		else
			usage();
	}
	if (optind == argc || (others.irq && others.cpu < 0))
		usage();
	if (!out)
		die("output");
	wall = cputime_ns(CLOCK_MONOTONIC);
	cpu = cputime_of(&others);
	status = run(argv + optind);
	cpu = cputime_of(&others) - cpu;
	wall = cputime_ns(CLOCK_MONOTONIC) - wall;
	fprintf(out, "{\"wall_s\":%.6f,\"cpu_s\":%.6f}\n", (double)wall / 1e9,
		(double)cpu / 1e9 + children_s());
	return fclose(out) ? 1 : status;
}
