/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Errors: every function that can fail returns 0 or -errno and says why in its last parameter.
 *
 * The message is built from the inside out: the function that failed writes what it tried
 * (up_fail), each caller that knows more puts its context in front (up_wrap), and only main()
 * prints, so that one failure is one line:
 *
 *	underpass: endpoint web: veth up3f2a: create: File exists
 */
#ifndef UP_BASE_ERR_H
#define UP_BASE_ERR_H

#define UP_ERR_MAX 512

/**
 * struct up_err - why a call failed
 * @code: positive errno value; 0 as long as nothing failed
 * @msg:  what was tried and why it failed, without a final newline
 */
struct up_err {
	int code;
	char msg[UP_ERR_MAX];
};

/**
 * up_fail() - describe a failure by errno value: "FMT: strerror(code)"
 * @err:  filled in; may be NULL where the caller does not want to know
 * @code: positive or negative errno value
 * @fmt:  what was tried, printf-like
 *
 * Return: -|code|, so that "return up_fail(err, errno, ...)" is one line
 */
int up_fail(struct up_err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * up_fail_msg() - describe a failure whose text already says everything
 * @err:  filled in; may be NULL
 * @code: positive or negative errno value, returned but not spelled out in the message
 * @fmt:  the whole message
 *
 * Return: -|code|
 */
int up_fail_msg(struct up_err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * up_wrap() - put context in front of a message on its way up: "FMT: old message"
 * @err: an error filled by up_fail(); may be NULL
 * @fmt: the context, for example "endpoint web"
 *
 * Return: -err->code; where @err is NULL, what this thread's last up_fail() returned
 */
int up_wrap(struct up_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
