// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rules of a network are listed in a file beside its attachments, which is also their lock.
 * ADD has written its attachment down before it asks for the lock, and DEL counts attachments while
 * it holds it: so whoever takes the rules away is the last, and whoever comes later finds the file
 * gone, and begins anew.
 */
#include "cni/masquerade.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/paths.h"
#include "cni/error.h"
#include "cni/iface.h"
#include "cni/state.h"

#define LIST_MAX 4096

/* Engines that call CNI without a kubelet give a pod's name, but not this. */
bool up_cni_in_cluster(const struct up_cni *c)
{
	char id[256];

	return up_cni_args_get(c->env.args, "K8S_POD_INFRA_CONTAINER_ID", id, sizeof(id));
}

/* ---- the rule --------------------------------------------------------------------------------
 */

/* Return: its exit status, or -errno where it could not be started */
static int execute(char *const argv[])
{
	posix_spawn_file_actions_t actions;
	char path[PATH_MAX];
	int ret, status = 0;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDWR, 0);
	posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDERR_FILENO);
	ret = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	if (ret == ENOENT) {
		snprintf(path, sizeof(path), "/usr/sbin/%s", argv[0]);
		ret = posix_spawn(&pid, path, &actions, NULL, argv, environ);
	}
	posix_spawn_file_actions_destroy(&actions);
	if (ret)
		return -ret;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

/* @op: -C, -A or -D */
static int rule(const struct up_cni *c, const char *op, const char *cidr)
{
	const char *tool = strchr(cidr, ':') ? "ip6tables" : "iptables";
	char comment[256];
	const char *argv[] = {tool,      "-w",        "-t",    "nat", op,           "POSTROUTING",
			      "-s",      cidr,        "!",     "-d",  cidr,         "-m",
			      "comment", "--comment", comment, "-j",  "MASQUERADE", NULL};

	snprintf(comment, sizeof(comment), "underpass: network %.200s", c->name);
	return execute((char *const *)argv);
}

static int ensure_rule(const struct up_cni *c, const char *cidr, struct up_err *err)
{
	int ret = rule(c, "-C", cidr);

	if (ret > 0)
		ret = rule(c, "-A", cidr);
	if (ret < 0)
		return up_cni_fail(err, UP_CNI_NO_FAST_PATH,
				   "ipMasq in a cluster: execute iptables: %s", strerror(-ret));
	return ret ? up_cni_fail(err, UP_CNI_INTERNAL,
				 "ipMasq in a cluster: iptables failed with status %d", ret)
		   : 0;
}

/* ---- the list --------------------------------------------------------------------------------
 */

static void list_path(const struct up_cni *c, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/cni/%s.masq", up_run_dir(), c->name);
}

static bool is_gone(int fd)
{
	struct stat st;

	return fstat(fd, &st) || !st.st_nlink;
}

/* Return: fd of the locked list, or -errno */
static int open_list(const struct up_cni *c, int flags)
{
	char path[PATH_MAX];

	list_path(c, path);
	for (;;) {
		cleanup_fd int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);

		if (fd < 0)
			return -errno;
		while (flock(fd, LOCK_EX))
			if (errno != EINTR)
				return -errno;
		if (!is_gone(fd))
			return take_fd(&fd);
	}
}

static void read_list(int fd, char text[LIST_MAX])
{
	ssize_t n = pread(fd, text, LIST_MAX - 1, 0);

	text[n > 0 ? n : 0] = '\0';
}

static int note(int fd, const char *cidr, struct up_err *err)
{
	char text[LIST_MAX], line[UP_ADDR_TEXT + 8];
	size_t len;

	snprintf(line, sizeof(line), "%s\n", cidr);
	read_list(fd, text);
	len = strlen(text);
	if (strstr(text, line))
		return 0;
	if (len + strlen(line) >= LIST_MAX)
		return up_fail(err, EFBIG, "write down what is masqueraded");
	if (pwrite(fd, line, strlen(line), (off_t)len) != (ssize_t)strlen(line))
		return up_fail(err, errno, "write down what is masqueraded");
	return 0;
}

int up_cni_masquerade(const struct up_cni *c, const struct up_cidr *net, struct up_err *err)
{
	const struct up_cidr whole = up_cni_network_of(&net->addr, net->plen);
	cleanup_fd int fd = open_list(c, O_CREAT);
	char cidr[UP_ADDR_TEXT + 4], text[UP_ADDR_TEXT];
	int ret;

	if (fd < 0)
		return up_fail(err, fd, "write down what is masqueraded");
	snprintf(cidr, sizeof(cidr), "%s/%u", up_addr_format(&whole.addr, text), whole.plen);
	ret = note(fd, cidr, err);
	return ret ? ret : ensure_rule(c, cidr, err);
}

static int is_of(const struct up_cni_attachment *a, void *name)
{
	return !strcmp(a->network, name);
}

void up_cni_masquerade_end(const struct up_cni *c)
{
	cleanup_fd int fd = open_list(c, 0);
	char text[LIST_MAX], path[PATH_MAX], *save = NULL;

	if (fd < 0 || up_cni_state_foreach(is_of, (void *)c->name))
		return;
	read_list(fd, text);
	for (char *cidr = strtok_r(text, "\n", &save); cidr; cidr = strtok_r(NULL, "\n", &save))
		rule(c, "-D", cidr);
	list_path(c, path);
	unlink(path);
}
