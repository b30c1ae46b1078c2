// SPDX-License-Identifier: GPL-2.0-only
/*
 * The benchmark is a script over tools that users have and trust; this finds it and becomes it. It
 * is looked for beside this executable only, whatever the environment says: it is run as root.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "cmd/cmd.h"

/* From the directory of the executable: installed, in the build tree, and in that of SAN=1. */
static const char *const places[] = {
	"../libexec/underpass/bench",
	"../tools/bench",
	"../../tools/bench",
};

static int own_path(char path[PATH_MAX], struct up_err *err)
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);

	if (n < 0)
		return up_fail(err, errno, "readlink /proc/self/exe");
	path[n] = 0;
	return 0;
}

static int find_script(const char *self, char path[PATH_MAX], struct up_err *err)
{
	int dir = (int)(strrchr(self, '/') - self);

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int n = snprintf(path, PATH_MAX, "%.*s/%s", dir, self, places[i]);

		if (n < PATH_MAX && !access(path, X_OK))
			return 0;
	}
	return up_fail_msg(err, ENOENT, "bench: %.*s/%s is not there: run 'make install'", dir,
			   self, places[0]);
}

static int run(const struct up_cmd *cmd, int argc, char **argv)
{
	char self[PATH_MAX], script[PATH_MAX];
	struct up_err err = {};

	(void)cmd, (void)argc;
	if (own_path(self, &err) || find_script(self, script, &err))
		return up_cmd_error(&err);
	if (setenv("UNDERPASS", self, 1) || execv(script, argv))
		up_fail(&err, errno, "execute %s", script);
	return up_cmd_error(&err);
}

const struct up_cmd cmd_bench = {
	.name = "bench",
	.args = "[OPTIONS]",
	.summary = "measure this machine: underpass beside bridge and host network",
	.help = "",
	.run = run,
};
