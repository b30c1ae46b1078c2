/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Control groups of a container: one in the version 2 tree, which exists wherever this runs and by
 * which its processes are found and its devices restricted, and one in each version 1 hierarchy
 * that has a controller of interest. No mount point is needed: the trees are opened by fsopen(2).
 */
#ifndef UP_LAUNCH_CGROUP_H
#define UP_LAUNCH_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct up_err;

#define UP_CGROUP_V1_MAX 4

/**
 * struct up_cgroup - the groups of a container
 * @id:   their directory is /underpass/ID in each tree
 * @v2:   fd of the directory in the version 2 tree; -1 for none
 * @v1:   fds of those in version 1 hierarchies
 * @controllers: of each of these, as in /proc/self/cgroup: "cpu,cpuacct"
 * @n_v1: how many
 */
struct up_cgroup {
	char id[64];
	int v2;
	int v1[UP_CGROUP_V1_MAX];
	char controllers[UP_CGROUP_V1_MAX][64];
	size_t n_v1;
};

/** up_cgroup_none() - nothing opened */
void up_cgroup_none(struct up_cgroup *cg);

/**
 * struct up_cgroup_limits - 0 for no limit
 * @memory: bytes
 * @swap:   bytes of memory and swap together, not below @memory; only with that
 * @cpus:   thousandths of a CPU
 * @pids:   processes
 */
struct up_cgroup_limits {
	uint64_t memory, swap, cpus, pids;
};

/** struct up_cgroup_stats - bytes, nanoseconds, processes */
struct up_cgroup_stats {
	uint64_t memory, memory_limit, cpu_ns, pids;
};

/* To enter a version 1 group costs the kernel a grace period, which a start can do without. */
enum up_cgroup_open {
	UP_CGROUP_EXISTING, /* those that there are */
	UP_CGROUP_CREATE,   /* make that of version 2 */
	UP_CGROUP_LIMIT,    /* make those of version 1, too: something is to be limited */
};

/**
 * up_cgroup_open() - open the groups of an id
 * @id:  unique on the machine, a name that up_name_check() allows
 * @how: which, and whether they are made
 *
 * Return: 0 or -errno
 */
int up_cgroup_open(const char *id, enum up_cgroup_open how, struct up_cgroup *ret,
		   struct up_err *err);

/** up_cgroup_limit() - set limits. Return: 0, or -errno where a controller is missing */
int up_cgroup_limit(const struct up_cgroup *cg, const struct up_cgroup_limits *limits,
		    struct up_err *err);

/** up_cgroup_procs() - open where a process enters the version 1 groups. Return: 0 or -errno */
int up_cgroup_procs(const struct up_cgroup *cg, int ret_fds[UP_CGROUP_V1_MAX], struct up_err *err);

/** up_cgroup_enter() - enter them; into that of version 2, a process is born. Return: 0 or -errno
 */
int up_cgroup_enter(const int *procs, size_t n, struct up_err *err);

/** up_cgroup_read() - what is used now. Where no controller counts memory, it is what the
 * processes have resident. Return: 0 or -errno */
int up_cgroup_read(const struct up_cgroup *cg, struct up_cgroup_stats *ret, struct up_err *err);

/** up_cgroup_kill() - kill every process in there, and wait until there is none. Return: 0 or
 * -errno
 */
int up_cgroup_kill(const struct up_cgroup *cg, struct up_err *err);

/** up_cgroup_remove() - kill what is left and remove the groups of an id; none is no failure */
int up_cgroup_remove(const char *id, struct up_err *err);

/** up_cgroup_close() - close */
void up_cgroup_close(struct up_cgroup *cg);
#define cleanup_cgroup __up_cleanup(up_cgroup_close)

#endif
