// SPDX-License-Identifier: GPL-2.0-only
/*
 * Deleting an interface without waiting for the kernel to forget it. Theory of operation
 * =====================================================================================
 * RTM_DELLINK first takes the interface off every list (unlist_netdevice(), well below a
 * millisecond). Then, still inside the request, it waits twice for every CPU that may have looked
 * at the interface: before its programs go (tcx_uninstall()), and before its memory does
 * (netdev_run_todo()). Each is a grace period of RCU, 10 to 30 ms, and nobody but the kernel needs
 * them. So a process is made for the request, and the caller goes on as soon as the interface is
 * off the lists.
 *
 * Whether it is, is asked by SIOCGIFNAME: the one question about an interface that does not have to
 * wait for the lock of all networking, which the request holds until after the first grace period.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/orphan.h"
#include "net/link.h"

#define ASK_EVERY_NS 100000L

/* The process: sends its -errno by the pipe. */
static void delete_and_tell(int pipe_fd, int ifindex)
{
	cleanup_nl struct up_nl *nl = NULL;
	struct up_err err = {};
	int ret = up_nl_open(NETLINK_ROUTE, &nl, &err);

	if (!ret)
		ret = up_link_del(nl, ifindex, &err);
	if (write(pipe_fd, &ret, sizeof(ret)) < 0)
		_exit(1);
}

static bool is_listed(int sock, int ifindex)
{
	struct ifreq req = {.ifr_ifindex = ifindex};

	return !ioctl(sock, SIOCGIFNAME, &req) || errno != ENODEV;
}

/* Until it is off the lists, or the process is done: then its word counts. */
static int wait_until_gone(int sock, int pipe_fd, int ifindex)
{
	const struct timespec while_waiting = {.tv_nsec = ASK_EVERY_NS};
	struct pollfd done = {.fd = pipe_fd, .events = POLLIN};
	int ret;

	while (ppoll(&done, 1, &while_waiting, NULL) <= 0)
		if (!is_listed(sock, ifindex))
			return 0;
	return read(pipe_fd, &ret, sizeof(ret)) == sizeof(ret) ? ret : -EPIPE;
}

int up_link_del_quickly(struct up_nl *nl, int ifindex, struct up_err *err)
{
	cleanup_fd int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rd = -1, wr = -1;
	int fds[2], ret;

	if (sock < 0 || pipe2(fds, O_CLOEXEC))
		return up_link_del(nl, ifindex, err);
	rd = fds[0];
	wr = fds[1];
	if (!is_listed(sock, ifindex))
		return up_fail(err, ENODEV, "interface %d: delete", ifindex);
	if (up_orphan(delete_and_tell, wr, ifindex, err))
		return up_link_del(nl, ifindex, err);
	up_close_fd(&wr);
	wr = -1;
	ret = wait_until_gone(sock, rd, ifindex);
	return ret ? up_fail(err, ret, "interface %d: delete", ifindex) : 0;
}
