/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CPU time of processes, so that a load's cost can be told from the rate that a busy machine let it
 * have.
 *
 * A process's clock counts what its threads ran, and on most kernels the soft interrupts that
 * interrupted them: the receive path of a veth runs in the sender's context. A kernel that accounts
 * interrupts apart (CONFIG_IRQ_TIME_ACCOUNTING) leaves them out; there, the CPU's own count of them
 * has to be added.
 */
#ifndef UP_TOOLS_CPUTIME_H
#define UP_TOOLS_CPUTIME_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define CPUTIME_PIDS 16

/**
 * struct cputime - whose CPU time counts
 * @pid:   processes, besides the caller
 * @n:     how many
 * @irq:   add what CPU @cpu spent in interrupts
 * @cpu:   see @irq
 */
struct cputime {
	pid_t pid[CPUTIME_PIDS];
	int n;
	bool irq;
	int cpu;
};

static inline uint64_t cputime_ns(clockid_t clock)
{
	struct timespec ts = {};

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* Time in interrupts of one CPU, from its line in /proc/stat: "cpuN user nice system idle iowait
 * irq softirq ..." */
static inline uint64_t cputime_irq_ns(int cpu)
{
	unsigned long long irq = 0, softirq = 0, tick = (unsigned long long)sysconf(_SC_CLK_TCK);
	FILE *f = fopen("/proc/stat", "re");
	char line[256];
	int n;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "cpu%d %*u %*u %*u %*u %*u %llu %llu", &n, &irq, &softirq) == 3 &&
		    n == cpu)
			break;
	if (f)
		fclose(f);
	return (irq + softirq) * (1000000000 / tick);
}

/** cputime_of() - CPU time so far of the processes of @c, nanoseconds; those that are gone count 0
 */
static inline uint64_t cputime_of(const struct cputime *c)
{
	uint64_t sum = c->irq ? cputime_irq_ns(c->cpu) : 0;
	clockid_t clock;

	for (int i = 0; i < c->n; i++)
		if (!clock_getcpuclockid(c->pid[i], &clock))
			sum += cputime_ns(clock);
	return sum;
}

#endif
