// SPDX-License-Identifier: GPL-2.0-only
#include "launch/init.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launch/command.h"

void up_init_block(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
}

/* Return: true once the command itself has ended */
static bool reap(pid_t command, int *ret_code)
{
	bool ended = false;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == command) {
			*ret_code = up_status_code(status);
			ended = true;
		}
	return ended;
}

int up_init_loop(pid_t command)
{
	struct signalfd_siginfo info;
	sigset_t set;
	int fd, code = 125;

	up_forwarded_signals(&set);
	sigaddset(&set, SIGCHLD);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd < 0)
		return 125;
	while (!reap(command, &code)) {
		if (read(fd, &info, sizeof(info)) != sizeof(info))
			continue;
		/* The terminal's own signals have reached the command already. */
		if (info.ssi_signo != SIGCHLD && info.ssi_code != SI_KERNEL)
			kill(command, (int)info.ssi_signo);
	}
	close(fd);
	return code;
}
