// SPDX-License-Identifier: GPL-2.0-only
/* What the user writes for the launcher: volumes, capabilities, limits, sysctls, hosts. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "launch/caps.h"
#include "launch/etcfiles.h"
#include "launch/inroot.h"
#include "launch/rlimit.h"
#include "launch/rootfs.h"
#include "launch/volume.h"

#include "bpf/cmocka_all.h"

/* ---- volumes ----------------------------------------------------------------------------------
 */

static void volumes_are_read(void **state)
{
	struct up_volumes v = {};

	(void)state;
	assert_int_equal(up_volume_parse("/a:/b", &v, NULL), 0);
	assert_int_equal(up_volume_parse("/a:/c:ro,rslave,idmap", &v, NULL), 0);
	assert_int_equal(v.n, 2);
	assert_string_equal(v.at[0].type, "bind");
	assert_string_equal(v.at[0].source, "/a");
	assert_string_equal(v.at[0].target, "/b");
	assert_true(v.at[0].change.recursive && !v.at[0].change.set && !v.at[0].idmap);
	assert_int_equal(v.at[0].change.propagation, MS_PRIVATE);
	assert_int_equal(v.at[1].change.set, MOUNT_ATTR_RDONLY);
	assert_int_equal(v.at[1].change.propagation, MS_SLAVE);
	assert_true(v.at[1].idmap);
	assert_true(up_volumes_has(&v, "/c") && !up_volumes_has(&v, "/c/"));
	up_volumes_close(&v);
}

static void the_last_option_counts(void **state)
{
	struct up_volumes v = {};

	(void)state;
	assert_int_equal(up_volume_parse("/a:/b:ro,rw,nosuid", &v, NULL), 0);
	assert_int_equal(v.at[0].change.set, MOUNT_ATTR_NOSUID);
	assert_int_equal(v.at[0].change.clear, MOUNT_ATTR_RDONLY);
	up_volumes_close(&v);
}

static void mounts_are_read_by_keys(void **state)
{
	struct up_volumes v = {};

	(void)state;
	assert_int_equal(up_volume_parse_mount("type=bind,src=/a,dst=/b,readonly,bind-nonrecursive",
					       &v, NULL),
			 0);
	assert_int_equal(
		up_volume_parse_mount("dst=/t,tmpfs-size=1m,tmpfs-mode=700,type=tmpfs", &v, NULL),
		0);
	assert_int_equal(up_volume_parse_mount("type=bind,src=/a,dst=/c,ro=false", &v, NULL), 0);
	assert_true(!v.at[0].change.recursive && v.at[0].change.set == MOUNT_ATTR_RDONLY);
	assert_string_equal(v.at[1].options, "size=1m,mode=700");
	assert_int_equal(v.at[2].change.set, 0);
	up_volumes_close(&v);
}

static void devices_are_read(void **state)
{
	struct up_volumes v = {};

	(void)state;
	assert_int_equal(up_volume_parse_device("/dev/fuse", &v, NULL), 0);
	assert_int_equal(up_volume_parse_device("/dev/fuse:/dev/f", &v, NULL), 0);
	assert_int_equal(up_volume_parse_device("/dev/fuse:r", &v, NULL), 0);
	assert_int_equal(up_volume_parse_device("/dev/fuse:/dev/g:rw", &v, NULL), 0);
	assert_string_equal(v.at[0].target, "/dev/fuse");
	assert_string_equal(v.at[0].options, "rwm");
	assert_string_equal(v.at[1].target, "/dev/f");
	assert_string_equal(v.at[2].options, "r");
	assert_string_equal(v.at[3].options, "rw");
	up_volumes_close(&v);
}

static void bad_volumes_add_nothing(void **state)
{
	static const struct {
		int (*parse)(const char *, struct up_volumes *, struct up_err *);
		const char *text;
	} bad[] = {
		{up_volume_parse, ""},
		{up_volume_parse, "/a"},
		{up_volume_parse, "/a:"},
		{up_volume_parse, "/a:b"},
		{up_volume_parse, "/a:/"},
		{up_volume_parse, "/a:///"},
		{up_volume_parse, "name:/b"},
		{up_volume_parse, "/a:/b:"},
		{up_volume_parse, "/a:/b:ro:rw"},
		{up_volume_parse, "/a:/b:readonly"},
		{up_volume_parse_mount, ""},
		{up_volume_parse_mount, "type=bind"},
		{up_volume_parse_mount, "type=bind,src=/a"},
		{up_volume_parse_mount, "type=bind,src,dst=/b"},
		{up_volume_parse_mount, "type=bind,src=/a,dst=/b,ro=maybe"},
		{up_volume_parse_mount, "type=volume,src=/a,dst=/b"},
		{up_volume_parse_mount, "type=bind,src=/a,dst=/b,tmpfs-size=1"},
		{up_volume_parse_tmpfs, "relative"},
		{up_volume_parse_tmpfs, "/t:loud"},
		{up_volume_parse_device, "/dev/fuse:/dev/f:x"},
		{up_volume_parse_device, "/dev/fuse:/dev/f:rw:m"},
		{up_volume_parse_device, "fuse"},
	};
	struct up_volumes v = {};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct up_err err = {};

		assert_int_equal(bad[i].parse(bad[i].text, &v, &err), -EINVAL);
		assert_int_equal(v.n, 0);
		assert_non_null(strstr(err.msg, bad[i].text));
	}
	up_volumes_close(&v);
}

/* ---- numbers and names ------------------------------------------------------------------------
 */

static void capabilities_have_names(void **state)
{
	uint64_t mask;

	(void)state;
	assert_int_equal(up_caps_parse("NET_ADMIN", &mask, NULL), 0);
	assert_int_equal(mask, 1ULL << CAP_NET_ADMIN);
	assert_int_equal(up_caps_parse("cap_bpf", &mask, NULL), 0);
	assert_int_equal(mask, 1ULL << CAP_BPF);
	assert_int_equal(up_caps_parse("all", &mask, NULL), 0);
	assert_int_equal(mask, up_caps_all());
	assert_int_equal(up_caps_parse("CAP_", &mask, NULL), -EINVAL);
	assert_int_equal(up_caps_parse("", &mask, NULL), -EINVAL);
	for (unsigned int i = 0; up_caps_name(i); i++) {
		assert_int_equal(up_caps_parse(up_caps_name(i), &mask, NULL), 0);
		assert_int_equal(mask, 1ULL << i);
	}
	assert_null(up_caps_name(63));
	assert_int_equal(up_caps_default(), 0xa80425fb); /* as docker's documentation has it */
}

static void ulimits_are_read(void **state)
{
	static const char *const bad[] = {"",           "nofile",    "nofile=",    "nofile=a",
					  "nofile=5:4", "nofile=1:", "x=1",        "nofile=1:2:3",
					  "=1",         "nofile=-2", "nofile=-1:5"};
	struct up_rlimits l = {};

	(void)state;
	assert_int_equal(up_rlimit_parse("nofile=10", &l, NULL), 0);
	assert_int_equal(up_rlimit_parse("NPROC=10:20", &l, NULL), 0);
	assert_int_equal(up_rlimit_parse("core=-1", &l, NULL), 0);
	assert_int_equal(up_rlimit_add("RLIMIT_STACK", 1, 2, &l, NULL), 0);
	assert_int_equal(l.n, 4);
	assert_true(l.at[0].resource == RLIMIT_NOFILE && l.at[0].value.rlim_max == 10);
	assert_true(l.at[1].value.rlim_cur == 10 && l.at[1].value.rlim_max == 20);
	assert_true(l.at[2].value.rlim_max == RLIM_INFINITY);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(up_rlimit_parse(bad[i], &l, NULL), -EINVAL);
	assert_int_equal(l.n, 4);
}

static void sysctls_of_the_machine_are_refused(void **state)
{
	static const char *const good[] = {"net.ipv4.ip_forward=1", "kernel.sem=1 2 3 4",
					   "fs.mqueue.msg_max=5"};
	static const char *const bad[] = {"",
					  "net.ipv4.ip_forward",
					  "kernel.semx=1",
					  "kernel.se=1",
					  "kernel.pid_max=1",
					  "vm.swappiness=1",
					  "net/../kernel/pid_max=1",
					  "net..kernel=1"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(up_sysctl_check(good[i], true, true, NULL), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(up_sysctl_check(bad[i], true, true, NULL), -EINVAL);
	assert_int_equal(up_sysctl_check(good[0], false, true, NULL), -EINVAL);
	assert_int_equal(up_sysctl_check(good[1], true, false, NULL), -EINVAL);
}

/* ---- files below /etc -------------------------------------------------------------------------
 */

static const char host_resolv[] = "# written by hand\n"
				  "nameserver 127.0.0.53\n"
				  "nameserver 192.0.2.53\n"
				  "search example.net\n"
				  "options edns0 trust-ad\n"
				  "sortlist 10.0.0.0\n";

static void name_servers_that_cannot_be_reached_are_left_out(void **state)
{
	struct up_etcfiles f = {};
	char *text = up_etcfiles_resolv(&f, host_resolv);

	(void)state;
	assert_string_equal(text, "nameserver 192.0.2.53\nsearch example.net\n"
				  "options edns0 trust-ad\n");
	free(text);
	f.host_net = true;
	text = up_etcfiles_resolv(&f, host_resolv);
	assert_non_null(strstr(text, "nameserver 127.0.0.53\n"));
	free(text);
}

static void what_the_user_says_takes_the_place_of_the_hosts(void **state)
{
	struct up_etcfiles f = {};
	char *text;

	(void)state;
	assert_int_equal(up_words_add(&f.dns, "9.9.9.9", NULL), 0);
	assert_int_equal(up_words_add(&f.search, "a", NULL), 0);
	assert_int_equal(up_words_add(&f.search, "b", NULL), 0);
	text = up_etcfiles_resolv(&f, host_resolv);
	assert_string_equal(text, "search a b\nnameserver 9.9.9.9\noptions edns0 trust-ad\n");
	free(text);
	up_words_free(&f.dns);
	up_words_free(&f.search);
}

static void hosts_have_the_container_and_what_was_added(void **state)
{
	struct up_etcfiles f = {
		.hostname = "box", .address = "10.0.0.2", .address6 = "", .gateway = "10.0.0.1"};
	char *text;

	(void)state;
	assert_int_equal(up_words_add(&f.add_hosts, "six:2001:db8::1", NULL), 0);
	assert_int_equal(up_words_add(&f.add_hosts, "up:host-gateway", NULL), 0);
	text = up_etcfiles_hosts(&f);
	assert_non_null(strstr(text, "127.0.0.1\tlocalhost\n"));
	assert_non_null(strstr(text, "\n2001:db8::1\tsix\n10.0.0.1\tup\n10.0.0.2\tbox\n"));
	free(text);
	up_words_free(&f.add_hosts);
	assert_int_equal(up_etcfiles_check_host("a:1.2.3.4", NULL), 0);
	assert_int_equal(up_etcfiles_check_host("a", NULL), -EINVAL);
	assert_int_equal(up_etcfiles_check_host(":1.2.3.4", NULL), -EINVAL);
	assert_int_equal(up_etcfiles_check_host("a b:1.2.3.4", NULL), -EINVAL);
}

/* ---- paths below a root -----------------------------------------------------------------------
 */

static char top[] = "/tmp/underpass-test-XXXXXX";

static int make_roots(void **state)
{
	char path[64];

	(void)state;
	if (!mkdtemp(top) || chdir(top) || mkdir("root", 0755) || mkdir("outside", 0755))
		return -1;
	snprintf(path, sizeof(path), "%s/outside", top);
	return symlink(path, "root/absolute") || symlink("../../../../outside", "root/dots") ||
	       symlink("loop", "root/loop") || symlink("missing/deep", "root/dangling");
}

static int remove_roots(void **state)
{
	(void)state;
	return chdir("/") || up_remove_tree(top, NULL);
}

/* Make it, and look for it at a path below the root that has no link in it. */
static void check_made(int root, const char *path, const char *real, bool dir)
{
	struct stat made, found;
	int fd = up_inroot_make(root, path, dir);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &made), 0);
	assert_int_equal(fstatat(root, real, &found, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(made.st_ino, found.st_ino);
	assert_int_equal(S_ISDIR(made.st_mode) != 0, dir);
	close(fd);
}

static void mount_points_are_made_inside_only(void **state)
{
	int root = open("root", O_PATH | O_DIRECTORY);
	char real[128];

	(void)state;
	check_made(root, "/a/b/c", "a/b/c", true);
	check_made(root, "/a/b/c", "a/b/c", true);
	check_made(root, "a//f/", "a/f", true);
	check_made(root, "/a/b/file", "a/b/file", false);
	check_made(root, "/../../x", "x", true);
	check_made(root, "/dots/y", "outside/y", true);
	check_made(root, "/dangling/z", "missing/deep/z", false);
	snprintf(real, sizeof(real), "%s/outside/w", top + 1);
	check_made(root, "/absolute/w", real, true);
	assert_int_equal(rmdir("outside"), 0); /* still empty */
	assert_int_equal(up_inroot_make(root, "/loop/x", true), -ELOOP);
	assert_int_equal(up_inroot_make(root, "/a/b/file", true), -ENOTDIR);
	assert_int_equal(up_inroot_make(root, "/a/b", false), -EISDIR);
	assert_int_equal(up_inroot_make(root, "/a/b/file/x", true), -ENOTDIR);
	close(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(volumes_are_read),
		cmocka_unit_test(the_last_option_counts),
		cmocka_unit_test(mounts_are_read_by_keys),
		cmocka_unit_test(devices_are_read),
		cmocka_unit_test(bad_volumes_add_nothing),
		cmocka_unit_test(capabilities_have_names),
		cmocka_unit_test(ulimits_are_read),
		cmocka_unit_test(sysctls_of_the_machine_are_refused),
		cmocka_unit_test(name_servers_that_cannot_be_reached_are_left_out),
		cmocka_unit_test(what_the_user_says_takes_the_place_of_the_hosts),
		cmocka_unit_test(hosts_have_the_container_and_what_was_added),
		cmocka_unit_test_setup_teardown(mount_points_are_made_inside_only, make_roots,
						remove_roots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
