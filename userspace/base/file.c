// SPDX-License-Identifier: GPL-2.0-only
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/paths.h"

static int mkdir_one(const char *path, mode_t mode, struct up_err *err)
{
	if (mkdir(path, mode) && errno != EEXIST)
		return up_fail(err, errno, "make directory %s", path);
	return 0;
}

int up_mkdir_p(const char *path, mode_t mode, struct up_err *err)
{
	char buf[PATH_MAX];
	int ret;

	if ((size_t)snprintf(buf, sizeof(buf), "%s", path) >= sizeof(buf))
		return up_fail(err, ENAMETOOLONG, "make directory %.100s...", path);
	for (char *slash = strchr(buf + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		ret = mkdir_one(buf, mode, err);
		if (ret)
			return ret;
		*slash = '/';
	}
	return mkdir_one(buf, mode, err);
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= n;
	}
	return 0;
}

int up_file_write(const char *path, const void *data, size_t len, mode_t mode, struct up_err *err)
{
	cleanup_fd int fd = -1;
	char tmp[PATH_MAX];
	int ret;

	if ((size_t)snprintf(tmp, sizeof(tmp), "%s.tmp", path) >= sizeof(tmp))
		return up_fail(err, ENAMETOOLONG, "write %.100s...", path);
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return up_fail(err, errno, "write %s", tmp);
	ret = write_all(fd, data, len);
	if (!ret && rename(tmp, path))
		ret = -errno;
	if (ret) {
		unlink(tmp);
		return up_fail(err, ret, "write %s", path);
	}
	return 0;
}

ssize_t up_file_read(const char *path, size_t max, char **ret_data, struct up_err *err)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	cleanup_free char *buf = NULL;
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return up_fail(err, errno, "read %s", path);
	buf = malloc(max + 1);
	if (!buf)
		return up_fail(err, ENOMEM, "read %s", path);
	while (len <= max && (n = read(fd, buf + len, max + 1 - len)) != 0) {
		if (n < 0 && errno != EINTR)
			return up_fail(err, errno, "read %s", path);
		len += n < 0 ? 0 : n;
	}
	if (len > max)
		return up_fail(err, EFBIG, "read %s", path);
	buf[len] = '\0';
	*ret_data = take_ptr(buf);
	return (ssize_t)len;
}

int up_lock(struct up_err *err)
{
	cleanup_fd int fd = -1;
	char path[PATH_MAX];
	int ret;

	ret = up_mkdir_p(up_run_dir(), 0755, err);
	if (ret)
		return ret;
	snprintf(path, sizeof(path), "%s/lock", up_run_dir());
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return up_fail(err, errno, "open %s", path);
	while (flock(fd, LOCK_EX)) {
		if (errno != EINTR)
			return up_fail(err, errno, "lock %s", path);
	}
	return take_fd(&fd);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path) && errno != ENOENT ? -errno : 0;
}

int up_remove_tree(const char *path, struct up_err *err)
{
	struct stat st;
	int ret;

	if (lstat(path, &st) && errno == ENOENT)
		return 0;
	ret = nftw(path, remove_entry, 32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	return ret ? up_fail(err, ret < -1 ? ret : errno, "remove %s", path) : 0;
}
