// SPDX-License-Identifier: GPL-2.0-only
#include "net/nl.h"

#include <errno.h>
#include <linux/netlink.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "net/netns.h"

#define RX_BUFFER (1 << 20)

/* A dump that changed under way is asked for again, but not for ever. */
#define DUMP_TRIES 16

struct up_nl {
	struct nl_sock *sk;
};

/**
 * struct answer - what came back for one request
 * @cb:    the caller's callback, NULL for none
 * @arg:   its argument
 * @ret:   its verdict; once it is not 0, messages are only drained
 * @done:  the kernel's last message has come
 * @error: the kernel's errno, 0 for success
 * @text:  the kernel's own words, empty for none
 */
struct answer {
	up_nl_cb cb;
	void *arg;
	int ret;
	bool done;
	int error;
	char text[128];
};

int up_nl_open(int protocol, struct up_nl **ret_nl, struct up_err *err)
{
	cleanup_nl struct up_nl *nl = calloc(1, sizeof(*nl));
	const int one = 1;
	int ret;

	if (nl)
		nl->sk = nl_socket_alloc();
	if (!nl || !nl->sk)
		return up_fail(err, ENOMEM, "netlink socket");
	ret = nl_connect(nl->sk, protocol);
	if (ret)
		return up_fail_msg(err, errno ? errno : EIO, "netlink socket: %s",
				   nl_geterror(ret));
	nl_socket_set_buffer_size(nl->sk, RX_BUFFER, 0);
	nl_socket_set_msg_buf_size(nl->sk, 1 << 16);
	setsockopt(nl_socket_get_fd(nl->sk), SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	*ret_nl = take_ptr(nl);
	return 0;
}

int up_nl_open_in(int protocol, int netns_fd, struct up_nl **ret_nl, struct up_err *err)
{
	cleanup_netns int old = -1;
	int ret = up_netns_enter(netns_fd, &old, err);

	return ret ? ret : up_nl_open(protocol, ret_nl, err);
}

void up_nl_close(struct up_nl **nl)
{
	if (!*nl)
		return;
	if ((*nl)->sk)
		nl_socket_free((*nl)->sk);
	free(*nl);
	*nl = NULL;
}

static int on_message(struct nl_msg *msg, void *arg)
{
	struct answer *a = arg;

	if (a->cb && !a->ret)
		a->ret = a->cb(nlmsg_hdr(msg), a->arg);
	return NL_OK;
}

/* The acknowledgement carries the request unless it is capped, then the attributes. */
static void read_ext_ack(struct answer *a, const struct nlmsghdr *nlh, const struct nlmsgerr *e)
{
	size_t skip = sizeof(*e);
	struct nlattr *attr;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED) && e->msg.nlmsg_len > sizeof(e->msg))
		skip += e->msg.nlmsg_len - sizeof(e->msg);
	if (NLMSG_HDRLEN + NLMSG_ALIGN(skip) > nlh->nlmsg_len)
		return;
	attr = nla_find((struct nlattr *)((char *)nlmsg_data(nlh) + NLMSG_ALIGN(skip)),
			(int)(nlh->nlmsg_len - NLMSG_HDRLEN - NLMSG_ALIGN(skip)),
			NLMSGERR_ATTR_MSG);
	if (attr)
		nla_strlcpy(a->text, attr, sizeof(a->text));
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *e, void *arg)
{
	const struct nlmsghdr *nlh = (const void *)((const char *)e - NLMSG_HDRLEN);
	struct answer *a = arg;

	(void)from;
	a->error = -e->error;
	a->done = true;
	read_ext_ack(a, nlh, e);
	return NL_STOP;
}

static int on_done(struct nl_msg *msg, void *arg)
{
	(void)msg;
	((struct answer *)arg)->done = true;
	return NL_STOP;
}

static void free_cb(struct nl_cb **cb)
{
	nl_cb_put(*cb);
}

static int exchange(struct up_nl *nl, struct nl_msg *msg, struct answer *a)
{
	__up_cleanup(free_cb) struct nl_cb *cb = nl_cb_alloc(NL_CB_CUSTOM);
	int ret;

	if (!cb)
		return -ENOMEM;
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_message, a);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_done, a);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_done, a);
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, a);
	ret = nl_send_auto(nl->sk, msg);
	while (ret >= 0 && !a->done)
		ret = nl_recvmsgs(nl->sk, cb);
	return ret;
}

static int report(int ret, const struct answer *a, struct up_err *err)
{
	if (a->ret)
		return a->ret;
	if (a->error && *a->text)
		return up_fail_msg(err, a->error, "%s (%s)", strerror(a->error), a->text);
	if (a->error)
		return up_fail_msg(err, a->error, "%s", strerror(a->error));
	return ret < 0 ? up_fail_msg(err, EIO, "netlink: %s", nl_geterror(ret)) : 0;
}

int up_nl_query(struct up_nl *nl, struct nl_msg *msg, up_nl_cb cb, void *arg, struct up_err *err)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct answer a;
	int ret;

	if (!(nlh->nlmsg_flags & NLM_F_DUMP))
		nlh->nlmsg_flags |= NLM_F_ACK;
	for (int i = 0; i < DUMP_TRIES; i++) {
		a = (struct answer){.cb = cb, .arg = arg};
		nlh->nlmsg_seq = NL_AUTO_SEQ;
		ret = exchange(nl, msg, &a);
		if (ret != -NLE_DUMP_INTR)
			break;
	}
	return report(ret, &a, err);
}

int up_nl_do(struct up_nl *nl, struct nl_msg *msg, struct up_err *err)
{
	return up_nl_query(nl, msg, NULL, NULL, err);
}
