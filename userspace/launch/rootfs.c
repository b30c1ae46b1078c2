// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is in the directory is hostile: "proc" may be a symbolic link to anywhere. Every path below
 * it is therefore opened with openat2(RESOLVE_IN_ROOT), which takes the directory for "/", and
 * mounts go to the descriptor that this gave, never to a path.
 */
#include "launch/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"

struct mount_point {
	const char *target, *type, *data;
	unsigned long flags;
};

#define SECURE (MS_NOSUID | MS_NODEV | MS_NOEXEC)

static const struct mount_point mounts[] = {
	{"proc", "proc", NULL, SECURE},
	{"sys", "sysfs", NULL, SECURE | MS_RDONLY},
	{"dev", "tmpfs", "mode=755,size=65536k", MS_NOSUID | MS_STRICTATIME},
	{"dev/pts", "devpts", "newinstance,ptmxmode=0666,mode=0620", MS_NOSUID | MS_NOEXEC},
	{"dev/shm", "tmpfs", "mode=1777,size=65536k", SECURE},
	{"dev/mqueue", "mqueue", NULL, SECURE},
};

static const struct {
	const char *name;
	unsigned int major, minor;
} devices[] = {
	{"null", 1, 3},   {"zero", 1, 5},    {"full", 1, 7},
	{"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0},
};

static const struct {
	const char *target, *name;
} links[] = {
	{"pts/ptmx", "ptmx"},          {"/proc/self/fd", "fd"},       {"/proc/self/fd/0", "stdin"},
	{"/proc/self/fd/1", "stdout"}, {"/proc/self/fd/2", "stderr"},
};

/* What docker hides, and what it makes read-only: they are the machine's, not the container's. */
static const char *const masked[] = {
	"proc/kcore",      "proc/keys",        "proc/latency_stats",
	"proc/timer_list", "proc/sched_debug", "proc/sysrq-trigger",
	"proc/acpi",       "proc/scsi",        "sys/firmware",
};
static const char *const readonly[] = {"proc/bus", "proc/fs", "proc/irq", "proc/sys"};

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

int up_rootfs_check(const char *path, struct up_err *err)
{
	struct stat st, host;

	if (stat(path, &st))
		return up_fail(err, errno, "root filesystem %s", path);
	if (!S_ISDIR(st.st_mode))
		return up_fail(err, ENOTDIR, "root filesystem %s", path);
	if (!stat("/", &host) && st.st_dev == host.st_dev && st.st_ino == host.st_ino)
		return up_fail_msg(err, EINVAL,
				   "root filesystem %s: that is the host's own root; give a copy "
				   "or another directory",
				   path);
	return 0;
}

static int open_in(int root, const char *path, uint64_t flags)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

/* Open a directory below the root; the last component is made where it is missing. */
static int open_target(int root, const char *path)
{
	const char *slash = strrchr(path, '/');
	char parent[64];
	int fd = open_in(root, path, O_PATH | O_DIRECTORY);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	snprintf(parent, sizeof(parent), "%.*s", slash ? (int)(slash - path) : 1,
		 slash ? path : ".");
	fd = open_in(root, parent, O_PATH | O_DIRECTORY);
	if (fd >= 0) {
		cleanup_fd int dir = fd;

		if (mkdirat(dir, slash ? slash + 1 : path, 0755))
			return -1;
		fd = open_in(root, path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
	}
	return fd;
}

static void fd_path(int fd, char buf[32])
{
	snprintf(buf, 32, "/proc/self/fd/%d", fd);
}

static int mount_one(int root, const struct mount_point *m, struct up_err *err)
{
	cleanup_fd int fd = open_target(root, m->target);
	char path[32];

	if (fd < 0)
		return up_fail(err, errno, "mount point /%s", m->target);
	fd_path(fd, path);
	if (mount(m->type, path, m->type, m->flags, m->data))
		return up_fail(err, errno, "mount /%s", m->target);
	return 0;
}

static int fill_dev(int root, struct up_err *err)
{
	cleanup_fd int dev = open_in(root, "dev", O_PATH | O_DIRECTORY);
	mode_t old = umask(0);
	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(devices) && !ret; i++)
		if (mknodat(dev, devices[i].name, S_IFCHR | 0666,
			    makedev(devices[i].major, devices[i].minor)))
			ret = up_fail(err, errno, "make /dev/%s", devices[i].name);
	for (size_t i = 0; i < ARRAY_SIZE(links) && !ret; i++)
		if (symlinkat(links[i].target, dev, links[i].name))
			ret = up_fail(err, errno, "make /dev/%s", links[i].name);
	umask(old);
	return ret;
}

/* Hide a path: an empty, read-only directory over a directory, /dev/null over anything else. */
static int mask(int root, const char *name, struct up_err *err)
{
	cleanup_fd int fd = open_in(root, name, O_PATH);
	cleanup_fd int null = open_in(root, "dev/null", O_PATH);
	char path[32], source[32];
	struct stat st;
	int ret;

	if (fd < 0)
		return errno == ENOENT ? 0 : up_fail(err, errno, "mask /%s", name);
	fd_path(fd, path);
	fd_path(null, source);
	if (!fstat(fd, &st) && S_ISDIR(st.st_mode))
		ret = mount("tmpfs", path, "tmpfs", SECURE | MS_RDONLY, "size=0k");
	else
		ret = mount(source, path, NULL, MS_BIND, NULL);
	return ret ? up_fail(err, errno, "mask /%s", name) : 0;
}

static int make_readonly(int root, const char *name, struct up_err *err)
{
	cleanup_fd int fd = open_in(root, name, O_PATH);
	cleanup_fd int bound = -1;
	char path[32];

	if (fd < 0)
		return errno == ENOENT ? 0 : up_fail(err, errno, "protect /%s", name);
	fd_path(fd, path);
	if (mount(path, path, NULL, MS_BIND | MS_REC, NULL))
		return up_fail(err, errno, "protect /%s", name);
	bound = open_in(root, name, O_PATH);
	fd_path(bound, path);
	if (mount(NULL, path, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | SECURE, NULL))
		return up_fail(err, errno, "protect /%s", name);
	return 0;
}

static int populate(int root, struct up_err *err)
{
	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(mounts) && !ret; i++) {
		ret = mount_one(root, &mounts[i], err);
		if (!ret && !strcmp(mounts[i].target, "dev"))
			ret = fill_dev(root, err);
	}
	for (size_t i = 0; i < ARRAY_SIZE(masked) && !ret; i++)
		ret = mask(root, masked[i], err);
	for (size_t i = 0; i < ARRAY_SIZE(readonly) && !ret; i++)
		ret = make_readonly(root, readonly[i], err);
	return ret;
}

/* Old and new root in one place; detaching the old one leaves the new (pivot_root(2), NOTES). */
static int pivot(int root, struct up_err *err)
{
	if (fchdir(root) || syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) ||
	    chdir("/"))
		return up_fail(err, errno, "change the root");
	return 0;
}

int up_rootfs_enter(const char *path, struct up_err *err)
{
	cleanup_fd int root = -1;
	int ret;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return up_fail(err, errno, "make mounts private");
	if (mount(path, path, NULL, MS_BIND | MS_REC, NULL))
		return up_fail(err, errno, "bind %s", path);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return up_fail(err, errno, "open %s", path);
	ret = populate(root, err);
	return ret ? ret : pivot(root, err);
}
