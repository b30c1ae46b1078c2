// SPDX-License-Identifier: GPL-2.0-only
/* "run": the command line of a container. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>
#include <errno.h>
#include <getopt.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/life.h"
#include "cmd/limit.h"
#include "cmd/options.h"
#include "launch/rootfs.h"

/* ---- options ----------------------------------------------------------------------------------
 */

static int set_net(void *to, const char *text, struct up_err *err)
{
	static const char *const nets[] = {"fast", "host", "none"};
	struct up_run *r = to;

	for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]); i++)
		if (!strcmp(nets[i], text)) {
			strcpy(r->record.net, nets[i]);
			return 0;
		}
	return up_fail_msg(err, EINVAL, "network '%s': want fast, host or none", text);
}

static int set_mtu(void *to, const char *text, struct up_err *err)
{
	struct up_run *r = to;
	char *end;
	unsigned long mtu = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || mtu < 68 || mtu > 65535)
		return up_fail_msg(err, EINVAL, "MTU '%s': want 68 to 65535", text);
	r->mtu = (uint32_t)mtu;
	return 0;
}

static int copy_name(const char *what, const char *text, char to[UP_NAME_MAX + 1],
		     struct up_err *err)
{
	int ret = up_name_check(what, text, err);

	if (!ret)
		snprintf(to, UP_NAME_MAX + 1, "%s", text);
	return ret;
}

static int set_name(void *to, const char *text, struct up_err *err)
{
	return copy_name("container name", text, ((struct up_run *)to)->record.name, err);
}

static int set_hostname(void *to, const char *text, struct up_err *err)
{
	return copy_name("host name", text, ((struct up_run *)to)->hostname, err);
}

static int add_port(void *to, const char *text, struct up_err *err)
{
	return up_portspec_parse(text, &((struct up_run *)to)->ports, err);
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

static int set_ip(void *to, const char *text, struct up_err *err)
{
	return set_address(to, text, UP_V4, err);
}

static int set_ip6(void *to, const char *text, struct up_err *err)
{
	return set_address(to, text, UP_V6, err);
}

static int add_env(void *to, const char *text, struct up_err *err)
{
	return up_env_set(&((struct up_run *)to)->env, text, err);
}

static int set_workdir(void *to, const char *text, struct up_err *err)
{
	if (*text != '/')
		return up_fail_msg(err, EINVAL, "working directory '%s': want an absolute path",
				   text);
	((struct up_run *)to)->sandbox.command.workdir = text;
	return 0;
}

static int limit(void *to, enum up_limit which, const char *text, struct up_err *err)
{
	return up_cmd_limit(&((struct up_run *)to)->limits, which, text, err);
}

static int limit_in(void *to, const char *text, struct up_err *err)
{
	return limit(to, UP_LIMIT_IN, text, err);
}

static int limit_out(void *to, const char *text, struct up_err *err)
{
	return limit(to, UP_LIMIT_OUT, text, err);
}

static int limit_flows(void *to, const char *text, struct up_err *err)
{
	return limit(to, UP_LIMIT_FLOWS, text, err);
}

static int limit_new(void *to, const char *text, struct up_err *err)
{
	return limit(to, UP_LIMIT_NEW, text, err);
}

#define FLAG(member) .flag = offsetof(struct up_run, member)

static const struct up_option options[] = {
	{"detach", 'd', NULL, "in the background; print the container's name", FLAG(detach)},
	{"interactive", 'i', NULL, "hand standard input on", FLAG(stdio.interactive)},
	{"tty", 't', NULL, "a terminal of its own", FLAG(stdio.terminal)},
	{"rm", 0, NULL, "remove the container when it has ended", FLAG(remove)},
	{"name", 0, "NAME", "name of the container (default: made up)", .set = set_name},
	{"publish", 'p', "SPEC", "publish a port: [ADDRESS:][HOST[-END]:]CONTAINER[-END][/udp]",
	 .set = add_port},
	{"net", 0, "NET",
	 "fast (default): the fast path; host: the host's own network;\n"
	 "none: nothing but a loopback",
	 .set = set_net},
	{"network", 0, "NET", NULL, .set = set_net},
	{"ip", 0, "ADDRESS", "IPv4 address (default: the lowest free one)", .set = set_ip},
	{"ip6", 0, "ADDRESS", "IPv6 address (default: the lowest free one)", .set = set_ip6},
	{"mtu", 0, "BYTES", "(default: the uplink's)", .set = set_mtu},
	{"limit-in", 0, "RATE", "bits in a second that it may receive: 100mbit[:BURST]",
	 .set = limit_in},
	{"limit-out", 0, "RATE", "the same for what it sends; see 'underpass limit --help'",
	 .set = limit_out},
	{"limit-flows", 0, "N", "live flows (default: half of the flow table)", .set = limit_flows},
	{"limit-new", 0, "N", "new flows in a second (default: no limit)", .set = limit_new},
	{"hostname", 'h', "NAME", "(default: the container's name)", .set = set_hostname},
	{"env", 'e', "NAME=VALUE", "set a variable; NAME alone takes the caller's value",
	 .set = add_env},
	{"workdir", 'w', "DIR", "directory to start in (default: /)", .set = set_workdir},
	{},
};

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
	if (r->limits.set && !up_run_is_fast(r))
		return up_fail_msg(err, EINVAL, "limits need --net=fast");
	return up_rootfs_check(r->record.rootfs, err);
}

static int parse(const struct up_cmd *cmd, struct up_run *r, int argc, char **argv)
{
	int status = up_options_parse(cmd, r, argc, argv, NULL);

	if (status >= 0)
		return status;
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
	up_env_default(&r->env, r->hostname, r->stdio.terminal);
	r->sandbox.rootfs = r->record.rootfs;
	r->sandbox.hostname = r->hostname;
	r->sandbox.new_net = strcmp(r->record.net, "host") != 0;
	r->sandbox.command.env = r->env.at;
	r->sandbox.command.stdio = &r->stdio;
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
	up_stdio_none(&r->stdio);
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
	.options = options,
	.help = "\nROOTFS is a directory; the container writes to it. The exit status is the "
		"command's,\n"
		"125 where underpass failed, 126 where the command cannot be executed, 127 where "
		"it was\n"
		"not found.\n",
	.run = run,
};
