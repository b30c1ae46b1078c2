// SPDX-License-Identifier: GPL-2.0-only
#include "cni/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/err.h"

#define CODE_BASE 100000 /* above every errno value */

int up_cni_fail(struct up_err *err, enum up_cni_code code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return -CODE_BASE - (int)code;
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	err->code = CODE_BASE + (int)code;
	return -err->code;
}

static enum up_cni_code code_of_errno(int code)
{
	switch (code) {
	case EEXIST:
	case EADDRINUSE:
		return UP_CNI_TAKEN;
	case ENOSPC:
	case ENOMEM:
		return UP_CNI_FULL;
	case EAGAIN:
		return UP_CNI_TRY_AGAIN;
	case EPERM:
	case EACCES:
	case EXDEV:
	case EPROTO:
	case ENETUNREACH:
		return UP_CNI_NO_FAST_PATH;
	case EOPNOTSUPP:
		return UP_CNI_UNSUPPORTED;
	default:
		return UP_CNI_INTERNAL;
	}
}

enum up_cni_code up_cni_code(const struct up_err *err)
{
	return err->code >= CODE_BASE ? (enum up_cni_code)(err->code - CODE_BASE)
				      : code_of_errno(err->code);
}

json_t *up_cni_error_json(const struct up_err *err, const char *version)
{
	return json_pack("{s:s, s:i, s:s}", "cniVersion", version, "code", (int)up_cni_code(err),
			 "msg", err->msg);
}
