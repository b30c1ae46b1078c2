// SPDX-License-Identifier: GPL-2.0-only
/* "run": the command line of a container. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>
#include <errno.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/life.h"
#include "launch/rootfs.h"

enum { OPT_RM = 256, OPT_NAME, OPT_NET, OPT_HOSTNAME, OPT_IP, OPT_IP6, OPT_MTU };

static const struct option options[] = {
	{"detach", no_argument, NULL, 'd'},
	{"rm", no_argument, NULL, OPT_RM},
	{"name", required_argument, NULL, OPT_NAME},
	{"publish", required_argument, NULL, 'p'},
	{"net", required_argument, NULL, OPT_NET},
	{"network", required_argument, NULL, OPT_NET},
	{"hostname", required_argument, NULL, OPT_HOSTNAME},
	{"env", required_argument, NULL, 'e'},
	{"workdir", required_argument, NULL, 'w'},
	{"ip", required_argument, NULL, OPT_IP},
	{"ip6", required_argument, NULL, OPT_IP6},
	{"mtu", required_argument, NULL, OPT_MTU},
	{"help", no_argument, NULL, 'h'},
	{},
};

static int set_net(struct up_run *r, const char *text, struct up_err *err)
{
	static const char *const nets[] = {"fast", "host", "none"};

	for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]); i++)
		if (!strcmp(nets[i], text)) {
			strcpy(r->record.net, nets[i]);
			return 0;
		}
	return up_fail_msg(err, EINVAL, "network '%s': want fast, host or none", text);
}

static int set_mtu(struct up_run *r, const char *text, struct up_err *err)
{
	char *end;
	unsigned long mtu = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || mtu < 68 || mtu > 65535)
		return up_fail_msg(err, EINVAL, "MTU '%s': want 68 to 65535", text);
	r->mtu = (uint32_t)mtu;
	return 0;
}

static int set_name(const char *what, const char *text, char to[UP_NAME_MAX + 1],
		    struct up_err *err)
{
	int ret = up_name_check(what, text, err);

	if (!ret)
		snprintf(to, UP_NAME_MAX + 1, "%s", text);
	return ret;
}

static int add_port(struct up_run *r, const char *text, struct up_err *err)
{
	return up_portspec_parse(text, &r->ports, err);
}

static int set_address(struct up_run *r, const char *text, enum up_family family,
		       struct up_err *err)
{
	struct up_addr addr;

	if (up_addr_parse(text, &addr) || up_addr_family(&addr) != family)
		return up_fail_msg(err, EINVAL, "address '%s': not an %s address", text,
				   family == UP_V4 ? "IPv4" : "IPv6");
	r->addr[family] = addr;
	return 0;
}

static int set_option(struct up_run *r, int opt, struct up_err *err)
{
	switch (opt) {
	case 'd':
		r->detach = true;
		return 0;
	case OPT_RM:
		r->remove = true;
		return 0;
	case 'w':
		r->sandbox.command.workdir = optarg;
		return 0;
	case 'p':
		return add_port(r, optarg, err);
	case 'e':
		return up_env_set(&r->env, optarg, err);
	case OPT_NET:
		return set_net(r, optarg, err);
	case OPT_MTU:
		return set_mtu(r, optarg, err);
	case OPT_NAME:
		return set_name("container name", optarg, r->record.name, err);
	case OPT_HOSTNAME:
		return set_name("host name", optarg, r->hostname, err);
	case OPT_IP6:
		return set_address(r, optarg, UP_V6, err);
	default:
		return set_address(r, optarg, UP_V4, err);
	}
}

static void default_name(struct up_run *r)
{
	uint32_t random = (uint32_t)getpid();

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		random ^= (uint32_t)time(NULL);
	snprintf(r->record.name, sizeof(r->record.name), "up-%08x", random);
}

static void describe_command(struct up_run *r, char **argv)
{
	size_t len = 0, size = sizeof(r->record.command);

	for (int i = 0; argv[i] && len < size; i++)
		len += (size_t)snprintf(r->record.command + len, size - len, "%s%s", i ? " " : "",
					argv[i]);
}

/* Everything that can be refused before anything is changed. */
static int check(struct up_run *r, struct up_err *err)
{
	if (geteuid())
		return up_fail_msg(err, EPERM, "run: need root (CAP_SYS_ADMIN and CAP_NET_ADMIN)");
	if (r->ports.n && !up_run_is_fast(r))
		return up_fail_msg(err, EINVAL, "-p needs --net=fast: with --net=%s %s",
				   r->record.net,
				   !strcmp(r->record.net, "host")
					   ? "a container's ports are the host's already"
					   : "there is no network");
	return up_rootfs_check(r->record.rootfs, err);
}

static int parse(const struct up_cmd *cmd, struct up_run *r, int argc, char **argv)
{
	struct up_err err = {};
	int opt;

	while ((opt = getopt_long(argc, argv, "+:dp:e:w:h", options, NULL)) != -1) {
		if (opt == 'h')
			return up_cmd_help(cmd);
		if (opt == '?' || opt == ':')
			return up_cmd_bad_option(cmd, opt, argv);
		if (set_option(r, opt, &err))
			return up_cmd_usage(cmd, "%s", err.msg);
	}
	argv += optind;
	if (argv[0] && argv[1] && !strcmp(argv[1], "--"))
		argv[1] = argv[0], argv++;
	if (!argv[0] || !argv[1])
		return up_cmd_usage(cmd, "want a root filesystem and a command");
	if (!realpath(argv[0], r->record.rootfs))
		snprintf(r->record.rootfs, sizeof(r->record.rootfs), "%s", argv[0]);
	r->sandbox.command.argv = argv + 1;
	describe_command(r, argv + 1);
	return -1;
}

static void complete(struct up_run *r)
{
	if (!*r->record.name)
		default_name(r);
	if (!*r->hostname)
		strcpy(r->hostname, r->record.name);
	up_env_default(&r->env, r->hostname);
	r->sandbox.rootfs = r->record.rootfs;
	r->sandbox.hostname = r->hostname;
	r->sandbox.new_net = strcmp(r->record.net, "host") != 0;
	r->sandbox.command.env = r->env.at;
	r->sandbox.command.session = r->detach;
}

static void free_run(struct up_run **r)
{
	up_env_free(&(*r)->env);
	free(*r);
}

static int run(const struct up_cmd *cmd, int argc, char **argv)
{
	__up_cleanup(free_run) struct up_run *r = calloc(1, sizeof(*r));
	struct up_err err = {};
	int ret;

	if (!r)
		abort();
	r->sb = UP_SANDBOX_NONE;
	r->sandbox.output = -1;
	r->code = UP_EXIT_RUN_FAILED;
	r->sandbox.command.workdir = "/";
	strcpy(r->record.net, "fast");
	ret = parse(cmd, r, argc, argv);
	if (ret >= 0)
		return ret;
	if (check(r, &err)) {
		up_cmd_error(&err);
		return UP_EXIT_RUN_FAILED;
	}
	complete(r);
	return r->detach ? up_run_detached(r) : up_run_foreground(r);
}

const struct up_cmd cmd_run = {
	.name = "run",
	.args = "[OPTIONS] ROOTFS [--] CMD [ARG]...",
	.summary = "run a command in a new container",
	.help = "  -d, --detach          in the background; print the container's name\n"
		"      --rm              remove the container when it has ended\n"
		"      --name NAME       name of the container (default: made up)\n"
		"  -p, --publish SPEC    publish a port: "
		"[ADDRESS:][HOST[-END]:]CONTAINER[-END][/udp]\n"
		"      --net NET         fast (default): the fast path; host: the host's own "
		"network;\n"
		"                        none: nothing but a loopback\n"
		"      --ip ADDRESS      IPv4 address (default: the lowest free one)\n"
		"      --ip6 ADDRESS     IPv6 address (default: the lowest free one)\n"
		"      --mtu BYTES       (default: the uplink's)\n"
		"      --hostname NAME   (default: the container's name)\n"
		"  -e, --env NAME=VALUE  set a variable; NAME alone takes the caller's value\n"
		"  -w, --workdir DIR     directory to start in (default: /)\n"
		"  -h, --help            print this help\n\n"
		"ROOTFS is a directory; the container writes to it. The exit status is the "
		"command's,\n"
		"125 where underpass failed, 126 where the command cannot be executed, 127 where "
		"it was\n"
		"not found.\n",
	.run = run,
};
