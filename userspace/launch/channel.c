// SPDX-License-Identifier: GPL-2.0-only
#include "launch/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

int up_channel_open(int ret_pair[2], struct up_err *err)
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_pair)
		       ? up_fail(err, errno, "socket pair")
		       : 0;
}

/* Room for one descriptor, aligned for a control message. */
union control {
	char buf[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

int up_channel_send(int sock, const struct up_message *m, int fd)
{
	struct iovec iov = {(void *)m, sizeof(*m)};
	struct msghdr hdr = {.msg_iov = &iov, .msg_iovlen = 1};
	union control control = {};

	if (fd >= 0) {
		struct cmsghdr *c;

		hdr.msg_control = &control;
		hdr.msg_controllen = sizeof(control.buf);
		c = CMSG_FIRSTHDR(&hdr);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	return sendmsg(sock, &hdr, MSG_NOSIGNAL) == (ssize_t)sizeof(*m) ? 0 : -errno;
}

static int descriptor_of(struct msghdr *hdr)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(hdr);
	int fd = -1;

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

int up_channel_receive(int sock, struct up_message *ret, int *ret_fd)
{
	struct iovec iov = {ret, sizeof(*ret)};
	union control control = {};
	struct msghdr hdr = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.buf),
	};
	cleanup_fd int fd = -1;
	ssize_t n;

	/* "Reset": the other side ended without reading all; what it has sent comes after that. */
	do {
		n = recvmsg(sock, &hdr, MSG_CMSG_CLOEXEC);
	} while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	if (n < 0)
		return -errno;
	fd = descriptor_of(&hdr);
	if (n && n != (ssize_t)sizeof(*ret))
		return -EPROTO;
	ret->err.msg[sizeof(ret->err.msg) - 1] = '\0';
	*ret_fd = take_fd(&fd);
	return n ? 1 : 0;
}
