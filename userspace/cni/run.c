// SPDX-License-Identifier: GPL-2.0-only
/*
 * One call from its environment to its answer. On stdout is the answer and nothing else: a result
 * of ADD, the answer to VERSION, or an error object.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/paths.h"
#include "cni/cni.h"
#include "cni/error.h"

#define INPUT_MAX   (64U << 20) /* more ports than there are do not fill it */
#define INPUT_CHUNK 65536

/* What others parse out of "CNI x plugin vN": the reference plugins whose options are known. */
#define REFERENCE_VERSION "1.7.1"

static const struct up_cni_plugin *const plugins[] = {
	&up_cni_underpass, &up_cni_bridge,    &up_cni_ptp,    &up_cni_portmap,
	&up_cni_firewall,  &up_cni_bandwidth, &up_cni_tuning,
};

static const struct up_cni_plugin *find_plugin(const char *argv0)
{
	const char *slash = strrchr(argv0, '/'), *name = slash ? slash + 1 : argv0;

	for (size_t i = 0; i < sizeof(plugins) / sizeof(plugins[0]); i++)
		if (!strcmp(plugins[i]->name, name))
			return plugins[i];
	return &up_cni_underpass;
}

static int about(const struct up_cni_plugin *plugin)
{
	fprintf(stderr, "CNI %s plugin v" REFERENCE_VERSION " (underpass)\n", plugin->name);
	fputs("CNI protocol versions supported:", stderr);
	for (int i = 0; i < UP_CNI_VERSIONS; i++)
		fprintf(stderr, "%s%s", i ? ", " : " ",
			up_cni_version_name((enum up_cni_version)i));
	fputc('\n', stderr);
	return 0;
}

/* Return: 0, or -EIO where nobody can be told */
static int print(json_t *value)
{
	int ret = value ? json_dumpf(value, stdout, JSON_INDENT(4)) : -1;

	json_decref(value);
	return ret || putchar('\n') == EOF || fflush(stdout) ? -EIO : 0;
}

static int print_error(struct up_cni *c, const struct up_err *err)
{
	print(c->relayed ? json_incref(c->relayed)
			 : up_cni_error_json(err, up_cni_version_name(c->version)));
	return 1;
}

static int read_input(char **ret_text, size_t *ret_len, struct up_err *err)
{
	cleanup_free char *text = NULL;
	size_t len = 0, size = 0;
	ssize_t n = 1;

	while (n) {
		if (len == size) {
			char *more = size < INPUT_MAX ? realloc(text, size + INPUT_CHUNK) : NULL;

			if (!more)
				return up_cni_fail(err, UP_CNI_IO, "configuration: too long");
			text = more;
			size += INPUT_CHUNK;
		}
		n = read(STDIN_FILENO, text + len, size - len);
		if (n < 0 && errno != EINTR)
			return up_cni_fail(err, UP_CNI_IO, "read the configuration: %s",
					   strerror(errno));
		len += n > 0 ? (size_t)n : 0;
	}
	*ret_text = take_ptr(text);
	*ret_len = len;
	return 0;
}

static int call(struct up_cni *c, json_t **ret_result, struct up_err *err)
{
	const struct up_cni_plugin *p = c->plugin;
	int (*verb)(struct up_cni * c, struct up_err * err) = NULL;

	switch (c->env.verb) {
	case UP_CNI_ADD:
		return p->add(c, ret_result, err);
	case UP_CNI_DEL:
		verb = p->del;
		break;
	case UP_CNI_CHECK:
		verb = p->check;
		break;
	case UP_CNI_GC:
		verb = p->gc;
		break;
	case UP_CNI_STATUS:
		verb = p->status;
		break;
	case UP_CNI_VERSION:
	case UP_CNI_VERBS:
		break;
	}
	return verb ? verb(c, err) : 0;
}

static int answer(struct up_cni *c, struct up_err *err)
{
	json_auto_t *result = NULL, *shaped = NULL;
	int ret = call(c, &result, err);

	if (ret || !result)
		return ret;
	/* Every plugin has seen to it that this version can say it, before it did anything. */
	ret = up_cni_result_format(result, c->version, &shaped, err);
	if (!ret && print(json_incref(shaped)))
		ret = up_cni_fail(err, UP_CNI_IO, "write the result: %s", strerror(errno));
	return ret;
}

static int run(struct up_cni *c, struct up_err *err)
{
	cleanup_free char *text = NULL;
	size_t len = 0;
	int ret = read_input(&text, &len, err);

	if (!ret)
		ret = up_cni_parse(c, text, len, err);
	if (!ret)
		ret = up_paths_check(err);
	if (!ret)
		ret = answer(c, err);
	if (ret)
		print_error(c, err);
	up_cni_free(c);
	return ret ? 1 : 0;
}

int up_cni_main(int argc, char **argv)
{
	struct up_cni c = {
		.plugin = find_plugin(argc ? argv[0] : ""),
		.version = UP_CNI_LATEST,
	};
	struct up_err err = {};

	if (!getenv("CNI_COMMAND"))
		return about(c.plugin);
	umask(022);
	if (chdir("/"))
		return print_error(&c, &err);
	if (up_cni_env_read(&c.env, &err))
		return print_error(&c, &err);
	if (c.env.verb == UP_CNI_VERSION)
		return print(up_cni_versions_json()) ? 1 : 0;
	return run(&c, &err);
}
