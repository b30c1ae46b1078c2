/* SPDX-License-Identifier: GPL-2.0-only */
/* cmocka wants these before it. */
#ifndef UP_TESTS_CMOCKA_ALL_H
#define UP_TESTS_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#endif
