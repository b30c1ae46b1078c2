// SPDX-License-Identifier: GPL-2.0-only
#include "attach/http.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "attach/slurp.h"
#include "base/cleanup.h"
#include "base/err.h"

#define HEAD_MAX       16384
#define PATH_MAX_LEN   1024
#define ANSWER_SECONDS 30

static int connect_to(const char *path, struct up_err *err)
{
	const struct timeval patience = {.tv_sec = ANSWER_SECONDS};
	cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(to.sun_path))
		return up_fail(err, ENAMETOOLONG, "%s", path);
	strcpy(to.sun_path, path);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)))
		return up_fail(err, errno, "connect to %s", path);
	return take_fd(&fd);
}

static int send_request(int fd, const char *path, struct up_err *err)
{
	char request[PATH_MAX_LEN + 64];
	int len = snprintf(request, sizeof(request),
			   "GET %s HTTP/1.0\r\nHost: localhost\r\nUser-Agent: underpass\r\n\r\n",
			   path);

	if (len < 0 || (size_t)len >= sizeof(request))
		return up_fail(err, ENAMETOOLONG, "request");
	if (send(fd, request, (size_t)len, MSG_NOSIGNAL) != len)
		return up_fail(err, errno ? errno : EIO, "send a request");
	return 0;
}

/* Byte by byte, so that the body is left where it is. The head is short, and read once. */
static int read_head(int fd, int *ret_status, struct up_err *err)
{
	char head[HEAD_MAX + 1] = "";
	size_t len = 0;
	int status;

	while (len < HEAD_MAX) {
		ssize_t n = read(fd, head + len, 1);

		if (n <= 0)
			return up_fail(err, n ? errno : EPROTO, "read an answer");
		head[++len] = '\0';
		if (len >= 4 && !memcmp(head + len - 4, "\r\n\r\n", 4))
			break;
	}
	if (len == HEAD_MAX || sscanf(head, "HTTP/1.%*1[01] %3d", &status) != 1)
		return up_fail_msg(err, EPROTO, "what answers does not speak HTTP");
	*ret_status = status;
	return 0;
}

int up_http_open(const char *socket, const char *path, int *ret_status, struct up_err *err)
{
	cleanup_fd int fd = connect_to(socket, err);
	int ret = fd < 0 ? fd : send_request(fd, path, err);

	if (!ret)
		ret = read_head(fd, ret_status, err);
	if (ret)
		return fd < 0 ? ret : up_wrap(err, "%s", socket);
	return take_fd(&fd);
}

int up_http_get(const char *socket, const char *path, char **ret_body, size_t *ret_len,
		struct up_err *err)
{
	int status = 0, ret;
	cleanup_fd int fd = up_http_open(socket, path, &status, err);

	if (fd < 0)
		return fd;
	ret = up_slurp(fd, UP_HTTP_MAX, ret_body, ret_len, err);
	return ret ? up_wrap(err, "%s", socket) : status;
}
