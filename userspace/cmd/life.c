// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/life.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "core/datapath.h"
#include "core/endpoint.h"
#include "launch/relay.h"
#include "net/netns.h"

#define CONTAINER_IFNAME "eth0"

bool up_run_is_fast(const struct up_run *r)
{
	return !strcmp(r->record.net, "fast");
}

/* ---- the container's life ---------------------------------------------------------------------
 */

/* A user who says "run" wants it to run: bring the datapath up where it is not. */
static int open_datapath(struct up_run *r, struct up_err *err)
{
	int ret = up_datapath_open(&r->dp, err);

	if (ret != -ENOENT)
		return ret;
	ret = up_datapath_up(NULL, err);
	return ret ? ret : up_datapath_open(&r->dp, err);
}

static void describe_ports(struct up_run *r)
{
	size_t len = 0;

	for (size_t i = 0; i < r->ports.n && len < sizeof(r->record.ports); i++) {
		char text[UP_PORTSPEC_TEXT];

		up_portspec_format(&r->ports.pubs[i], text);
		len += (size_t)snprintf(r->record.ports + len, sizeof(r->record.ports) - len,
					"%s%s", i ? ", " : "", text);
	}
}

static int add_endpoint(struct up_run *r, struct up_err *err)
{
	struct up_endpoint_spec spec = {
		.name = r->record.name,
		.ifname = CONTAINER_IFNAME,
		.mtu = r->mtu,
		.rate_in = r->limits.rate_in,
		.rate_out = r->limits.rate_out,
		.burst_in = r->limits.burst_in,
		.burst_out = r->limits.burst_out,
		.flow_max = r->limits.flow_max,
		.new_rate = r->limits.new_rate,
		.ports = r->ports.pubs,
		.n_ports = r->ports.n,
	};
	cleanup_fd int netns = up_netns_open_pid(r->sb.pid, err);
	struct up_endpoint_info info;
	int ret = netns < 0 ? netns : open_datapath(r, err);

	spec.netns_fd = netns;
	memcpy(spec.addr, r->addr, sizeof(spec.addr));
	if (!ret)
		ret = up_endpoint_add(r->dp, &spec, &info, err);
	if (ret)
		return ret;
	r->endpoint = true;
	up_addr_format(&info.addr[UP_V4], r->record.address);
	describe_ports(r);
	return 0;
}

static int open_log(struct up_run *r, struct up_err *err)
{
	char path[PATH_MAX];

	if (!r->detach)
		return 0;
	up_container_log_path(r->record.name, path);
	r->stdio.log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	return r->stdio.log < 0 ? up_fail(err, errno, "open %s", path) : 0;
}

static int bring_to_life(struct up_run *r, struct up_err *err)
{
	int master, ret = open_log(r, err);

	if (!ret)
		ret = up_stdio_open(&r->stdio, err);
	if (!ret)
		ret = up_sandbox_start(&r->sandbox, &r->sb, err);
	if (!ret)
		ret = up_process_of(r->sb.pid, &r->record.init);
	if (!ret)
		ret = up_container_save(&r->record, err);
	if (!ret && up_run_is_fast(r))
		ret = add_endpoint(r, err);
	if (!ret)
		ret = up_sandbox_go(&r->sb, &master, &r->code, err);
	if (ret)
		return ret;
	up_stdio_started(&r->stdio, master);
	r->record.state = UP_CONTAINER_RUNNING;
	return up_container_save(&r->record, err);
}

static void drop_endpoint(struct up_run *r, struct up_err *err)
{
	if (r->endpoint && up_endpoint_del(r->dp, r->record.name, err))
		up_cmd_error(err);
	r->endpoint = false;
	up_datapath_close(&r->dp);
}

/* Return: 0, or -errno with everything undone */
static int start(struct up_run *r, struct up_err *err)
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
	up_stdio_close(&r->stdio);
	up_sandbox_end(&r->sb);
	drop_endpoint(r, &ignored);
	up_container_remove(r->record.name, NULL);
	return up_wrap(err, "container %s", r->record.name);
}

/* Wait for the end and clean up. Return: the exit status of the command */
static int finish(struct up_run *r)
{
	struct up_err err = {};
	int code = UP_EXIT_RUN_FAILED;
	int ret = up_relay_run(r->sb.pidfd, &r->stdio, &code, &err);

	up_stdio_close(&r->stdio);
	if (ret) {
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

int up_run_foreground(struct up_run *r)
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

static void monitor(struct up_run *r, int ready)
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

int up_run_detached(struct up_run *r)
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
