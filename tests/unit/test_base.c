// SPDX-License-Identifier: GPL-2.0-only
/* Errors, paths and names, files and the lock. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/paths.h"

#include "bpf/cmocka_all.h"

static void a_message_is_built_from_the_inside_out(void **state)
{
	struct up_err err = {};

	(void)state;
	assert_int_equal(up_fail(&err, EEXIST, "veth %s: create", "up7"), -EEXIST);
	assert_int_equal(up_wrap(&err, "endpoint %s", "web"), -EEXIST);
	assert_string_equal(err.msg, "endpoint web: veth up7: create: File exists");
	assert_int_equal(err.code, EEXIST);
	assert_int_equal(up_fail_msg(&err, -EINVAL, "just so"), -EINVAL);
	assert_string_equal(err.msg, "just so");
}

static void nobody_may_want_to_know(void **state)
{
	(void)state;
	assert_int_equal(up_fail(NULL, -ENOENT, "x"), -ENOENT);
	assert_int_equal(up_wrap(NULL, "x"), -ENOENT);
	assert_int_equal(up_fail(NULL, 0, "x"), -EIO); /* a failure is never 0 */
}

static void long_messages_are_cut(void **state)
{
	char text[2 * UP_ERR_MAX];
	struct up_err err = {};

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	up_fail(&err, EIO, "%s", text);
	assert_int_equal(strlen(err.msg), UP_ERR_MAX - 1);
	up_wrap(&err, "%s", text);
	assert_int_equal(strlen(err.msg), UP_ERR_MAX - 1);
}

static void directories_come_from_the_environment(void **state)
{
	struct up_err err;

	(void)state;
	unsetenv(UP_PIN_DIR_ENV);
	assert_string_equal(up_pin_dir(), UP_PIN_DIR_DEFAULT);
	setenv(UP_PIN_DIR_ENV, "", 1);
	assert_string_equal(up_pin_dir(), UP_PIN_DIR_DEFAULT);
	setenv(UP_PIN_DIR_ENV, "/x/y", 1);
	assert_string_equal(up_pin_dir(), "/x/y");
	assert_int_equal(up_paths_check(&err), 0);
	setenv(UP_PIN_DIR_ENV, "x/y", 1);
	assert_int_equal(up_paths_check(&err), -EINVAL);
	setenv(UP_PIN_DIR_ENV, "/x/../y", 1);
	assert_int_equal(up_paths_check(&err), -EINVAL);
	assert_non_null(strstr(err.msg, UP_PIN_DIR_ENV));
	unsetenv(UP_PIN_DIR_ENV);
}

static void names(void **state)
{
	static const char *const good[] = {
		"a", "web", "Web-1.2_x", "0",
		"123456789012345678901234567890123456789012345678901234567890123"};
	static const char *const bad[] = {
		"",         "-a",
		".",        "..",
		"a/b",      "a b",
		"_a",       "a\n",
		"\xc3\xa4", "1234567890123456789012345678901234567890123456789012345678901234"};
	struct up_err err;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(up_name_check("name", good[i], &err), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(up_name_check("name", bad[i], &err), -EINVAL);
}

/* ---- files ------------------------------------------------------------------------------------
 */

static int in_directory(void **state)
{
	char *dir = strdup("/tmp/underpass-unit-XXXXXX");

	*state = dir;
	if (!mkdtemp(dir))
		return -1;
	return setenv(UP_RUN_DIR_ENV, dir, 1);
}

static int remove_directory(void **state)
{
	char command[256];

	snprintf(command, sizeof(command), "rm -r %s", (char *)*state);
	free(*state);
	unsetenv(UP_RUN_DIR_ENV);
	return system(command);
}

static void a_file_is_replaced_whole(void **state)
{
	char path[128], *text = NULL;
	struct up_err err;
	struct stat st;

	snprintf(path, sizeof(path), "%s/file", (char *)*state);
	assert_int_equal(up_file_write(path, "one", 3, 0600, &err), 0);
	assert_int_equal(up_file_write(path, "second", 6, 0600, &err), 0);
	assert_int_equal(up_file_read(path, 6, &text, &err), 6);
	assert_string_equal(text, "second");
	free(text);
	text = NULL;
	assert_int_equal(up_file_read(path, 5, &text, &err), -EFBIG);
	assert_null(text);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	strcat(path, ".tmp");
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(up_file_read(path, 5, &text, &err), -ENOENT);
	assert_non_null(strstr(err.msg, path));
}

/* A symbolic link in the place of the temporary file is not followed. */
static void a_planted_link_is_not_followed(void **state)
{
	char path[128], tmp[160], victim[128], *text = NULL;
	struct up_err err;

	snprintf(path, sizeof(path), "%s/file", (char *)*state);
	snprintf(tmp, sizeof(tmp), "%s.tmp", path);
	snprintf(victim, sizeof(victim), "%s/victim", (char *)*state);
	assert_int_equal(up_file_write(victim, "keep", 4, 0600, &err), 0);
	assert_int_equal(symlink(victim, tmp), 0);
	assert_int_equal(up_file_write(path, "new", 3, 0600, &err), -ELOOP);
	assert_int_equal(up_file_read(victim, 10, &text, &err), 4);
	free(text);
}

static void directories_are_made_with_their_parents(void **state)
{
	char path[128];
	struct up_err err;

	snprintf(path, sizeof(path), "%s/a/b/c", (char *)*state);
	assert_int_equal(up_mkdir_p(path, 0755, &err), 0);
	assert_int_equal(up_mkdir_p(path, 0755, &err), 0);
	assert_int_equal(access(path, F_OK), 0);
	snprintf(path, sizeof(path), "%s/f", (char *)*state);
	assert_int_equal(up_file_write(path, "", 0, 0600, &err), 0);
	strcat(path, "/x");
	assert_int_equal(up_mkdir_p(path, 0755, &err), -ENOTDIR);
}

/* The child cannot have the lock before the parent lets go, which is after it has written. */
static void the_lock_excludes_another_process(void **state)
{
	int ends[2], lock, status;
	char order[3] = "";
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	lock = up_lock(NULL);
	assert_true(lock >= 0);
	assert_true(fcntl(lock, F_GETFD) & FD_CLOEXEC);
	pid = fork();
	if (!pid) {
		close(lock);
		_exit(up_lock(NULL) < 0 || write(ends[1], "c", 1) != 1);
	}
	assert_int_equal(write(ends[1], "p", 1), 1);
	close(lock);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(read(ends[0], order, 2), 2);
	assert_string_equal(order, "pc");
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_is_built_from_the_inside_out),
		cmocka_unit_test(nobody_may_want_to_know),
		cmocka_unit_test(long_messages_are_cut),
		cmocka_unit_test(directories_come_from_the_environment),
		cmocka_unit_test(names),
		cmocka_unit_test_setup_teardown(a_file_is_replaced_whole, in_directory,
						remove_directory),
		cmocka_unit_test_setup_teardown(a_planted_link_is_not_followed, in_directory,
						remove_directory),
		cmocka_unit_test_setup_teardown(directories_are_made_with_their_parents,
						in_directory, remove_directory),
		cmocka_unit_test_setup_teardown(the_lock_excludes_another_process, in_directory,
						remove_directory),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
