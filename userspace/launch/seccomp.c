// SPDX-License-Identifier: GPL-2.0-only
/*
 * Docker's default profile as a table: what is in it is allowed, everything else fails with EPERM,
 * and with ENOSYS what a libc tries first and then does without. A name that this libseccomp or
 * this architecture does not know is left out, which denies it.
 */
#include "launch/seccomp.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/paths.h"

/* Words, so that the table reads like the list that it is. */
static const char always[] =
	"accept accept4 access adjtimex alarm bind brk cachestat capget capset chdir chmod chown "
	"chown32 clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime "
	"clock_gettime64 clock_nanosleep clock_nanosleep_time64 close close_range connect "
	"copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_ctl_old "
	"epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit "
	"exit_group faccessat faccessat2 fadvise64 fadvise64_64 fallocate fanotify_mark fchdir "
	"fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr "
	"flistxattr flock fork fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 "
	"fsync ftruncate ftruncate64 futex futex_requeue futex_time64 futex_wait futex_waitv "
	"futex_wake futimesat getcpu getcwd getdents getdents64 getegid getegid32 geteuid "
	"geteuid32 getgid getgid32 getgroups getgroups32 getitimer getpeername getpgid getpgrp "
	"getpid getppid getpriority getrandom getresgid getresgid32 getresuid getresuid32 "
	"getrlimit get_robust_list getrusage getsid getsockname getsockopt get_thread_area gettid "
	"gettimeofday getuid getuid32 getxattr inotify_add_watch inotify_init inotify_init1 "
	"inotify_rm_watch io_cancel ioctl io_destroy io_getevents io_pgetevents "
	"io_pgetevents_time64 ioprio_get ioprio_set io_setup io_submit ipc kill "
	"landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lchown32 "
	"lgetxattr link linkat listen listxattr llistxattr _llseek lremovexattr lseek lsetxattr "
	"lstat lstat64 madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mkdir "
	"mkdirat mknod mknodat mlock mlock2 mlockall mmap mmap2 mprotect mq_getsetattr mq_notify "
	"mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink "
	"mremap msgctl msgget msgrcv msgsnd msync munlock munlockall munmap name_to_handle_at "
	"nanosleep newfstatat _newselect open openat openat2 pause pidfd_open pidfd_send_signal "
	"pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll ppoll_time64 prctl pread64 "
	"preadv preadv2 prlimit64 process_mrelease process_vm_readv process_vm_writev pselect6 "
	"pselect6_time64 ptrace pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv "
	"recv recvfrom recvmmsg recvmmsg_time64 recvmsg remap_file_pages removexattr rename "
	"renameat renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask "
	"rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 "
	"rt_tgsigqueueinfo sched_getaffinity sched_getattr sched_getparam sched_get_priority_max "
	"sched_get_priority_min sched_getscheduler sched_rr_get_interval "
	"sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam "
	"sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop "
	"semtimedop_time64 send sendfile sendfile64 sendmmsg sendmsg sendto setfsgid setfsgid32 "
	"setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setitimer setpgid setpriority "
	"setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 "
	"setrlimit set_robust_list setsid setsockopt set_thread_area set_tid_address setuid "
	"setuid32 setxattr shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4 "
	"sigprocmask sigreturn socketcall socketpair splice stat stat64 statfs statfs64 statx "
	"symlink symlinkat sync sync_file_range syncfs sysinfo tee tgkill time timer_create "
	"timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime "
	"timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime "
	"timerfd_settime64 times tkill truncate truncate64 ugetrlimit umask uname unlink unlinkat "
	"utime utimensat utimensat_time64 utimes vfork vmsplice wait4 waitid waitpid write writev "
	"arch_prctl modify_ldt";

static const struct {
	unsigned int cap;
	const char *calls;
} with_cap[] = {
	{CAP_DAC_READ_SEARCH, "open_by_handle_at"},
	{CAP_SYS_ADMIN, "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick "
			"lookup_dcookie mount mount_setattr move_mount open_tree perf_event_open "
			"pivot_root quotactl quotactl_fd setdomainname sethostname setns syslog "
			"umount umount2 unshare"},
	{CAP_SYS_BOOT, "reboot"},
	{CAP_SYS_CHROOT, "chroot"},
	{CAP_SYS_MODULE, "delete_module init_module finit_module"},
	{CAP_SYS_PACCT, "acct"},
	{CAP_SYS_PTRACE, "kcmp pidfd_getfd process_madvise"},
	{CAP_SYS_RAWIO, "iopl ioperm"},
	{CAP_SYS_TIME, "settimeofday stime clock_settime clock_settime64"},
	{CAP_SYS_TTY_CONFIG, "vhangup"},
	{CAP_SYS_NICE, "get_mempolicy mbind set_mempolicy set_mempolicy_home_node"},
	{CAP_SYSLOG, "syslog"},
	{CAP_BPF, "bpf"},
	{CAP_PERFMON, "perf_event_open"},
};

/* personality(2): the harmless ones, and 0xffffffff, which asks. */
static const uint64_t personalities[] = {0, 0x0008, 0x20000, 0x20008, 0xffffffff};

/* New namespaces need CAP_SYS_ADMIN; a user namespace would not, and would hand out the rest. */
#define NAMESPACES                                                                     \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
	 CLONE_NEWPID | CLONE_NEWNET)

static int rule(scmp_filter_ctx ctx, uint32_t action, const char *name, unsigned int n,
		const struct scmp_arg_cmp *args)
{
	int nr = seccomp_syscall_resolve_name(name);

	return nr == __NR_SCMP_ERROR ? 0 : seccomp_rule_add_array(ctx, action, nr, n, args);
}

static int allow(scmp_filter_ctx ctx, const char *calls)
{
	int ret = 0;

	while (*calls && !ret) {
		size_t len = strcspn(calls, " ");
		char name[48] = "";

		memcpy(name, calls, len < sizeof(name) ? len : sizeof(name) - 1);
		ret = rule(ctx, SCMP_ACT_ALLOW, name, 0, NULL);
		calls += len + (calls[len] == ' ');
	}
	return ret;
}

/* A call whose first argument decides. */
static int allow_if(scmp_filter_ctx ctx, const char *name, enum scmp_compare op, uint64_t a,
		    uint64_t b)
{
	const struct scmp_arg_cmp arg = {0, op, a, b};

	return rule(ctx, SCMP_ACT_ALLOW, name, 1, &arg);
}

static int add_rules(scmp_filter_ctx ctx, uint64_t caps)
{
	int ret = allow(ctx, always);

	for (size_t i = 0; i < sizeof(with_cap) / sizeof(with_cap[0]) && !ret; i++)
		if (caps >> with_cap[i].cap & 1)
			ret = allow(ctx, with_cap[i].calls);
	for (size_t i = 0; i < sizeof(personalities) / sizeof(personalities[0]) && !ret; i++)
		ret = allow_if(ctx, "personality", SCMP_CMP_EQ, personalities[i], 0);
	/* Sockets of virtual machines reach the hypervisor past every network namespace. */
	if (!ret)
		ret = allow_if(ctx, "socket", SCMP_CMP_NE, AF_VSOCK, 0);
	if (ret || caps >> CAP_SYS_ADMIN & 1)
		return ret;
	ret = allow_if(ctx, "clone", SCMP_CMP_MASKED_EQ, NAMESPACES, 0);
	/* Its flags are behind a pointer: libc falls back to clone(). */
	return ret ? ret : rule(ctx, SCMP_ACT_ERRNO(ENOSYS), "clone3", 0, NULL);
}

/* The 32-bit calls of the same machine, where there are some. */
static int add_architectures(scmp_filter_ctx ctx)
{
	if (seccomp_arch_native() != SCMP_ARCH_X86_64)
		return 0;
	return seccomp_arch_add(ctx, SCMP_ARCH_X86);
}

int up_seccomp_export(void *ctx, struct up_seccomp *ret)
{
	cleanup_fd int fd = memfd_create("seccomp", MFD_CLOEXEC);
	struct up_seccomp filter = {};
	struct stat st;
	int failed = fd < 0 ? -errno : seccomp_export_bpf(ctx, fd);

	if (failed || fstat(fd, &st))
		return failed ? failed : -errno;
	filter.n = (size_t)st.st_size / sizeof(*filter.insns);
	filter.insns = malloc((size_t)st.st_size);
	if (!filter.insns)
		return -ENOMEM;
	if (pread(fd, filter.insns, (size_t)st.st_size, 0) != st.st_size) {
		free(filter.insns);
		return -EIO;
	}
	*ret = filter;
	return 0;
}

static int compile(uint64_t caps, struct up_seccomp *ret, struct up_err *err)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int failed = ctx ? 0 : -ENOMEM;

	/* A binary search tree over the numbers instead of a list. */
	if (!failed)
		failed = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (!failed)
		failed = add_architectures(ctx);
	if (!failed)
		failed = add_rules(ctx, caps);
	if (!failed)
		failed = up_seccomp_export(ctx, ret);
	if (ctx)
		seccomp_release(ctx);
	return failed ? up_fail(err, failed, "compile the system call filter") : 0;
}

/* ---- compiled once ----------------------------------------------------------------------------
 *
 * Compiling takes libseccomp 5 to 15 ms, half of what a start may cost. The result depends on the
 * capabilities, this table and the library only, so it is kept in the run directory.
 */

static uint64_t hash(uint64_t h, const void *data, size_t len)
{
	for (const uint8_t *at = data; len; len--)
		h = (h ^ *at++) * 0x100000001b3; /* FNV-1a */
	return h;
}

static void path_of(uint64_t caps, char path[PATH_MAX])
{
	const struct scmp_version *version = seccomp_version();
	uint64_t h = hash(0xcbf29ce484222325, always, sizeof(always));

	for (size_t i = 0; i < sizeof(with_cap) / sizeof(with_cap[0]); i++)
		h = hash(h, with_cap[i].calls, strlen(with_cap[i].calls));
	h = hash(h, version, sizeof(*version));
	snprintf(path, PATH_MAX, "%s/seccomp-%016" PRIx64, up_run_dir(),
		 hash(h, &caps, sizeof(caps)));
}

static int read_compiled(const char *path, struct up_seccomp *ret)
{
	char *data = NULL;
	ssize_t len = up_file_read(path, sizeof(struct sock_filter) * BPF_MAXINSNS, &data, NULL);

	if (len <= 0 || (size_t)len % sizeof(struct sock_filter)) {
		free(data);
		return -EINVAL;
	}
	ret->n = (size_t)len / sizeof(struct sock_filter);
	ret->insns = (struct sock_filter *)data;
	return 0;
}

int up_seccomp_default(uint64_t caps, struct up_seccomp *ret, struct up_err *err)
{
	char path[PATH_MAX];
	int failed;

	path_of(caps, path);
	if (read_compiled(path, ret)) {
		failed = compile(caps, ret, err);
		if (failed)
			return failed;
		up_file_write(path, ret->insns, ret->n * sizeof(*ret->insns), 0600, NULL);
	}
	ret->flags = UP_SECCOMP_FLAGS;
	return 0;
}

int up_seccomp_copy(const struct up_seccomp *from, struct up_seccomp *ret, struct up_err *err)
{
	size_t bytes = from->n * sizeof(*from->insns);
	struct sock_filter *insns = malloc(bytes);

	if (!insns)
		return up_fail(err, ENOMEM, "system call filter");
	memcpy(insns, from->insns, bytes);
	*ret = (struct up_seccomp){from->n, from->flags, insns};
	return 0;
}

int up_seccomp_load(const struct up_seccomp *filter, struct up_err *err)
{
	const struct sock_fprog prog = {(unsigned short)filter->n, filter->insns};

	if (!filter->n)
		return 0;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, filter->flags, &prog))
		return up_fail(err, errno, "load the system call filter");
	return 0;
}

void up_seccomp_free(struct up_seccomp *filter)
{
	free(filter->insns);
	*filter = (struct up_seccomp){};
}
