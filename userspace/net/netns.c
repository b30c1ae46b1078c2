// SPDX-License-Identifier: GPL-2.0-only
#include "net/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

int up_netns_open(const char *path, struct up_err *err)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return up_fail(err, errno, "network namespace %s", path);
	if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		return up_fail_msg(err, EINVAL, "%s is not a network namespace", path);
	return take_fd(&fd);
}

int up_netns_open_pid(pid_t pid, struct up_err *err)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	return up_netns_open(path, err);
}

int up_netns_enter(int netns_fd, int *ret_old, struct up_err *err)
{
	cleanup_fd int old = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	if (old < 0)
		return up_fail(err, errno, "open the present network namespace");
	if (setns(netns_fd, CLONE_NEWNET))
		return up_fail(err, errno, "enter the network namespace");
	*ret_old = take_fd(&old);
	return 0;
}

void up_netns_leave(int *old)
{
	if (*old < 0)
		return;
	if (setns(*old, CLONE_NEWNET))
		abort();
	close(*old);
	*old = -1;
}

int up_netns_cookie(uint64_t *ret_cookie, struct up_err *err)
{
	cleanup_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(*ret_cookie);
	uint64_t cookie;

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len))
		return up_fail(err, errno, "read the network namespace's cookie");
	*ret_cookie = cookie;
	return 0;
}

int up_netns_cookie_of(int netns_fd, uint64_t *ret_cookie, struct up_err *err)
{
	cleanup_netns int old = -1;
	int ret = up_netns_enter(netns_fd, &old, err);

	return ret ? ret : up_netns_cookie(ret_cookie, err);
}
