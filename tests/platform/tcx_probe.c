// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether the kernel has tcx can be asked without a device and without an effect: creating a link
 * on an interface that cannot exist answers ENODEV where the attach type is known, EINVAL where
 * not.
 */
#include "lib.h"

int main(void)
{
	int prog = prog_returning(BPF_PROG_TYPE_SCHED_CLS, 0, 0);

	EXPECT(bpf_link_create(prog, 0x7fffffff, (enum bpf_attach_type)9999, NULL) < 0);
	EXPECT(errno == EINVAL);
	EXPECT(bpf_link_create(prog, 0x7fffffff, TCX, NULL) < 0);
	if (errno == EINVAL) {
		puts("this kernel has no tcx");
		return SKIP;
	}
	EXPECT(errno == ENODEV);
	return 0;
}
