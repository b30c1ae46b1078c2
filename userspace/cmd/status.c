// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/limit.h"
#include "cmd/output.h"
#include "cmd/rides.h"
#include "core/counters.h"
#include "core/datapath.h"
#include "core/endpoint.h"
#include "core/flows.h"
#include "core/ports.h"
#include "core/rate.h"
#include "core/uplinks.h"
#include "core/xdp.h"

static int add_uplink(const struct up_uplink_info *info, void *arg)
{
	return json_array_append_new(
		arg, json_pack("{s:s, s:i, s:o, s:o, s:s, s:s}", "name", info->name, "ifindex",
			       info->ifindex, "address", up_json_addr(&info->addr[UP_V4]),
			       "address6", up_json_addr(&info->addr[UP_V6]), "xdp",
			       up_xdp_state_name(info->xdp), "xdp_foreign", info->foreign));
}

static json_t *json_mac(const uint8_t mac[6])
{
	return json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
			    mac[5]);
}

static int add_endpoint(const struct up_endpoint_info *info, void *arg)
{
	json_t *row = json_pack(
		"{s:i, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:I, s:I}", "id", (int)info->id,
		"name", info->name, "device", info->device, "interface", info->host_if, "address",
		up_json_addr(&info->addr[UP_V4]), "gateway", up_json_addr(&info->gateway[UP_V4]),
		"address6", up_json_addr(&info->addr[UP_V6]), "gateway6",
		up_json_addr(&info->gateway[UP_V6]), "mac", json_mac(info->mac), "flows",
		(json_int_t)info->flows, "flows_max", (json_int_t)info->flow_max);

	json_object_set_new(row, "limits", up_json_limits(info));
	json_object_set_new(row, "drained", json_boolean(info->flags & UP_EP_DRAINED));
	return json_array_append_new(arg, row);
}

static int add_port(const struct up_publish *pub, const char *endpoint, void *arg)
{
	json_t *row = up_json_publish(pub);

	json_object_set_new(row, "endpoint", json_string(endpoint));
	return json_array_append_new(arg, row);
}

static json_int_t sum_flows(const json_t *endpoints)
{
	json_int_t sum = 0;
	const json_t *row;
	size_t i;

	json_array_foreach (endpoints, i, row)
		sum += json_integer_value(json_object_get(row, "flows"));
	return sum;
}

static json_t *json_counters(const uint64_t values[UP_CNT_MAX])
{
	json_t *counters = json_object();

	for (int i = 0; i < UP_CNT_MAX; i++)
		json_object_set_new(counters, up_counter_name(i),
				    json_integer((json_int_t)values[i]));
	return counters;
}

static json_t *json_snat(const uint64_t values[UP_SNAT_HIST])
{
	json_t *snat = json_object();

	for (unsigned int i = 0; i < UP_SNAT_HIST; i++)
		json_object_set_new(snat, up_snat_hist_name(i),
				    json_integer((json_int_t)values[i]));
	return snat;
}

static json_t *gather(struct up_datapath *dp, struct up_err *err)
{
	json_t *uplinks = json_array(), *endpoints = json_array(), *ports = json_array();
	uint64_t values[UP_CNT_MAX], snat[UP_SNAT_HIST];

	if (up_counters_read(dp, values, err) || up_snat_hist_read(dp, snat, err) ||
	    up_uplink_foreach(dp, add_uplink, uplinks, err)) {
		json_decref(uplinks);
		json_decref(endpoints);
		json_decref(ports);
		return NULL;
	}
	up_endpoint_foreach(dp, add_endpoint, endpoints);
	up_port_foreach(dp, add_port, ports);
	return json_pack("{s:s, s:o, s:I, s:I, s:o, s:o, s:o, s:o}", "hook",
			 up_datapath_has_tcx(dp) ? "tcx" : "clsact", "uplinks", uplinks, "flows",
			 sum_flows(endpoints), "flows_max", (json_int_t)up_flows_max(dp),
			 "endpoints", endpoints, "ports", ports, "snat_tries", json_snat(snat),
			 "counters", json_counters(values));
}

static const char *str(const json_t *row, const char *key)
{
	return json_string_value(json_object_get(row, key));
}

static json_int_t num(const json_t *row, const char *key)
{
	return json_integer_value(json_object_get(row, key));
}

static void print_counters(const json_t *counters)
{
	puts("counters:");
	for (int i = 0; i < UP_CNT_MAX; i++) {
		json_int_t n = num(counters, up_counter_name(i));

		if (n)
			printf("  %-17s %12" JSON_INTEGER_FORMAT "  %s\n", up_counter_name(i), n,
			       up_counter_text(i));
	}
}

static void print_rate(const char *what, json_int_t bits)
{
	char text[UP_RATE_TEXT];

	if (bits)
		printf(" %s %s", what, up_rate_format((uint64_t)bits, text));
}

/* Only where there were any: a flow that keeps its own port needs no search. */
static void print_snat(const json_t *snat)
{
	const char *sep = "snat      tries: flows  ";

	for (unsigned int i = 0; i < UP_SNAT_HIST; i++) {
		json_int_t n = num(snat, up_snat_hist_name(i));

		if (!n)
			continue;
		printf("%s%s: %" JSON_INTEGER_FORMAT, sep, up_snat_hist_name(i), n);
		sep = ", ";
	}
	if (*sep == ',')
		putchar('\n');
}

static void print_uplink(const json_t *row, const char *hook)
{
	printf("uplink    %s %s %s by %s, XDP %s", *str(row, "name") ? str(row, "name") : "(gone)",
	       str(row, "address"), str(row, "address6"), hook, str(row, "xdp"));
	if (*str(row, "xdp_foreign"))
		printf(": the program %s is left there", str(row, "xdp_foreign"));
	putchar('\n');
}

static void print_text(const json_t *s)
{
	const json_t *row;
	size_t i;

	json_array_foreach (json_object_get(s, "uplinks"), i, row)
		print_uplink(row, str(s, "hook"));
	printf("flows     %" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT "\n", num(s, "flows"),
	       num(s, "flows_max"));
	json_array_foreach (json_object_get(s, "endpoints"), i, row) {
		printf("endpoint  %-20s %-15s %s %-8s %" JSON_INTEGER_FORMAT " flows",
		       str(row, "name"), str(row, "address"), str(row, "address6"),
		       str(row, "interface"), num(row, "flows"));
		print_rate("in", num(json_object_get(row, "limits"), "in"));
		print_rate("out", num(json_object_get(row, "limits"), "out"));
		puts(json_is_true(json_object_get(row, "drained")) ? " drained" : "");
	}
	printf("ports     %zu published\n", json_array_size(json_object_get(s, "ports")));
	print_snat(json_object_get(s, "snat_tries"));
	print_counters(json_object_get(s, "counters"));
}

/* Containers can be attached without the datapath being up. */
static json_t *gather_all(struct up_err *err)
{
	cleanup_datapath struct up_datapath *dp = NULL;
	struct up_err not_up = {};
	json_t *rides = NULL, *s;
	int ret = up_datapath_open(&dp, &not_up);

	if (up_rides_json(&rides, err))
		return NULL;
	if (ret && (ret != -ENOENT || !json_array_size(rides))) {
		*err = not_up;
		json_decref(rides);
		return NULL;
	}
	s = dp ? gather(dp, err) : json_object();
	if (s)
		json_object_set_new(s, "attached", rides);
	else
		json_decref(rides);
	return s;
}

static int run(const struct up_cmd *cmd, int argc, char **argv)
{
	struct up_err err = {};
	bool json = false;
	int ret = up_cmd_only_json(cmd, argc, argv, &json);
	json_t *s;

	if (ret >= 0)
		return ret;
	s = gather_all(&err);
	if (!s)
		return up_cmd_error(&err);
	if (json)
		return up_print_json(s);
	if (json_object_get(s, "hook"))
		print_text(s);
	up_rides_print(json_object_get(s, "attached"));
	json_decref(s);
	return UP_EXIT_OK;
}

const struct up_cmd cmd_status = {
	.name = "status",
	.args = "[--json]",
	.summary = "show uplinks, endpoints, flows, counters, and what is attached",
	.help = UP_HELP_JSON UP_HELP_HELP,
	.run = run,
};
