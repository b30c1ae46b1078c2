// SPDX-License-Identifier: GPL-2.0-only
/*
 * Request/response load: a server that echoes, and a client that sends a message, waits for the
 * answer, and measures; over one connection, over many at once, or over a new one each time.
 *
 * Why not sockperf: its smallest message has 14 bytes, it spends 2 s around each measurement (too
 * much for many short, interleaved rounds), cannot measure connects, does not count the server's
 * CPU time, and prints for people only.
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
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "cputime.h"

#define SIZE_MAX_BYTES 65000
#define NSEC           1000000000ULL
#define LOST_IN_A_ROW  10 /* datagrams; then the path is taken to be broken */
#define LOST_AFTER_MS  200
#define CONNS_MAX      1024

#define FLOW_LOST_AFTER_MS 5000 /* what is not measured may take its time on a busy machine */

/* Latencies in buckets of less than 1 %: powers of two, each cut in 128. */
#define SUB_BITS 7
#define SUB      (1 << SUB_BITS)
#define BUCKETS  (40 * SUB)

struct result {
	uint64_t count, lost, sum_ns, max_ns, elapsed_ns, cpu_ns;
	uint64_t bucket[BUCKETS];
};

/* One of many connections: when its request was sent, and how much of the answer is there. */
struct conn {
	int fd;
	uint64_t sent_at;
	size_t got;
};

struct load {
	const char *name;
	struct sockaddr_in to;
	struct in_addr from;
	size_t size;
	double seconds, warmup;
	struct cputime others;
	int conns;
	int fd;
	char *buf;
	int epoll;
	struct conn *conn;
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

static void bind_to(int fd, struct in_addr addr, uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = addr};
	int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)))
		die("bind to port %u: %s", port, strerror(errno));
}

static void bind_any(int fd, uint16_t port)
{
	bind_to(fd, (struct in_addr){}, port);
}

static bool recv_all(int fd, char *buf, size_t size)
{
	return recv(fd, buf, size, MSG_WAITALL) == (ssize_t)size;
}

static bool send_all(int fd, const char *buf, size_t size)
{
	return send(fd, buf, size, MSG_NOSIGNAL) == (ssize_t)size;
}

/* Return: false when the peer is done */
static bool echo(int fd, char *buf)
{
	ssize_t n = recv(fd, buf, SIZE_MAX_BYTES, 0);

	return n > 0 && send_all(fd, buf, (size_t)n);
}

static int accept_conn(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	int on = 1;

	if (fd >= 0)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

/* One connection at a time: nothing but the network is between a request and its answer. */
__attribute__((noreturn)) static void serve_one(int listener, char *buf)
{
	for (;;) {
		int fd = accept_conn(listener);

		while (fd >= 0 && echo(fd, buf))
			;
		close(fd);
	}
}

static void watch(int epoll, int fd, uint64_t data)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u64 = data};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e))
		die("epoll: %s", strerror(errno));
}

/* Many connections at once. */
__attribute__((noreturn)) static void serve_many(int listener, char *buf)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	watch(epoll, listener, (uint64_t)listener);
	for (;;) {
		struct epoll_event e[64];
		int n = epoll_wait(epoll, e, 64, -1);

		for (int i = 0; i < n; i++) {
			int fd = (int)e[i].data.u64;

			if (fd != listener && !echo(fd, buf))
				close(fd);
			else if (fd == listener && (fd = accept_conn(listener)) >= 0)
				watch(epoll, fd, (uint64_t)fd);
		}
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

/* A child of this process, which ends with it. */
static void spawn(void (*serve_fd)(int fd, char *buf), int fd, char *buf)
{
	pid_t parent = getpid(), child = fork();

	if (child < 0)
		die("fork: %s", strerror(errno));
	if (child)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent)
		serve_fd(fd, buf);
	exit(1);
}

static int listen_on(uint16_t port)
{
	int fd = tcp_socket();

	bind_any(fd, port);
	if (listen(fd, CONNS_MAX))
		die("listen: %s", strerror(errno));
	return fd;
}

static int udp_on(uint16_t port)
{
	int fd = udp_socket();

	bind_any(fd, port);
	return fd;
}

/* TCP for one connection on a port and for many on the next one, UDP on both: a process each. */
static int serve(uint16_t port, char *buf)
{
	int listener;

	/* A session of its own, as a detached container has: the scheduler groups tasks by session
	 * (autogroups), and would otherwise switch less between client and server on the host. */
	setsid();
	listener = listen_on(port);
	spawn(serve_many, listen_on(port + 1), buf);
	spawn(serve_udp, udp_on(port), buf);
	spawn(serve_udp, udp_on(port + 1), buf);
	puts("ready");
	fflush(stdout);
	serve_one(listener, buf);
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

static void note(struct result *r, uint64_t ns)
{
	r->count++;
	r->sum_ns += ns;
	if (ns > r->max_ns)
		r->max_ns = ns;
	r->bucket[bucket_of(ns)]++;
}

/* One turn after the other. */
static void one_by_one(struct load *l, bool (*turn)(struct load *l), uint64_t end, struct result *r)
{
	uint64_t before = now_ns(), after;
	int lost = 0;

	while (before < end) {
		bool ok = turn(l);

		after = now_ns();
		if (ok) {
			note(r, after - before);
			lost = 0;
		} else {
			r->lost++;
			if (++lost == LOST_IN_A_ROW)
				die("%d datagrams in a row were not answered", lost);
		}
		before = after;
	}
}

static void request(struct load *l, struct conn *c)
{
	c->sent_at = now_ns();
	c->got = 0;
	if (!send_all(c->fd, l->buf, l->size))
		die("connection broke: %s", strerror(errno));
}

static void answer(struct load *l, struct conn *c, struct result *r)
{
	ssize_t n = recv(c->fd, l->buf, SIZE_MAX_BYTES, MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN))
		die("connection broke: %s", n ? strerror(errno) : "closed");
	if (n < 0)
		return;
	c->got += (size_t)n;
	if (c->got < l->size)
		return;
	note(r, now_ns() - c->sent_at);
	request(l, c);
}

/* Nothing came for a while: on each connection, a datagram was lost. */
static void repeat(struct load *l, struct result *r)
{
	if (!strcmp(l->name, "tcp"))
		die("no answer within %d ms", LOST_AFTER_MS);
	for (int i = 0; i < l->conns; i++) {
		r->lost++;
		request(l, &l->conn[i]);
	}
	if (r->lost > (uint64_t)l->conns * LOST_IN_A_ROW)
		die("%llu datagrams were not answered", (unsigned long long)r->lost);
}

/* A request is under way on each of many connections. */
static void all_at_once(struct load *l, uint64_t end, struct result *r)
{
	struct epoll_event e[64];

	while (now_ns() < end) {
		int n = epoll_wait(l->epoll, e, 64, LOST_AFTER_MS);

		for (int i = 0; i < n; i++)
			answer(l, &l->conn[e[i].data.u64], r);
		if (n == 0)
			repeat(l, r);
	}
}

static void open_many(struct load *l, void (*begin)(struct load *l))
{
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->conn = calloc((size_t)l->conns, sizeof(*l->conn));
	if (!l->conn)
		die("out of memory");
	for (int i = 0; i < l->conns; i++) {
		begin(l);
		l->conn[i].fd = l->fd;
		watch(l->epoll, l->fd, (uint64_t)i);
		request(l, &l->conn[i]);
	}
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
	uint64_t start = now_ns();
	uint64_t end = start + (uint64_t)(seconds * (double)NSEC);
	uint64_t own = cputime_ns(CLOCK_PROCESS_CPUTIME_ID);
	uint64_t others = cputime_of(&l->others);

	memset(r, 0, sizeof(*r));
	if (l->conns > 1)
		all_at_once(l, end, r);
	else
		one_by_one(l, k->turn, end, r);
	r->elapsed_ns = now_ns() - start;
	r->cpu_ns = cputime_of(&l->others) - others + cputime_ns(CLOCK_PROCESS_CPUTIME_ID) - own;
}

static void print_result(const struct load *l, const struct result *r)
{
	double seconds = (double)r->elapsed_ns / (double)NSEC;
	double count = (double)r->count;

	printf("{\"load\":\"%s\",\"bytes\":%zu,\"connections\":%d,\"seconds\":%.3f,"
	       "\"count\":%llu,\"lost\":%llu,\"rate\":%.1f,\"cpu_ns\":%.1f,\"mean_us\":%.3f,"
	       "\"p50_us\":%.3f,\"p99_us\":%.3f,\"p999_us\":%.3f,\"max_us\":%.3f}\n",
	       l->name, l->size, l->conns, seconds, (unsigned long long)r->count,
	       (unsigned long long)r->lost, count / seconds, (double)r->cpu_ns / count,
	       (double)r->sum_ns / count / 1000, percentile_us(r, 0.5), percentile_us(r, 0.99),
	       percentile_us(r, 0.999), (double)r->max_ns / 1000);
}

static const struct kind *find_kind(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	die("no such load: %s", name);
}

static int run_load(struct load *l)
{
	const struct kind *k = find_kind(l->name);
	static struct result r;

	if (l->conns > 1 && k->turn == connect_turn)
		die("%s: one at a time", l->name);
	if (l->conns > 1)
		open_many(l, k->begin);
	else
		k->begin(l);
	measure(l, k, l->warmup, &r);
	measure(l, k, l->seconds, &r);
	if (!r.count)
		die("nothing was answered");
	print_result(l, &r);
	return 0;
}

/* One flow for each pair of a source port and one of the server's two ports: they stay behind. */
static int run_flows(struct load *l, int count)
{
	uint16_t port = ntohs(l->to.sin_port);
	int made = 0;

	for (uint16_t from = 65535; made < count && from >= 1024; from--)
		for (int i = 0; made < count && i < 2; i++) {
			int fd = udp_socket();

			set_timeout(fd, FLOW_LOST_AFTER_MS * 1000);
			bind_to(fd, l->from, from);
			l->to.sin_port = htons((uint16_t)(port + i));
			open_to(l, fd);
			if (!udp_turn(l))
				die("flow %d was not answered", made);
			close(fd);
			made++;
		}
	printf("%d flows\n", made);
	return made == count ? 0 : 1;
}

__attribute__((noreturn)) static void usage(int status)
{
	fputs("usage: rr [-c CPU] serve PORT\n"
	      "       rr [OPTIONS] load tcp|udp|connect ADDRESS PORT\n"
	      "       rr [-c CPU] [-b ADDRESS] flows COUNT ADDRESS PORT\n"
	      "\n"
	      "  -c CPU      run on this CPU only\n"
	      "  -s BYTES    size of a message (1)\n"
	      "  -n COUNT    connections at once (1); more than one want the server's next port\n"
	      "  -d SECONDS  how long to measure (1)\n"
	      "  -w SECONDS  warm-up before that (0.1)\n"
	      "  -p PID      add the CPU time of this process; may be repeated\n"
	      "  -b ADDRESS  own address\n"
	      "  -i          add what the CPU of -c spent in interrupts\n",
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

static void to_server(struct load *l, const char *addr, const char *port)
{
	l->to.sin_family = AF_INET;
	if (inet_pton(AF_INET, addr, &l->to.sin_addr) != 1)
		die("%s: not an IPv4 address", addr);
	l->to.sin_port = htons((uint16_t)number(port, 1, 65534));
}

static void option(struct load *l, int opt)
{
	switch (opt) {
	case 'c':
		pin(l->others.cpu = (int)number(optarg, 0, CPU_SETSIZE - 1));
		break;
	case 's':
		l->size = (size_t)number(optarg, 1, SIZE_MAX_BYTES);
		break;
	case 'n':
		l->conns = (int)number(optarg, 1, CONNS_MAX);
		break;
	case 'd':
		l->seconds = number(optarg, 0.01, 3600);
		break;
	case 'w':
		l->warmup = number(optarg, 0, 3600);
		break;
	case 'p':
		if (l->others.n == CPUTIME_PIDS)
			die("more than %d processes", CPUTIME_PIDS);
		l->others.pid[l->others.n++] = (pid_t)number(optarg, 1, 1 << 22);
		break;
	case 'b':
		if (inet_pton(AF_INET, optarg, &l->from) != 1)
			die("%s: not an IPv4 address", optarg);
		break;
	case 'i':
		l->others.irq = true;
		break;
	default:
		usage(opt == 'h' ? 0 : 2);
	}
}

int main(int argc, char **argv)
{
	struct load l = {.size = 1, .seconds = 1, .warmup = 0.1, .conns = 1};
	int opt;

	while ((opt = getopt(argc, argv, "+c:s:n:d:w:p:b:ih")) != -1)
		option(&l, opt);
	argv += optind;
	argc -= optind;
	l.buf = calloc(1, SIZE_MAX_BYTES);
	if (!l.buf)
		die("out of memory");
	if (argc == 2 && !strcmp(argv[0], "serve"))
		return serve((uint16_t)number(argv[1], 1, 65534), l.buf);
	if (argc != 4)
		usage(2);
	to_server(&l, argv[2], argv[3]);
	if (!strcmp(argv[0], "flows"))
		return run_flows(&l, (int)number(argv[1], 1, 2 * 64512));
	if (strcmp(argv[0], "load"))
		usage(2);
	l.name = argv[1];
	return run_load(&l);
}
