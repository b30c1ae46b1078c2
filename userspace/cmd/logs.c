// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/container.h"
#include "cmd/output.h"

static int copy(int from, struct up_err *err)
{
	char buf[1 << 16];
	ssize_t n;

	while ((n = read(from, buf, sizeof(buf))) > 0)
		for (ssize_t done = 0; done < n;) {
			ssize_t written = write(STDOUT_FILENO, buf + done, (size_t)(n - done));

			if (written < 0)
				return up_fail(err, errno, "write");
			done += written;
		}
	return n < 0 ? up_fail(err, errno, "read the log") : 0;
}

/* Copy what comes until the container has ended; once more after that, for its last words. */
static int follow(int log, const char *path, const struct up_container *c, struct up_err *err)
{
	cleanup_fd int init = up_process_open(&c->init);
	cleanup_fd int events = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	struct pollfd fds[] = {{init, POLLIN, 0}, {events, POLLIN, 0}};
	char drain[4096];
	int ret;

	if (events < 0 || inotify_add_watch(events, path, IN_MODIFY) < 0)
		return up_fail(err, errno, "watch %s", path);
	do {
		ret = copy(log, err);
		if (ret || init < 0)
			return ret;
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return up_fail(err, errno, "watch %s", path);
		while (read(events, drain, sizeof(drain)) > 0)
			;
	} while (!fds[0].revents);
	return copy(log, err);
}

static int print(const char *name, bool following, struct up_err *err)
{
	cleanup_fd int log = -1;
	struct up_container c;
	char path[PATH_MAX];
	int ret = up_container_load(name, &c, err);

	if (ret)
		return ret;
	up_container_path(name, "log", path);
	log = open(path, O_RDONLY | O_CLOEXEC);
	if (log < 0 && errno == ENOENT)
		return up_fail_msg(err, ENOENT,
				   "container %s: no log; only detached containers (-d) have one",
				   name);
	if (log < 0)
		return up_fail(err, errno, "open %s", path);
	return following ? follow(log, path, &c, err) : copy(log, err);
}

static int run(const struct up_cmd *cmd, int argc, char **argv)
{
	static const struct option options[] = {
		{"follow", no_argument, NULL, 'f'},
		{"help", no_argument, NULL, 'h'},
		{},
	};
	struct up_err err = {};
	bool following = false;
	int opt;

	while ((opt = getopt_long(argc, argv, "+:fh", options, NULL)) != -1) {
		if (opt == 'h')
			return up_cmd_help(cmd);
		if (opt != 'f')
			return up_cmd_bad_option(cmd, opt, argv);
		following = true;
	}
	if (optind != argc - 1)
		return up_cmd_usage(cmd, "want the name of one container");
	return print(argv[optind], following, &err) ? up_cmd_error(&err) : UP_EXIT_OK;
}

const struct up_cmd cmd_logs = {
	.name = "logs",
	.args = "[-f] NAME",
	.summary = "print what a detached container has written",
	.help = "  -f, --follow     go on until the container has ended\n" UP_HELP_HELP,
	.run = run,
};
