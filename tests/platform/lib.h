/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Platform requirements: one small program for each thing that the design relies on the kernel to
 * do. When a kernel update breaks one, the program that fails says what was relied upon.
 */
#ifndef UP_PLATFORM_LIB_H
#define UP_PLATFORM_LIB_H

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "compat/bpf.h"

#define SKIP 77

/* Say what does not hold, and fail. */
#define EXPECT(cond)                                                                        \
	do {                                                                                \
		if (!(cond)) {                                                              \
			fprintf(stderr, "%s:%d: does not hold: %s (errno: %s)\n", __FILE__, \
				__LINE__, #cond, strerror(errno));                          \
			exit(1);                                                            \
		}                                                                           \
	} while (0)

#define RETURN(value)                                                                \
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = (value)}, \
	{                                                                            \
		.code = BPF_JMP | BPF_EXIT                                           \
	}

/* A program of that type whose every run returns @value. */
static inline int prog_returning(enum bpf_prog_type type, enum bpf_attach_type attach, int value)
{
	const struct bpf_insn insns[] = {RETURN(value)};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = attach);
	int fd = bpf_prog_load(type, "platform", "GPL", insns, 2, &opts);

	EXPECT(fd >= 0);
	return fd;
}

static inline void new_netns(void)
{
	EXPECT(!unshare(CLONE_NEWNET));
	EXPECT(!system("ip link set lo up"));
}

#define TCX ((enum bpf_attach_type)UP_BPF_TCX_INGRESS)

#endif
