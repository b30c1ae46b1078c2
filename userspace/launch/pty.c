// SPDX-License-Identifier: GPL-2.0-only
#include "launch/pty.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"

#define PTMX "/dev/pts/ptmx"

/* Major and minor number of the multiplexer (Documentation/admin-guide/devices.txt). */
#define PTMX_MAJOR 5
#define PTMX_MINOR 2

/* Not to block: the monitor, whose end it is, waits for more than this. */
static int open_master(struct up_err *err)
{
	cleanup_fd int fd = open(PTMX, O_RDWR | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return up_fail(err, errno, "open %s", PTMX);
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(PTMX_MAJOR, PTMX_MINOR))
		return up_fail_msg(err, ENODEV, "open %s: not the terminal multiplexer", PTMX);
	return take_fd(&fd);
}

int up_pty_open(const struct winsize *size, struct up_pty *ret, struct up_err *err)
{
	cleanup_fd int master = open_master(err);
	int slave, unlock = 0;

	if (master < 0)
		return master;
	if (ioctl(master, TIOCSPTLCK, &unlock))
		return up_fail(err, errno, "unlock the terminal");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return up_fail(err, errno, "open the terminal");
	if (size)
		ioctl(slave, TIOCSWINSZ, size);
	*ret = (struct up_pty){take_fd(&master), slave};
	return 0;
}

void up_pty_close(struct up_pty *pty)
{
	up_close_fd(&pty->master);
	up_close_fd(&pty->slave);
	*pty = UP_PTY_NONE;
}
