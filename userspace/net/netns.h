/* SPDX-License-Identifier: GPL-2.0-only */
/* Network namespaces: open, enter for a moment, identify. */
#ifndef UP_NET_NETNS_H
#define UP_NET_NETNS_H

#include <stdint.h>
#include <sys/types.h>

struct up_err;

/**
 * up_netns_open() - open a network namespace by path
 * @path: a bind-mounted namespace or /proc/PID/ns/net
 * @err:  why it failed; -EINVAL where @path is not a network namespace
 *
 * Return: a close-on-exec fd, or -errno
 */
int up_netns_open(const char *path, struct up_err *err);

/**
 * up_netns_open_pid() - open the network namespace of a process
 * @pid: process id in the caller's pid namespace
 * @err: why it failed
 *
 * Return: a close-on-exec fd, or -errno
 */
int up_netns_open_pid(pid_t pid, struct up_err *err);

struct up_nl;

/**
 * up_netns_id() - the id by which rtnetlink names a network namespace
 * @nl:       socket of the namespace whose id it is (up_link.peer_nsid)
 * @netns_fd: the namespace that it names
 *
 * Return: the id; -1 where it has none (no interface leads there: the kernel gives ids when it
 * lists those that do), and where the kernel does not answer
 */
int up_netns_id(struct up_nl *nl, int netns_fd);

/**
 * up_netns_find() - find the network namespace that rtnetlink names by an id
 * @nl:   socket of the namespace whose id it is (IFLA_LINK_NETNSID, see struct up_link)
 * @nsid: the id
 * @err:  why it failed; -ESRCH where no process lives in that namespace
 *
 * The kernel translates a namespace into its id and not the other way round, so this asks for the
 * namespace of one process after another: not for a fast path. Return: a close-on-exec fd, or
 * -errno
 */
int up_netns_find(struct up_nl *nl, int nsid, struct up_err *err);

/**
 * up_netns_number() - the id by which rtnetlink names a network namespace; given one if it has none
 * @nl:       socket of the namespace whose id it is
 * @netns_fd: the namespace that is named
 * @ret_nsid: the id; it lasts as long as the namespace
 * @err:      why it failed
 *
 * Return: 0 or -errno
 */
int up_netns_number(struct up_nl *nl, int netns_fd, int *ret_nsid, struct up_err *err);

/**
 * up_netns_foreach() - hand every network namespace that has such an id to a callback
 * @fn: returns 0 to go on or -errno to stop; must not use @nl
 */
int up_netns_foreach(struct up_nl *nl, int (*fn)(int nsid, void *arg), void *arg,
		     struct up_err *err);

/**
 * up_netns_enter() - enter a namespace, remembering the present one
 * @netns_fd: the namespace to enter
 * @ret_old:  fd of the namespace that was left, for up_netns_leave()
 * @err:      why it failed
 *
 * Only the calling thread moves. Return: 0 or -errno
 */
int up_netns_enter(int netns_fd, int *ret_old, struct up_err *err);

/**
 * up_netns_leave() - go back to the namespace that up_netns_enter() left, and close its fd
 * @old: pointer to that fd; nothing is done where it is -1. Has the shape of a cleanup function:
 *       "cleanup_netns int old = -1;" returns at the end of the scope. Aborts the process where the
 *       kernel refuses, because going on in the wrong namespace would change the wrong host.
 */
void up_netns_leave(int *old);
#define cleanup_netns __up_cleanup(up_netns_leave)

/**
 * up_netns_cookie() - the kernel's identity of the caller's network namespace
 * @ret_cookie: never reused while the machine runs (SO_NETNS_COOKIE, Linux 5.14)
 * @err:        why it failed
 *
 * Return: 0 or -errno
 */
int up_netns_cookie(uint64_t *ret_cookie, struct up_err *err);

/** up_netns_cookie_of() - the same of another one, by fd; the caller is back in its own on return
 */
int up_netns_cookie_of(int netns_fd, uint64_t *ret_cookie, struct up_err *err);

#endif
