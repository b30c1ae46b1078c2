// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "attach/sync.h"
#include "attach/target.h"
#include "attach/watch.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/output.h"

#define UPLINKS_MAX 64

/**
 * struct wish - the command line of "attach"
 * @opts:    settings
 * @uplinks: names in it
 * @all:     every container that runs
 * @watch:   and those that will
 */
struct wish {
	struct up_ride_opts opts;
	const char *uplinks[UPLINKS_MAX];
	bool all, watch;
};

static int parse_number(const char *text, unsigned long min, unsigned long max, uint32_t *ret)
{
	char *end;
	unsigned long n = strtoul(text, &end, 0);

	if (*text < '0' || *text > '9' || *end || n < min || n > max)
		return -1;
	*ret = (uint32_t)n;
	return 0;
}

static int set_option(const struct up_cmd *cmd, struct wish *w, int opt, char **argv)
{
	if (opt == 'a')
		w->all = true;
	else if (opt == 'w')
		w->watch = true;
	else if (opt == 'u' && w->opts.n_uplinks < UPLINKS_MAX)
		w->uplinks[w->opts.n_uplinks++] = optarg;
	else if (opt == 'u')
		return up_cmd_usage(cmd, "more than %d uplinks", UPLINKS_MAX);
	else if (opt == 'r' && !parse_number(optarg, UP_RIDE_REFRESH_MIN, UP_RIDE_REFRESH_MAX,
					     &w->opts.refresh_ms))
		return -1;
	else if (opt == 'r')
		return up_cmd_usage(cmd, "refresh '%s': want milliseconds, %d to %d", optarg,
				    UP_RIDE_REFRESH_MIN, UP_RIDE_REFRESH_MAX);
	else if (opt == 'm' && parse_number(optarg, 1, UINT32_MAX, &w->opts.skip_mark))
		return up_cmd_usage(cmd, "skip-mark '%s': want a number from 1 to 0xffffffff",
				    optarg);
	else if (opt != 'm')
		return up_cmd_bad_option(cmd, opt, argv);
	return -1;
}

static void say(const char *text)
{
	fprintf(stderr, "underpass: attach: %s\n", text);
}

static int attach_all(const struct wish *w)
{
	struct up_err err = {};
	size_t n;

	if (w->watch)
		return up_watch(&w->opts, say, &err) ? up_cmd_error(&err) : UP_EXIT_OK;
	if (up_sync_all(&w->opts, &n, &err))
		return up_cmd_error(&err);
	printf("%zu attached\n", n);
	return UP_EXIT_OK;
}

/* One that cannot be attached keeps no other from it. */
static int attach_each(const struct wish *w, int argc, char **argv)
{
	int status = UP_EXIT_OK;

	for (int i = optind; i < argc; i++) {
		struct up_err err = {};

		if (up_target_attach(argv[i], &w->opts, &err))
			status = up_cmd_error(&err);
	}
	return status;
}

static int run(const struct up_cmd *cmd, int argc, char **argv)
{
	static const struct option options[] = {
		{"all", no_argument, NULL, 'a'},
		{"watch", no_argument, NULL, 'w'},
		{"uplink", required_argument, NULL, 'u'},
		{"refresh", required_argument, NULL, 'r'},
		{"skip-mark", required_argument, NULL, 'm'},
		{"help", no_argument, NULL, 'h'},
		{},
	};
	struct wish w = {};
	int opt, status;

	w.opts.uplinks = w.uplinks;
	while ((opt = getopt_long(argc, argv, "+:awu:r:m:h", options, NULL)) != -1) {
		if (opt == 'h')
			return up_cmd_help(cmd);
		status = set_option(cmd, &w, opt, argv);
		if (status >= 0)
			return status;
	}
	if ((w.all || w.watch) && optind < argc)
		return up_cmd_usage(cmd, "unexpected argument '%s'", argv[optind]);
	if (!w.all && !w.watch && optind == argc)
		return up_cmd_usage(cmd, "want a container");
	return w.all || w.watch ? attach_all(&w) : attach_each(&w, argc, argv);
}

const struct up_cmd cmd_attach = {
	.name = "attach",
	.args = "[OPTIONS] CONTAINER... | --all | --watch",
	.summary = "make containers fast that docker or podman run, as they are",
	.help = "CONTAINER is a name or an id of docker's or podman's, or one of docker:NAME,\n"
		"podman:NAME, pid:N, netns:PATH, if:NAME (the host's end of its veth).\n\n"
		"  -a, --all           every container that runs\n"
		"  -w, --watch         the same, and those that are started while this runs\n"
		"  -u, --uplink IF     interface towards the network; may be repeated\n"
		"                      (default: that of the default route)\n"
		"  -r, --refresh MS    how long a decision of the rules holds (1000)\n"
		"  -m, --skip-mark N   leave connections with one of these bits in their "
		"conntrack\n"
		"                      mark to the kernel\n"
		"  -h, --help          print this help\n\n"
		"Nothing of the container, docker or iptables is changed, and no connection is "
		"broken.\nRules go on to decide; what they change takes effect within the refresh "
		"time, or at\nonce with 'underpass flush'. 'underpass detach' undoes it.\n",
	.run = run,
};
