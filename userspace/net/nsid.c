// SPDX-License-Identifier: GPL-2.0-only
/* Between rtnetlink's id of a network namespace and the namespace. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "net/netns.h"
#include "net/nl.h"

static void close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static int read_nsid(struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *nsid = nlmsg_find_attr(nlh, sizeof(struct rtgenmsg), NETNSA_NSID);

	if (nlh->nlmsg_type == RTM_NEWNSID && nsid && nla_len(nsid) == sizeof(int))
		*(int *)arg = nla_get_s32(nsid);
	return 0;
}

int up_netns_id(struct up_nl *nl, int netns_fd)
{
	struct rtgenmsg gen = {.rtgen_family = AF_UNSPEC};
	cleanup_msg struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETNSID, 0);
	int nsid = NETNSA_NSID_NOT_ASSIGNED;

	if (!msg || nlmsg_append(msg, &gen, sizeof(gen), NLMSG_ALIGNTO) ||
	    nla_put_u32(msg, NETNSA_FD, (uint32_t)netns_fd))
		return nsid;
	up_nl_query(nl, msg, read_nsid, &nsid, NULL);
	return nsid;
}

/* Only the kernel chooses among the ids that are free. */
static int assign_nsid(struct up_nl *nl, int netns_fd, struct up_err *err)
{
	struct rtgenmsg gen = {.rtgen_family = AF_UNSPEC};
	cleanup_msg struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWNSID, 0);

	if (!msg || nlmsg_append(msg, &gen, sizeof(gen), NLMSG_ALIGNTO) ||
	    nla_put_u32(msg, NETNSA_FD, (uint32_t)netns_fd) ||
	    nla_put_s32(msg, NETNSA_NSID, NETNSA_NSID_NOT_ASSIGNED))
		return up_fail(err, ENOMEM, "number a network namespace");
	return up_nl_do(nl, msg, err);
}

int up_netns_number(struct up_nl *nl, int netns_fd, int *ret_nsid, struct up_err *err)
{
	int nsid = up_netns_id(nl, netns_fd), ret = 0;

	if (nsid < 0)
		ret = assign_nsid(nl, netns_fd, err);
	if (nsid < 0 && (!ret || ret == -EEXIST))
		nsid = up_netns_id(nl, netns_fd);
	if (nsid < 0)
		return ret ? ret : up_fail(err, ENOENT, "number a network namespace");
	*ret_nsid = nsid;
	return 0;
}

struct nsid_walk {
	int (*fn)(int nsid, void *arg);
	void *arg;
};

static int each_nsid(struct nlmsghdr *nlh, void *arg)
{
	const struct nsid_walk *w = arg;
	int nsid = NETNSA_NSID_NOT_ASSIGNED;

	read_nsid(nlh, &nsid);
	return nsid < 0 ? 0 : w->fn(nsid, w->arg);
}

int up_netns_foreach(struct up_nl *nl, int (*fn)(int nsid, void *arg), void *arg,
		     struct up_err *err)
{
	struct rtgenmsg gen = {.rtgen_family = AF_UNSPEC};
	cleanup_msg struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETNSID, NLM_F_DUMP);
	struct nsid_walk w = {fn, arg};

	if (!msg || nlmsg_append(msg, &gen, sizeof(gen), NLMSG_ALIGNTO))
		return up_fail(err, ENOMEM, "list network namespaces");
	return up_nl_query(nl, msg, each_nsid, &w, err);
}

/* Most processes live where the one before them does: ask once for each row of those. */
static int open_other(int proc, const char *pid, ino_t *last)
{
	cleanup_fd int fd = -1;
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "%.20s/ns/net", pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) || st.st_ino == *last)
		return -1;
	*last = st.st_ino;
	return take_fd(&fd);
}

int up_netns_find(struct up_nl *nl, int nsid, struct up_err *err)
{
	__up_cleanup(close_dir) DIR *proc = opendir("/proc");
	struct dirent *e;
	ino_t last = 0;

	while (proc && (e = readdir(proc))) {
		cleanup_fd int fd = -1;

		if (!isdigit((unsigned char)*e->d_name))
			continue;
		fd = open_other(dirfd(proc), e->d_name, &last);
		if (fd >= 0 && up_netns_id(nl, fd) == nsid)
			return take_fd(&fd);
	}
	return up_fail_msg(err, ESRCH, "no process lives in its network namespace");
}
