// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/container.h"
#include "cmd/options.h"

/* "TERM", "SIGTERM" or "15" */
static int set_signal(void *to, const char *text, struct up_err *err)
{
	const char *name = strncasecmp(text, "SIG", 3) ? text : text + 3;
	char *end;
	long n = strtol(text, &end, 10);

	for (int sig = 1; sig < NSIG; sig++) {
		const char *known = sigabbrev_np(sig);

		if ((known && !strcasecmp(known, name)) || (*text && !*end && n == sig)) {
			*(int *)to = sig;
			return 0;
		}
	}
	return up_fail_msg(err, EINVAL, "signal '%s': there is none of that name", text);
}

/* Init hands it to the command; SIGKILL ends init, and the container with it. */
static int kill_one(const char *name, int sig, struct up_err *err)
{
	cleanup_fd int init = -1;
	struct up_container c;
	int ret = up_container_load(name, &c, err);

	if (ret)
		return ret;
	init = up_process_open(&c.init);
	if (init < 0)
		return up_fail_msg(err, ESRCH, "container %s: it is not running", name);
	if (syscall(SYS_pidfd_send_signal, init, sig, NULL, 0))
		return up_fail(err, errno, "container %s: signal %d", name, sig);
	return 0;
}

static const struct up_option options[] = {
	{"signal", 's', "SIGNAL", "by name or number (default: KILL)", .set = set_signal},
	{},
};

static int run(const struct up_cmd *cmd, int argc, char **argv)
{
	int sig = SIGKILL;
	int status = up_options_parse(cmd, &sig, argc, argv, NULL);

	if (status >= 0)
		return status;
	if (optind == argc)
		return up_cmd_usage(cmd, "want the name of a container");
	status = UP_EXIT_OK;
	for (; optind < argc; optind++) {
		struct up_err err = {};

		if (kill_one(argv[optind], sig, &err))
			status = up_cmd_error(&err);
		else
			puts(argv[optind]);
	}
	return status;
}

const struct up_cmd cmd_kill = {
	.name = "kill",
	.args = "[-s SIGNAL] NAME...",
	.summary = "send a signal to containers",
	.options = options,
	.run = run,
};
