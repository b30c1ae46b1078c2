// SPDX-License-Identifier: GPL-2.0-only
/* A program of type "syscall" answers in the context that it was run with. */
#include "lib.h"

int main(void)
{
	const struct bpf_insn insns[] = {
		/* *(u32 *)(r1 + 4) = 42 */
		{.code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = BPF_REG_1, .off = 4, .imm = 42},
		RETURN(0),
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = BPF_F_SLEEPABLE);
	uint32_t ctx[2] = {7, 7};
	LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = ctx, .ctx_size_in = sizeof(ctx));
	int prog = bpf_prog_load(BPF_PROG_TYPE_SYSCALL, "platform", "GPL", insns, 3, &opts);

	EXPECT(prog >= 0);
	EXPECT(!bpf_prog_test_run_opts(prog, &run));
	EXPECT(ctx[0] == 7 && ctx[1] == 42);
	return 0;
}
