// SPDX-License-Identifier: GPL-2.0-only
#include "launch/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "launch/mount.h"

#define PARENT        "underpass"
#define PERIOD_US     100000
#define KILL_MS       5000
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* What limits or is measured, and by which controller. */
static const char *const wanted[] = {"memory", "cpu", "cpuacct", "pids"};

void up_cgroup_none(struct up_cgroup *cg)
{
	*cg = (struct up_cgroup){.v2 = -1};
}

void up_cgroup_close(struct up_cgroup *cg)
{
	up_close_fd(&cg->v2);
	for (size_t i = 0; i < cg->n_v1; i++)
		up_close_fd(&cg->v1[i]);
	up_cgroup_none(cg);
}

/* Is @name one of the words of "cpu,cpuacct"? */
static bool has_word(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = list; *at; at += strcspn(at, ","), at += *at == ',')
		if (strcspn(at, ",") == len && !strncmp(at, name, len))
			return true;
	return false;
}

static bool is_wanted(const char *controllers)
{
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		if (has_word(controllers, wanted[i]))
			return true;
	return false;
}

/* ---- files ------------------------------------------------------------------------------------
 */

static int write_file(int dir, const char *name, const char *text)
{
	cleanup_fd int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

static int read_number(int dir, const char *name, uint64_t *ret)
{
	cleanup_fd int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	char text[64] = "";

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		return -errno;
	*ret = !strncmp(text, "max", 3) ? UINT64_MAX : strtoull(text, NULL, 10);
	return 0;
}

/* A line "KEY NUMBER" of a file. */
static int read_key(int dir, const char *name, const char *key, uint64_t *ret)
{
	cleanup_fd int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	char text[2048] = "";
	const char *at;

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		return -errno;
	at = strstr(text, key);
	if (!at)
		return -ENODATA;
	*ret = strtoull(at + strlen(key), NULL, 10);
	return 0;
}

/* ---- directories ------------------------------------------------------------------------------
 */

/* Controllers reach a version 2 group only where every group above hands them down. */
static void hand_down(int dir)
{
	char text[16];

	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		snprintf(text, sizeof(text), "+%s", wanted[i]);
		write_file(dir, "cgroup.subtree_control", text);
	}
}

static int open_below(int tree, const char *name, bool create, bool v2)
{
	if (create && v2)
		hand_down(tree);
	if (create && mkdirat(tree, name, 0755) && errno != EEXIST)
		return -errno;
	tree = openat(tree, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return tree < 0 ? -errno : tree;
}

/*
 * The root of a tree: where it usually is mounted, else without a mount point. The latter ends with
 * an unmount, for which the kernel waits until no CPU walks mounts any more.
 */
static int open_tree_root(const char *controllers, struct up_err *err)
{
	bool v2 = !*controllers;
	static const char *const v2_dirs[] = {"", "/unified"};
	char path[128];

	for (size_t i = 0; i < (v2 ? ARRAY_SIZE(v2_dirs) : 1); i++) {
		cleanup_fd int fd = -1;
		struct statfs st;

		snprintf(path, sizeof(path), "/sys/fs/cgroup%s%s", v2 ? v2_dirs[i] : "/",
			 controllers);
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0 && !fstatfs(fd, &st) && !(st.f_flags & ST_RDONLY) &&
		    st.f_type == (v2 ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC))
			return take_fd(&fd);
	}
	return up_mount_new(v2 ? "cgroup2" : "cgroup", v2 ? NULL : controllers, 0, err);
}

/* Return: fd of the group in the tree that has these controllers; none means version 2 */
static int open_group(const char *controllers, const char *id, bool create, struct up_err *err)
{
	bool v2 = !*controllers;
	cleanup_fd int tree = open_tree_root(controllers, err);
	cleanup_fd int parent = -1;
	int fd;

	if (tree < 0)
		return tree;
	parent = open_below(tree, PARENT, create, v2);
	fd = parent < 0 ? parent : open_below(parent, id, create, v2);
	return fd < 0 ? up_fail(err, fd, "cgroup %s/%s", PARENT, id) : fd;
}

/* Call @fn for the controllers of each hierarchy of interest; for version 2, they are "". */
static int each_tree(int (*fn)(const char *controllers, void *arg, struct up_err *err), void *arg,
		     struct up_err *err)
{
	cleanup_free char *text = NULL;
	char *rest = NULL;
	int ret = (int)up_file_read("/proc/self/cgroup", 1 << 16, &text, err);

	if (ret < 0)
		return ret;
	ret = 0;
	/* "4:cpu,cpuacct:/path" */
	for (char *line = strtok_r(text, "\n", &rest); line && !ret;
	     line = strtok_r(NULL, "\n", &rest)) {
		char *controllers = strchr(line, ':');
		char *end = controllers ? strchr(controllers + 1, ':') : NULL;

		if (!end)
			continue;
		*end = '\0';
		controllers++;
		if (!*controllers || is_wanted(controllers))
			ret = fn(controllers, arg, err);
	}
	return ret;
}

struct opening {
	struct up_cgroup *cg;
	enum up_cgroup_open how;
};

static int open_one(const char *controllers, void *arg, struct up_err *err)
{
	struct opening *o = arg;
	struct up_cgroup *cg = o->cg;
	int fd;

	if (*controllers && (cg->n_v1 == UP_CGROUP_V1_MAX || o->how == UP_CGROUP_CREATE))
		return 0;
	fd = open_group(controllers, cg->id, o->how != UP_CGROUP_EXISTING, err);
	if (fd == -ENOENT && *controllers && o->how == UP_CGROUP_EXISTING)
		return 0;
	if (fd < 0)
		return fd;
	if (!*controllers) {
		cg->v2 = fd;
		return 0;
	}
	snprintf(cg->controllers[cg->n_v1], sizeof(cg->controllers[0]), "%s", controllers);
	cg->v1[cg->n_v1++] = fd;
	return 0;
}

int up_cgroup_open(const char *id, enum up_cgroup_open how, struct up_cgroup *ret,
		   struct up_err *err)
{
	struct up_cgroup cg;
	struct opening o = {&cg, how};
	int failed;

	up_cgroup_none(&cg);
	snprintf(cg.id, sizeof(cg.id), "%s", id);
	failed = each_tree(open_one, &o, err);
	if (!failed && cg.v2 < 0)
		failed = up_fail_msg(err, ENOENT, "there is no version 2 cgroup tree");
	if (failed) {
		up_cgroup_close(&cg);
		if (how != UP_CGROUP_EXISTING)
			up_cgroup_remove(id, NULL);
		return failed;
	}
	*ret = cg;
	return 0;
}

/* ---- limits -----------------------------------------------------------------------------------
 */

/* Return: the group whose tree has a controller; *ret_v2 says which version its files are of */
static int dir_of(const struct up_cgroup *cg, const char *controller, bool *ret_v2)
{
	for (size_t i = 0; i < cg->n_v1; i++)
		if (has_word(cg->controllers[i], controller)) {
			*ret_v2 = false;
			return cg->v1[i];
		}
	*ret_v2 = true;
	return cg->v2;
}

static int limit_one(const struct up_cgroup *cg, const char *controller, const char *v1_file,
		     const char *v2_file, const char *text, struct up_err *err)
{
	bool v2;
	int dir = dir_of(cg, controller, &v2);
	int ret = write_file(dir, v2 ? v2_file : v1_file, text);

	if (ret == -ENOENT)
		return up_fail_msg(err, EOPNOTSUPP,
				   "the %s controller is missing from the cgroup tree", controller);
	return ret ? up_fail(err, ret, "limit %s to %s", controller, text) : 0;
}

static int limit_cpus(const struct up_cgroup *cg, uint64_t cpus, struct up_err *err)
{
	uint64_t quota = cpus * PERIOD_US / 1000;
	char v1[32], v2[64];
	bool is_v2;

	snprintf(v1, sizeof(v1), "%" PRIu64, quota);
	snprintf(v2, sizeof(v2), "%" PRIu64 " %d", quota, PERIOD_US);
	dir_of(cg, "cpu", &is_v2);
	return limit_one(cg, "cpu", "cpu.cfs_quota_us", "cpu.max", is_v2 ? v2 : v1, err);
}

/* Version 2 counts swap alone, version 1 both together. */
static int limit_memory(const struct up_cgroup *cg, const struct up_cgroup_limits *l,
			struct up_err *err)
{
	char text[32];
	bool v2;
	int ret;

	snprintf(text, sizeof(text), "%" PRIu64, l->memory);
	ret = limit_one(cg, "memory", "memory.limit_in_bytes", "memory.max", text, err);
	if (ret || !l->swap)
		return ret;
	dir_of(cg, "memory", &v2);
	snprintf(text, sizeof(text), "%" PRIu64, l->swap - (v2 ? l->memory : 0));
	return limit_one(cg, "memory", "memory.memsw.limit_in_bytes", "memory.swap.max", text, err);
}

int up_cgroup_limit(const struct up_cgroup *cg, const struct up_cgroup_limits *limits,
		    struct up_err *err)
{
	char text[32];
	int ret = 0;

	if (limits->memory)
		ret = limit_memory(cg, limits, err);
	if (!ret && limits->cpus)
		ret = limit_cpus(cg, limits->cpus, err);
	snprintf(text, sizeof(text), "%" PRIu64, limits->pids);
	if (!ret && limits->pids)
		ret = limit_one(cg, "pids", "pids.max", "pids.max", text, err);
	return ret;
}

int up_cgroup_procs(const struct up_cgroup *cg, int ret_fds[UP_CGROUP_V1_MAX], struct up_err *err)
{
	for (size_t i = 0; i < cg->n_v1; i++) {
		ret_fds[i] = openat(cg->v1[i], "cgroup.procs", O_WRONLY | O_CLOEXEC);
		if (ret_fds[i] < 0)
			return up_fail(err, errno, "cgroup.procs");
	}
	return 0;
}

int up_cgroup_enter(const int *procs, size_t n, struct up_err *err)
{
	for (size_t i = 0; i < n; i++)
		if (write(procs[i], "0", 1) != 1)
			return up_fail(err, errno, "enter the cgroup");
	return 0;
}

/* ---- what is used -----------------------------------------------------------------------------
 */

/* Resident memory of a process, in bytes; 0 for one that has just ended. */
static uint64_t resident(pid_t pid)
{
	unsigned long pages = 0;
	char path[32], line[128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/statm", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (!fgets(line, sizeof(line), f) || sscanf(line, "%*u %lu", &pages) != 1)
		pages = 0;
	fclose(f);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Without the controllers: add up its processes. */
static int count_processes(const struct up_cgroup *cg, struct up_cgroup_stats *s)
{
	cleanup_file FILE *f = NULL;
	int fd = openat(cg->v2, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	char line[32];

	f = fd < 0 ? NULL : fdopen(fd, "r");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		s->pids++;
		s->memory += resident((pid_t)strtol(line, NULL, 10));
	}
	s->memory_limit = UINT64_MAX;
	return 0;
}

static int read_memory(const struct up_cgroup *cg, struct up_cgroup_stats *s)
{
	bool v2;
	int dir = dir_of(cg, "memory", &v2);
	int ret = read_number(dir, v2 ? "memory.current" : "memory.usage_in_bytes", &s->memory);

	if (!ret)
		ret = read_number(dir, v2 ? "memory.max" : "memory.limit_in_bytes",
				  &s->memory_limit);
	return ret ? ret : read_number(dir_of(cg, "pids", &v2), "pids.current", &s->pids);
}

static int read_cpu(const struct up_cgroup *cg, struct up_cgroup_stats *s)
{
	bool v2;
	int dir = dir_of(cg, "cpuacct", &v2), ret;

	if (!v2)
		return read_number(dir, "cpuacct.usage", &s->cpu_ns);
	ret = read_key(dir, "cpu.stat", "usage_usec ", &s->cpu_ns);
	s->cpu_ns *= 1000;
	return ret;
}

int up_cgroup_read(const struct up_cgroup *cg, struct up_cgroup_stats *ret, struct up_err *err)
{
	struct up_cgroup_stats s = {};
	int failed = read_memory(cg, &s);

	if (failed == -ENOENT) {
		s = (struct up_cgroup_stats){};
		failed = count_processes(cg, &s);
	}
	if (!failed)
		failed = read_cpu(cg, &s);
	if (failed)
		return up_fail(err, failed, "read the cgroup");
	*ret = s;
	return 0;
}
/* ---- the end ----------------------------------------------------------------------------------
 */

int up_cgroup_kill(const struct up_cgroup *cg, struct up_err *err)
{
	cleanup_fd int events = openat(cg->v2, "cgroup.events", O_RDONLY | O_CLOEXEC);
	struct pollfd p = {events, POLLPRI, 0};
	uint64_t populated = 1;
	int ret = read_key(cg->v2, "cgroup.events", "populated ", &populated);

	if (!ret && populated)
		ret = write_file(cg->v2, "cgroup.kill", "1");
	while (!ret && populated) {
		ret = read_key(cg->v2, "cgroup.events", "populated ", &populated);
		if (!ret && populated && !poll(&p, 1, KILL_MS))
			ret = -ETIMEDOUT;
		/* What poll() compares with is what was read by this very descriptor. */
		if (pread(events, (char[64]){}, 64, 0) < 0 && !ret)
			ret = -errno;
	}
	return ret ? up_fail(err, ret, "kill the container's processes") : 0;
}

static int remove_one(const char *controllers, void *arg, struct up_err *err)
{
	cleanup_fd int tree = open_tree_root(controllers, err);
	char path[96];

	if (tree < 0)
		return tree;
	snprintf(path, sizeof(path), PARENT "/%s", (const char *)arg);
	if (unlinkat(tree, path, AT_REMOVEDIR) && errno != ENOENT)
		return up_fail(err, errno, "remove cgroup %s", path);
	unlinkat(tree, PARENT, AT_REMOVEDIR); /* the last one */
	return 0;
}

int up_cgroup_remove(const char *id, struct up_err *err)
{
	cleanup_cgroup struct up_cgroup cg;
	int ret = 0;

	up_cgroup_none(&cg);
	if (!up_cgroup_open(id, UP_CGROUP_EXISTING, &cg, NULL))
		ret = up_cgroup_kill(&cg, err);
	return ret ? ret : each_tree(remove_one, (void *)id, err);
}
