// SPDX-License-Identifier: GPL-2.0-only
/*
 * "cni install" and "cni uninstall": the plugin, its names and a configuration, put in place and
 * taken back.
 *
 * A manifest beside the binary says what was put where. It is there before anything else is and
 * goes last, so that an install that died can be taken back, or repeated. Everything comes to its
 * place by rename, the configuration last: a runtime that sees it can call the plugin. What belongs
 * to somebody else is neither overwritten nor removed.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "cmd/cmd.h"
#include "cmd/output.h"

#define BINARY       "underpass-cni"
#define MANIFEST     ".underpass-cni.json"
#define BIN_DIR      "/opt/cni/bin"
#define CONF_DIR     "/etc/cni/net.d"
#define CONF_NAME    "10-underpass.conflist"
#define BINARY_MAX   (64UL << 20)
#define MANIFEST_MAX (1UL << 20)

static const char own_name[] = "underpass";
static const char *const stand_ins[] = {"bridge",   "ptp",       "portmap",
					"firewall", "bandwidth", "tuning"};

/* Addresses are of the containers' network of this host, so that nothing has to be chosen. */
static const char conf_text[] =
	"{\n"
	"  \"cniVersion\": \"1.0.0\",\n"
	"  \"name\": \"underpass\",\n"
	"  \"plugins\": [\n"
	"    {\n"
	"      \"type\": \"underpass\",\n"
	"      \"capabilities\": {\"portMappings\": true, \"bandwidth\": true, \"ips\": true, "
	"\"mac\": true, \"dns\": true}\n"
	"    }\n"
	"  ]\n"
	"}\n";

/**
 * struct places - what an install is about
 * @bin_dir:  where the plugin goes
 * @conf_dir: where the configuration goes; NULL for none
 * @all:      under the names of the reference plugins too
 * @done:     what was put in place, or taken back, for people
 */
struct places {
	const char *bin_dir, *conf_dir;
	bool all;
	json_t *done;
};

static int join(char path[PATH_MAX], const char *dir, const char *name, struct up_err *err)
{
	if (snprintf(path, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX)
		return up_fail(err, ENAMETOOLONG, "%.100s...", dir);
	return 0;
}

static void tell(struct places *p, const char *path)
{
	json_array_append_new(p->done, json_string(path));
}

static int read_manifest(struct places *p, json_t **ret, const char **ret_conf, struct up_err *err)
{
	cleanup_free char *text = NULL;
	char path[PATH_MAX];
	int all = 0, retval = join(path, p->bin_dir, MANIFEST, err);
	ssize_t len = retval ? retval : up_file_read(path, MANIFEST_MAX, &text, err);
	json_auto_t *manifest = NULL;

	if (len == -ENOENT)
		return up_fail_msg(err, ENOENT, "nothing was installed in %s", p->bin_dir);
	if (len < 0)
		return (int)len;
	manifest = json_loadb(text, (size_t)len, JSON_REJECT_DUPLICATES, NULL);
	if (!manifest || json_unpack(manifest, "{s?s, s:b, s:s}", "conf_dir", &p->conf_dir, "all",
				     &all, "conf", ret_conf))
		return up_fail_msg(err, EBADMSG, "%s is not a manifest", path);
	p->all = all;
	*ret = json_incref(manifest);
	return 0;
}

/* ---- putting it in place -----------------------------------------------------------------------
 */

/* The plugin is installed beside this program. */
static int read_binary(char **ret_data, ssize_t *ret_len, struct up_err *err)
{
	char path[PATH_MAX], *slash;
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - sizeof(BINARY));

	if (n < 0)
		return up_fail(err, errno, "find this program");
	path[n] = '\0';
	slash = strrchr(path, '/');
	snprintf(slash ? slash + 1 : path, sizeof(BINARY), "%s", BINARY);
	*ret_len = up_file_read(path, BINARY_MAX, ret_data, err);
	return *ret_len < 0 ? (int)*ret_len : 0;
}

static bool is_our_link(const char *path)
{
	char target[sizeof(BINARY) + 1];
	ssize_t n = readlink(path, target, sizeof(target));

	return n == (ssize_t)strlen(BINARY) && !memcmp(target, BINARY, (size_t)n);
}

static int check_link(const struct places *p, const char *name, struct up_err *err)
{
	char path[PATH_MAX];
	struct stat st;
	int ret = join(path, p->bin_dir, name, err);

	if (ret || lstat(path, &st) || is_our_link(path))
		return ret;
	return up_fail_msg(err, EEXIST,
			   "%s is somebody else's: choose a --bin-dir that comes first in the "
			   "runtime's plugin path",
			   path);
}

static int for_each_name(struct places *p,
			 int (*fn)(struct places *p, const char *name, struct up_err *err),
			 struct up_err *err)
{
	int ret = fn(p, own_name, err);

	for (size_t i = 0; !ret && p->all && i < sizeof(stand_ins) / sizeof(stand_ins[0]); i++)
		ret = fn(p, stand_ins[i], err);
	return ret;
}

static int check_name(struct places *p, const char *name, struct up_err *err)
{
	return check_link(p, name, err);
}

static int make_link(struct places *p, const char *name, struct up_err *err)
{
	char path[PATH_MAX], tmp[PATH_MAX + 8];
	int ret = join(path, p->bin_dir, name, err);

	if (ret)
		return ret;
	snprintf(tmp, sizeof(tmp), "%s.tmp", path);
	unlink(tmp);
	if (symlink(BINARY, tmp) || rename(tmp, path))
		return up_fail(err, errno, "link %s", path);
	tell(p, path);
	return 0;
}

static int write_manifest(const struct places *p, struct up_err *err)
{
	char path[PATH_MAX];
	json_auto_t *manifest = json_pack("{s:s*, s:b, s:s}", "conf_dir", p->conf_dir, "all",
					  p->all, "conf", conf_text);
	cleanup_free char *text = manifest ? json_dumps(manifest, JSON_INDENT(2)) : NULL;
	int ret = join(path, p->bin_dir, MANIFEST, err);

	if (!text)
		return up_fail(err, ENOMEM, "write the manifest");
	return ret ? ret : up_file_write(path, text, strlen(text), 0644, err);
}

static int write_binary(struct places *p, const char *data, ssize_t len, struct up_err *err)
{
	char path[PATH_MAX];
	int ret = join(path, p->bin_dir, BINARY, err);

	if (!ret)
		ret = up_file_write(path, data, (size_t)len, 0755, err);
	if (!ret)
		tell(p, path);
	return ret;
}

static int write_conf(struct places *p, struct up_err *err)
{
	char path[PATH_MAX];
	int ret;

	if (!p->conf_dir)
		return 0;
	ret = join(path, p->conf_dir, CONF_NAME, err);
	if (!ret)
		ret = up_mkdir_p(p->conf_dir, 0755, err);
	if (ret || !access(path, F_OK))
		return ret; /* what is there may have been edited */
	ret = up_file_write(path, conf_text, strlen(conf_text), 0644, err);
	if (!ret)
		tell(p, path);
	return ret;
}

/* An install over another one is an upgrade: it may add names, but not lose sight of what is there.
 */
static int join_earlier(struct places *p, struct up_err *err)
{
	struct places old = {.bin_dir = p->bin_dir};
	json_auto_t *manifest = NULL;
	const char *conf = "";
	int ret = read_manifest(&old, &manifest, &conf, err);

	if (ret)
		return ret == -ENOENT ? 0 : ret;
	p->all |= old.all;
	if (strcmp(old.conf_dir ? old.conf_dir : "", p->conf_dir ? p->conf_dir : "") != 0)
		return up_fail_msg(err, EEXIST,
				   "it is installed with its configuration in %s: uninstall that "
				   "first",
				   old.conf_dir ? old.conf_dir : "no place");
	return 0;
}

static int install(struct places *p, struct up_err *err)
{
	cleanup_free char *binary = NULL;
	ssize_t len = 0;
	int ret = read_binary(&binary, &len, err);

	if (!ret)
		ret = join_earlier(p, err);
	if (!ret)
		ret = for_each_name(p, check_name, err);
	if (!ret)
		ret = up_mkdir_p(p->bin_dir, 0755, err);
	if (!ret)
		ret = write_manifest(p, err);
	if (!ret)
		ret = write_binary(p, binary, len, err);
	if (!ret)
		ret = for_each_name(p, make_link, err);
	return ret ? ret : write_conf(p, err);
}

/* ---- taking it back ----------------------------------------------------------------------------
 */

static int remove_file(struct places *p, const char *path, struct up_err *err)
{
	if (!unlink(path))
		tell(p, path);
	else if (errno != ENOENT)
		return up_fail(err, errno, "remove %s", path);
	return 0;
}

static int remove_link(struct places *p, const char *name, struct up_err *err)
{
	char path[PATH_MAX];
	int ret = join(path, p->bin_dir, name, err);

	return ret || !is_our_link(path) ? ret : remove_file(p, path, err);
}

static int remove_named(struct places *p, const char *name, struct up_err *err)
{
	char path[PATH_MAX];
	int ret = join(path, p->bin_dir, name, err);

	return ret ? ret : remove_file(p, path, err);
}

/* One that was edited is its editor's now. */
static int remove_conf(struct places *p, const char *installed, struct up_err *err)
{
	cleanup_free char *now = NULL;
	char path[PATH_MAX];
	int ret;

	if (!p->conf_dir)
		return 0;
	ret = join(path, p->conf_dir, CONF_NAME, err);
	if (ret || up_file_read(path, MANIFEST_MAX, &now, NULL) < 0)
		return ret;
	if (!strcmp(now, installed))
		return remove_file(p, path, err);
	fprintf(stderr, "underpass: %s was changed: it stays\n", path);
	return 0;
}

static int uninstall(struct places *p, struct up_err *err)
{
	json_auto_t *manifest = NULL;
	const char *conf = "";
	int ret;

	p->conf_dir = NULL;
	ret = read_manifest(p, &manifest, &conf, err);
	if (!ret)
		ret = remove_conf(p, conf, err);
	if (!ret)
		ret = for_each_name(p, remove_link, err);
	if (!ret)
		ret = remove_named(p, BINARY, err);
	return ret ? ret : remove_named(p, MANIFEST, err);
}

/* ---- the command -------------------------------------------------------------------------------
 */

static int print_done(const struct places *p, const char *verb, bool json)
{
	json_t *path;
	size_t i;

	if (json)
		return up_print_json(json_incref(p->done));
	json_array_foreach (p->done, i, path)
		printf("%s %s\n", verb, json_string_value(path));
	return UP_EXIT_OK;
}

static int carry_out(struct places *p, bool remove, bool json)
{
	struct up_err err = {};

	if (*p->bin_dir != '/' || (p->conf_dir && *p->conf_dir != '/')) {
		up_fail_msg(&err, EINVAL, "directories: want absolute paths");
		return up_cmd_error(&err);
	}
	if (remove ? uninstall(p, &err) : install(p, &err))
		return up_cmd_error(&err);
	return print_done(p, remove ? "removed" : "installed", json);
}

static int run(const struct up_cmd *cmd, int argc, char **argv)
{
	static const struct option options[] = {
		{"bin-dir", required_argument, NULL, 'b'},
		{"conf-dir", required_argument, NULL, 'c'},
		{"no-conf", no_argument, NULL, 'n'},
		{"all", no_argument, NULL, 'a'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{},
	};
	struct places p = {.bin_dir = BIN_DIR, .conf_dir = CONF_DIR};
	bool json = false, remove;
	int opt, ret;

	while ((opt = getopt_long(argc, argv, ":b:c:najh", options, NULL)) != -1) {
		if (opt == 'h')
			return up_cmd_help(cmd);
		if (!strchr("bcnaj", opt))
			return up_cmd_bad_option(cmd, opt, argv);
		p.bin_dir = opt == 'b' ? optarg : p.bin_dir;
		p.conf_dir = opt == 'c' ? optarg : opt == 'n' ? NULL : p.conf_dir;
		p.all |= opt == 'a';
		json |= opt == 'j';
	}
	remove = optind < argc && !strcmp(argv[optind], "uninstall");
	if (optind + 1 != argc || (!remove && strcmp(argv[optind], "install") != 0))
		return up_cmd_usage(cmd, "want install or uninstall");
	p.done = json_array();
	ret = carry_out(&p, remove, json);
	json_decref(p.done);
	return ret;
}

const struct up_cmd cmd_cni = {
	.name = "cni",
	.args = "install [--bin-dir DIR] [--conf-dir DIR|--no-conf] [--all] | uninstall [--bin-dir "
		"DIR]",
	.summary =
		"put the CNI plugin in place for podman, containerd or Kubernetes, or take it back",
	.help = "  -b, --bin-dir DIR   where the plugin goes (default: " BIN_DIR ")\n"
		"  -c, --conf-dir DIR  where " CONF_NAME " goes (default: " CONF_DIR ")\n"
		"  -n, --no-conf       no configuration: there are some\n"
		"  -a, --all           answer to the names bridge, ptp, portmap, firewall, "
		"bandwidth\n"
		"                      and tuning too: DIR must come first in the runtime's "
		"plugin path\n"
		"  -j, --json          print JSON\n"
		"  -h, --help          print this help\n\n"
		"What belongs to somebody else is not overwritten, and uninstall removes what "
		"install\n"
		"put there, but for a configuration that was changed since.\n",
	.run = run,
};
