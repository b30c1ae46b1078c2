/* SPDX-License-Identifier: GPL-2.0-only */
/* Which namespaces a container has of its own, which it shares, and with whom. */
#ifndef UP_LAUNCH_NAMESPACES_H
#define UP_LAUNCH_NAMESPACES_H

#include <stdint.h>

struct up_err;

/* The mount namespace is always a container's own. */
enum up_ns { UP_NS_USER, UP_NS_NET, UP_NS_IPC, UP_NS_UTS, UP_NS_PID, UP_NS_CGROUP, UP_NS_COUNT };

enum up_ns_mode {
	UP_NS_PRIVATE, /* of its own */
	UP_NS_HOST,    /* the caller's */
	UP_NS_JOIN,    /* the one at fd */
};

/** struct up_ns_wish - what is wanted of one kind; fd is -1 unless it is UP_NS_JOIN */
struct up_ns_wish {
	enum up_ns_mode mode;
	int fd;
};

/** up_ns_name() - as in /proc/PID/ns: "net" */
const char *up_ns_name(enum up_ns kind);

/** up_ns_clone_flags() - what clone3() gets for the private ones. Those of the cgroup are not among
 * them: init makes it once it is in its cgroup */
uint64_t up_ns_clone_flags(const struct up_ns_wish wishes[UP_NS_COUNT]);

/**
 * up_ns_open() - a namespace of a process
 * @pid: its id
 * Return: a close-on-exec fd, or -errno
 */
int up_ns_open(int pid, enum up_ns kind, struct up_err *err);

/** up_ns_join() - enter what is to be joined, in init; not that of pids. Return: 0 or -errno */
int up_ns_join(const struct up_ns_wish wishes[UP_NS_COUNT], struct up_err *err);

/**
 * up_ns_enter() - enter all namespaces of a running container
 * @pidfd: its init
 * @pid:   the same
 * @err:   why it failed
 *
 * A namespace that is the caller's already is left out where the kernel wants that. Return: 0 or
 * -errno
 */
int up_ns_enter(int pidfd, int pid, struct up_err *err);

#endif
