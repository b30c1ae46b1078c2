/* SPDX-License-Identifier: GPL-2.0-only */
/* CNI's error codes, and how they travel in struct up_err. */
#ifndef UP_CNI_ERROR_H
#define UP_CNI_ERROR_H

#include <jansson.h>

struct up_err;

/* CNI specification 1.1.0, "Error"; 100 and above are ours to give. */
enum up_cni_code {
	UP_CNI_INCOMPATIBLE = 1, /* a version that we do not speak */
	UP_CNI_UNSUPPORTED = 2,  /* a field that cannot be honoured: named with its value */
	UP_CNI_BAD_ENV = 4,      /* CNI_* variables */
	UP_CNI_IO = 5,           /* reading the configuration */
	UP_CNI_DECODE = 6,       /* it is not JSON, or of another type */
	UP_CNI_BAD_CONFIG = 7,   /* it is wrong */
	UP_CNI_BAD_NETNS = 8,    /* the namespace is the host's own (libcni) */
	UP_CNI_TRY_AGAIN = 11,
	UP_CNI_NOT_AVAILABLE = 50, /* STATUS: ADD would fail */
	UP_CNI_NO_FAST_PATH = 100, /* this host, or whoever asks, cannot have it */
	UP_CNI_TAKEN = 101,        /* an address, a port or an interface is somebody else's */
	UP_CNI_FULL = 102,         /* no address, row or memory is left */
	UP_CNI_DAMAGED = 103,      /* CHECK: something is not as ADD left it */
	UP_CNI_INTERNAL = 999,
};

/**
 * up_cni_fail() - fail with a code of CNI's
 * @err:  filled in; may be NULL
 * @code: kept in @err->code, above every errno value
 * @fmt:  the whole message
 *
 * Return: a negative number
 */
int up_cni_fail(struct up_err *err, enum up_cni_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** up_cni_code() - the code of an error, also of one that is an errno value */
enum up_cni_code up_cni_code(const struct up_err *err);

/** up_cni_error_json() - the error object of the specification; the caller's */
json_t *up_cni_error_json(const struct up_err *err, const char *version);

#endif
