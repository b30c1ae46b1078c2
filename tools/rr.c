// SPDX-License-Identifier: GPL-2.0-only
/*
 * Request/response load: a server that echoes messages of a fixed size, and a client that sends
 * one, waits for it, and measures.
 *
 * Why not sockperf: its smallest message has 14 bytes, it spends 2 s around each measurement (too
 * much for many short, interleaved rounds), cannot measure connects, and prints for people only.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SIZE_MAX_BYTES 65000
#define NSEC           1000000000ULL
#define LOST_IN_A_ROW  10 /* datagrams; then the path is taken to be broken */

/* Latencies in buckets of less than 1 %: powers of two, each cut in 128. */
#define SUB_BITS 7
#define SUB      (1 << SUB_BITS)
#define BUCKETS  (40 * SUB)

struct result {
	uint64_t count, lost, sum_ns, max_ns, elapsed_ns;
	uint64_t bucket[BUCKETS];
};

struct load {
	const char *name;
	struct sockaddr_in to;
	size_t size;
	double seconds, warmup;
	int fd;
	char *buf;
};

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *fmt, ...)
{
	va_list ap;

	fputs("rr: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NSEC + (uint64_t)ts.tv_nsec;
}

static size_t bucket_of(uint64_t ns)
{
	int shift;
	size_t i;

	if (ns < SUB)
		return ns;
	shift = 63 - __builtin_clzll(ns) - SUB_BITS;
	i = (size_t)(shift + 1) * SUB + (ns >> shift) - SUB;
	return i < BUCKETS ? i : BUCKETS - 1;
}

static double bucket_us(size_t i)
{
	uint64_t ns = i;

	if (i >= SUB)
		ns = (uint64_t)(SUB + i % SUB) << (i / SUB - 1);
	return (double)ns / 1000;
}

static double percentile_us(const struct result *r, double share)
{
	uint64_t seen = 0;

	for (size_t i = 0; i < BUCKETS; i++) {
		seen += r->bucket[i];
		if (seen && (double)seen >= share * (double)r->count)
			return bucket_us(i);
	}
	return 0;
}

static int tcp_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)))
		die("TCP socket: %s", strerror(errno));
	return fd;
}

static int udp_socket(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("UDP socket: %s", strerror(errno));
	return fd;
}

static void bind_any(int fd, uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
	int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)))
		die("bind to port %u: %s", port, strerror(errno));
}

static bool recv_all(int fd, char *buf, size_t size)
{
	return recv(fd, buf, size, MSG_WAITALL) == (ssize_t)size;
}

static bool send_all(int fd, const char *buf, size_t size)
{
	return send(fd, buf, size, MSG_NOSIGNAL) == (ssize_t)size;
}

/* One connection at a time: nothing but the network is between a request and its answer. */
__attribute__((noreturn)) static void serve_tcp(int listener, char *buf, size_t size)
{
	int on = 1;

	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			continue;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		while (recv_all(fd, buf, size) && send_all(fd, buf, size))
			;
		close(fd);
	}
}

__attribute__((noreturn)) static void serve_udp(int fd, char *buf)
{
	for (;;) {
		struct sockaddr_in from;
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, buf, SIZE_MAX_BYTES, 0, (struct sockaddr *)&from, &len);

		if (n >= 0)
			sendto(fd, buf, (size_t)n, 0, (struct sockaddr *)&from, len);
	}
}

/* Both protocols on one port: the parent speaks TCP, a child UDP. */
static int serve(uint16_t port, size_t size, char *buf)
{
	pid_t parent = getpid();
	int listener = tcp_socket();
	int fd = udp_socket();
	pid_t child;

	/* A session of its own, as a detached container has: the scheduler groups tasks by session
	 * (autogroups), and would otherwise switch less between client and server on the host. */
	setsid();
	bind_any(listener, port);
	bind_any(fd, port);
	if (listen(listener, 128))
		die("listen: %s", strerror(errno));
	child = fork();
	if (child < 0)
		die("fork: %s", strerror(errno));
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			return 1;
		serve_udp(fd, buf);
	}
	puts("ready");
	fflush(stdout);
	serve_tcp(listener, buf, size);
}

static void set_timeout(int fd, long usec)
{
	struct timeval tv = {.tv_sec = usec / 1000000, .tv_usec = usec % 1000000};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

static void open_to(struct load *l, int fd)
{
	l->fd = fd;
	if (connect(fd, (struct sockaddr *)&l->to, sizeof(l->to)))
		die("connect: %s", strerror(errno));
}

static void tcp_begin(struct load *l)
{
	int fd = tcp_socket();

	set_timeout(fd, 5000000);
	open_to(l, fd);
}

static void udp_begin(struct load *l)
{
	int fd = udp_socket();

	set_timeout(fd, 200000);
	open_to(l, fd);
}

static void connect_begin(struct load *l)
{
	l->fd = -1;
}

/* A turn is one request and its answer. Return: false if it was lost */
static bool tcp_turn(struct load *l)
{
	if (!send_all(l->fd, l->buf, l->size) || !recv_all(l->fd, l->buf, l->size))
		die("connection broke: %s", errno ? strerror(errno) : "closed");
	return true;
}

static bool udp_turn(struct load *l)
{
	return send_all(l->fd, l->buf, l->size) &&
	       recv(l->fd, l->buf, SIZE_MAX_BYTES, 0) == (ssize_t)l->size;
}

static bool connect_turn(struct load *l)
{
	tcp_begin(l);
	tcp_turn(l);
	close(l->fd);
	return true;
}

static const struct kind {
	const char *name;
	void (*begin)(struct load *l);
	bool (*turn)(struct load *l);
} kinds[] = {
	{"tcp", tcp_begin, tcp_turn},
	{"udp", udp_begin, udp_turn},
	{"connect", connect_begin, connect_turn},
};

static void measure(struct load *l, const struct kind *k, double seconds, struct result *r)
{
	uint64_t start = now_ns(), before = start, after = start;
	uint64_t end = start + (uint64_t)(seconds * (double)NSEC);
	int lost = 0;

	memset(r, 0, sizeof(*r));
	while (before < end) {
		bool ok = k->turn(l);

		after = now_ns();
		if (ok) {
			uint64_t ns = after - before;

			r->count++;
			r->sum_ns += ns;
			if (ns > r->max_ns)
				r->max_ns = ns;
			r->bucket[bucket_of(ns)]++;
			lost = 0;
		} else {
			r->lost++;
			if (++lost == LOST_IN_A_ROW)
				die("%d datagrams in a row were not answered", lost);
		}
		before = after;
	}
	r->elapsed_ns = after - start;
}

static void print_result(const struct load *l, const struct result *r)
{
	double seconds = (double)r->elapsed_ns / (double)NSEC;
	double mean = r->count ? (double)r->sum_ns / (double)r->count / 1000 : 0;

	printf("{\"load\":\"%s\",\"bytes\":%zu,\"seconds\":%.3f,\"count\":%llu,\"lost\":%llu,"
	       "\"rate\":%.1f,\"mean_us\":%.3f,\"p50_us\":%.3f,\"p99_us\":%.3f,"
	       "\"p999_us\":%.3f,\"max_us\":%.3f}\n",
	       l->name, l->size, seconds, (unsigned long long)r->count, (unsigned long long)r->lost,
	       seconds > 0 ? (double)r->count / seconds : 0, mean, percentile_us(r, 0.5),
	       percentile_us(r, 0.99), percentile_us(r, 0.999), (double)r->max_ns / 1000);
}

static int run_load(struct load *l)
{
	static struct result r;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].name, l->name))
			continue;
		kinds[i].begin(l);
		measure(l, &kinds[i], l->warmup, &r);
		measure(l, &kinds[i], l->seconds, &r);
		if (!r.count)
			die("nothing was answered");
		print_result(l, &r);
		return 0;
	}
	die("no such load: %s", l->name);
}

__attribute__((noreturn)) static void usage(int status)
{
	fputs("usage: rr [-c CPU] [-s BYTES] serve PORT\n"
	      "       rr [-c CPU] [-s BYTES] [-d SECONDS] [-w SECONDS] load tcp|udp|connect "
	      "ADDRESS PORT\n"
	      "\n"
	      "  -c CPU      run on this CPU only\n"
	      "  -s BYTES    size of a message (1)\n"
	      "  -d SECONDS  how long to measure (1)\n"
	      "  -w SECONDS  warm-up before that (0.1)\n",
	      status ? stderr : stdout);
	exit(status);
}

static double number(const char *s, double min, double max)
{
	char *end;
	double d;

	errno = 0;
	d = strtod(s, &end);
	if (errno || end == s || *end || !(d >= min && d <= max))
		die("%s: not a number from %g to %g", s, min, max);
	return d;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("CPU %d: %s", cpu, strerror(errno));
}

int main(int argc, char **argv)
{
	struct load l = {.size = 1, .seconds = 1, .warmup = 0.1, .to.sin_family = AF_INET};
	int opt;

	while ((opt = getopt(argc, argv, "+c:s:d:w:h")) != -1) {
		switch (opt) {
		case 'c':
			pin((int)number(optarg, 0, CPU_SETSIZE - 1));
			break;
		case 's':
			l.size = (size_t)number(optarg, 1, SIZE_MAX_BYTES);
			break;
		case 'd':
			l.seconds = number(optarg, 0.01, 3600);
			break;
		case 'w':
			l.warmup = number(optarg, 0, 3600);
			break;
		default:
			usage(opt == 'h' ? 0 : 2);
		}
	}
	argv += optind;
	argc -= optind;
	l.buf = calloc(1, SIZE_MAX_BYTES);
	if (!l.buf)
		die("out of memory");
	if (argc == 2 && !strcmp(argv[0], "serve"))
		return serve((uint16_t)number(argv[1], 1, 65535), l.size, l.buf);
	if (argc != 4 || strcmp(argv[0], "load"))
		usage(2);
	l.name = argv[1];
	if (inet_pton(AF_INET, argv[2], &l.to.sin_addr) != 1)
		die("%s: not an IPv4 address", argv[2]);
	l.to.sin_port = htons((uint16_t)number(argv[3], 1, 65535));
	return run_load(&l);
}
