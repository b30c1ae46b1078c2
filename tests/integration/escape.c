// SPDX-License-Identifier: GPL-2.0-only
/* Runs in a container and tries what must not work; says what the kernel answered. */
#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Arguments with which each call would fail harmlessly, were it let through. */
static const struct {
	const char *name;
	long nr, args[4];
} calls[] = {
	{"add_key", SYS_add_key, {}},
	{"keyctl", SYS_keyctl, {-1}},
	{"bpf", SYS_bpf, {-1}},
	{"mount", SYS_mount, {}},
	{"unshare", SYS_unshare, {0}},
	{"setns", SYS_setns, {-1}},
	{"kexec_load", SYS_kexec_load, {0, 99}},
	{"init_module", SYS_init_module, {}},
	{"open_by_handle_at", SYS_open_by_handle_at, {-1}},
	{"perf_event_open", SYS_perf_event_open, {}},
	{"userfaultfd", SYS_userfaultfd, {-1}},
	{"io_uring_setup", SYS_io_uring_setup, {}},
	{"clone_newuser", SYS_clone, {CLONE_NEWUSER | SIGCHLD}},
	{"clone3", SYS_clone3, {}},
	{"vsock", SYS_socket, {AF_VSOCK, SOCK_STREAM}},
	{"personality", SYS_personality, {0x0400000}},
	{"reboot", SYS_reboot, {}},
	{"settimeofday", SYS_settimeofday, {}},
	{"swapon", SYS_swapon, {}},
};

static int try_syscalls(void)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		const long *a = calls[i].args;
		long ret = syscall(calls[i].nr, a[0], a[1], a[2], a[3]);

		if (calls[i].nr == SYS_clone && !ret)
			_exit(0);
		printf("%s %s\n", calls[i].name, ret < 0 ? strerrorname_np(errno) : "works");
	}
	return 0;
}

static int try_trace(const char *pid)
{
	long ret = ptrace(PTRACE_SEIZE, (pid_t)strtol(pid, NULL, 10), NULL, NULL);

	puts(ret < 0 ? strerrorname_np(errno) : "works");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "syscalls"))
		return try_syscalls();
	if (argc == 3 && !strcmp(argv[1], "trace"))
		return try_trace(argv[2]);
	fputs("usage: escape syscalls | trace PID\n", stderr);
	return 2;
}
