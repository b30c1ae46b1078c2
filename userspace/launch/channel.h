/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The channel between a monitor and the process that becomes the command: a SOCK_SEQPACKET pair,
 * close-on-exec, so that end of file says that the command has been executed (or that the other
 * side is dead). Each message may carry one descriptor.
 */
#ifndef UP_LAUNCH_CHANNEL_H
#define UP_LAUNCH_CHANNEL_H

#include "base/err.h"

enum up_message_kind {
	UP_MESSAGE_ROOT = 1, /* to the child: carries the root file system */
	UP_MESSAGE_GO,       /* to the child: execute the command */
	UP_MESSAGE_TERMINAL, /* to the monitor: carries the master of the command's terminal */
	UP_MESSAGE_FAILED,   /* to the monitor: why, and the exit status */
};

/**
 * struct up_message - what goes over it
 * @kind: what it says
 * @code: exit status, with UP_MESSAGE_FAILED
 * @err:  why, with UP_MESSAGE_FAILED
 */
struct up_message {
	enum up_message_kind kind;
	int code;
	struct up_err err;
};

/** up_channel_open() - a pair; both ends are interchangeable. Return: 0 or -errno */
int up_channel_open(int ret_pair[2], struct up_err *err);

/** up_channel_send() - send a message, with a descriptor unless @fd is -1. Return: 0 or -errno */
int up_channel_send(int sock, const struct up_message *m, int fd);

/**
 * up_channel_receive() - wait for a message
 * @ret_fd: the descriptor that came along, close-on-exec; -1 for none
 * Return: 1, 0 at end of file, or -errno
 */
int up_channel_receive(int sock, struct up_message *ret, int *ret_fd);

#endif
