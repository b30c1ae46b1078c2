/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Netlink transport: one request, one answer, the kernel's own errno and words.
 *
 * libnl-3 builds and parses messages; its nl_geterror() hides the kernel's errno, so an error
 * callback with NETLINK_EXT_ACK takes both errno and text from the kernel's acknowledgement.
 */
#ifndef UP_NET_NL_H
#define UP_NET_NL_H

#include <stdbool.h>
#include <stdint.h>
#include <netlink/msg.h>
#include <netlink/attr.h>

struct up_err;
struct up_nl;

/**
 * up_nl_open() - open a netlink socket in the caller's network namespace
 * @protocol: NETLINK_ROUTE or NETLINK_SOCK_DIAG
 * @ret_nl:   the socket; it stays in the namespace where it was opened
 * @err:      why it failed
 *
 * Return: 0 or -errno
 */
int up_nl_open(int protocol, struct up_nl **ret_nl, struct up_err *err);

/**
 * up_nl_open_in() - open a netlink socket inside another network namespace
 * @protocol: NETLINK_ROUTE or NETLINK_SOCK_DIAG
 * @netns_fd: the namespace; the caller is back in its own on return
 * @ret_nl:   the socket
 * @err:      why it failed
 *
 * Return: 0 or -errno
 */
int up_nl_open_in(int protocol, int netns_fd, struct up_nl **ret_nl, struct up_err *err);

void up_nl_close(struct up_nl **nl);
#define cleanup_nl __up_cleanup(up_nl_close)

static inline void up_nlmsg_free(struct nl_msg **msg)
{
	nlmsg_free(*msg);
}
#define cleanup_msg __up_cleanup(up_nlmsg_free)

/**
 * up_nl_do() - send a request and wait for the kernel's acknowledgement
 * @nl:   socket
 * @msg:  request; NLM_F_ACK is added. Stays the caller's
 * @err:  the kernel's errno and its own text, for example "File exists" or
 *        "Operation not supported (Unknown device type)". Wrap it with what was tried
 *
 * Return: 0 or -errno
 */
int up_nl_do(struct up_nl *nl, struct nl_msg *msg, struct up_err *err);

/**
 * typedef up_nl_cb - called for each message of an answer
 *
 * Return: 0 to go on, -errno to stop; the rest of the answer is then read and dropped
 */
typedef int (*up_nl_cb)(struct nlmsghdr *nlh, void *arg);

/**
 * up_nl_query() - send a request (also a dump) and hand each answering message to a callback
 * @nl:  socket
 * @msg: request; stays the caller's
 * @cb:  called for each message
 * @arg: handed to @cb
 * @err: as in up_nl_do(); not filled where @cb stopped the walk
 *
 * Return: 0, the callback's -errno, or the kernel's
 */
int up_nl_query(struct up_nl *nl, struct nl_msg *msg, up_nl_cb cb, void *arg, struct up_err *err);

#endif
