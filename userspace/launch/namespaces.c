// SPDX-License-Identifier: GPL-2.0-only
#include "launch/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/err.h"

static const struct {
	const char *name;
	int flag;
} kinds[UP_NS_COUNT] = {
	[UP_NS_USER] = {"user", CLONE_NEWUSER}, [UP_NS_NET] = {"net", CLONE_NEWNET},
	[UP_NS_IPC] = {"ipc", CLONE_NEWIPC},    [UP_NS_UTS] = {"uts", CLONE_NEWUTS},
	[UP_NS_PID] = {"pid", CLONE_NEWPID},    [UP_NS_CGROUP] = {"cgroup", CLONE_NEWCGROUP},
};

const char *up_ns_name(enum up_ns kind)
{
	return kinds[kind].name;
}

uint64_t up_ns_clone_flags(const struct up_ns_wish wishes[UP_NS_COUNT])
{
	uint64_t flags = CLONE_NEWNS;

	for (int i = 0; i < UP_NS_COUNT; i++)
		if (wishes[i].mode == UP_NS_PRIVATE && i != UP_NS_CGROUP)
			flags |= (uint64_t)kinds[i].flag;
	return flags;
}

static void path_of(int pid, enum up_ns kind, char buf[64])
{
	snprintf(buf, 64, "/proc/%d/ns/%s", pid, kinds[kind].name);
}

int up_ns_open(int pid, enum up_ns kind, struct up_err *err)
{
	char path[64];
	int fd;

	path_of(pid, kind, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? up_fail(err, errno, "open %s", path) : fd;
}

int up_ns_join(const struct up_ns_wish wishes[UP_NS_COUNT], struct up_err *err)
{
	for (int i = 0; i < UP_NS_COUNT; i++)
		if (wishes[i].mode == UP_NS_JOIN && i != UP_NS_PID &&
		    setns(wishes[i].fd, kinds[i].flag))
			return up_fail(err, errno, "join the %s namespace", kinds[i].name);
	return 0;
}

static int other_user_namespace(int pid)
{
	struct stat theirs, ours;
	char path[64];

	path_of(pid, UP_NS_USER, path);
	if (stat(path, &theirs) || stat("/proc/self/ns/user", &ours))
		return -errno;
	return theirs.st_ino != ours.st_ino;
}

int up_ns_enter(int pidfd, int pid, struct up_err *err)
{
	int flags = CLONE_NEWNS, other = other_user_namespace(pid);

	for (int i = 0; i < UP_NS_COUNT; i++)
		if (i != UP_NS_USER || other)
			flags |= kinds[i].flag;
	if (other < 0 || setns(pidfd, flags))
		return up_fail(err, other < 0 ? other : errno, "enter the container");
	return 0;
}
