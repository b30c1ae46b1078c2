// SPDX-License-Identifier: GPL-2.0-only
#include "core/kernel.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "base/err.h"

static const struct {
	enum bpf_prog_type prog;
	enum bpf_func_id helper;
	const char *name, *since;
} helpers[] = {
	{BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_redirect_peer, "bpf_redirect_peer", "5.10"},
	{BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_redirect_neigh, "bpf_redirect_neigh", "5.10"},
	{BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_ktime_get_coarse_ns, "bpf_ktime_get_coarse_ns", "5.11"},
	{BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_for_each_map_elem, "bpf_for_each_map_elem", "5.13"},
	{BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_timer_init, "BPF timers", "5.15"},
	{BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_loop, "bpf_loop", "5.17"},
	{BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_FUNC_get_netns_cookie, "bpf_get_netns_cookie", "5.7"},
	{BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_FUNC_set_retval, "bpf_set_retval", "5.18"},
};

int up_kernel_check(struct up_err *err)
{
	if (libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_SCHED_CLS, NULL) != 1)
		return up_fail_msg(err, EOPNOTSUPP,
				   "the kernel does not load BPF programs for us: it needs "
				   "CONFIG_BPF_SYSCALL, and we CAP_BPF and CAP_NET_ADMIN");
	for (size_t i = 0; i < sizeof(helpers) / sizeof(helpers[0]); i++)
		if (libbpf_probe_bpf_helper(helpers[i].prog, helpers[i].helper, NULL) != 1)
			return up_fail_msg(err, EOPNOTSUPP,
					   "the kernel has no %s: Linux %s or later is needed",
					   helpers[i].name, helpers[i].since);
	return 0;
}

bool up_kernel_has_func(const char *name)
{
	struct btf *btf = btf__load_vmlinux_btf();
	bool has = btf && btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0;

	btf__free(btf);
	return has;
}

bool up_kernel_module_has_func(const char *module, const char *name)
{
	struct btf *base = btf__load_vmlinux_btf();
	struct btf *btf = base ? btf__load_module_btf(module, base) : NULL;
	bool has = btf && btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0;

	btf__free(btf);
	btf__free(base);
	return has;
}

static bool has_enumerator(const struct btf *btf, const char *name)
{
	for (uint32_t id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);
		const struct btf_enum *e = btf_enum(t);

		for (int i = 0; btf_is_enum(t) && i < btf_vlen(t); i++)
			if (!strcmp(btf__name_by_offset(btf, e[i].name_off), name))
				return true;
	}
	return false;
}

bool up_kernel_has_enum(const char *name)
{
	struct btf *btf = btf__load_vmlinux_btf();
	bool has = btf && has_enumerator(btf, name);

	btf__free(btf);
	return has;
}
