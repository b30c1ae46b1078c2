// SPDX-License-Identifier: GPL-2.0-only
#include "attach/engine.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

const struct up_engine *const up_engines[UP_ENGINES] = {&up_docker, &up_podman};

#define NAME_LEN_MAX 128

const struct up_engine *up_engine_find(const char *name, size_t len)
{
	for (size_t i = 0; i < UP_ENGINES; i++)
		if (strlen(up_engines[i]->name) == len && !memcmp(up_engines[i]->name, name, len))
			return up_engines[i];
	return NULL;
}

/* Docker's rule and podman's. What it allows needs no encoding in a URL, and is no option. */
int up_container_name_check(const char *name, struct up_err *err)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) && (!i || !strchr("_.-", name[i])))
			len = 0;
	if (!len || len > NAME_LEN_MAX)
		return up_fail_msg(err, EINVAL,
				   "container '%.128s': want letters, digits and _.-, the first a "
				   "letter or digit",
				   name);
	return 0;
}

static int is_id(const char *id)
{
	return strlen(id) == UP_RIDE_ID_MAX - 1 &&
	       strspn(id, "0123456789abcdef") == UP_RIDE_ID_MAX - 1;
}

static json_t *load(const char *text, size_t len, struct up_err *err)
{
	json_error_t at;
	json_t *root = json_loadb(text, len, 0, &at);

	if (!root)
		up_fail_msg(err, EPROTO, "the engine's answer: %s", at.text);
	return root;
}

int up_container_parse(const char *text, size_t len, struct up_container *ret, struct up_err *err)
{
	json_auto_t *root = load(text, len, err);
	json_t *object = json_is_array(root) ? json_array_get(root, 0) : root;
	struct up_container c = {};
	const char *id, *name;
	int pid;

	if (!root)
		return -EPROTO;
	if (json_unpack(object, "{s:s, s:s, s:{s:i}}", "Id", &id, "Name", &name, "State", "Pid",
			&pid) ||
	    !is_id(id) || pid < 0)
		return up_fail_msg(err, EPROTO, "the engine's answer describes no container");
	snprintf(c.id, sizeof(c.id), "%s", id);
	snprintf(c.name, sizeof(c.name), "%s", name + (*name == '/'));
	c.pid = pid;
	if (!pid)
		return up_fail_msg(err, ESRCH, "container %s does not run", c.name);
	*ret = c;
	return 0;
}

int up_container_ids(const char *text, size_t len, int (*fn)(const char *id, void *arg), void *arg,
		     struct up_err *err)
{
	json_auto_t *root = load(text, len, err);
	json_t *row;
	size_t i;

	if (!root)
		return -EPROTO;
	json_array_foreach (root, i, row) {
		const char *id = json_string_value(json_object_get(row, "Id"));
		int ret = id && is_id(id) ? fn(id, arg)
					  : up_fail_msg(err, EPROTO,
							"the engine's list is of no containers");

		if (ret)
			return ret;
	}
	return 0;
}

/**
 * struct walk - a list of ids that is turned into containers
 * @engine: asked about each
 * @fn:     handed each
 * @arg:    of @fn
 * @err:    of the caller
 */
struct walk {
	const struct up_engine *engine;
	int (*fn)(const struct up_container *c, void *arg);
	void *arg;
	struct up_err *err;
};

static int each_id(const char *id, void *arg)
{
	const struct walk *w = arg;
	struct up_container c;
	int ret = w->engine->find(id, &c, w->err);

	if (ret == -ENOENT || ret == -ESRCH)
		return 0;
	return ret ? ret : w->fn(&c, w->arg);
}

int up_engine_foreach(const struct up_engine *engine, const char *text, size_t len,
		      int (*fn)(const struct up_container *c, void *arg), void *arg,
		      struct up_err *err)
{
	struct walk w = {engine, fn, arg, err};

	return up_container_ids(text, len, each_id, &w, err);
}
