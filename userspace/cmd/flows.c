// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <stdio.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/output.h"
#include "core/datapath.h"
#include "core/flows.h"

static const char *const fwd_names[] = {
	[UP_FWD_PEER] = "container", [UP_FWD_QUEUE] = "container", [UP_FWD_CHILD] = "container",
	[UP_FWD_NEXTHOP] = "uplink", [UP_FWD_HOST] = "host",       [UP_FWD_LOCAL] = "host",
};

static const char *fwd_name(uint8_t fwd)
{
	return fwd < sizeof(fwd_names) / sizeof(fwd_names[0]) ? fwd_names[fwd] : "?";
}

#define PEER_TEXT (UP_ADDR_TEXT + 8)

/* ADDRESS:PORT, or [ADDRESS]:PORT */
static const char *format_peer(const struct up_addr *addr, __be16 port, char buf[PEER_TEXT])
{
	char text[UP_ADDR_TEXT];

	snprintf(buf, PEER_TEXT, up_addr_is_v4(addr) ? "%s:%u" : "[%s]:%u",
		 up_addr_format(addr, text), ntohs(port));
	return buf;
}

static uint32_t idle_seconds(const struct up_flow *flow)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint32_t)now.tv_sec - flow->last_seen;
}

static int print_text(const struct up_tuple *key, const struct up_flow *flow, void *arg)
{
	char a[PEER_TEXT], b[PEER_TEXT], c[PEER_TEXT], d[PEER_TEXT];

	(void)arg;
	printf("%-4s %s -> %s  as  %s -> %s  to %s, idle %u s\n", up_proto_name(key->proto),
	       format_peer(&key->saddr, key->sport, a), format_peer(&key->daddr, key->dport, b),
	       format_peer(&flow->out.saddr, flow->out.sport, c),
	       format_peer(&flow->out.daddr, flow->out.dport, d), fwd_name(flow->fwd),
	       idle_seconds(flow));
	return 0;
}

static json_t *json_tuple(const struct up_tuple *t)
{
	return json_pack("{s:o, s:i, s:o, s:i}", "src", up_json_addr(&t->saddr), "sport",
			 ntohs(t->sport), "dst", up_json_addr(&t->daddr), "dport", ntohs(t->dport));
}

static int print_json(const struct up_tuple *key, const struct up_flow *flow, void *arg)
{
	return json_array_append_new(arg,
				     json_pack("{s:s, s:o, s:o, s:s, s:i, s:i, s:I}", "protocol",
					       up_proto_name(key->proto), "in", json_tuple(key),
					       "out", json_tuple(&flow->out), "to",
					       fwd_name(flow->fwd), "endpoint", flow->owner, "peer",
					       flow->peer, "idle", (json_int_t)idle_seconds(flow)));
}

static int run(const struct up_cmd *cmd, int argc, char **argv)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	struct up_err err = {};
	bool json = false;
	int ret = up_cmd_only_json(cmd, argc, argv, &json);
	json_t *rows;

	if (ret >= 0)
		return ret;
	if (up_datapath_open(&dp, &err))
		return up_cmd_error(&err);
	rows = json ? json_array() : NULL;
	ret = up_flows_foreach(dp, json ? print_json : print_text, rows);
	if (ret) {
		json_decref(rows);
		up_fail(&err, ret, "list the flows");
		return up_cmd_error(&err);
	}
	return json ? up_print_json(rows) : UP_EXIT_OK;
}

const struct up_cmd cmd_flows = {
	.name = "flows",
	.args = "[--json]",
	.summary = "list live flows",
	.help = UP_HELP_JSON UP_HELP_HELP,
	.run = run,
};
