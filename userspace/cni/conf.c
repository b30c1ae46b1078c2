// SPDX-License-Identifier: GPL-2.0-only
/* The network configuration: what all plugins read of it. */
#include <stdarg.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "cni/cni.h"
#include "cni/compact.h"
#include "cni/error.h"
#include "cni/json.h"

/* Verbs that came later than the first version, and with which. */
static int check_verb(const struct up_cni *c, struct up_err *err)
{
	static const enum up_cni_version since[UP_CNI_VERBS] = {
		[UP_CNI_CHECK] = UP_CNI_0_4_0,
		[UP_CNI_GC] = UP_CNI_1_1_0,
		[UP_CNI_STATUS] = UP_CNI_1_1_0,
	};

	if (c->version >= since[c->env.verb])
		return 0;
	return up_cni_fail(err, UP_CNI_INCOMPATIBLE,
			   "config version %s does not allow %s, which came with %s",
			   up_cni_version_name(c->version), up_cni_verb_name(c->env.verb),
			   up_cni_version_name(since[c->env.verb]));
}

static int parse_json(const char *text, size_t len, json_t **ret, struct up_err *err)
{
	json_error_t where;
	size_t small_len = 0;
	cleanup_free char *small = up_cni_compact(text, len, &small_len);
	json_t *conf = json_loadb(small ? small : text, small ? small_len : len,
				  JSON_REJECT_DUPLICATES, &where);

	if (!conf)
		return up_cni_fail(err, UP_CNI_DECODE, "configuration: line %d, column %d: %s",
				   where.line, where.column, where.text);
	if (!json_is_object(conf)) {
		json_decref(conf);
		return up_cni_fail(err, UP_CNI_DECODE, "configuration: want an object");
	}
	*ret = conf;
	return 0;
}

static int parse_name(struct up_cni *c, struct up_err *err)
{
	int ret;

	c->name = "";
	ret = up_cni_get_string(c->conf, "name", &c->name, err);
	if (!ret && !*c->name)
		ret = up_cni_fail(err, UP_CNI_BAD_CONFIG, "missing network name");
	if (!ret && !up_cni_id_check(c->name))
		ret = up_cni_fail(err, UP_CNI_BAD_CONFIG,
				  "name '%.80s': want [a-zA-Z0-9_.-], the first a letter or digit",
				  c->name);
	return ret;
}

static int parse_version(struct up_cni *c, struct up_err *err)
{
	const char *text = "";
	int ret = up_cni_get_string(c->conf, "cniVersion", &text, err);

	return ret ? ret : up_cni_version_parse(text, &c->version, err);
}

static int parse_prev(struct up_cni *c, struct up_err *err)
{
	json_t *prev = NULL;
	int ret = up_cni_get_object(c->conf, "prevResult", &prev, err);

	if (ret || !prev)
		return ret;
	return up_cni_result_parse(prev, c->version, &c->prev, err);
}

int up_cni_parse(struct up_cni *c, const char *text, size_t len, struct up_err *err)
{
	int ret = parse_json(text, len, &c->conf, err);

	c->input = text;
	c->len = len;
	if (!ret)
		ret = parse_name(c, err);
	if (!ret)
		ret = parse_version(c, err);
	if (!ret)
		ret = check_verb(c, err);
	if (!ret)
		ret = up_cni_get_object(c->conf, "runtimeConfig", &c->runtime, err);
	/* A result that cannot be read is no reason not to clean up. */
	if (!ret && parse_prev(c, err) && c->env.verb != UP_CNI_DEL)
		ret = -1;
	return ret;
}

void up_cni_free(struct up_cni *c)
{
	json_decref(c->conf);
	json_decref(c->prev);
	json_decref(c->relayed);
	c->conf = c->prev = c->relayed = NULL;
}

void up_cni_note(const struct up_cni *c, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "underpass-cni: %s: ", c->plugin->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

int up_cni_prev_needed(const struct up_cni *c, struct up_err *err)
{
	if (c->prev)
		return 0;
	return up_cni_fail(err, UP_CNI_BAD_CONFIG,
			   "%s must be called as a chained plugin: there is no prevResult",
			   c->plugin->name);
}
