// SPDX-License-Identifier: GPL-2.0-only
/*
 * "linux.seccomp": a filter of system calls, compiled while it is read. Names that this libseccomp
 * does not know are left out, as runc does: the default action holds for them.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "launch/bundle_priv.h"

#define ARGS_MAX 6 /* of a system call */

static const struct {
	const char *name;
	uint32_t action;
	bool with_errno;
} actions[] = {
	{"SCMP_ACT_ALLOW", SCMP_ACT_ALLOW, false},
	{"SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0), true},
	{"SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD, false},
	{"SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD, false},
	{"SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS, false},
	{"SCMP_ACT_TRAP", SCMP_ACT_TRAP, false},
	{"SCMP_ACT_TRACE", SCMP_ACT_TRACE(0), true},
	{"SCMP_ACT_LOG", SCMP_ACT_LOG, false},
};

static const struct {
	const char *name;
	enum scmp_compare op;
} operators[] = {
	{"SCMP_CMP_NE", SCMP_CMP_NE},
	{"SCMP_CMP_LT", SCMP_CMP_LT},
	{"SCMP_CMP_LE", SCMP_CMP_LE},
	{"SCMP_CMP_EQ", SCMP_CMP_EQ},
	{"SCMP_CMP_GE", SCMP_CMP_GE},
	{"SCMP_CMP_GT", SCMP_CMP_GT},
	{"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ},
};

static const struct {
	const char *name;
	unsigned int flag;
} flags[] = {
	{"SECCOMP_FILTER_FLAG_TSYNC", 0}, /* there is one thread */
	{"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
	{"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
};

/**
 * struct filter - what is being compiled
 * @ctx:      libseccomp's
 * @fallback: the default action: rules that say the same are left out
 */
struct filter {
	scmp_filter_ctx ctx;
	uint32_t fallback;
};

static int take_action(const json_t *name, const json_t *number, uint32_t *ret, struct up_err *err)
{
	const char *text = json_string_value(name);
	json_int_t code = EPERM;

	if (number && up_json_number(number, 0, UINT16_MAX, &code, err))
		return up_wrap(err, "errnoRet");
	for (size_t i = 0; text && i < ARRAY_SIZE(actions); i++)
		if (!strcmp(actions[i].name, text)) {
			*ret = actions[i].action | (actions[i].with_errno ? (uint32_t)code : 0);
			return 0;
		}
	return up_fail_msg(err, EOPNOTSUPP, "action %.60s: not implemented", text ? text : "?");
}

/* "SCMP_ARCH_X86_64" is libseccomp's "x86_64". */
static int add_architecture(const struct filter *f, const json_t *value, struct up_err *err)
{
	const char *text = json_string_value(value);
	char name[32] = "";
	uint32_t arch;
	int ret;

	if (!text || strncmp(text, "SCMP_ARCH_", 10))
		return up_json_unlike("SCMP_ARCH_...", err);
	for (size_t i = 0; text[10 + i] && i < sizeof(name) - 1; i++)
		name[i] = (char)(text[10 + i] |
				 (text[10 + i] >= 'A' && text[10 + i] <= 'Z' ? 32 : 0));
	arch = seccomp_arch_resolve_name(name);
	if (!arch)
		return up_fail_msg(err, EOPNOTSUPP, "%.60s: not implemented", text);
	ret = seccomp_arch_add(f->ctx, arch);
	return ret && ret != -EEXIST ? up_fail(err, ret, "%s", text) : 0;
}

static int take_flags(const json_t *list, unsigned int *ret, struct up_err *err)
{
	const json_t *item;
	size_t at, i;

	*ret = list ? 0 : UP_SECCOMP_FLAGS;
	json_array_foreach (list, at, item) {
		const char *text = json_string_value(item);

		for (i = 0; i < ARRAY_SIZE(flags); i++)
			if (text && !strcmp(flags[i].name, text))
				break;
		if (i == ARRAY_SIZE(flags))
			return up_fail_msg(err, EOPNOTSUPP, "flags: %.60s: not implemented",
					   text ? text : "?");
		*ret |= flags[i].flag;
	}
	return 0;
}

static int take_arg(const json_t *value, struct scmp_arg_cmp *ret, struct up_err *err)
{
	json_int_t index, a, b = 0;
	const char *op;
	json_error_t je;

	if (json_unpack_ex((json_t *)value, &je, JSON_STRICT, "{s:I, s:I, s?I, s:s}", "index",
			   &index, "value", &a, "valueTwo", &b, "op", &op))
		return up_fail_msg(err, EINVAL, "args: %s", je.text);
	if (index < 0 || index >= ARGS_MAX || a < 0 || b < 0)
		return up_json_unlike("args: integers within bounds", err);
	for (size_t i = 0; i < ARRAY_SIZE(operators); i++)
		if (!strcmp(operators[i].name, op)) {
			*ret = (struct scmp_arg_cmp){(unsigned int)index, operators[i].op,
						     (scmp_datum_t)a, (scmp_datum_t)b};
			return 0;
		}
	return up_fail_msg(err, EOPNOTSUPP, "args: %.60s: not implemented", op);
}

/* One that is there already is fine. */
static int add_rule(const struct filter *f, uint32_t action, int nr,
		    const struct scmp_arg_cmp *args, size_t n, struct up_err *err)
{
	int ret = seccomp_rule_add_array(f->ctx, action, nr, (unsigned int)n, args);

	return ret && ret != -EEXIST ? up_fail(err, ret, "libseccomp") : 0;
}

/* All conditions must hold; but where two are about the same argument, one of all (runc's way to
 * make libseccomp, which knows no such thing, agree with the specification). */
static int add_rules(const struct filter *f, uint32_t action, int nr,
		     const struct scmp_arg_cmp *args, size_t n, struct up_err *err)
{
	bool seen[ARGS_MAX] = {}, twice = false;
	int ret = 0;

	for (size_t i = 0; i < n; i++) {
		twice |= seen[args[i].arg];
		seen[args[i].arg] = true;
	}
	if (!twice)
		return add_rule(f, action, nr, args, n, err);
	for (size_t i = 0; i < n && !ret; i++)
		ret = add_rule(f, action, nr, &args[i], 1, err);
	return ret;
}

static int take_names(const struct filter *f, const json_t *names, uint32_t action,
		      const struct scmp_arg_cmp *args, size_t n, struct up_err *err)
{
	const json_t *item;
	size_t i;

	if (!json_array_size(names))
		return up_json_unlike("names", err);
	json_array_foreach (names, i, item) {
		const char *name = json_string_value(item);
		int nr = name ? seccomp_syscall_resolve_name(name) : __NR_SCMP_ERROR;

		if (!name)
			return up_json_unlike("names: strings", err);
		if (nr != __NR_SCMP_ERROR && action != f->fallback &&
		    add_rules(f, action, nr, args, n, err))
			return up_wrap(err, "%s", name);
	}
	return 0;
}

static int take_syscalls(const struct filter *f, const json_t *value, struct up_err *err)
{
	const json_t *names, *name, *number = NULL, *list = NULL, *item;
	struct scmp_arg_cmp args[ARGS_MAX * 2];
	uint32_t action = 0;
	json_error_t je;
	size_t i;
	int ret;

	if (json_unpack_ex((json_t *)value, &je, JSON_STRICT, "{s:o, s:o, s?o, s?o}", "names",
			   &names, "action", &name, "errnoRet", &number, "args", &list))
		return up_fail_msg(err, EINVAL, "%s", je.text);
	ret = take_action(name, number, &action, err);
	if (json_array_size(list) > ARRAY_SIZE(args))
		return up_json_unlike("fewer args", err);
	json_array_foreach (list, i, item) {
		if (!ret)
			ret = take_arg(item, &args[i], err);
	}
	return ret ? ret : take_names(f, names, action, args, json_array_size(list), err);
}

static int fill(const struct filter *f, const json_t *architectures, const json_t *syscalls,
		struct up_err *err)
{
	const json_t *item;
	size_t i;

	json_array_foreach (architectures, i, item) {
		if (add_architecture(f, item, err))
			return up_wrap(err, "architectures");
	}
	json_array_foreach (syscalls, i, item) {
		if (take_syscalls(f, item, err))
			return up_wrap(err, "syscalls: %zu", i);
	}
	return 0;
}

static int compile(struct filter *f, const json_t *architectures, const json_t *syscalls,
		   struct up_seccomp *ret, struct up_err *err)
{
	int failed;

	f->ctx = seccomp_init(f->fallback);
	if (!f->ctx)
		return up_fail(err, ENOMEM, "libseccomp");
	/* A binary search tree over the numbers instead of a list. */
	seccomp_attr_set(f->ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	failed = fill(f, architectures, syscalls, err);
	if (!failed) {
		failed = up_seccomp_export(f->ctx, ret);
		if (failed)
			up_fail(err, failed, "compile the system call filter");
	}
	seccomp_release(f->ctx);
	return failed;
}

int up_bundle_seccomp(struct up_bundle *b, json_t *value, struct up_err *err)
{
	const json_t *name, *number = NULL, *architectures = NULL, *list = NULL, *syscalls = NULL;
	unsigned int wanted = 0;
	struct filter f = {};
	json_error_t je;
	int ret;

	if (json_is_null(value))
		return 0;
	if (json_unpack_ex(value, &je, JSON_STRICT, "{s:o, s?o, s?o, s?o, s?o}", "defaultAction",
			   &name, "defaultErrnoRet", &number, "architectures", &architectures,
			   "flags", &list, "syscalls", &syscalls))
		return up_fail_msg(err, EOPNOTSUPP, "%s: not implemented", je.text);
	ret = take_action(name, number, &f.fallback, err);
	if (!ret)
		ret = take_flags(list, &wanted, err);
	if (!ret)
		ret = compile(&f, architectures, syscalls, &b->seccomp, err);
	if (!ret)
		b->seccomp.flags = wanted;
	return ret;
}
