// SPDX-License-Identifier: GPL-2.0-only
/*
 * A running container gets an interface in another network, and loses it again. Its monitor takes
 * away all that it has when it has ended; so a container that ends meanwhile is looked for once
 * more after the interface is there, and whoever comes second cleans up.
 */
#include "cmd/connect.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/plug.h"
#include "core/datapath.h"
#include "net/netns.h"

/**
 * struct wish - what was asked for
 * @addr:  by enum up_family
 * @force: also where the container is dead
 */
struct wish {
	struct up_addr addr[UP_FAMILIES];
	bool force;
};

static int set_ip(void *to, const char *text, struct up_err *err)
{
	return up_option_address(text, UP_V4, &((struct wish *)to)->addr[UP_V4], err);
}

static int set_ip6(void *to, const char *text, struct up_err *err)
{
	return up_option_address(text, UP_V6, &((struct wish *)to)->addr[UP_V6], err);
}

static int refuse_alias(void *to, const char *text, struct up_err *err)
{
	(void)to;
	return up_fail_msg(err, EINVAL,
			   "alias '%.60s': no name server of ours would know it; use --add-host "
			   "where the others are started",
			   text);
}

static const struct up_option connect_options[] = {
	{"ip", 0, "ADDRESS", "IPv4 address (default: the lowest free one)", .set = set_ip},
	{"ip6", 0, "ADDRESS", "IPv6 address (default: the lowest free one)", .set = set_ip6},
	{"alias", 0, "NAME", NULL, .set = refuse_alias},
	{},
};

static const struct up_option disconnect_options[] = {
	{"force", 'f', NULL, "also where the container is dead",
	 .flag = offsetof(struct wish, force)},
	{},
};

static bool has_ended(int pidfd)
{
	struct pollfd p = {pidfd, POLLIN, 0};

	return poll(&p, 1, 0) > 0;
}

static int open_running(const char *name, struct up_container *c, int *ret_init, struct up_err *err)
{
	int ret = up_container_load(name, c, err);

	if (ret)
		return ret;
	*ret_init = up_process_open(&c->init);
	return *ret_init < 0 ? up_fail_msg(err, ESRCH, "it is not running") : 0;
}

/* A veth, whatever the first one is: what was started in the container since then may have
 * CAP_NET_ADMIN. */
static int plug(struct up_run *was, const char *network, const struct wish *w, struct up_err *err)
{
	cleanup_fd int netns = up_netns_open_pid(was->record.init.pid, err);

	return netns < 0 ? netns
			 : up_plug_further(was, netns, network, w->addr, UP_NETDEV_MODE_VETH, err);
}

static int do_connect(struct up_datapath *dp, const char *network, const char *name,
		      const struct wish *w, struct up_err *err)
{
	cleanup_run struct up_run *was = up_run_new();
	struct up_err ignored;
	cleanup_fd int init = -1;
	struct up_container c;
	int ret = open_running(name, &c, &init, err);

	if (!ret)
		ret = up_run_recall(name, was, err);
	if (!ret)
		ret = up_run_publish_all(was, err);
	if (ret)
		return ret;
	was->record = c;
	was->dp = dp;
	if (!up_run_is_fast(was))
		return up_fail_msg(err, EINVAL, "it has --net=%s, which is its only one", c.net);
	ret = plug(was, network, w, err);
	if (ret || !has_ended(init))
		return ret;
	up_unplug(dp, name, network, -1, &ignored);
	return up_fail_msg(err, ESRCH, "it has ended meanwhile");
}

static int do_disconnect(struct up_datapath *dp, const char *network, const char *name,
			 const struct wish *w, struct up_err *err)
{
	cleanup_fd int init = -1, netns = -1;
	struct up_container c;
	int ret = up_name_check("container name", name, err);

	if (ret)
		return ret;
	ret = open_running(name, &c, &init, err);
	netns = ret ? ret : up_netns_open_pid(c.init.pid, err);
	if (netns < 0 && !w->force)
		return netns;
	return up_unplug(dp, name, network, netns, err);
}

typedef int (*verb_fn)(struct up_datapath *dp, const char *network, const char *name,
		       const struct wish *w, struct up_err *err);

static int run(const struct up_cmd *network, const struct up_option *options, int argc, char **argv,
	       verb_fn verb)
{
	const struct up_cmd cmd = {.name = network->name, .options = options};
	cleanup_datapath struct up_datapath *dp = NULL;
	struct up_err err = {};
	struct wish w = {};
	int status = up_options_parse(&cmd, &w, argc, argv, NULL);

	if (status >= 0)
		return status;
	if (argc - optind != 2)
		return up_cmd_usage(&cmd, "%s needs a network and a container", argv[0]);
	if (up_datapath_open(&dp, &err))
		return up_cmd_error(&err);
	if (verb(dp, argv[optind], argv[optind + 1], &w, &err)) {
		up_wrap(&err, "container %.80s", argv[optind + 1]);
		return up_cmd_error(&err);
	}
	return UP_EXIT_OK;
}

int up_network_connect(const struct up_cmd *cmd, int argc, char **argv)
{
	return run(cmd, connect_options, argc, argv, do_connect);
}

int up_network_disconnect(const struct up_cmd *cmd, int argc, char **argv)
{
	return run(cmd, disconnect_options, argc, argv, do_disconnect);
}
