// SPDX-License-Identifier: GPL-2.0-only
#include "cni/state.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "cni/cni.h"

#define STATE_MAX (1U << 20)
#define SUFFIX    ".json"
#define UNDONE    ".tmp" /* what up_file_write() appends while it writes */

/* FNV-1a; the terminating zeros keep the parts apart. */
static uint64_t hash(uint64_t h, const char *text)
{
	do {
		h ^= (unsigned char)*text;
		h *= 0x100000001b3;
	} while (*text++);
	return h;
}

void up_cni_endpoint_name(const char *network, const char *id, const char *ifname,
			  char buf[UP_NAME_MAX + 1])
{
	uint64_t h = hash(hash(hash(0xcbf29ce484222325, network), id), ifname);

	snprintf(buf, UP_NAME_MAX + 1, "%.12s-%.15s-%016llx", id, ifname, (unsigned long long)h);
	for (char *c = buf; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("_.-", *c))
			*c = '_';
}

void up_cni_own_name(const struct up_cni *c, char buf[UP_NAME_MAX + 1])
{
	up_cni_endpoint_name(c->name, c->env.container_id, c->env.ifname, buf);
}

static void state_path(const char *endpoint, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/cni/%s" SUFFIX, up_run_dir(), endpoint);
}

int up_cni_state_save(const struct up_cni *c, bool complete, struct up_err *err)
{
	char endpoint[UP_NAME_MAX + 1], path[PATH_MAX];
	cleanup_free char *text = NULL;
	cleanup_fd int lock = up_lock(err);
	json_auto_t *record = json_pack("{s:s, s:s, s:s, s:s, s:b}", "network", c->name,
					"containerID", c->env.container_id, "ifname", c->env.ifname,
					"plugin", c->plugin->name, "complete", complete);
	int ret;

	if (lock < 0)
		return lock;
	up_cni_own_name(c, endpoint);
	snprintf(path, sizeof(path), "%s/cni", up_run_dir());
	ret = up_mkdir_p(path, 0700, err);
	if (ret)
		return ret;
	text = record ? json_dumps(record, JSON_INDENT(2)) : NULL;
	if (!text)
		return up_fail(err, ENOMEM, "write down the attachment");
	state_path(endpoint, path);
	return up_file_write(path, text, strlen(text), 0600, err);
}

/* Names of files are not trusted: what is in them is, once it gives that very name. */
static json_t *load(const char *endpoint, struct up_cni_attachment *ret)
{
	char path[PATH_MAX], name[UP_NAME_MAX + 1];
	cleanup_free char *text = NULL;
	struct up_cni_attachment a = {};
	json_auto_t *record = NULL;
	int complete;
	ssize_t len;

	state_path(endpoint, path);
	len = up_file_read(path, STATE_MAX, &text, NULL);
	record = len < 0 ? NULL : json_loadb(text, (size_t)len, JSON_REJECT_DUPLICATES, NULL);
	if (!record ||
	    json_unpack(record, "{s:s, s:s, s:s, s:s, s:b}", "network", &a.network, "containerID",
			&a.id, "ifname", &a.ifname, "plugin", &a.plugin, "complete", &complete))
		return NULL;
	up_cni_endpoint_name(a.network, a.id, a.ifname, name);
	if (strcmp(name, endpoint))
		return NULL;
	snprintf(a.endpoint, sizeof(a.endpoint), "%s", name);
	a.complete = complete;
	*ret = a;
	return json_incref(record);
}

bool up_cni_state_begun(const struct up_cni *c)
{
	char endpoint[UP_NAME_MAX + 1];
	struct up_cni_attachment a;
	json_auto_t *record = NULL;

	up_cni_own_name(c, endpoint);
	record = load(endpoint, &a);
	return record && !a.complete;
}

bool up_cni_state_has(const char *endpoint)
{
	char path[PATH_MAX];

	state_path(endpoint, path);
	return !access(path, F_OK);
}

void up_cni_state_remove(const char *endpoint)
{
	char path[PATH_MAX], undone[PATH_MAX + sizeof(UNDONE)];

	state_path(endpoint, path);
	unlink(path);
	snprintf(undone, sizeof(undone), "%s" UNDONE, path);
	unlink(undone);
}

void up_cni_state_remove_own(const struct up_cni *c)
{
	char endpoint[UP_NAME_MAX + 1];
	struct up_cni_attachment a;
	json_auto_t *record = NULL;

	up_cni_own_name(c, endpoint);
	record = load(endpoint, &a);
	if (record && !strcmp(a.plugin, c->plugin->name))
		up_cni_state_remove(endpoint);
}

static void close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static DIR *open_states(void)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/cni", up_run_dir());
	return opendir(path);
}

/* Whoever writes holds the lock. */
void up_cni_state_sweep(void)
{
	cleanup_fd int lock = up_lock(NULL);
	__up_cleanup(close_dir) DIR *dir = lock < 0 ? NULL : open_states();
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		size_t len = strlen(e->d_name);

		if (len > strlen(UNDONE) && !strcmp(e->d_name + len - strlen(UNDONE), UNDONE))
			unlinkat(dirfd(dir), e->d_name, 0);
	}
}

/* "NAME.json" */
static bool endpoint_of(const char *file, char endpoint[UP_NAME_MAX + 1])
{
	size_t len = strlen(file);

	if (len <= strlen(SUFFIX) || len > UP_NAME_MAX + strlen(SUFFIX) ||
	    strcmp(file + len - strlen(SUFFIX), SUFFIX))
		return false;
	snprintf(endpoint, UP_NAME_MAX + 1, "%.*s", (int)(len - strlen(SUFFIX)), file);
	return true;
}

int up_cni_state_foreach(int (*fn)(const struct up_cni_attachment *a, void *arg), void *arg)
{
	__up_cleanup(close_dir) DIR *dir = open_states();
	char endpoint[UP_NAME_MAX + 1];
	struct dirent *e;
	int ret = 0;

	while (!ret && dir && (e = readdir(dir))) {
		struct up_cni_attachment a;
		json_auto_t *record = NULL;

		if (endpoint_of(e->d_name, endpoint))
			record = load(endpoint, &a);
		if (record)
			ret = fn(&a, arg);
	}
	return ret;
}
