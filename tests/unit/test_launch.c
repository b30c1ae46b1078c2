// SPDX-License-Identifier: GPL-2.0-only
/* The launcher's small parts: descriptors, the channel. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "launch/channel.h"
#include "launch/fds.h"

#include "bpf/cmocka_all.h"

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* In a child, for it closes what the test runner needs. */
static int closes_but(const int *keep, size_t n)
{
	bool kept = true;

	for (int fd = 10; fd < 20; fd++)
		dup2(0, fd);
	if (up_fds_close_but(keep, n, NULL))
		return 1;
	for (size_t i = 0; i < n; i++)
		kept &= keep[i] < 10 || is_open(keep[i]);
	for (int fd = 3; fd < 20; fd++) {
		bool wanted = false;

		for (size_t i = 0; i < n; i++)
			wanted |= keep[i] == fd;
		kept &= wanted || !is_open(fd);
	}
	return !(kept && is_open(0) && is_open(1) && is_open(2));
}

static void check_close(const int *keep, size_t n)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(closes_but(keep, n));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void everything_is_closed_but_what_is_kept(void **state)
{
	(void)state;
	check_close((const int[]){12}, 1);
	check_close((const int[]){19, -1, 10, 0, 11, 11}, 6);
	check_close((const int[]){-1}, 0);
}

static void a_message_brings_its_descriptor(void **state)
{
	struct up_message m = {.kind = UP_MESSAGE_FAILED, .code = 126}, got;
	int pair[2], pipe_ends[2], fd = -1;
	char c = 0;

	(void)state;
	assert_int_equal(up_channel_open(pair, NULL), 0);
	assert_int_equal(pipe2(pipe_ends, O_CLOEXEC), 0);
	up_fail(&m.err, ENOENT, "exec nope");
	assert_int_equal(up_channel_send(pair[0], &m, pipe_ends[1]), 0);
	close(pipe_ends[1]);
	assert_int_equal(up_channel_receive(pair[1], &got, &fd), 1);
	assert_int_equal(got.kind, UP_MESSAGE_FAILED);
	assert_int_equal(got.code, 126);
	assert_string_equal(got.err.msg, "exec nope: No such file or directory");
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(read(pipe_ends[0], &c, 1), 1);
	assert_int_equal(c, 'x');
	close(fd);
	close(pipe_ends[0]);
	close(pair[0]);
	assert_int_equal(up_channel_receive(pair[1], &got, &fd), 0);
	assert_int_equal(fd, -1);
	close(pair[1]);
}

static void half_a_message_is_refused(void **state)
{
	struct up_message got;
	int pair[2], fd;

	(void)state;
	assert_int_equal(up_channel_open(pair, NULL), 0);
	assert_int_equal(send(pair[0], "odd", 3, 0), 3);
	assert_int_equal(up_channel_receive(pair[1], &got, &fd), -EPROTO);
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_closed_but_what_is_kept),
		cmocka_unit_test(a_message_brings_its_descriptor),
		cmocka_unit_test(half_a_message_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
