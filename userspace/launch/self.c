// SPDX-License-Identifier: GPL-2.0-only
#include "launch/self.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "launch/mount.h"

#define SELF "/proc/self/exe"

int up_self_protect(char **argv, struct up_err *err)
{
	const struct up_mount_change readonly = {.set = MOUNT_ATTR_RDONLY};
	cleanup_fd int fd = -1;
	struct statvfs st;
	int ret;

	if (statvfs(SELF, &st))
		return up_fail(err, errno, "look at %s", SELF);
	if (st.f_flag & ST_RDONLY) {
		prctl(PR_SET_NAME, "underpass"); /* it was executed by a descriptor's number */
		return 0;
	}
	fd = up_mount_copy(AT_FDCWD, SELF, false, err);
	ret = fd < 0 ? fd : up_mount_change(fd, &readonly, err);
	if (ret)
		return ret;
	/* To close it is to unmount it, for which the kernel takes its time: at the end, not now.
	 */
	fcntl(fd, F_SETFD, 0);
	syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
	return up_fail(err, errno, "execute %s again", SELF);
}
