// SPDX-License-Identifier: GPL-2.0-only
#include "cni/lease.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"

#define LEASE_MAX 4096
#define NEW_NAME  ".underpass-new" /* not an address: nobody takes it for a lease */

struct up_cni_leases {
	DIR *dir;
	int lock;
	char path[PATH_MAX];
};

static int lock_file(int dir, const char *path, struct up_err *err)
{
	cleanup_fd int fd = openat(dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0)
		return up_fail(err, errno, "open %s/lock", path);
	while (flock(fd, LOCK_EX))
		if (errno != EINTR)
			return up_fail(err, errno, "lock %s/lock", path);
	return take_fd(&fd);
}

static int open_dir(struct up_cni_leases *l, bool make, struct up_err *err)
{
	int ret = make ? up_mkdir_p(l->path, 0755, err) : 0;

	if (ret)
		return ret;
	l->dir = opendir(l->path);
	if (!l->dir)
		return up_fail(err, errno, "open %s", l->path);
	l->lock = lock_file(dirfd(l->dir), l->path, err);
	return l->lock < 0 ? l->lock : 0;
}

int up_cni_leases_open(const char *dir, const char *network, bool make, struct up_cni_leases **ret,
		       struct up_err *err)
{
	__up_cleanup(up_cni_leases_close) struct up_cni_leases *l = calloc(1, sizeof(*l));
	int retval;

	if (!l)
		return up_fail(err, ENOMEM, "open leases");
	l->lock = -1;
	if (snprintf(l->path, sizeof(l->path), "%s/%s", dir ? dir : UP_CNI_LEASE_DIR, network) >=
	    (int)sizeof(l->path))
		return up_fail(err, ENAMETOOLONG, "leases of %.80s", network);
	retval = open_dir(l, make, err);
	if (!retval)
		*ret = take_ptr(l);
	return retval;
}

void up_cni_leases_close(struct up_cni_leases **leases)
{
	struct up_cni_leases *l = *leases;

	if (!l)
		return;
	up_close_fd(&l->lock);
	if (l->dir)
		closedir(l->dir);
	free(l);
	*leases = NULL;
}

static int write_new(struct up_cni_leases *l, const char *text)
{
	cleanup_fd int fd = openat(dirfd(l->dir), NEW_NAME,
				   O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		return -errno;
	return 0;
}

/* Whole or not at all: a file without an owner in it would never be released. */
int up_cni_lease_take(struct up_cni_leases *l, const struct up_addr *addr, const char *id,
		      const char *ifname, struct up_err *err)
{
	char name[UP_ADDR_TEXT], text[LEASE_MAX];
	int ret;

	up_addr_format(addr, name);
	if (snprintf(text, sizeof(text), "%s\r\n%s", id, ifname) >= (int)sizeof(text))
		return up_fail(err, ENAMETOOLONG, "container id");
	if (!faccessat(dirfd(l->dir), name, F_OK, 0))
		return up_fail(err, EEXIST, "lease of %s", name);
	ret = write_new(l, text);
	if (!ret && renameat2(dirfd(l->dir), NEW_NAME, dirfd(l->dir), name, RENAME_NOREPLACE))
		ret = -errno;
	return ret ? up_fail(err, ret, "lease of %s in %s", name, l->path) : 0;
}

static size_t read_at(struct up_cni_leases *l, const char *name, char buf[LEASE_MAX])
{
	cleanup_fd int fd = openat(dirfd(l->dir), name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, LEASE_MAX - 1);

	buf[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

/* "ID\r\nIFNAME", or only the id, which is what older versions wrote; blanks around do not count.
 */
static void split(char *text, const char **ret_id, const char **ret_ifname)
{
	size_t len;
	char *cut;

	text += strspn(text, " \t\r\n");
	len = strlen(text);
	while (len && strchr(" \t\r\n", text[len - 1]))
		text[--len] = '\0';
	*ret_id = text;
	*ret_ifname = "";
	cut = strpbrk(text, "\r\n");
	if (!cut)
		return;
	*ret_ifname = cut + strspn(cut, "\r\n");
	*cut = '\0';
}

int up_cni_lease_foreach(struct up_cni_leases *l,
			 bool (*drop)(const struct up_addr *addr, const char *id,
				      const char *ifname, void *arg),
			 void *arg)
{
	char text[LEASE_MAX];
	struct dirent *e;
	int dropped = 0;

	unlinkat(dirfd(l->dir), NEW_NAME, 0); /* of somebody who died: we hold the lock */
	rewinddir(l->dir);
	while ((e = readdir(l->dir))) {
		const char *id, *ifname;
		struct up_addr addr;

		if (up_addr_parse(e->d_name, &addr) || !read_at(l, e->d_name, text))
			continue;
		split(text, &id, &ifname);
		if (drop(&addr, id, ifname, arg) && !unlinkat(dirfd(l->dir), e->d_name, 0))
			dropped++;
	}
	return dropped;
}

static void last_name(unsigned int set, char name[40])
{
	snprintf(name, 40, "last_reserved_ip.%u", set);
}

struct up_addr up_cni_lease_last(struct up_cni_leases *l, unsigned int set)
{
	char name[40], text[LEASE_MAX];
	struct up_addr addr = UP_ANY;

	last_name(set, name);
	read_at(l, name, text);
	text[strcspn(text, " \t\r\n")] = '\0';
	up_addr_parse(text, &addr);
	return addr;
}

/* It is where the next search begins, and no more: so it is overwritten in its place, because file
 * systems take their time to make sure of a file that replaces another. */
int up_cni_lease_set_last(struct up_cni_leases *l, unsigned int set, const struct up_addr *addr,
			  struct up_err *err)
{
	char name[40], text[UP_ADDR_TEXT];
	ssize_t len = (ssize_t)strlen(up_addr_format(addr, text));
	cleanup_fd int fd = -1;

	last_name(set, name);
	fd = openat(dirfd(l->dir), name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || pwrite(fd, text, (size_t)len, 0) != len || ftruncate(fd, len))
		return up_fail(err, errno, "write %s/%s", l->path, name);
	return 0;
}
