// SPDX-License-Identifier: GPL-2.0-only
/*
 * "run": joins the launcher and the datapath. The process that waits for the container is its
 * monitor: this one in the foreground, a child of it with -d. Only the monitor cleans up; what a
 * killed one leaves, gc removes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/container.h"
#include "cmd/output.h"
#include "core/datapath.h"
#include "core/endpoint.h"
#include "launch/rootfs.h"
#include "launch/sandbox.h"
#include "net/netns.h"

#define PORTS_MAX        128
#define CONTAINER_IFNAME "eth0"

/**
 * struct run - one "run"
 * @record:  the container's record, kept up to date
 * @sandbox: what is asked of the launcher
 * @sb:      the sandbox
 * @dp:      the datapath; only with the fast network, and opened after the sandbox was made, so
 * that it inherits nothing of it
 * @ports:   to be published
 * @addr:    wanted address
 * @mtu:     wanted MTU
 * @code: exit status of a start that failed
 * @detach, @remove: -d, --rm
 */
struct run {
	struct up_container record;
	struct up_sandbox_spec sandbox;
	struct up_sandbox sb;
	struct up_datapath *dp;
	struct up_env env;
	struct up_publish ports[PORTS_MAX];
	size_t n_ports;
	struct in_addr addr;
	uint32_t mtu;
	int code;
	char hostname[UP_NAME_MAX + 1];
	bool detach, remove, endpoint;
};

static bool is_fast(const struct run *r)
{
	return !strcmp(r->record.net, "fast");
}

/* ---- the container's life ---------------------------------------------------------------------
 */

/* A user who says "run" wants it to run: bring the datapath up where it is not. */
static int open_datapath(struct run *r, struct up_err *err)
{
	int ret = up_datapath_open(&r->dp, err);

	if (ret != -ENOENT)
		return ret;
	ret = up_datapath_up(NULL, err);
	return ret ? ret : up_datapath_open(&r->dp, err);
}

static void describe_ports(struct run *r)
{
	size_t len = 0;

	for (size_t i = 0; i < r->n_ports && len < sizeof(r->record.ports); i++) {
		char text[UP_PORTSPEC_MAX];

		up_portspec_format(&r->ports[i], text);
		len += (size_t)snprintf(r->record.ports + len, sizeof(r->record.ports) - len,
					"%s%s", i ? ", " : "", text);
	}
}

static int add_endpoint(struct run *r, struct up_err *err)
{
	struct up_endpoint_spec spec = {
		.name = r->record.name,
		.ifname = CONTAINER_IFNAME,
		.addr = r->addr,
		.mtu = r->mtu,
		.ports = r->ports,
		.n_ports = r->n_ports,
	};
	cleanup_fd int netns = up_netns_open_pid(r->sb.pid, err);
	struct up_endpoint_info info;
	int ret = netns < 0 ? netns : open_datapath(r, err);

	spec.netns_fd = netns;
	if (!ret)
		ret = up_endpoint_add(r->dp, &spec, &info, err);
	if (ret)
		return ret;
	r->endpoint = true;
	inet_ntop(AF_INET, &info.addr, r->record.address, sizeof(r->record.address));
	describe_ports(r);
	return 0;
}

static int open_log(struct run *r, struct up_err *err)
{
	char path[PATH_MAX];

	if (!r->detach)
		return 0;
	up_container_log_path(r->record.name, path);
	r->sandbox.output = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	return r->sandbox.output < 0 ? up_fail(err, errno, "open %s", path) : 0;
}

static int bring_to_life(struct run *r, struct up_err *err)
{
	int ret = open_log(r, err);

	if (!ret)
		ret = up_sandbox_start(&r->sandbox, &r->sb, err);
	if (!ret)
		ret = up_process_of(r->sb.pid, &r->record.init);
	if (!ret)
		ret = up_container_save(&r->record, err);
	if (!ret && is_fast(r))
		ret = add_endpoint(r, err);
	if (!ret)
		ret = up_sandbox_go(&r->sb, &r->code, err);
	if (ret)
		return ret;
	r->record.state = UP_CONTAINER_RUNNING;
	return up_container_save(&r->record, err);
}

static void drop_endpoint(struct run *r, struct up_err *err)
{
	if (r->endpoint && up_endpoint_del(r->dp, r->record.name, err))
		up_cmd_error(err);
	r->endpoint = false;
	up_datapath_close(&r->dp);
}

/* Return: 0, or -errno with everything undone */
static int start(struct run *r, struct up_err *err)
{
	struct up_err ignored;
	int ret;

	r->record.created = time(NULL);
	if (up_process_of(getpid(), &r->record.monitor))
		return up_fail_msg(err, ESRCH, "/proc is not mounted");
	ret = up_container_create(&r->record, err);
	if (ret)
		return ret;
	ret = bring_to_life(r, err);
	if (!ret)
		return 0;
	up_sandbox_end(&r->sb);
	drop_endpoint(r, &ignored);
	up_container_remove(r->record.name, NULL);
	return up_wrap(err, "container %s", r->record.name);
}

/* Wait for the end and clean up. Return: the exit status of the command */
static int finish(struct run *r)
{
	struct up_err err = {};
	int code = UP_EXIT_RUN_FAILED;

	if (up_wait_forwarding(r->sb.pidfd, &code, &err)) {
		up_cmd_error(&err);
		up_sandbox_end(&r->sb);
	}
	drop_endpoint(r, &err);
	r->record.state = UP_CONTAINER_EXITED;
	r->record.exit_code = code;
	r->record.finished = time(NULL);
	if (r->remove ? up_container_remove(r->record.name, &err)
		      : up_container_save(&r->record, &err))
		up_cmd_error(&err);
	return code;
}

static int run_foreground(struct run *r)
{
	struct up_err err = {};

	up_signals_block();
	if (!start(r, &err))
		return finish(r);
	up_cmd_error(&err);
	return r->code;
}

/* ---- detached ---------------------------------------------------------------------------------
 */

static void let_go_of_terminal(void)
{
	cleanup_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; null >= 0 && fd < 3; fd++)
		dup2(null, fd);
	if (chdir("/"))
		_exit(UP_EXIT_RUN_FAILED);
}

/* What the foreground is told of a start that failed; nothing at all means success. */
struct outcome {
	int code;
	struct up_err err;
};

static void monitor(struct run *r, int ready)
{
	struct outcome outcome = {};

	setsid();
	up_signals_block();
	if (start(r, &outcome.err)) {
		outcome.code = r->code;
		if (write(ready, &outcome, sizeof(outcome)) != sizeof(outcome))
			_exit(UP_EXIT_RUN_FAILED);
		_exit(UP_EXIT_FAIL);
	}
	close(ready);
	let_go_of_terminal();
	finish(r);
	_exit(0);
}

static int await_start(int ready, struct up_err *err)
{
	struct outcome outcome;
	ssize_t n = read(ready, &outcome, sizeof(outcome));

	if (!n)
		return UP_EXIT_OK;
	if (n != (ssize_t)sizeof(outcome)) {
		up_fail_msg(err, EIO, "the monitor failed");
		return UP_EXIT_RUN_FAILED;
	}
	*err = outcome.err;
	return outcome.code;
}

static int run_detached(struct run *r)
{
	int ends[2], code = UP_EXIT_RUN_FAILED;
	struct up_err err = {};
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC)) {
		up_fail(&err, errno, "pipe");
		return up_cmd_error(&err), code;
	}
	pid = fork();
	if (!pid)
		monitor(r, ends[1]);
	close(ends[1]);
	if (pid < 0)
		up_fail(&err, errno, "fork");
	else
		code = await_start(ends[0], &err);
	close(ends[0]);
	if (code)
		up_cmd_error(&err);
	else
		puts(r->record.name);
	return code;
}

/* ---- the command line -------------------------------------------------------------------------
 */

enum { OPT_RM = 256, OPT_NAME, OPT_NET, OPT_HOSTNAME, OPT_IP, OPT_MTU };

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
	{"mtu", required_argument, NULL, OPT_MTU},
	{"help", no_argument, NULL, 'h'},
	{},
};

static int set_net(struct run *r, const char *text, struct up_err *err)
{
	static const char *const nets[] = {"fast", "host", "none"};

	for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]); i++)
		if (!strcmp(nets[i], text)) {
			strcpy(r->record.net, nets[i]);
			return 0;
		}
	return up_fail_msg(err, EINVAL, "network '%s': want fast, host or none", text);
}

static int set_mtu(struct run *r, const char *text, struct up_err *err)
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

static int add_port(struct run *r, const char *text, struct up_err *err)
{
	if (r->n_ports == PORTS_MAX)
		return up_fail_msg(err, E2BIG, "more than %d ports", PORTS_MAX);
	return up_portspec_parse(text, &r->ports[r->n_ports++], err);
}

static int set_option(struct run *r, int opt, struct up_err *err)
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
	default:
		if (inet_pton(AF_INET, optarg, &r->addr) == 1)
			return 0;
		return up_fail_msg(err, EINVAL, "address '%s': not an IPv4 address", optarg);
	}
}

static void default_name(struct run *r)
{
	uint32_t random = (uint32_t)getpid();

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		random ^= (uint32_t)time(NULL);
	snprintf(r->record.name, sizeof(r->record.name), "up-%08x", random);
}

static void describe_command(struct run *r, char **argv)
{
	size_t len = 0, size = sizeof(r->record.command);

	for (int i = 0; argv[i] && len < size; i++)
		len += (size_t)snprintf(r->record.command + len, size - len, "%s%s", i ? " " : "",
					argv[i]);
}

/* Everything that can be refused before anything is changed. */
static int check(struct run *r, struct up_err *err)
{
	if (geteuid())
		return up_fail_msg(err, EPERM, "run: need root (CAP_SYS_ADMIN and CAP_NET_ADMIN)");
	if (r->n_ports && !is_fast(r))
		return up_fail_msg(err, EINVAL, "-p needs --net=fast: with --net=%s %s",
				   r->record.net,
				   !strcmp(r->record.net, "host")
					   ? "a container's ports are the host's already"
					   : "there is no network");
	return up_rootfs_check(r->record.rootfs, err);
}

static int parse(const struct up_cmd *cmd, struct run *r, int argc, char **argv)
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

static void complete(struct run *r)
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

static void free_run(struct run **r)
{
	up_env_free(&(*r)->env);
	free(*r);
}

static int run(const struct up_cmd *cmd, int argc, char **argv)
{
	__up_cleanup(free_run) struct run *r = calloc(1, sizeof(*r));
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
	return r->detach ? run_detached(r) : run_foreground(r);
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
