// SPDX-License-Identifier: GPL-2.0-only
/* What engines say, and what the words of "attach" and "detach" mean. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attach/engine.h"
#include "attach/http.h"
#include "attach/target.h"
#include "base/cleanup.h"
#include "base/err.h"

#include "bpf/cmocka_all.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static int parse(const char *text, struct up_container *c)
{
	return up_container_parse(text, strlen(text), c, NULL);
}

static void dockers_inspect_and_podmans(void **state)
{
	struct up_container c = {};

	(void)state;
	assert_int_equal(
		parse("{\"Id\":\"" ID "\",\"Name\":\"/web\",\"State\":{\"Pid\":7},\"X\":[]}", &c),
		0);
	assert_string_equal(c.id, ID);
	assert_string_equal(c.name, "web");
	assert_int_equal(c.pid, 7);
	assert_int_equal(
		parse("[{\"Id\":\"" ID "\",\"Name\":\"pod\",\"State\":{\"Pid\":1234}}]", &c), 0);
	assert_string_equal(c.name, "pod");
	assert_int_equal(c.pid, 1234);
}

static void one_that_does_not_run(void **state)
{
	struct up_container c = {.pid = 5};

	(void)state;
	assert_int_equal(parse("{\"Id\":\"" ID "\",\"Name\":\"/x\",\"State\":{\"Pid\":0}}", &c),
			 -ESRCH);
	assert_int_equal(c.pid, 5); /* results are written on success only */
}

static void what_is_no_container(void **state)
{
	static const char *const texts[] = {
		"",
		"{",
		"null",
		"[]",
		"{\"Id\":\"short\",\"Name\":\"x\",\"State\":{\"Pid\":1}}",
		"{\"Id\":\"../../../../../../../../../../../../../../../../../../../../etc/p\","
		"\"Name\":\"x\",\"State\":{\"Pid\":1}}",
		"{\"Id\":\"" ID "\",\"Name\":7,\"State\":{\"Pid\":1}}",
		"{\"Id\":\"" ID "\",\"Name\":\"x\",\"State\":{\"Pid\":\"1\"}}",
		"{\"Id\":\"" ID "\",\"Name\":\"x\",\"State\":{\"Pid\":-1}}",
		"{\"Id\":\"" ID "\",\"Name\":\"x\"}",
	};
	struct up_container c;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(parse(texts[i], &c), -EPROTO);
}

static int count_id(const char *id, void *arg)
{
	assert_string_equal(id, ID);
	return ++*(int *)arg == 3 ? -ECANCELED : 0;
}

static int ids(const char *text, int *n)
{
	*n = 0;
	return up_container_ids(text, strlen(text), count_id, n, NULL);
}

static void lists_of_containers(void **state)
{
	int n;

	(void)state;
	assert_int_equal(ids("[]", &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(ids("[{\"Id\":\"" ID "\"},{\"Id\":\"" ID "\",\"Names\":[]}]", &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(ids("[{\"Id\":\"" ID "\"},{\"Id\":\"x\"}]", &n), -EPROTO);
	assert_int_equal(ids("[{\"Id\":\"" ID "\"},{\"Id\":\"" ID "\"},{\"Id\":\"" ID
			     "\"},{\"Id\":\"" ID "\"}]",
			     &n),
			 -ECANCELED);
	assert_int_equal(n, 3);
	assert_int_equal(ids("<html>", &n), -EPROTO);
}

/* An engine for which the last digit of an id says how it answers. */
static int find_by_digit(const char *name, struct up_container *ret, struct up_err *err)
{
	static const int answers[] = {0, -ENOENT, -ESRCH, 0, -EPROTO};
	int digit = name[UP_RIDE_ID_MAX - 2] - '0';

	(void)err;
	ret->pid = digit;
	return answers[digit];
}

static int sum_pid(const struct up_container *c, void *arg)
{
	*(int *)arg += c->pid + 1;
	return 0;
}

#define ID_BUT_ONE "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"

static void containers_that_end_while_they_are_listed(void **state)
{
	static const struct up_engine engine = {.name = "digits", .find = find_by_digit};
	static const char list[] =
		"[{\"Id\":\"" ID_BUT_ONE "0\"},{\"Id\":\"" ID_BUT_ONE "1\"},{\"Id\":\"" ID_BUT_ONE
		"2\"},{\"Id\":\"" ID_BUT_ONE "3\"}]";
	static const char fails[] = "[{\"Id\":\"" ID_BUT_ONE "4\"},{\"Id\":\"" ID_BUT_ONE "3\"}]";
	int sum = 0;

	(void)state;
	assert_int_equal(up_engine_foreach(&engine, list, strlen(list), sum_pid, &sum, NULL), 0);
	assert_int_equal(sum, 1 + 4); /* those with digits 0 and 3 */
	assert_int_equal(up_engine_foreach(&engine, fails, strlen(fails), sum_pid, &sum, NULL),
			 -EPROTO);
	assert_int_equal(sum, 1 + 4);
}

static void names_that_go_into_a_url(void **state)
{
	static const char *const good[] = {"a", "web-1", "A_b.c", ID};
	static const char *const bad[] = {"", "-rf", ".x", "a/b", "a b", "a?b", "a%2f", "a\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(up_container_name_check(good[i], NULL), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(up_container_name_check(bad[i], NULL), -EINVAL);
}

static void words_of_detach(void **state)
{
	static const struct up_ride_if row = {
		.ifname = "veth1a", .engine = "docker", .id = ID, .name = "web"};
	static const char *const its[] = {"web",       "docker:web",   "0123456789ab",         ID,
					  "if:veth1a", ("docker:" ID), "docker:0123456789abcd"};
	static const char *const others[] = {
		"we",       "webb",      "podman:web", "if:web", "01234567",
		"if:veth1", "netns:web", "docker:",    "",       ("x" ID)};

	(void)state;
	for (size_t i = 0; i < sizeof(its) / sizeof(its[0]); i++)
		assert_true(up_target_matches(&row, its[i]));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(up_target_matches(&row, others[i]));
}

static void engines_by_name(void **state)
{
	(void)state;
	assert_ptr_equal(up_engine_find("docker:x", 6), &up_docker);
	assert_ptr_equal(up_engine_find("podman", 6), &up_podman);
	assert_null(up_engine_find("docker", 5));
	assert_null(up_engine_find("", 0));
}

static struct sockaddr_un where;

/* A server for one request: answers with these bytes, whatever was asked. */
static pid_t serve(const char *answer)
{
	cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid;

	where.sun_family = AF_UNIX;
	snprintf(where.sun_path, sizeof(where.sun_path), "/tmp/underpass-http-%d", getpid());
	unlink(where.sun_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&where, sizeof(where)), 0);
	assert_int_equal(listen(fd, 1), 0);
	pid = fork();
	if (!pid) {
		int peer = accept(fd, NULL, NULL);
		char request[512];

		if (read(peer, request, sizeof(request)) < 0 ||
		    write(peer, answer, strlen(answer)) < 0)
			_exit(1);
		_exit(0);
	}
	return pid;
}

static int get(const char *answer, char **body, size_t *len)
{
	pid_t pid = serve(answer);
	int ret = up_http_get(where.sun_path, "/x", body, len, NULL);

	waitpid(pid, NULL, 0);
	unlink(where.sun_path);
	return ret;
}

static void http_answers(void **state)
{
	cleanup_free char *body = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(get("HTTP/1.0 200 OK\r\nA: b\r\n\r\n{\"x\":1}\n", &body, &len), 200);
	assert_string_equal(body, "{\"x\":1}\n");
	assert_int_equal(len, 8);
	free(take_ptr(body));
	assert_int_equal(get("HTTP/1.1 404 Not Found\r\n\r\n", &body, &len), 404);
	assert_string_equal(body, "");
}

static void what_is_no_http(void **state)
{
	static const char *const answers[] = {"", "HTTP/1.0 200 OK\r\n", "SSH-2.0-x\r\n\r\n",
					      "HTTP/1.0 OK\r\n\r\n", "\r\n\r\n"};
	char *body = NULL;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		assert_true(get(answers[i], &body, &len) < 0);
	assert_null(body);
	assert_int_equal(up_http_get("/nonexistent/sock", "/", &body, &len, NULL), -ENOENT);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(dockers_inspect_and_podmans),
		cmocka_unit_test(one_that_does_not_run),
		cmocka_unit_test(what_is_no_container),
		cmocka_unit_test(lists_of_containers),
		cmocka_unit_test(containers_that_end_while_they_are_listed),
		cmocka_unit_test(names_that_go_into_a_url),
		cmocka_unit_test(words_of_detach),
		cmocka_unit_test(engines_by_name),
		cmocka_unit_test(http_answers),
		cmocka_unit_test(what_is_no_http),
	};

	return cmocka_run_group_tests_name("attach", tests, NULL, NULL);
}
