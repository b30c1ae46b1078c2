// SPDX-License-Identifier: GPL-2.0-only
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For up_wrap(), where nobody wants to know why. */
static _Thread_local int last_code = EIO;

static int set_code(struct up_err *err, int code)
{
	code = code ? abs(code) : EIO;
	last_code = code;
	if (err)
		err->code = code;
	return -code;
}

int up_fail(struct up_err *err, int code, const char *fmt, ...)
{
	va_list ap;
	size_t len;

	code = set_code(err, code);
	if (!err)
		return code;
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	len = strlen(err->msg);
	snprintf(err->msg + len, sizeof(err->msg) - len, ": %s", strerror(-code));
	return code;
}

int up_fail_msg(struct up_err *err, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (err)
		vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	return set_code(err, code);
}

int up_wrap(struct up_err *err, const char *fmt, ...)
{
	char old[UP_ERR_MAX];
	va_list ap;
	size_t len;

	if (!err)
		return -last_code;
	memcpy(old, err->msg, sizeof(old));
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	len = strlen(err->msg);
	snprintf(err->msg + len, sizeof(err->msg) - len, ": %.*s", (int)sizeof(old) - 1, old);
	return -err->code;
}
