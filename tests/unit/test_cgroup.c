// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is written to control groups, of both versions and mixed. Directories with files of the
 * kernel's names stand for them: a machine has one kind of tree, and this knows them all.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "launch/cgroup.h"

#include "bpf/cmocka_all.h"

static const struct up_cgroup_limits all = {.memory = 20 << 20, .cpus = 1500, .pids = 30};

/**
 * struct tree - a group of each hierarchy
 * @path: directory that has them
 * @cg:   as if opened by up_cgroup_open()
 */
struct tree {
	char path[64];
	struct up_cgroup cg;
};

static void put(const struct tree *t, const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", t->path, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void holds(const struct tree *t, const char *name, const char *text)
{
	cleanup_free char *data = NULL;
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", t->path, name);
	assert_true(up_file_read(path, 128, &data, NULL) >= 0);
	assert_string_equal(data, text);
}

static int group(const struct tree *t, const char *name)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", t->path, name);
	assert_int_equal(mkdir(path, 0700), 0);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void add_v1(struct tree *t, const char *controllers)
{
	struct up_cgroup *cg = &t->cg;

	snprintf(cg->controllers[cg->n_v1], sizeof(cg->controllers[0]), "%s", controllers);
	cg->v1[cg->n_v1++] = group(t, controllers);
}

static int set_up(void **state)
{
	struct tree *t = calloc(1, sizeof(*t));

	if (!t)
		return -1;
	strcpy(t->path, "/tmp/up-cgroup-XXXXXX");
	if (!mkdtemp(t->path))
		return -1;
	up_cgroup_none(&t->cg);
	t->cg.v2 = group(t, "v2");
	*state = t;
	return 0;
}

static int tear_down(void **state)
{
	struct tree *t = *state;

	up_cgroup_close(&t->cg);
	up_remove_tree(t->path, NULL);
	free(t);
	return 0;
}

static void limits_of_version_2(void **state)
{
	struct tree *t = *state;

	put(t, "v2/memory.max", "");
	put(t, "v2/cpu.max", "");
	put(t, "v2/pids.max", "");
	assert_int_equal(up_cgroup_limit(&t->cg, &all, NULL), 0);
	holds(t, "v2/memory.max", "20971520");
	holds(t, "v2/cpu.max", "150000 100000");
	holds(t, "v2/pids.max", "30");
}

static void limits_of_version_1(void **state)
{
	struct tree *t = *state;

	add_v1(t, "memory");
	add_v1(t, "cpu,cpuacct");
	add_v1(t, "pids");
	put(t, "memory/memory.limit_in_bytes", "");
	put(t, "cpu,cpuacct/cpu.cfs_quota_us", "");
	put(t, "pids/pids.max", "");
	assert_int_equal(up_cgroup_limit(&t->cg, &all, NULL), 0);
	holds(t, "memory/memory.limit_in_bytes", "20971520");
	holds(t, "cpu,cpuacct/cpu.cfs_quota_us", "150000");
	holds(t, "pids/pids.max", "30");
}

/* A hybrid machine: each controller is where the machine has it. */
static void controllers_of_both_versions(void **state)
{
	struct tree *t = *state;

	add_v1(t, "memory");
	put(t, "memory/memory.limit_in_bytes", "");
	put(t, "v2/cpu.max", "");
	put(t, "v2/pids.max", "");
	assert_int_equal(up_cgroup_limit(&t->cg, &all, NULL), 0);
	holds(t, "memory/memory.limit_in_bytes", "20971520");
	holds(t, "v2/cpu.max", "150000 100000");
	holds(t, "v2/pids.max", "30");
}

/* Version 1 counts memory and swap together, version 2 swap alone. */
static void limits_of_swap(void **state)
{
	const struct up_cgroup_limits l = {.memory = 1000, .swap = 3000};
	struct tree *t = *state;

	put(t, "v2/memory.max", "");
	put(t, "v2/memory.swap.max", "");
	assert_int_equal(up_cgroup_limit(&t->cg, &l, NULL), 0);
	holds(t, "v2/memory.max", "1000");
	holds(t, "v2/memory.swap.max", "2000");
	add_v1(t, "memory");
	put(t, "memory/memory.limit_in_bytes", "");
	put(t, "memory/memory.memsw.limit_in_bytes", "");
	assert_int_equal(up_cgroup_limit(&t->cg, &l, NULL), 0);
	holds(t, "memory/memory.limit_in_bytes", "1000");
	holds(t, "memory/memory.memsw.limit_in_bytes", "3000");
}

static void no_limit_writes_nothing(void **state)
{
	const struct up_cgroup_limits none = {}, pids = {.pids = 7};
	struct tree *t = *state;

	put(t, "v2/memory.max", "max");
	put(t, "v2/cpu.max", "max 100000");
	put(t, "v2/pids.max", "");
	assert_int_equal(up_cgroup_limit(&t->cg, &none, NULL), 0);
	assert_int_equal(up_cgroup_limit(&t->cg, &pids, NULL), 0);
	holds(t, "v2/memory.max", "max");
	holds(t, "v2/cpu.max", "max 100000");
	holds(t, "v2/pids.max", "7");
}

static void a_missing_controller_is_named(void **state)
{
	struct tree *t = *state;
	struct up_err err = {};

	put(t, "v2/memory.max", "");
	assert_int_equal(up_cgroup_limit(&t->cg, &all, &err), -EOPNOTSUPP);
	assert_string_equal(err.msg, "the cpu controller is missing from the cgroup tree");
}

static void what_is_used_by_version_2(void **state)
{
	struct up_cgroup_stats s;
	struct tree *t = *state;

	put(t, "v2/memory.current", "4096\n");
	put(t, "v2/memory.max", "max\n");
	put(t, "v2/pids.current", "3\n");
	put(t, "v2/cpu.stat", "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\n");
	assert_int_equal(up_cgroup_read(&t->cg, &s, NULL), 0);
	assert_int_equal(s.memory, 4096);
	assert_true(s.memory_limit == UINT64_MAX);
	assert_int_equal(s.pids, 3);
	assert_int_equal(s.cpu_ns, 1500000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(limits_of_version_2, set_up, tear_down),
		cmocka_unit_test_setup_teardown(limits_of_version_1, set_up, tear_down),
		cmocka_unit_test_setup_teardown(controllers_of_both_versions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(limits_of_swap, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_limit_writes_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_missing_controller_is_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_used_by_version_2, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
