// SPDX-License-Identifier: GPL-2.0-only
/*
 * The program is a chain of rules, assembled here, since what a container may access is known only
 * when it starts. Registers: r2 type, r3 access, r4 major, r5 minor. A rule that does not match
 * jumps to the next one; after the last, access is denied.
 */
#include "core/devices.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <assert.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"

/* runc's list: any node may be made, these may be opened. */
static const struct up_device_rule defaults[] = {
	{'c', UP_DEVICE_MAKE, UP_DEVICE_ANY, UP_DEVICE_ANY},
	{'b', UP_DEVICE_MAKE, UP_DEVICE_ANY, UP_DEVICE_ANY},
	{'c', UP_DEVICE_READ | UP_DEVICE_WRITE, 1, 3},               /* null */
	{'c', UP_DEVICE_READ | UP_DEVICE_WRITE, 1, 5},               /* zero */
	{'c', UP_DEVICE_READ | UP_DEVICE_WRITE, 1, 7},               /* full */
	{'c', UP_DEVICE_READ | UP_DEVICE_WRITE, 1, 8},               /* random */
	{'c', UP_DEVICE_READ | UP_DEVICE_WRITE, 1, 9},               /* urandom */
	{'c', UP_DEVICE_READ | UP_DEVICE_WRITE, 5, 0},               /* tty */
	{'c', UP_DEVICE_READ | UP_DEVICE_WRITE, 5, 1},               /* console */
	{'c', UP_DEVICE_READ | UP_DEVICE_WRITE, 5, 2},               /* ptmx */
	{'c', UP_DEVICE_READ | UP_DEVICE_WRITE, 136, UP_DEVICE_ANY}, /* pts */
};
#define N_DEFAULTS (sizeof(defaults) / sizeof(defaults[0]))

/* The context's first word is the type in its lower half and the access in its upper half. */
enum { REG_TYPE = BPF_REG_2, REG_ACCESS, REG_MAJOR, REG_MINOR, REG_SCRATCH };

#define PER_RULE 9

static struct bpf_insn load(int reg, size_t offset)
{
	return (struct bpf_insn){
		.code = BPF_LDX | BPF_MEM | BPF_W,
		.dst_reg = (__u8)reg,
		.src_reg = BPF_REG_1,
		.off = (__s16)offset,
	};
}

static struct bpf_insn immediate(int op, int reg, uint32_t value)
{
	return (struct bpf_insn){
		.code = (__u8)(BPF_ALU | op | BPF_K),
		.dst_reg = (__u8)reg,
		.imm = (__s32)value,
	};
}

static const struct bpf_insn leave = {.code = BPF_JMP | BPF_EXIT};

static struct bpf_insn skip_unless_equal(int reg, uint32_t value)
{
	return (struct bpf_insn){
		.code = BPF_JMP32 | BPF_JNE | BPF_K,
		.dst_reg = (__u8)reg,
		.imm = (__s32)value,
	};
}

/* Return: behind the rule */
static struct bpf_insn *add_rule(struct bpf_insn *at, const struct up_device_rule *rule)
{
	struct bpf_insn *start = at;

	*at++ = skip_unless_equal(REG_TYPE,
				  rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
	/* What is asked for beyond what is allowed */
	*at++ = (struct bpf_insn){
		.code = BPF_ALU | BPF_MOV | BPF_X, .dst_reg = REG_SCRATCH, .src_reg = REG_ACCESS};
	*at++ = immediate(BPF_AND, REG_SCRATCH, ~rule->access);
	*at++ = skip_unless_equal(REG_SCRATCH, 0);
	if (rule->major != UP_DEVICE_ANY)
		*at++ = skip_unless_equal(REG_MAJOR, rule->major);
	if (rule->minor != UP_DEVICE_ANY)
		*at++ = skip_unless_equal(REG_MINOR, rule->minor);
	*at++ = immediate(BPF_MOV, BPF_REG_0, 1);
	*at++ = leave;
	for (struct bpf_insn *i = start; i < at; i++)
		if (i->code == (BPF_JMP32 | BPF_JNE | BPF_K))
			i->off = (__s16)(at - i - 1);
	return at;
}

static size_t assemble(const struct up_device_rule *rules, size_t n, struct bpf_insn *insns)
{
	struct bpf_insn *at = insns;

	*at++ = load(REG_TYPE, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	*at++ = (struct bpf_insn){
		.code = BPF_ALU | BPF_MOV | BPF_X, .dst_reg = REG_ACCESS, .src_reg = REG_TYPE};
	*at++ = immediate(BPF_AND, REG_TYPE, 0xffff);
	*at++ = immediate(BPF_RSH, REG_ACCESS, 16);
	*at++ = load(REG_MAJOR, offsetof(struct bpf_cgroup_dev_ctx, major));
	*at++ = load(REG_MINOR, offsetof(struct bpf_cgroup_dev_ctx, minor));
	for (size_t i = 0; i < N_DEFAULTS; i++)
		at = add_rule(at, &defaults[i]);
	for (size_t i = 0; i < n; i++)
		at = add_rule(at, &rules[i]);
	*at++ = immediate(BPF_MOV, BPF_REG_0, 0);
	*at++ = leave;
	return (size_t)(at - insns);
}

static_assert((int)UP_DEVICE_MAKE == BPF_DEVCG_ACC_MKNOD &&
		      (int)UP_DEVICE_READ == BPF_DEVCG_ACC_READ &&
		      (int)UP_DEVICE_WRITE == BPF_DEVCG_ACC_WRITE,
	      "access bits are the kernel's");

int up_devices_restrict(int cgroup, const struct up_device_rule *rules, size_t n,
			struct up_err *err)
{
	struct bpf_insn insns[8 + PER_RULE * (N_DEFAULTS + UP_DEVICE_RULES)];
	cleanup_fd int prog = -1;

	if (n > UP_DEVICE_RULES)
		return up_fail_msg(err, E2BIG, "more than %d devices", UP_DEVICE_RULES);
	prog = bpf_prog_load(BPF_PROG_TYPE_CGROUP_DEVICE, "up_devices", "GPL", insns,
			     assemble(rules, n, insns), NULL);
	if (prog < 0)
		return up_fail(err, errno, "load the device policy");
	/* MULTI: together with those of the groups above, and of whoever adds one here. */
	if (bpf_prog_attach(prog, cgroup, BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI))
		return up_fail(err, errno, "attach the device policy");
	return 0;
}

uint32_t up_device_access(const char *letters)
{
	return (strchr(letters, 'r') ? UP_DEVICE_READ : 0) |
	       (strchr(letters, 'w') ? UP_DEVICE_WRITE : 0) |
	       (strchr(letters, 'm') ? UP_DEVICE_MAKE : 0);
}

int up_device_rule_of(const char *path, const char *access, struct up_device_rule *ret,
		      struct up_err *err)
{
	struct up_device_rule rule = {};
	struct stat st;

	if (stat(path, &st))
		return up_fail(err, errno, "%s", path);
	if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
		return up_fail_msg(err, ENODEV, "%s: not a device", path);
	rule.type = S_ISCHR(st.st_mode) ? 'c' : 'b';
	rule.major = major(st.st_rdev);
	rule.minor = minor(st.st_rdev);
	rule.access = up_device_access(access);
	*ret = rule;
	return 0;
}
