// SPDX-License-Identifier: GPL-2.0-only
#include "launch/record.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "launch/cgroup.h"

#define RECORD_MAX (1 << 16)

/* A process that died without its monitor: nobody saw its exit status. */
#define EXIT_LOST 137

#define INIT_DEATH_MS 5000

static const char *const state_names[] = {
	[UP_CONTAINER_CREATED] = "created",
	[UP_CONTAINER_RUNNING] = "running",
	[UP_CONTAINER_EXITED] = "exited",
	[UP_CONTAINER_BROKEN] = "broken",
};

const char *up_container_state_name(enum up_container_state state)
{
	return state_names[state];
}

/* ---- processes --------------------------------------------------------------------------------
 */

int up_process_of(pid_t pid, struct up_process *ret)
{
	char path[64], *text = NULL, *end;
	unsigned long long start = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (up_file_read(path, 4096, &text, NULL) < 0)
		return -ESRCH;
	/* The second field is the name, which may contain anything but ends with the last ')'. */
	end = strrchr(text, ')');
	if (!end || sscanf(end + 1,
			   " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
			   "%*d %*d %llu",
			   &start) != 1)
		start = 0;
	free(text);
	if (!start)
		return -ESRCH;
	*ret = (struct up_process){pid, start};
	return 0;
}

int up_process_open(const struct up_process *p)
{
	cleanup_fd int fd = p->pid > 0 ? (int)syscall(SYS_pidfd_open, p->pid, 0) : -1;
	struct up_process now;

	if (fd < 0 || up_process_of(p->pid, &now) || now.start != p->start)
		return -ESRCH;
	return take_fd(&fd);
}

static bool alive(const struct up_process *p)
{
	cleanup_fd int fd = up_process_open(p);

	return fd >= 0;
}

bool up_container_alive(const struct up_container *c)
{
	return alive(&c->monitor) && alive(&c->init);
}

/* The kernel kills an init whose monitor died, but not within that very moment. */
static void wait_for_init(const struct up_container *c)
{
	cleanup_fd int fd = up_process_open(&c->init);
	struct pollfd p = {fd, POLLIN, 0};

	if (fd < 0)
		return;
	syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
	while (poll(&p, 1, INIT_DEATH_MS) < 0 && errno == EINTR)
		;
}

/* ---- files ------------------------------------------------------------------------------------
 */

static void path_of(const char *name, const char *file, char buf[PATH_MAX])
{
	snprintf(buf, PATH_MAX, "%s/containers/%s%s%s", up_run_dir(), name, *file ? "/" : "", file);
}

void up_container_path(const char *name, const char *file, char buf[PATH_MAX])
{
	path_of(name, file, buf);
}

void up_container_data_path(const char *name, const char *sub, char buf[PATH_MAX])
{
	snprintf(buf, PATH_MAX, "%s/containers/%s%s%s", up_data_dir(), name, *sub ? "/" : "", sub);
}

static void free_json(json_t **json)
{
	json_decref(*json);
}

static int parse_state(const char *text, enum up_container_state *ret)
{
	for (int i = 0; i < UP_CONTAINER_BROKEN; i++)
		if (!strcmp(state_names[i], text)) {
			*ret = (enum up_container_state)i;
			return 0;
		}
	return -EINVAL;
}

/* The record's members, but for the state, which is a word. */
enum kind { TEXT, INT, INT64, UINT32 };

static const struct field {
	const char *key;
	enum kind kind;
	size_t at, size;
} fields[] = {
#define FIELD(kind, member)                                           \
	{                                                             \
#member, kind, offsetof(struct up_container, member), \
			sizeof(((struct up_container *)0)->member)    \
	}
	FIELD(TEXT, id),
	FIELD(INT, exit_code),
	FIELD(INT64, created),
	FIELD(INT64, finished),
	FIELD(TEXT, rootfs),
	FIELD(TEXT, command),
	FIELD(TEXT, hostname),
	FIELD(TEXT, net),
	FIELD(TEXT, address),
	FIELD(TEXT, address6),
	FIELD(TEXT, mac),
	FIELD(TEXT, ports),
	FIELD(UINT32, first_id),
	FIELD(UINT32, ids),
#undef FIELD
	{"monitor_pid", INT, offsetof(struct up_container, monitor.pid), sizeof(int)},
	{"monitor_start", INT64, offsetof(struct up_container, monitor.start), sizeof(int64_t)},
	{"init_pid", INT, offsetof(struct up_container, init.pid), sizeof(int)},
	{"init_start", INT64, offsetof(struct up_container, init.start), sizeof(int64_t)},
};
#define N_FIELDS (sizeof(fields) / sizeof(fields[0]))

static json_t *get_field(const struct up_container *c, const struct field *f)
{
	const char *at = (const char *)c + f->at;

	if (f->kind == TEXT)
		return json_string(at);
	if (f->kind == INT64)
		return json_integer(*(const int64_t *)at);
	return f->kind == INT ? json_integer(*(const int *)at)
			      : json_integer(*(const uint32_t *)at);
}

/* Return: false where it is missing, of another type or too large */
static bool set_field(struct up_container *c, const struct field *f, const json_t *value)
{
	char *at = (char *)c + f->at;
	json_int_t n = json_integer_value(value);

	if (f->kind == TEXT)
		return json_is_string(value) &&
		       (size_t)snprintf(at, f->size, "%s", json_string_value(value)) < f->size;
	if (!json_is_integer(value))
		return false;
	if (f->kind == INT64)
		*(int64_t *)at = n;
	else if (f->kind == INT)
		*(int *)at = (int)n;
	else
		*(uint32_t *)at = (uint32_t)n;
	return f->kind == INT64 || (f->kind == INT ? n == (int)n : n == (uint32_t)n);
}

json_t *up_container_json(const struct up_container *c)
{
	json_t *json = json_pack("{s:s, s:s}", "name", c->name, "state", state_names[c->state]);

	for (size_t i = 0; i < N_FIELDS; i++)
		if (json_object_set_new(json, fields[i].key, get_field(c, &fields[i]))) {
			json_decref(json);
			return NULL;
		}
	return json;
}

/* Return: NULL, or the key that is wrong */
static const char *unpack(const json_t *json, struct up_container *c)
{
	const char *state = json_string_value(json_object_get(json, "state"));

	if (!state || parse_state(state, &c->state))
		return "state";
	for (size_t i = 0; i < N_FIELDS; i++)
		if (!set_field(c, &fields[i], json_object_get(json, fields[i].key)))
			return fields[i].key;
	return NULL;
}

int up_container_save(const struct up_container *c, struct up_err *err)
{
	__up_cleanup(free_json) json_t *json = up_container_json(c);
	cleanup_free char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
	char path[PATH_MAX];

	if (!text)
		return up_fail_msg(err, EINVAL, "container %s: its command line is not valid UTF-8",
				   c->name);
	path_of(c->name, "config.json", path);
	return up_file_write(path, text, strlen(text), 0600, err);
}

int up_container_load(const char *name, struct up_container *ret, struct up_err *err)
{
	__up_cleanup(free_json) json_t *json = NULL;
	cleanup_free char *text = NULL;
	struct up_container c = {};
	json_error_t je = {};
	const char *wrong;
	char path[PATH_MAX];
	int r = up_name_check("container name", name, err);

	if (r)
		return r;
	path_of(name, "", path);
	if (access(path, F_OK))
		return up_fail_msg(err, ENOENT, "container %s: no such container", name);
	path_of(name, "config.json", path);
	r = (int)up_file_read(path, RECORD_MAX, &text, err);
	if (r < 0)
		return up_wrap(err, "container %s: broken record", name);
	json = json_loads(text, JSON_REJECT_DUPLICATES, &je);
	snprintf(c.name, sizeof(c.name), "%s", name);
	wrong = json ? unpack(json, &c) : je.text;
	if (wrong)
		return up_fail_msg(err, EINVAL, "container %s: broken record: %s", name, wrong);
	*ret = c;
	return 0;
}

/* The record goes last: while it is there, the rest can be found. */
int up_container_remove(const char *name, struct up_err *err)
{
	char path[PATH_MAX];
	int ret;

	up_container_data_path(name, "", path);
	ret = up_remove_tree(path, err);
	if (ret)
		return ret;
	path_of(name, "", path);
	return up_remove_tree(path, err);
}

/* ---- all of them ------------------------------------------------------------------------------
 */

static int is_name(const struct dirent *e)
{
	return !up_name_check("", e->d_name, NULL);
}

int up_container_foreach(int (*fn)(const struct up_container *c, void *arg), void *arg,
			 struct up_err *err)
{
	struct dirent **names;
	char path[PATH_MAX];
	int n, ret = 0;

	snprintf(path, sizeof(path), "%s/containers", up_run_dir());
	n = scandir(path, &names, is_name, alphasort);
	if (n < 0)
		return errno == ENOENT ? 0 : up_fail(err, errno, "read %s", path);
	for (int i = 0; i < n; i++) {
		struct up_container c;

		if (up_container_load(names[i]->d_name, &c, NULL)) {
			c = (struct up_container){.state = UP_CONTAINER_BROKEN};
			snprintf(c.name, sizeof(c.name), "%.*s", UP_NAME_MAX, names[i]->d_name);
		}
		if (!ret)
			ret = fn(&c, arg);
		free(names[i]);
	}
	free(names);
	return ret;
}

/* Ids for --userns=auto: above what people and services have, and below what a sign would spoil. */
#define IDS_FIRST 0x20000000u
#define IDS_LAST  0x7fff0000u

struct claim {
	uint32_t first, count;
};

static int collides(const struct up_container *c, void *arg)
{
	struct claim *claim = arg;

	if (!c->ids || c->first_id >= claim->first + claim->count ||
	    claim->first >= c->first_id + c->ids)
		return 0;
	claim->first = c->first_id + c->ids;
	return 1;
}

/* The lowest range that no container has. */
static int allocate_ids(struct up_container *c, struct up_err *err)
{
	struct claim claim = {IDS_FIRST, c->ids};
	int ret;

	do {
		ret = up_container_foreach(collides, &claim, err);
	} while (ret > 0 && claim.first < IDS_LAST - c->ids);
	if (ret > 0)
		return up_fail_msg(err, ENOSPC, "no range of user ids is free");
	c->first_id = claim.first;
	return ret;
}

static int claim(struct up_container *c, struct up_err *err)
{
	char path[PATH_MAX];
	int ret;

	path_of(c->name, "", path);
	if (mkdir(path, 0700))
		return errno == EEXIST
			       ? up_fail_msg(
					 err, EEXIST,
					 "container %s: the name is in use; remove that container "
					 "with 'underpass rm %s'",
					 c->name, c->name)
			       : up_fail(err, errno, "make directory %s", path);
	ret = up_container_save(c, err);
	if (ret)
		up_container_remove(c->name, NULL);
	return ret;
}

/* Under the lock, so that gc never sees a directory whose record is yet to be written. */
int up_container_create(struct up_container *c, struct up_err *err)
{
	cleanup_fd int lock = up_lock(err);
	char path[PATH_MAX];
	int ret;

	if (lock < 0)
		return lock;
	snprintf(path, sizeof(path), "%s/containers", up_run_dir());
	ret = up_mkdir_p(path, 0755, err);
	if (!ret && c->ids && !c->first_id)
		ret = allocate_ids(c, err);
	return ret ? ret : claim(c, err);
}

struct gc {
	void (*fn)(const char *what, const char *name, void *arg);
	void *arg;
	int repaired;
};

static bool has_record(const char *name)
{
	char path[PATH_MAX];

	path_of(name, "config.json", path);
	return !access(path, F_OK);
}

/* Its monitor is dead: what becomes of the record? */
static void repair(const struct up_container *c)
{
	struct up_container fixed = *c;
	char path[PATH_MAX];

	wait_for_init(c);
	if (*c->id)
		up_cgroup_remove(c->id, NULL);
	path_of(c->name, "config.json.tmp", path);
	unlink(path);
	if (c->state != UP_CONTAINER_RUNNING) {
		up_container_remove(c->name, NULL);
		return;
	}
	fixed.state = UP_CONTAINER_EXITED;
	fixed.exit_code = EXIT_LOST;
	fixed.finished = time(NULL);
	up_container_save(&fixed, NULL);
}

static int gc_one(const struct up_container *c, void *arg)
{
	struct gc *gc = arg;

	/* A live monitor finishes its own work. A record that is there but broken is for "rm". */
	if (c->state == UP_CONTAINER_EXITED || alive(&c->monitor) ||
	    (c->state == UP_CONTAINER_BROKEN && has_record(c->name)))
		return 0;
	repair(c);
	gc->repaired++;
	if (gc->fn)
		gc->fn("container", c->name, gc->arg);
	return 0;
}

/* What a container has written outlives a reboot, its record does not. */
static int remove_orphans(struct gc *gc, struct up_err *err)
{
	struct dirent **names;
	char path[PATH_MAX];
	int n, ret = 0;

	snprintf(path, sizeof(path), "%s/containers", up_data_dir());
	n = scandir(path, &names, is_name, alphasort);
	if (n < 0)
		return errno == ENOENT ? 0 : up_fail(err, errno, "read %s", path);
	for (int i = 0; i < n; i++) {
		path_of(names[i]->d_name, "", path);
		if (!ret && access(path, F_OK)) {
			up_container_data_path(names[i]->d_name, "", path);
			ret = up_remove_tree(path, err);
			gc->repaired++;
			if (gc->fn)
				gc->fn("data of container", names[i]->d_name, gc->arg);
		}
		free(names[i]);
	}
	free(names);
	return ret;
}

int up_container_gc(void (*fn)(const char *what, const char *name, void *arg), void *arg,
		    struct up_err *err)
{
	struct gc gc = {fn, arg, 0};
	cleanup_fd int lock = up_lock(err);
	int ret = lock < 0 ? lock : up_container_foreach(gc_one, &gc, err);

	if (!ret)
		ret = remove_orphans(&gc, err);
	return ret ? ret : gc.repaired;
}

int up_container_save_options(const char *name, const json_t *options, struct up_err *err)
{
	cleanup_free char *text = json_dumps(options, JSON_INDENT(2));
	char path[PATH_MAX];

	if (!text)
		return up_fail_msg(err, EINVAL, "an option is not valid UTF-8");
	path_of(name, "options.json", path);
	return up_file_write(path, text, strlen(text), 0600, err);
}

json_t *up_container_options(const char *name)
{
	cleanup_free char *text = NULL;
	char path[PATH_MAX];

	path_of(name, "options.json", path);
	if (up_file_read(path, RECORD_MAX, &text, NULL) < 0)
		return NULL;
	return json_loads(text, JSON_REJECT_DUPLICATES, NULL);
}

bool up_container_option(const char *name, const char *key, const char *value)
{
	__up_cleanup(free_json) json_t *options = up_container_options(name);
	const json_t *list = json_object_get(options, key);
	const char *last = json_string_value(json_array_get(list, json_array_size(list) - 1));

	return last && !strcmp(last, value);
}
