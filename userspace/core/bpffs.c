// SPDX-License-Identifier: GPL-2.0-only
#include "core/bpffs.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/paths.h"

#define BPFFS_USUAL "/sys/fs/bpf"

static const char *const subdirs[] = {UP_PIN_LINKS, UP_PIN_PROGS, UP_PIN_MAPS};
#define N_SUBDIRS (sizeof(subdirs) / sizeof(subdirs[0]))

/* A name that a pin has until it takes the place of another. A dot is not allowed in it. */
#define FRESH "_new"

void up_pin_path(char buf[UP_PIN_PATH_MAX], const char *sub, const char *name)
{
	snprintf(buf, UP_PIN_PATH_MAX, "%s/%s/%s", up_pin_dir(), sub, name);
}

/* Is the nearest directory above @path that exists on a bpffs? */
static bool on_bpffs(const char *path)
{
	char buf[UP_PIN_PATH_MAX];
	struct statfs fs;

	snprintf(buf, sizeof(buf), "%s", path);
	while (statfs(buf, &fs)) {
		char *slash = strrchr(buf, '/');

		if (errno != ENOENT || !slash || slash == buf)
			return false;
		*slash = '\0';
	}
	return fs.f_type == BPF_FS_MAGIC;
}

static int mount_usual(struct up_err *err)
{
	if (strncmp(up_pin_dir(), BPFFS_USUAL "/", sizeof(BPFFS_USUAL)))
		return up_fail_msg(
			err, EINVAL,
			"%s is not below a bpffs: mount one with 'mount -t bpf bpf DIR', "
			"or unset " UP_PIN_DIR_ENV,
			up_pin_dir());
	if (mount("bpf", BPFFS_USUAL, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700"))
		return up_fail(err, errno, "mount bpffs at " BPFFS_USUAL);
	return 0;
}

int up_bpffs_prepare_sub(const char *sub, struct up_err *err)
{
	char path[UP_PIN_PATH_MAX];
	int ret = on_bpffs(up_pin_dir()) ? 0 : mount_usual(err);

	snprintf(path, sizeof(path), "%s/%s", up_pin_dir(), sub);
	return ret ? ret : up_mkdir_p(path, 0700, err);
}

int up_bpffs_prepare(struct up_err *err)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < N_SUBDIRS; i++)
		ret = up_bpffs_prepare_sub(subdirs[i], err);
	return ret;
}

static void close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static int remove_pins(const char *dir, struct up_err *err)
{
	__up_cleanup(close_dir) DIR *d = opendir(dir);
	struct dirent *e;

	if (!d)
		return errno == ENOENT ? 0 : up_fail(err, errno, "open %s", dir);
	while ((e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (unlinkat(dirfd(d), e->d_name, 0))
			return up_fail(err, errno, "remove %s/%s", dir, e->d_name);
	}
	if (rmdir(dir))
		return up_fail(err, errno, "remove %s", dir);
	return 0;
}

int up_bpffs_remove_sub(const char *sub, struct up_err *err)
{
	char path[UP_PIN_PATH_MAX];
	int ret;

	snprintf(path, sizeof(path), "%s/%s", up_pin_dir(), sub);
	ret = remove_pins(path, err);
	if (!ret && rmdir(up_pin_dir()) && errno != ENOENT && errno != ENOTEMPTY)
		ret = up_fail(err, errno, "remove %s", up_pin_dir());
	return ret;
}

int up_bpffs_remove(struct up_err *err)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < N_SUBDIRS; i++)
		ret = up_bpffs_remove_sub(subdirs[i], err);
	return ret;
}

int up_pin_replace(int fd, const char *path, struct up_err *err)
{
	char fresh[UP_PIN_PATH_MAX + sizeof(FRESH)];

	snprintf(fresh, sizeof(fresh), "%s" FRESH, path);
	if (unlink(fresh) && errno != ENOENT)
		return up_fail(err, errno, "remove %s", fresh);
	if (bpf_obj_pin(fd, fresh))
		return up_fail(err, errno, "pin %s", fresh);
	if (rename(fresh, path))
		return up_fail(err, errno, "rename %s", fresh);
	return 0;
}
