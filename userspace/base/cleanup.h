/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scope-bound resources. Declare with the attribute, hand ownership out with take_fd() or
 * take_ptr(); everything that was not handed out is released on every way out of the scope.
 */
#ifndef UP_BASE_CLEANUP_H
#define UP_BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define __up_cleanup(fn) __attribute__((cleanup(fn)))

static inline void up_close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void up_free_ptr(void *p)
{
	free(*(void **)p);
}

static inline void up_close_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

/* An fd that is closed at the end of its scope; -1 means none. */
#define cleanup_fd __up_cleanup(up_close_fd)
/* A malloc'ed pointer that is freed at the end of its scope. */
#define cleanup_free __up_cleanup(up_free_ptr)
/* A stdio stream that is closed at the end of its scope. */
#define cleanup_file __up_cleanup(up_close_file)

/* Hand an fd out of a cleanup_fd variable. */
static inline int take_fd(int *fd)
{
	int ret = *fd;

	*fd = -1;
	return ret;
}

/* Hand a pointer out of a cleanup variable. */
#define take_ptr(p)                     \
	({                              \
		__auto_type _ret = (p); \
		(p) = NULL;             \
		_ret;                   \
	})

#endif
