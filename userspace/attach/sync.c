// SPDX-License-Identifier: GPL-2.0-only
#include "attach/sync.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "attach/target.h"
#include "base/cleanup.h"
#include "base/err.h"

#define IDS_MAX 4096

typedef char container_id[UP_RIDE_ID_MAX];

/**
 * struct id_list - ids of containers
 * @id: in no order
 * @n:  how many
 */
struct id_list {
	container_id id[IDS_MAX];
	size_t n;
};

static bool has(const struct id_list *list, const char *id)
{
	for (size_t i = 0; i < list->n; i++)
		if (!strcmp(list->id[i], id))
			return true;
	return false;
}

static void add(struct id_list *list, const char *id)
{
	if (list->n < IDS_MAX && !has(list, id))
		snprintf(list->id[list->n++], sizeof(container_id), "%s", id);
}

/**
 * struct sync - one pass over an engine's containers
 * @engine:   asked
 * @opts:     settings
 * @again:    attach also what is attached
 * @gone:     an interface that was attached is there no more
 * @attached: before the pass, with an interface that lives
 * @running:  as the engine says
 * @n:        attached after the pass
 * @failed:   why one could not be attached; the others are, all the same
 * @err:      of the caller
 */
struct sync {
	const struct up_engine *engine;
	const struct up_ride_opts *opts;
	bool again, gone;
	struct id_list attached, running;
	size_t n;
	struct up_err failed, *err;
};

static int note_attached(const struct up_ride_info *info, void *arg)
{
	struct sync *s = arg;

	if (!info->lives)
		s->gone = true;
	else if (!strcmp(info->row.engine, s->engine->name))
		add(&s->attached, info->row.id);
	return 0;
}

static int read_attached(struct sync *s)
{
	cleanup_rides struct up_rides *r = NULL;
	int ret = up_ride_open(&r, s->err);

	if (ret)
		return ret == -ENOENT ? 0 : ret;
	return up_ride_foreach(r, note_attached, s, s->err);
}

/* One that ends while it is being attached is none of ours any more. */
static int attach_running(const struct up_container *c, void *arg)
{
	struct sync *s = arg;
	struct up_err err = {};
	int ret = 0;

	add(&s->running, c->id);
	if (s->again || !has(&s->attached, c->id))
		ret = up_target_attach_container(s->engine, c, s->opts, &err);
	s->n += !ret;
	if (ret && ret != -ENXIO && ret != -ENOENT && ret != -ESRCH)
		s->failed = err;
	return 0;
}

static bool runs_no_more(const struct up_ride_if *row, void *arg)
{
	const struct sync *s = arg;

	return !strcmp(row->engine, s->engine->name) && !has(&s->running, row->id);
}

/* Nothing is detached, and so no decision forgotten, where nothing has ended. */
static int detach_ended(struct sync *s)
{
	bool ended = s->gone;

	for (size_t i = 0; i < s->attached.n; i++)
		ended = ended || !has(&s->running, s->attached.id[i]);
	return ended ? up_ride_detach(runs_no_more, s, NULL, s->err) : 0;
}

int up_sync(const struct up_engine *engine, bool again, const struct up_ride_opts *opts,
	    size_t *ret_n, struct up_err *err)
{
	cleanup_free struct sync *s = calloc(1, sizeof(*s));
	int ret;

	if (!s)
		return up_fail(err, ENOMEM, "list containers");
	s->engine = engine;
	s->opts = opts;
	s->again = again;
	s->err = err;
	ret = read_attached(s);
	if (!ret)
		ret = engine->list(attach_running, s, err);
	if (!ret)
		ret = detach_ended(s);
	if (!ret && s->failed.code)
		ret = up_fail_msg(err, s->failed.code, "%s", s->failed.msg);
	if (!ret)
		*ret_n = s->n;
	return ret;
}

int up_sync_all(const struct up_ride_opts *opts, size_t *ret_n, struct up_err *err)
{
	size_t sum = 0, n = 0;
	bool any = false;

	for (size_t i = 0; i < UP_ENGINES; i++) {
		int ret = up_sync(up_engines[i], true, opts, &n, err);

		if (ret == -EHOSTDOWN)
			continue;
		if (ret)
			return ret;
		any = true;
		sum += n;
	}
	if (!any)
		return up_fail_msg(err, EHOSTDOWN,
				   "neither docker nor podman is there to be asked");
	*ret_n = sum;
	return 0;
}
