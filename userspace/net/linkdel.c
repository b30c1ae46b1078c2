// SPDX-License-Identifier: GPL-2.0-only
/*
 * Deleting an interface without waiting for the kernel to forget it. Theory of operation
 * =====================================================================================
 * RTM_DELLINK first takes the interface off every list (unregister_netdevice_many(), well below a
 * millisecond), tells listeners of RTNLGRP_LINK, and lets go of the lock; then, still inside the
 * request, it waits for every CPU that may have looked at the interface before its memory is freed
 * (netdev_run_todo(): a grace period of RCU, 15 to 60 ms). Nobody but the kernel needs the second
 * part. So a process is made for the request, and the caller goes on as soon as it hears that the
 * interface is off the lists.
 *
 * The process is orphaned on purpose, so that whoever adopts orphans reaps it. It keeps no file of
 * the caller's open: neither a lock, nor a pipe whose other end waits for the caller to be done.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "net/link.h"

/* The process: sends its -errno by the pipe. It has nothing else of its parent but memory. */
static void __attribute__((noreturn)) delete_and_exit(int pipe_fd, int ifindex)
{
	cleanup_nl struct up_nl *nl = NULL;
	struct up_err err = {};
	int ret;

	signal(SIGPIPE, SIG_IGN);
	if (dup2(pipe_fd, 0) < 0)
		_exit(1);
	syscall(SYS_close_range, 1, ~0U, 0);
	ret = up_nl_open(NETLINK_ROUTE, &nl, &err);
	if (!ret)
		ret = up_link_del(nl, ifindex, &err);
	if (write(0, &ret, sizeof(ret)) < 0)
		_exit(1);
	_exit(0);
}

static int spawn(int pipe_fd, int ifindex, struct up_err *err)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return up_fail(err, errno, "make a process");
	if (!pid) {
		pid = setsid() < 0 ? -1 : fork();
		if (!pid)
			delete_and_exit(pipe_fd, ifindex);
		_exit(pid < 0);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return up_fail(err, errno, "wait for a process");
	return status ? up_fail(err, EAGAIN, "make a process") : 0;
}

static bool names_it(const struct nlmsghdr *nlh, int len, int ifindex)
{
	for (; NLMSG_OK(nlh, (unsigned int)len); nlh = NLMSG_NEXT(nlh, len)) {
		const struct ifinfomsg *ifi = NLMSG_DATA(nlh);

		if (nlh->nlmsg_type == RTM_DELLINK && ifi->ifi_index == ifindex)
			return true;
	}
	return false;
}

/* Return: 1 where the interface is off the lists; 0 where it may not be yet; or -errno */
static int read_news(int news, int ifindex)
{
	char buf[16384] __attribute__((aligned(NLMSG_ALIGNTO)));
	ssize_t n = recv(news, buf, sizeof(buf), 0);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	return names_it((const struct nlmsghdr *)buf, (int)n, ifindex);
}

/* Until the news comes that it is gone, or the process is done: then its word counts. */
static int wait_until_gone(int news, int pipe_fd, int ifindex)
{
	struct pollfd fds[] = {{.fd = news, .events = POLLIN}, {.fd = pipe_fd, .events = POLLIN}};
	int ret = 0;

	while (!ret) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return -errno;
		if (fds[0].revents)
			ret = read_news(news, ifindex);
		/* More news than the socket holds: then there is still the process. */
		if (ret == -ENOBUFS)
			ret = 0;
		if (!ret && fds[1].revents)
			return read(pipe_fd, &ret, sizeof(ret)) == sizeof(ret) ? ret : -EPIPE;
	}
	return ret < 0 ? ret : 0;
}

static int open_news(struct up_err *err)
{
	const struct sockaddr_nl addr = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
	cleanup_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&addr, sizeof(addr)))
		return up_fail(err, errno, "listen to changes of interfaces");
	return take_fd(&fd);
}

int up_link_del_quickly(struct up_nl *nl, int ifindex, struct up_err *err)
{
	cleanup_fd int news = open_news(err), rd = -1, wr = -1;
	int fds[2], ret;

	if (news < 0 || pipe2(fds, O_CLOEXEC))
		return up_link_del(nl, ifindex, err);
	rd = fds[0];
	wr = fds[1];
	ret = spawn(wr, ifindex, err);
	if (ret)
		return up_link_del(nl, ifindex, err);
	up_close_fd(&wr);
	wr = -1;
	ret = wait_until_gone(news, rd, ifindex);
	return ret ? up_fail(err, ret, "interface %d: delete", ifindex) : 0;
}
