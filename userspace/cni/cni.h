/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * underpass-cni: a CNI plugin. One executable answers to several names, as the runtime calls it:
 *
 *	underpass		an interface with the fast path, its ports and limits, all in one
 *	bridge, ptp		the same from the configuration of the reference plugins
 *	portmap, firewall, bandwidth, tuning
 *				what is chained behind them
 *
 * The contract is the CNI specification 1.1.0 and, where that is silent, what libcni and the
 * reference plugins do. docs: https://www.cni.dev/docs/spec/
 */
#ifndef UP_CNI_CNI_H
#define UP_CNI_CNI_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "cni/env.h"
#include "cni/result.h"

struct up_err;
struct up_cni;

/**
 * struct up_cni_plugin - what one name does; a verb that is NULL has nothing to do
 * @name:   as called
 * @add:    hands over the result, in the latest shape
 * @del:    succeeds where there is nothing (any more)
 * @check:  is everything as ADD left it?
 * @gc:     removes what no valid attachment has
 * @status: could ADD be serviced?
 */
struct up_cni_plugin {
	const char *name;
	int (*add)(struct up_cni *c, json_t **ret_result, struct up_err *err);
	int (*del)(struct up_cni *c, struct up_err *err);
	int (*check)(struct up_cni *c, struct up_err *err);
	int (*gc)(struct up_cni *c, struct up_err *err);
	int (*status)(struct up_cni *c, struct up_err *err);
};

extern const struct up_cni_plugin up_cni_underpass, up_cni_bridge, up_cni_ptp;
extern const struct up_cni_plugin up_cni_portmap, up_cni_firewall, up_cni_bandwidth, up_cni_tuning;

/**
 * struct up_cni - one call
 * @plugin:  who is called
 * @env:     for what
 * @input:   the configuration as it came, for those who are called in turn
 * @len:     its length, bytes
 * @conf:    the same, parsed
 * @name:    of the network
 * @version: of the configuration, and so of the result
 * @runtime: runtimeConfig, NULL for none
 * @prev:    prevResult in the latest shape, NULL for none
 * @relayed: the error object of a plugin that was called in turn: the answer, if the call fails
 */
struct up_cni {
	const struct up_cni_plugin *plugin;
	struct up_cni_env env;
	const char *input;
	size_t len;
	json_t *conf;
	const char *name;
	enum up_cni_version version;
	json_t *runtime;
	json_t *prev;
	json_t *relayed;
};

/**
 * up_cni_parse() - read the configuration
 * @c:    @c->env is filled in; the rest is on return, and up_cni_free() frees it
 * @text: what came on stdin, kept by the caller as long as @c
 * @len:  its length
 * @err:  what is wrong with it
 *
 * Return: 0 or a CNI code
 */
int up_cni_parse(struct up_cni *c, const char *text, size_t len, struct up_err *err);
void up_cni_free(struct up_cni *c);

/** up_cni_note() - say on stderr, which runtimes log, what is not as the configuration has it */
void up_cni_note(const struct up_cni *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** up_cni_prev_needed() - fail where this is not called as a chained plugin */
int up_cni_prev_needed(const struct up_cni *c, struct up_err *err);

/** up_cni_main() - what the executable does. Return: its exit status */
int up_cni_main(int argc, char **argv);

#endif
