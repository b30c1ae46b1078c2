/* SPDX-License-Identifier: GPL-2.0-only */
/* What the running kernel must have, and since when kernels have it. */
#ifndef UP_CORE_KERNEL_H
#define UP_CORE_KERNEL_H

#include <stdbool.h>

struct up_err;

/**
 * up_kernel_check() - name the first feature that this kernel lacks
 * @err: "the kernel has no bpf_redirect_peer: Linux 5.10 or later is needed"
 *
 * Asks the kernel, not its version. Slow (it loads probe programs): called only where loading the
 * datapath has failed.
 *
 * Return: 0 where everything is there, or -EOPNOTSUPP
 */
int up_kernel_check(struct up_err *err);

/** up_kernel_has_func() - may programs call this function of the kernel (a kfunc)? */
bool up_kernel_has_func(const char *name);

/** up_kernel_module_has_func() - the same of a module that is loaded */
bool up_kernel_module_has_func(const char *module, const char *name);

/** up_kernel_has_enum() - does the kernel know a constant, for example a flag of a helper? */
bool up_kernel_has_enum(const char *name);

#endif
