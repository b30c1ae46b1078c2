// SPDX-License-Identifier: GPL-2.0-only
/*
 * Somebody else's tcx program: counts the packets that an interface receives and lets the chain go
 * on. Raw system calls, because neither this distribution's libbpf nor its bpftool can attach one.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "compat/bpf.h"

static int bpf(int cmd, union bpf_attr *attr, const char *what)
{
	long ret = syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	if (ret < 0) {
		fprintf(stderr, "tcx_count: %s: %s\n", what, strerror(errno));
		exit(1);
	}
	return (int)ret;
}

static int make_map(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = sizeof(uint32_t),
		.value_size = sizeof(uint64_t),
		.max_entries = 1,
	};

	return bpf(BPF_MAP_CREATE, &attr, "map");
}

static int load(int map_fd)
{
	const struct bpf_insn code[] = {
		/* r1 = the counter */
		{.code = BPF_LD | BPF_DW | BPF_IMM,
		 .dst_reg = BPF_REG_1,
		 .src_reg = BPF_PSEUDO_MAP_VALUE,
		 .imm = map_fd},
		{0},
		/* lock *r1 += 1 */
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = 1},
		{.code = BPF_STX | BPF_ATOMIC | BPF_DW,
		 .dst_reg = BPF_REG_1,
		 .src_reg = BPF_REG_2,
		 .imm = BPF_ADD},
		/* return TCX_NEXT */
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = -1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_SCHED_CLS,
		.insns = (uint64_t)(uintptr_t)code,
		.insn_cnt = sizeof(code) / sizeof(code[0]),
		.license = (uint64_t)(uintptr_t) "GPL",
	};

	return bpf(BPF_PROG_LOAD, &attr, "program");
}

static void pin(int fd, const char *prefix, const char *name)
{
	char path[4096];
	union bpf_attr attr = {.pathname = (uint64_t)(uintptr_t)path, .bpf_fd = (uint32_t)fd};

	snprintf(path, sizeof(path), "%s-%s", prefix, name);
	bpf(BPF_OBJ_PIN, &attr, path);
}

static int attach(const char *ifname, const char *where, const char *prefix)
{
	int map_fd = make_map();
	union bpf_attr attr = {0};

	attr.link_create.prog_fd = (uint32_t)load(map_fd);
	attr.link_create.target_ifindex = if_nametoindex(ifname);
	attr.link_create.attach_type = UP_BPF_TCX_INGRESS;
	attr.link_create.flags = strcmp(where, "first") ? 1U << 4 : 1U << 3; /* after, before all */
	pin(bpf(BPF_LINK_CREATE, &attr, ifname), prefix, "link");
	pin(map_fd, prefix, "map");
	return 0;
}

static int show(const char *prefix)
{
	char path[4096];
	uint32_t key = 0;
	uint64_t value = 0;
	union bpf_attr get = {.pathname = (uint64_t)(uintptr_t)path};
	union bpf_attr attr = {
		.key = (uint64_t)(uintptr_t)&key,
		.value = (uint64_t)(uintptr_t)&value,
	};

	snprintf(path, sizeof(path), "%s-map", prefix);
	attr.map_fd = (uint32_t)bpf(BPF_OBJ_GET, &get, path);
	bpf(BPF_MAP_LOOKUP_ELEM, &attr, "counter");
	printf("%llu\n", (unsigned long long)value);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "attach"))
		return attach(argv[2], argv[3], argv[4]);
	if (argc == 3 && !strcmp(argv[1], "show"))
		return show(argv[2]);
	fputs("usage: tcx_count attach INTERFACE first|last PREFIX\n"
	      "       tcx_count show PREFIX\n",
	      stderr);
	return 2;
}
