// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each object of the specification is a table of its members. A member that is not in its table
 * ends the reading with its name; one whose row has no function says nothing about the container.
 */
#include "launch/bundle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "launch/bundle_priv.h"

#define CONFIG_MAX (4 << 20)

static int take_version(struct up_bundle *b, json_t *value, struct up_err *err)
{
	const char *text = json_string_value(value);

	(void)b;
	return text && !strncmp(text, "1.", 2)
		       ? 0
		       : up_fail_msg(err, EOPNOTSUPP, "other than 1.x: not implemented");
}

static int take_hostname(struct up_bundle *b, json_t *value, struct up_err *err)
{
	return up_json_text(value, &b->hostname, err);
}

static int take_domainname(struct up_bundle *b, json_t *value, struct up_err *err)
{
	return up_json_text(value, &b->domainname, err);
}

static const struct up_bundle_member config[] = {
	{"ociVersion", take_version}, {"process", up_bundle_process},
	{"root", up_bundle_root},     {"hostname", take_hostname},
	{"mounts", up_bundle_mounts}, {"domainname", take_domainname},
	{"linux", up_bundle_linux},   {"annotations", NULL},
	{"hooks", up_bundle_empty},
};

/* What must be there. */
static int check(const struct up_bundle *b, struct up_err *err)
{
	const json_t *mounts = json_object_get(json_object_get(b->json, "linux"), "namespaces");
	bool own = false;
	const json_t *item;
	size_t i;

	json_array_foreach (mounts, i, item) {
		const char *type = json_string_value(json_object_get(item, "type"));

		own |= type && !strcmp(type, "mount");
	}
	if (!own)
		return up_fail_msg(err, EOPNOTSUPP,
				   "linux.namespaces: without mount: not implemented");
	if (!*b->rootfs)
		return up_fail_msg(err, EINVAL, "root.path: missing");
	if (!b->args.n)
		return up_fail_msg(err, EINVAL, "process.args: missing");
	if (b->ns[UP_NS_USER] == UP_NS_PRIVATE && (!b->idmap.uid || !b->idmap.gid))
		return up_fail_msg(err, EINVAL, "linux.uidMappings, linux.gidMappings: missing");
	return 0;
}

static int load(struct up_bundle *b, const char *file, struct up_err *err)
{
	cleanup_free char *text = NULL;
	json_error_t je;
	int ret = (int)up_file_read(file, CONFIG_MAX, &text, err);

	if (ret < 0)
		return ret;
	b->json = json_loads(text, JSON_REJECT_DUPLICATES, &je);
	if (!b->json)
		return up_fail_msg(err, EINVAL, "config.json: line %d: %s", je.line, je.text);
	ret = up_bundle_object(b, b->json, config, ARRAY_SIZE(config), err);
	if (!ret)
		ret = check(b, err);
	return ret ? up_wrap(err, "config.json") : 0;
}

struct up_bundle *up_bundle_load(const char *dir, const char *file, struct up_err *err)
{
	struct up_bundle *b = calloc(1, sizeof(*b));
	char path[PATH_MAX];

	if (!b) {
		up_fail(err, ENOMEM, "bundle");
		return NULL;
	}
	b->umask = 022;
	for (int i = 0; i < UP_NS_COUNT; i++)
		b->ns[i] = UP_NS_HOST;
	if (!realpath(dir, b->dir))
		up_fail(err, errno, "bundle %s", dir);
	else if (!file && snprintf(path, sizeof(path), "%s/config.json", b->dir) >= PATH_MAX)
		up_fail(err, ENAMETOOLONG, "bundle %s", dir);
	else if (!load(b, file ? file : path, err))
		return b;
	up_bundle_free(b);
	return NULL;
}

void up_bundle_free(struct up_bundle *b)
{
	if (!b)
		return;
	up_words_free(&b->args);
	up_words_free(&b->env);
	up_words_free(&b->groups);
	up_words_free(&b->masked);
	up_words_free(&b->guarded);
	up_words_free(&b->sysctls);
	up_volumes_close(&b->mounts);
	up_seccomp_free(&b->seccomp);
	free(b->nodes.at);
	json_decref(b->json);
	free(b);
}
