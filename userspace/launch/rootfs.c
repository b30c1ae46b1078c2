// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is in the directory is hostile: "proc" may be a symbolic link to anywhere. Every target is
 * opened below the root (inroot.h), and mounts go to the descriptor that this gave, never to a
 * path. /proc, /sys and /dev themselves must be directories, because what is masked later is found
 * through them.
 */
#include "launch/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "launch/devnodes.h"
#include "launch/inroot.h"
#include "launch/mount.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define SECURE        (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

static const struct {
	const char *target, *type, *options;
	uint64_t attrs;
} defaults[] = {
	{"/proc", "proc", NULL, SECURE},
	{"/sys", "sysfs", NULL, SECURE | MOUNT_ATTR_RDONLY},
	{"/dev", "tmpfs", "mode=755,size=65536k", MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME},
	{"/dev/pts", "devpts", "newinstance,ptmxmode=0666,mode=0620",
	 MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC},
	{"/dev/shm", "tmpfs", "mode=1777,size=65536k", SECURE},
	{"/dev/mqueue", "mqueue", NULL, SECURE},
};

/* What docker hides, and what it makes read-only: they are the machine's, not the container's. */
static const char *const masked[] = {
	"/proc/asound",     "/proc/acpi",        "/proc/interrupts",
	"/proc/kcore",      "/proc/keys",        "/proc/latency_stats",
	"/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
	"/proc/scsi",       "/sys/firmware",     "/sys/devices/virtual/powercap",
};
static const char *const guarded[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
				      "/proc/sysrq-trigger"};

/* ---- the default mounts -----------------------------------------------------------------------
 */

/* The user's own mount there, or on a directory above, takes the place of ours. */
static bool taken(const struct up_rootfs *fs, const char *target)
{
	return up_volumes_has(&fs->volumes, target) ||
	       (!strncmp(target, "/dev/", 5) && up_volumes_has(&fs->volumes, "/dev"));
}

static int target_of_default(int root, const char *path)
{
	cleanup_fd int fd = up_inroot_make(root, path, true);
	cleanup_fd int same = -1;

	if (fd < 0)
		return fd;
	same = up_inroot_open(root, path, O_PATH | O_NOFOLLOW | O_DIRECTORY);
	return same < 0 ? -ELOOP : take_fd(&fd);
}

static int mount_default(const struct up_rootfs *fs, int root, size_t i, struct up_err *err)
{
	cleanup_fd int target = target_of_default(root, defaults[i].target);
	uint64_t attrs = defaults[i].attrs;
	cleanup_fd int fd = -1;

	if (target < 0)
		return up_fail(err, target, "mount point %s", defaults[i].target);
	if (fs->privileged)
		attrs &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	fd = up_mount_new(defaults[i].type, defaults[i].options, attrs, err);
	if (fd < 0 || up_mount_move(fd, target, err))
		return up_wrap(err, "%s", defaults[i].target);
	return 0;
}

static int mount_defaults(const struct up_rootfs *fs, int root, struct up_err *err)
{
	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(defaults) && !ret; i++) {
		if (taken(fs, defaults[i].target))
			continue;
		ret = mount_default(fs, root, i, err);
		if (!ret && !strcmp(defaults[i].target, "/dev"))
			ret = up_devnodes_make(root, fs->privileged, fs->userns, err);
	}
	return ret;
}

/* ---- cgroups ----------------------------------------------------------------------------------
 */

#define CGROUP_DIR "/sys/fs/cgroup"

static int mount_at(int root, const char *path, int fd, struct up_err *err)
{
	cleanup_fd int mount = fd, target = -1;

	if (mount < 0)
		return mount;
	target = up_inroot_make(root, path, true);
	return target < 0 ? up_fail(err, target, "mount point %s", path)
			  : up_mount_move(mount, target, err);
}

/* Return: a mount of that tree, for mount_at(), or -errno */
static int cgroup_mount(const struct up_rootfs *fs, size_t i, const char *type, const char *name,
			uint64_t attrs, struct up_err *err)
{
	int fd = fs->cgroup_mounts[i];

	if (fd < 0)
		return up_mount_new(type, name, attrs, err);
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return fd < 0 ? up_fail(err, errno, "cgroup") : fd;
}

static int mount_cgroups_v1(const struct up_rootfs *fs, int root, uint64_t attrs,
			    struct up_err *err)
{
	const struct up_mount_change change = {.set = attrs & MOUNT_ATTR_RDONLY};
	cleanup_fd int top = up_mount_new("tmpfs", "mode=755,size=64k", SECURE, err);
	int ret = top < 0 ? top : mount_at(root, CGROUP_DIR, fcntl(top, F_DUPFD_CLOEXEC, 3), err);

	for (size_t i = 0; i < fs->n_cgroups && !ret; i++) {
		char path[96];

		snprintf(path, sizeof(path), CGROUP_DIR "/%s", fs->cgroups[i]);
		ret = mount_at(root, path,
			       cgroup_mount(fs, i, "cgroup", fs->cgroups[i], attrs, err), err);
	}
	return ret ? ret : up_mount_change(top, &change, err);
}

/* Its own limits, to be read: what runtimes and allocators size themselves by. */
static int mount_cgroups(const struct up_rootfs *fs, int root, struct up_err *err)
{
	uint64_t attrs = SECURE | (fs->privileged ? 0 : MOUNT_ATTR_RDONLY);

	if (fs->n_cgroups)
		return mount_cgroups_v1(fs, root, attrs, err);
	return mount_at(root, CGROUP_DIR, cgroup_mount(fs, 0, "cgroup2", NULL, attrs, err), err);
}

/* ---- sysctls ----------------------------------------------------------------------------------
 */

static const struct {
	const char *prefix;
	bool net; /* else ipc */
} namespaced[] = {
	{"net.", true},           {"fs.mqueue.", false},
	{"kernel.msgmax", false}, {"kernel.msgmnb", false},
	{"kernel.msgmni", false}, {"kernel.sem", false},
	{"kernel.shmall", false}, {"kernel.shmmax", false},
	{"kernel.shmmni", false}, {"kernel.shm_rmid_forced", false},
};

int up_sysctl_check(const char *text, bool net, bool ipc, struct up_err *err)
{
	size_t len = strcspn(text, "=");

	if (!text[len] || strchr(text, '/') || strstr(text, ".."))
		return up_fail_msg(err, EINVAL, "sysctl '%s': want NAME=VALUE", text);
	for (size_t i = 0; i < ARRAY_SIZE(namespaced); i++) {
		const char *prefix = namespaced[i].prefix;
		size_t n = strlen(prefix);

		if (prefix[n - 1] == '.' ? strncmp(text, prefix, n) != 0
					 : (n != len || strncmp(text, prefix, n) != 0))
			continue;
		if (namespaced[i].net ? net : ipc)
			return 0;
		return up_fail_msg(err, EINVAL,
				   "sysctl '%s': the container shares the %s namespace", text,
				   namespaced[i].net ? "network" : "ipc");
	}
	return up_fail_msg(err, EINVAL, "sysctl '%s': it belongs to no namespace of a container",
			   text);
}

static int set_sysctl(int root, const char *text, struct up_err *err)
{
	const char *value = strchr(text, '=') + 1;
	cleanup_fd int fd = -1;
	char path[256];
	size_t len = (size_t)(value - 1 - text);

	snprintf(path, sizeof(path), "/proc/sys/%.*s", (int)len, text);
	for (char *dot = path; (dot = strchr(dot, '.'));)
		*dot = '/';
	fd = up_inroot_open(root, path, O_WRONLY);
	if (fd < 0)
		return up_fail(err, fd, "sysctl %s", text);
	return write(fd, value, strlen(value)) < 0 ? up_fail(err, errno, "sysctl %s", text) : 0;
}

/* ---- masks ------------------------------------------------------------------------------------
 */

/* Hide a path: an empty, read-only directory over a directory, /dev/null over anything else. */
static int mask(int root, const char *path, struct up_err *err)
{
	cleanup_fd int target = up_inroot_open(root, path, O_PATH);
	cleanup_fd int fd = -1, null = -1;
	struct stat st;

	if (target < 0)
		return target == -ENOENT ? 0 : up_fail(err, target, "mask %s", path);
	if (!fstat(target, &st) && S_ISDIR(st.st_mode)) {
		fd = up_mount_new("tmpfs", "size=0k", SECURE | MOUNT_ATTR_RDONLY, err);
	} else {
		null = up_inroot_open(root, "/dev/null", O_PATH);
		fd = null < 0 ? up_fail(err, null, "open /dev/null")
			      : up_mount_copy(null, "", false, err);
	}
	return fd < 0 || up_mount_move(fd, target, err) ? up_wrap(err, "mask %s", path) : 0;
}

static int guard(int root, const char *path, struct up_err *err)
{
	const struct up_mount_change change = {.set = SECURE | MOUNT_ATTR_RDONLY,
					       .recursive = true};
	cleanup_fd int target = up_inroot_open(root, path, O_PATH);
	cleanup_fd int fd = -1;

	if (target < 0)
		return target == -ENOENT ? 0 : up_fail(err, target, "protect %s", path);
	fd = up_mount_copy(target, "", true, err);
	if (fd < 0 || up_mount_change(fd, &change, err) || up_mount_move(fd, target, err))
		return up_wrap(err, "protect %s", path);
	return 0;
}

static int each(int root, const char *const *paths, size_t n,
		int (*fn)(int root, const char *path, struct up_err *err), struct up_err *err)
{
	int ret = 0;

	for (size_t i = 0; i < n && !ret; i++)
		ret = fn(root, paths[i], err);
	return ret;
}

static int protect(const struct up_rootfs *fs, int root, struct up_err *err)
{
	const struct up_mount_change readonly = {.set = MOUNT_ATTR_RDONLY};
	int ret = 0;

	if (fs->bundle) {
		ret = each(root, (const char *const *)fs->masked, fs->n_masked, mask, err);
		if (!ret)
			ret = each(root, (const char *const *)fs->guarded, fs->n_guarded, guard,
				   err);
	} else if (!fs->privileged && !fs->unmasked) {
		ret = each(root, masked, ARRAY_SIZE(masked), mask, err);
		if (!ret)
			ret = each(root, guarded, ARRAY_SIZE(guarded), guard, err);
	}
	if (!ret && fs->readonly)
		ret = up_mount_change(root, &readonly, err);
	return ret;
}

/* ---- putting it together ----------------------------------------------------------------------
 */

/* A bundle says all of it itself, and in which order. */
static int fill(const struct up_rootfs *fs, int root, struct up_err *err)
{
	bool show = fs->show_cgroups && !up_volumes_has(&fs->volumes, CGROUP_DIR) &&
		    (fs->bundle || !taken(fs, "/sys"));
	int ret = fs->bundle ? up_volumes_mount(&fs->volumes, root, err)
			     : mount_defaults(fs, root, err);

	if (!ret && show)
		ret = mount_cgroups(fs, root, err);
	if (!ret)
		ret = fs->bundle ? up_devnodes_make(root, false, fs->userns, err)
				 : up_volumes_mount(&fs->volumes, root, err);
	if (!ret)
		ret = up_device_nodes_make(root, &fs->nodes, fs->userns, err);
	for (size_t i = 0; i < fs->n_sysctls && !ret; i++)
		ret = set_sysctl(root, fs->sysctls[i], err);
	return ret ? ret : protect(fs, root, err);
}

/* Old and new root in one place; detaching the old one leaves the new (pivot_root(2), NOTES). */
static int pivot(int root, struct up_err *err)
{
	if (fchdir(root) || syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) ||
	    chdir("/"))
		return up_fail(err, errno, "change the root");
	return 0;
}

/* The new root lies over the old one until they change places: no directory is needed for it. */
static int attach(int root, struct up_err *err)
{
	cleanup_fd int top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return up_fail(err, errno, "make mounts private");
	return top < 0 ? up_fail(err, errno, "open /") : up_mount_move(root, top, err);
}

int up_rootfs_enter(const struct up_rootfs *fs, int root, struct up_err *err)
{
	int ret = attach(root, err);

	if (!ret)
		ret = fill(fs, root, err);
	return ret ? ret : pivot(root, err);
}

int up_rootfs_console(int slave, struct up_err *err)
{
	cleanup_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_fd int target = up_inroot_make(root, "/dev/console", false);
	cleanup_fd int fd = -1;

	if (target < 0)
		return up_fail(err, target, "make /dev/console");
	fd = up_mount_copy(slave, "", false, err);
	return fd < 0 || up_mount_move(fd, target, err) ? up_wrap(err, "/dev/console") : 0;
}
