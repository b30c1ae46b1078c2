// SPDX-License-Identifier: GPL-2.0-only
#include "launch/record.h"

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

void up_container_log_path(const char *name, char buf[PATH_MAX])
{
	path_of(name, "log", buf);
}

static void free_json(json_t **json)
{
	json_decref(*json);
}

static json_t *pack_process(const struct up_process *p)
{
	return json_pack("{s:I, s:I}", "pid", (json_int_t)p->pid, "start", (json_int_t)p->start);
}

int up_container_save(const struct up_container *c, struct up_err *err)
{
	__up_cleanup(free_json) json_t *json = json_pack(
		"{s:s, s:s, s:o, s:o, s:i, s:I, s:I, s:s, s:s, s:s, s:s, s:s}", "name", c->name,
		"state", state_names[c->state], "monitor", pack_process(&c->monitor), "init",
		pack_process(&c->init), "exit_code", c->exit_code, "created",
		(json_int_t)c->created, "finished", (json_int_t)c->finished, "rootfs", c->rootfs,
		"command", c->command, "net", c->net, "address", c->address, "ports", c->ports);
	cleanup_free char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
	char path[PATH_MAX];

	if (!text)
		return up_fail_msg(err, EINVAL, "container %s: its command line is not valid UTF-8",
				   c->name);
	path_of(c->name, "config.json", path);
	return up_file_write(path, text, strlen(text), 0600, err);
}

static int claim(const struct up_container *c, struct up_err *err)
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
int up_container_create(const struct up_container *c, struct up_err *err)
{
	cleanup_fd int lock = up_lock(err);
	char path[PATH_MAX];
	int ret;

	if (lock < 0)
		return lock;
	snprintf(path, sizeof(path), "%s/containers", up_run_dir());
	ret = up_mkdir_p(path, 0755, err);
	return ret ? ret : claim(c, err);
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

struct text_field {
	const char *value;
	char *to;
	size_t size;
};

static int copy_fields(const struct text_field *fields, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((size_t)snprintf(fields[i].to, fields[i].size, "%s", fields[i].value) >=
		    fields[i].size)
			return -EINVAL;
	return 0;
}

static int unpack(json_t *json, struct up_container *c, json_error_t *je)
{
	json_int_t mpid, mstart, ipid, istart, created, finished;
	const char *state, *rootfs, *command, *net, *address, *ports;

	if (json_unpack_ex(
		    json, je, 0,
		    "{s:s, s:{s:I, s:I}, s:{s:I, s:I}, s:i, s:I, s:I, s:s, s:s, s:s, s:s, s:s}",
		    "state", &state, "monitor", "pid", &mpid, "start", &mstart, "init", "pid",
		    &ipid, "start", &istart, "exit_code", &c->exit_code, "created", &created,
		    "finished", &finished, "rootfs", &rootfs, "command", &command, "net", &net,
		    "address", &address, "ports", &ports))
		return -EINVAL;
	const struct text_field fields[] = {
		{rootfs, c->rootfs, sizeof(c->rootfs)}, {command, c->command, sizeof(c->command)},
		{net, c->net, sizeof(c->net)},          {address, c->address, sizeof(c->address)},
		{ports, c->ports, sizeof(c->ports)},
	};

	c->monitor = (struct up_process){(pid_t)mpid, (uint64_t)mstart};
	c->init = (struct up_process){(pid_t)ipid, (uint64_t)istart};
	c->created = created;
	c->finished = finished;
	return parse_state(state, &c->state)
		       ? -EINVAL
		       : copy_fields(fields, sizeof(fields) / sizeof(fields[0]));
}

int up_container_load(const char *name, struct up_container *ret, struct up_err *err)
{
	__up_cleanup(free_json) json_t *json = NULL;
	cleanup_free char *text = NULL;
	struct up_container c = {};
	json_error_t je = {};
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
	if (!json || unpack(json, &c, &je))
		return up_fail_msg(err, EINVAL, "container %s: broken record: %s", name,
				   *je.text ? je.text : "a value is out of range");
	*ret = c;
	return 0;
}

int up_container_remove(const char *name, struct up_err *err)
{
	static const char *const files[] = {"config.json", "config.json.tmp", "log"};
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		path_of(name, files[i], path);
		if (unlink(path) && errno != ENOENT)
			return up_fail(err, errno, "remove %s", path);
	}
	path_of(name, "", path);
	if (rmdir(path) && errno != ENOENT)
		return up_fail(err, errno, "remove %s", path);
	return 0;
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

int up_container_gc(void (*fn)(const char *what, const char *name, void *arg), void *arg,
		    struct up_err *err)
{
	struct gc gc = {fn, arg, 0};
	cleanup_fd int lock = up_lock(err);
	int ret = lock < 0 ? lock : up_container_foreach(gc_one, &gc, err);

	return ret ? ret : gc.repaired;
}
