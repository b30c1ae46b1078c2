// SPDX-License-Identifier: GPL-2.0-only
/*
 * Both ends of a conversation, for tests: what was said, by whom, and what each side's sockets call
 * the other. A server greets with "TAG saw ADDRESS:PORT" and then echoes. With PROBE_PORT in the
 * environment clients use that source port, and give it up at once, by a reset; with PROBE_OPTIONS
 * their packets carry IP options.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netpacket/packet.h>
#include <poll.h>
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
#include <unistd.h>

#define MAX_SOCKETS 512
#define CHUNK       65536
#define FLOOD_MAX   1000000
#define TIMEOUT_SEC 5
#define PMTU_ROUNDS 5

/* An address of either family. */
struct address {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
	socklen_t len;
};

struct name {
	char s[INET6_ADDRSTRLEN + 10];
};

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *fmt, ...)
{
	va_list ap;

	fputs("probe: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static in_port_t *port_of(struct address *a)
{
	return a->sa.sa_family == AF_INET ? &a->in.sin_port : &a->in6.sin6_port;
}

/* A server on [::] sees IPv4 clients by IPv4-mapped addresses: shown as what they are. */
static struct name name_of(const struct address *a)
{
	const struct in6_addr *six = &a->in6.sin6_addr;
	char addr[INET6_ADDRSTRLEN];
	struct name n;

	if (a->sa.sa_family == AF_INET)
		inet_ntop(AF_INET, &a->in.sin_addr, addr, sizeof(addr));
	else if (IN6_IS_ADDR_V4MAPPED(six))
		inet_ntop(AF_INET, &six->s6_addr32[3], addr, sizeof(addr));
	else
		inet_ntop(AF_INET6, six, addr, sizeof(addr));
	snprintf(n.s, sizeof(n.s), strchr(addr, ':') ? "[%s]:%u" : "%s:%u", addr,
		 ntohs(a->sa.sa_family == AF_INET ? a->in.sin_port : a->in6.sin6_port));
	return n;
}

static struct name peer_name(int fd)
{
	struct address a = {.len = sizeof(a.in6)};

	if (getpeername(fd, &a.sa, &a.len))
		die("getpeername: %s", strerror(errno));
	return name_of(&a);
}

static struct name local_name(int fd)
{
	struct address a = {.len = sizeof(a.in6)};

	getsockname(fd, &a.sa, &a.len);
	return name_of(&a);
}

static long number(const char *s, long min, long max)
{
	char *end;
	long n = strtol(s, &end, 10);

	if (end == s || *end || n < min || n > max)
		die("%s: not a number from %ld to %ld", s, min, max);
	return n;
}

static struct address address(const char *addr, const char *port)
{
	struct address a = {.len = sizeof(a.in)};

	if (inet_pton(AF_INET, addr, &a.in.sin_addr) == 1) {
		a.sa.sa_family = AF_INET;
	} else {
		if (inet_pton(AF_INET6, addr, &a.in6.sin6_addr) != 1)
			die("%s: not an address", addr);
		a.sa.sa_family = AF_INET6;
		a.len = sizeof(a.in6);
	}
	*port_of(&a) = htons((uint16_t)number(port, 0, 65535));
	return a;
}

static struct sockaddr_in address4(const char *addr, const char *port)
{
	struct address a = address(addr, port);

	if (a.sa.sa_family != AF_INET)
		die("%s: not an IPv4 address", addr);
	return a.in;
}

static int type_of(const char *proto)
{
	if (!strcmp(proto, "tcp"))
		return SOCK_STREAM;
	if (!strcmp(proto, "udp"))
		return SOCK_DGRAM;
	die("%s: neither tcp nor udp", proto);
}

static int make_socket(int family, int type)
{
	struct timeval tv = {.tv_sec = TIMEOUT_SEC};
	int fd = socket(family, type | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0)
		die("socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	if (type == SOCK_STREAM)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

/* Options that mean nothing: NOPs, or a destination options header of padding. */
static void add_options(int fd, int family)
{
	const uint8_t nops[8] = {1, 1, 1, 1, 1, 1, 1, 1}, pad[8] = {0, 0, 1, 4};

	if (family == AF_INET ? setsockopt(fd, IPPROTO_IP, IP_OPTIONS, nops, sizeof(nops))
			      : setsockopt(fd, IPPROTO_IPV6, IPV6_DSTOPTS, pad, sizeof(pad)))
		die("IP options: %s", strerror(errno));
}

static int dial(int type, const struct address *to)
{
	const struct linger at_once = {.l_onoff = 1};
	struct address from = {.sa.sa_family = to->sa.sa_family};
	const char *port = getenv("PROBE_PORT");
	int fd = make_socket(to->sa.sa_family, type);

	if (port) {
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		*port_of(&from) = htons((uint16_t)number(port, 1, 65535));
		if (bind(fd, &from.sa, to->len))
			die("source port %s: %s", port, strerror(errno));
	}
	if (getenv("PROBE_OPTIONS"))
		add_options(fd, to->sa.sa_family);
	if (connect(fd, &to->sa, to->len))
		die("connect: %s", strerror(errno));
	return fd;
}

static void send_all(int fd, const void *buf, size_t size)
{
	if (send(fd, buf, size, MSG_NOSIGNAL) != (ssize_t)size)
		die("send: %s", strerror(errno));
}

static void read_line(int fd, char *line, size_t size)
{
	size_t n = 0;

	while (n + 1 < size) {
		ssize_t got = recv(fd, line + n, 1, 0);

		if (got != 1)
			die("no greeting: %s", got ? strerror(errno) : "closed");
		if (line[n] == '\n')
			break;
		n++;
	}
	line[n] = 0;
}

/* --- server --- */

static void log_line(const char *proto, const struct address *from)
{
	printf("%s from %s\n", proto, name_of(from).s);
	fflush(stdout);
}

static void echo_tcp(int fd, const char *tag)
{
	static char buf[CHUNK];
	char line[128];
	ssize_t n;

	snprintf(line, sizeof(line), "%s saw %s\n", tag, peer_name(fd).s);
	send_all(fd, line, strlen(line));
	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
		send_all(fd, buf, (size_t)n);
}

static void serve_tcp(int listener, const char *tag)
{
	struct address from = {.len = sizeof(from.in6)};
	int fd = accept4(listener, &from.sa, &from.len, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	log_line("tcp", &from);
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		echo_tcp(fd, tag);
		_exit(0);
	}
	close(fd);
}

/* Answers leave with the address that was asked, by the interface that the routes name. */
static void answer_from_asked(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
			((struct in_pktinfo *)CMSG_DATA(c))->ipi_ifindex = 0;
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO)
			((struct in6_pktinfo *)CMSG_DATA(c))->ipi6_ifindex = 0;
	}
}

static void serve_udp(int fd, const char *tag)
{
	static char buf[CHUNK], reply[CHUNK + 128];
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	struct address from;
	struct iovec io = {buf, sizeof(buf)};
	struct msghdr m = {&from, sizeof(from.in6), &io, 1, control, sizeof(control), 0};
	ssize_t n = recvmsg(fd, &m, 0);
	int head;

	if (n < 0)
		return;
	from.len = m.msg_namelen;
	log_line("udp", &from);
	head = snprintf(reply, sizeof(reply), "%s saw %s: ", tag, name_of(&from).s);
	memcpy(reply + head, buf, (size_t)n);
	io = (struct iovec){reply, (size_t)head + (size_t)n};
	answer_from_asked(&m);
	sendmsg(fd, &m, 0);
}

static void listen_on(struct pollfd *p, int type, const struct address *a)
{
	int on = 1;

	p->events = POLLIN;
	p->fd = socket(a->sa.sa_family, type | SOCK_CLOEXEC, 0);
	setsockopt(p->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(p->fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	setsockopt(p->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	if (bind(p->fd, &a->sa, a->len) || (type == SOCK_STREAM && listen(p->fd, 512)))
		die("listen on %s: %s", name_of(a).s, strerror(errno));
}

/* serve TAG ADDRESS PORT[-END]...: TCP and UDP on each port; "::" is both families */
static int cmd_serve(int argc, char **argv)
{
	struct pollfd p[MAX_SOCKETS];
	nfds_t n = 0;

	signal(SIGCHLD, SIG_IGN);
	for (int i = 2; i < argc; i++) {
		char *dash = strchr(argv[i], '-');
		long lo, hi;

		if (dash)
			*dash++ = 0;
		lo = number(argv[i], 1, 65535);
		hi = dash ? number(dash, lo, 65535) : lo;
		for (long port = lo; port <= hi && n + 2 <= MAX_SOCKETS; port++) {
			struct address a = address(argv[1], "0");

			*port_of(&a) = htons((uint16_t)port);
			listen_on(&p[n++], SOCK_STREAM, &a);
			listen_on(&p[n++], SOCK_DGRAM, &a);
		}
	}
	puts("ready");
	fflush(stdout);
	while (poll(p, n, -1) >= 0 || errno == EINTR)
		for (nfds_t i = 0; i < n; i++)
			if (p[i].revents & POLLIN)
				(i % 2 ? serve_udp : serve_tcp)(p[i].fd, argv[0]);
	return 1;
}

/* --- client --- */

/* ask tcp|udp ADDRESS PORT: what does the server see, and who does my socket say it is? */
static int cmd_ask(int argc __attribute__((unused)), char **argv)
{
	struct address to = address(argv[1], argv[2]);
	int fd = dial(type_of(argv[0]), &to);
	char line[256] = "";

	if (type_of(argv[0]) == SOCK_STREAM) {
		read_line(fd, line, sizeof(line));
	} else {
		send_all(fd, "hello", 5);
		if (recv(fd, line, sizeof(line) - 1, 0) < 0)
			die("no answer: %s", strerror(errno));
	}
	printf("%s | peer %s | local %s\n", line, peer_name(fd).s, local_name(fd).s);
	return 0;
}

/* mapped tcp|udp ADDRESS PORT: the same with an IPv6 socket and the IPv4-mapped address */
static int cmd_mapped(int argc __attribute__((unused)), char **argv)
{
	struct sockaddr_in to = address4(argv[1], argv[2]);
	struct sockaddr_in6 to6 = {.sin6_family = AF_INET6, .sin6_port = to.sin_port}, peer = {0};
	int fd = socket(AF_INET6, type_of(argv[0]) | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(peer);
	char line[256] = "", text[INET6_ADDRSTRLEN];

	to6.sin6_addr.s6_addr16[5] = 0xffff;
	memcpy(&to6.sin6_addr.s6_addr32[3], &to.sin_addr, 4);
	if (connect(fd, (struct sockaddr *)&to6, sizeof(to6)))
		die("connect: %s", strerror(errno));
	if (getpeername(fd, (struct sockaddr *)&peer, &len))
		die("getpeername: %s", strerror(errno));
	send_all(fd, "hello", 5);
	if (recv(fd, line, sizeof(line) - 1, 0) < 0)
		die("no answer: %s", strerror(errno));
	line[strcspn(line, "\n")] = '\0';
	inet_ntop(AF_INET6, &peer.sin6_addr, text, sizeof(text));
	printf("%s | peer %s:%u\n", line, text, ntohs(peer.sin6_port));
	return 0;
}

/* sendto ADDRESS PORT [ADDRESS PORT]...: datagrams of one unconnected socket; who answers? */
static int cmd_sendto(int argc, char **argv)
{
	int fd = make_socket(address(argv[0], "0").sa.sa_family, SOCK_DGRAM);

	for (int i = 0; i + 1 < argc; i += 2) {
		struct address to = address(argv[i], argv[i + 1]), from = {.len = sizeof(from.in6)};
		char line[256] = "";

		if (sendto(fd, "hello", 5, 0, &to.sa, to.len) != 5)
			die("sendto: %s", strerror(errno));
		if (recvfrom(fd, line, sizeof(line) - 1, 0, &from.sa, &from.len) < 0)
			die("no answer: %s", strerror(errno));
		printf("%s | from %s\n", line, name_of(&from).s);
	}
	return 0;
}

static uint8_t byte_at(uint64_t i)
{
	uint64_t x = i * 0x9e3779b97f4a7c15ULL;

	return (uint8_t)(x >> 56 ^ x >> 31);
}

/* Move what fits in one direction; content is checked byte by byte. */
static void pump_out(int fd, uint64_t *sent, uint64_t total)
{
	static uint8_t buf[CHUNK];
	size_t size = total - *sent < CHUNK ? total - *sent : CHUNK;
	ssize_t n;

	for (size_t i = 0; i < size; i++)
		buf[i] = byte_at(*sent + i);
	n = send(fd, buf, size, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && errno != EAGAIN)
		die("send: %s", strerror(errno));
	*sent += n > 0 ? (uint64_t)n : 0;
	if (*sent == total)
		shutdown(fd, SHUT_WR);
}

static void pump_in(int fd, uint64_t *got)
{
	static uint8_t buf[CHUNK];
	ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		die("after %llu bytes: %s", (unsigned long long)*got,
		    n ? strerror(errno) : "closed");
	for (ssize_t i = 0; i < n; i++)
		if (buf[i] != byte_at(*got + (uint64_t)i))
			die("byte %llu is wrong", (unsigned long long)*got + (uint64_t)i);
	*got += (uint64_t)n;
}

/* pump ADDRESS PORT BYTES: both directions at once */
static int cmd_pump(int argc __attribute__((unused)), char **argv)
{
	struct address to = address(argv[0], argv[1]);
	uint64_t total = (uint64_t)number(argv[2], 1, 1L << 40), sent = 0, got = 0;
	struct pollfd p = {.fd = dial(SOCK_STREAM, &to)};
	char line[128];

	read_line(p.fd, line, sizeof(line));
	while (got < total) {
		p.events = sent < total ? POLLIN | POLLOUT : POLLIN;
		if (poll(&p, 1, TIMEOUT_SEC * 1000) <= 0)
			die("stuck after %llu bytes out, %llu back", (unsigned long long)sent,
			    (unsigned long long)got);
		if (sent < total && p.revents & POLLOUT)
			pump_out(p.fd, &sent, total);
		if (p.revents & (POLLIN | POLLHUP | POLLERR))
			pump_in(p.fd, &got);
	}
	printf("ok %llu\n", (unsigned long long)got);
	return 0;
}

/* datagram ADDRESS PORT BYTES: one there and, behind the server's words, back unharmed */
static int cmd_datagram(int argc __attribute__((unused)), char **argv)
{
	static uint8_t out[CHUNK], back[CHUNK];
	struct address to = address(argv[0], argv[1]);
	size_t size = (size_t)number(argv[2], 1, 65000);
	int fd = dial(SOCK_DGRAM, &to);
	ssize_t got;

	for (size_t i = 0; i < size; i++)
		out[i] = byte_at(i);
	send_all(fd, out, size);
	got = recv(fd, back, sizeof(back), 0);
	if (got < 0)
		die("no answer: %s", strerror(errno));
	if ((size_t)got < size || memcmp(back + got - size, out, size))
		die("%zd bytes back, and not those that were sent", got);
	printf("ok %zu\n", size);
	return 0;
}

static int path_mtu(int fd, int family)
{
	int mtu = 0;
	socklen_t len = sizeof(mtu);

	if (family == AF_INET ? getsockopt(fd, IPPROTO_IP, IP_MTU, &mtu, &len)
			      : getsockopt(fd, IPPROTO_IPV6, IPV6_MTU, &mtu, &len))
		die("path MTU: %s", strerror(errno));
	return mtu;
}

/* pmtu ADDRESS PORT: datagrams as large as the path is known to be, never fragmented, until one is
 * answered; what is the path's MTU then? */
static int cmd_pmtu(int argc __attribute__((unused)), char **argv)
{
	static uint8_t buf[CHUNK];
	struct address to = address(argv[0], argv[1]);
	int family = to.sa.sa_family, fd = dial(SOCK_DGRAM, &to), mtu;
	const int never = IP_PMTUDISC_DO; /* the same number in IPv6 */
	size_t headers = family == AF_INET ? 28 : 48;

	if (family == AF_INET
		    ? setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &never, sizeof(never))
		    : setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &never, sizeof(never)))
		die("path MTU discovery: %s", strerror(errno));
	for (int i = 0; i < PMTU_ROUNDS; i++) {
		mtu = path_mtu(fd, family);
		if (send(fd, buf, (size_t)mtu - headers, 0) < 0 && errno != EMSGSIZE)
			die("send: %s", strerror(errno));
		if (recv(fd, buf, sizeof(buf), 0) >= 0) {
			printf("mtu %d\n", mtu);
			return 0;
		}
		if (errno != EMSGSIZE && errno != EAGAIN)
			die("no answer: %s", strerror(errno));
	}
	die("no answer with datagrams of an MTU of %d", mtu);
}

/* One byte there and back; a UDP server puts words in front of it. */
static void live_round(int fd, int i, unsigned long round)
{
	char c = (char)('a' + i % 26), back[256] = "";
	ssize_t got;

	send_all(fd, &c, 1);
	got = recv(fd, back, sizeof(back), 0);
	if (got < 1 || back[got - 1] != c)
		die("connection %d broke in round %lu: %s", i, round,
		    got < 0 ? strerror(errno)
		    : got   ? "wrong byte"
			    : "closed");
}

/* live ADDRESS PORT COUNT [udp]: keep connections talking until stdin ends; then say how often each
 * did */
static int cmd_live(int argc, char **argv)
{
	struct address to = address(argv[0], argv[1]);
	int n = (int)number(argv[2], 1, MAX_SOCKETS), type = type_of(argc > 3 ? argv[3] : "tcp");
	struct pollfd in = {.fd = 0, .events = POLLIN};
	int fd[MAX_SOCKETS];
	unsigned long rounds = 0;
	char line[128];

	for (int i = 0; i < n; i++) {
		fd[i] = dial(type, &to);
		if (type == SOCK_STREAM)
			read_line(fd[i], line, sizeof(line));
		live_round(fd[i], i, 0);
	}
	puts("open");
	fflush(stdout);
	do {
		rounds++;
		for (int i = 0; i < n; i++)
			live_round(fd[i], i, rounds);
	} while (poll(&in, 1, 1) == 0);
	printf("ok %d connections, %lu rounds\n", n, rounds);
	return 0;
}

/* fill ADDRESS PORT LO HI: a datagram from each source port */
static int cmd_fill(int argc __attribute__((unused)), char **argv)
{
	struct address to = address(argv[0], argv[1]);
	long lo = number(argv[2], 1, 65535), hi = number(argv[3], lo, 65535);

	for (long port = lo; port <= hi; port++) {
		struct address from = {.sa.sa_family = to.sa.sa_family};
		int fd = make_socket(to.sa.sa_family, SOCK_DGRAM);

		*port_of(&from) = htons((uint16_t)port);
		if (bind(fd, &from.sa, to.len) || sendto(fd, "x", 1, 0, &to.sa, to.len) != 1)
			die("port %ld: %s", port, strerror(errno));
		close(fd);
	}
	printf("%ld sent\n", hi - lo + 1);
	return 0;
}

/* bind tcp|udp ADDRESS PORT: may I? */
static int cmd_bind(int argc __attribute__((unused)), char **argv)
{
	struct address a = address(argv[1], argv[2]);
	int fd = make_socket(a.sa.sa_family, type_of(argv[0]));

	puts(bind(fd, &a.sa, a.len) ? strerrorname_np(errno) : "bound");
	return 0;
}

/* --- raw packets --- */

static uint32_t sum_words(const void *data, size_t size, uint32_t sum)
{
	const uint8_t *p = data;

	for (size_t i = 0; i + 1 < size; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

struct syn {
	struct iphdr ip;
	struct tcphdr tcp;
};

static void make_syn(struct syn *s, struct in_addr from, const struct sockaddr_in *to, uint32_t i)
{
	uint32_t sum;

	memset(s, 0, sizeof(*s));
	s->ip.version = 4;
	s->ip.ihl = 5;
	s->ip.tot_len = htons(sizeof(*s));
	s->ip.ttl = 64;
	s->ip.protocol = IPPROTO_TCP;
	s->ip.saddr = from.s_addr;
	s->ip.daddr = to->sin_addr.s_addr;
	s->tcp.source = htons((uint16_t)(1024 + i % 60000));
	s->tcp.dest = to->sin_port;
	s->tcp.seq = htonl(i * 2654435761U);
	s->tcp.doff = 5;
	s->tcp.syn = 1;
	s->tcp.window = htons(65535);
	sum = sum_words(&s->ip.saddr, 8, IPPROTO_TCP + sizeof(s->tcp));
	s->tcp.check = fold(sum_words(&s->tcp, sizeof(s->tcp), sum));
}

/* flood FROM ADDRESS PORT COUNT: SYNs from COUNT different ports of FROM.0 to FROM.255 */
static int cmd_flood(int argc __attribute__((unused)), char **argv)
{
	struct sockaddr_in from = address4(argv[0], "0"), to = address4(argv[1], argv[2]);
	long count = number(argv[3], 1, FLOOD_MAX), sent = 0;
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	uint32_t base = ntohl(from.sin_addr.s_addr) & ~0xffU;

	if (fd < 0)
		die("raw socket: %s", strerror(errno));
	for (long i = 0; i < count; i++) {
		struct in_addr src = {.s_addr = htonl(base + (uint32_t)(i / 60000 + 1) % 256)};
		struct syn s;

		make_syn(&s, src, &to, (uint32_t)i);
		if (sendto(fd, &s, sizeof(s), 0, (struct sockaddr *)&to, sizeof(to)) ==
		    (ssize_t)sizeof(s))
			sent++;
		else if (errno != ENOBUFS)
			die("send: %s", strerror(errno));
	}
	printf("%ld sent\n", sent);
	return 0;
}

static void parse_mac(const char *text, uint8_t *to)
{
	if (sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &to[0], &to[1], &to[2], &to[3], &to[4],
		   &to[5]) != 6)
		die("%s: not a MAC", text);
}

/* frame INTERFACE MAC VLAN FROM ADDRESS PORT [SOURCE_MAC]: a SYN as a raw frame; with a VLAN tag
 * unless it is 0 */
static int cmd_frame(int argc, char **argv)
{
	struct sockaddr_in from = address4(argv[3], "0"), to = address4(argv[4], argv[5]);
	struct sockaddr_ll ll = {.sll_family = AF_PACKET, .sll_halen = ETH_ALEN};
	uint16_t vlan = (uint16_t)number(argv[2], 0, 4094);
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	uint8_t buf[18 + sizeof(struct syn)];
	size_t head = vlan ? 16 : 12;

	ll.sll_ifindex = (int)if_nametoindex(argv[0]);
	memset(buf, 2, sizeof(buf));
	parse_mac(argv[1], buf);
	if (argc > 6)
		parse_mac(argv[6], buf + 6);
	memcpy(buf + 12, (uint8_t[]){0x81, 0, (uint8_t)(vlan >> 8), (uint8_t)vlan}, 4);
	memcpy(buf + head, (uint8_t[]){8, 0}, 2);
	make_syn((struct syn *)(buf + head + 2), from.sin_addr, &to, 7);
	if (sendto(fd, buf, head + 2 + sizeof(struct syn), 0, (struct sockaddr *)&ll, sizeof(ll)) <
	    0)
		die("send: %s", strerror(errno));
	puts("sent");
	return 0;
}

/* advertise INTERFACE ADDRESS: claim an address to all nodes of a link (RFC 4861, 4.4) */
static int cmd_advertise(int argc __attribute__((unused)), char **argv)
{
	struct address target = address(argv[1], "0"), all = address("ff02::1", "0");
	struct nd_neighbor_advert na = {
		.nd_na_type = ND_NEIGHBOR_ADVERT,
		.nd_na_flags_reserved = ND_NA_FLAG_OVERRIDE,
		.nd_na_target = target.in6.sin6_addr,
	};
	int fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6), hops = 255;

	all.in6.sin6_scope_id = if_nametoindex(argv[0]);
	setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops));
	/* A macvlan's hook refuses before the packet is sent: that is the kernel's word for it. */
	if (sendto(fd, &na, sizeof(na), 0, &all.sa, all.len) != sizeof(na) && errno != ENOBUFS)
		die("advertise: %s", strerror(errno));
	return 0;
}

static const struct cmd {
	const char *name, *args;
	int min_args;
	int (*run)(int argc, char **argv);
} cmds[] = {
	{"serve", "TAG ADDRESS PORT[-END]...", 3, cmd_serve},
	{"ask", "tcp|udp ADDRESS PORT", 3, cmd_ask},
	{"mapped", "tcp|udp ADDRESS PORT", 3, cmd_mapped},
	{"sendto", "ADDRESS PORT [ADDRESS PORT]...", 2, cmd_sendto},
	{"pump", "ADDRESS PORT BYTES", 3, cmd_pump},
	{"live", "ADDRESS PORT COUNT [udp]", 3, cmd_live},
	{"datagram", "ADDRESS PORT BYTES", 3, cmd_datagram},
	{"pmtu", "ADDRESS PORT", 2, cmd_pmtu},
	{"fill", "ADDRESS PORT LO HI", 4, cmd_fill},
	{"bind", "tcp|udp ADDRESS PORT", 3, cmd_bind},
	{"flood", "FROM ADDRESS PORT COUNT", 4, cmd_flood},
	{"frame", "INTERFACE MAC VLAN FROM ADDRESS PORT [SOURCE_MAC]", 6, cmd_frame},
	{"advertise", "INTERFACE ADDRESS", 2, cmd_advertise},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(cmds) / sizeof(cmds[0]); i++)
		if (argc > 1 && !strcmp(argv[1], cmds[i].name) && argc - 2 >= cmds[i].min_args)
			return cmds[i].run(argc - 2, argv + 2);
	for (size_t i = 0; i < sizeof(cmds) / sizeof(cmds[0]); i++)
		fprintf(stderr, "usage: probe %s %s\n", cmds[i].name, cmds[i].args);
	return 2;
}
