// SPDX-License-Identifier: GPL-2.0-only
/* The netlink layer against the kernel: each test in network namespaces of its own. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "net/link.h"
#include "net/netns.h"
#include "net/sockdiag.h"

#include "bpf/cmocka_all.h"

static const struct up_pair_spec pair = {
	.host_name = "up7",
	.host_mac = {2, 0, 0, 0, 0, 1},
	.host_alias = "underpass:web",
	.peer_name = "eth0",
	.peer_mac = {2, 0, 0, 0, 0, 2},
	.mtu = 1400,
};

static struct up_err err;

/* Enter a fresh namespace; *state is its netlink socket. */
static int fresh(void **state)
{
	return unshare(CLONE_NEWNET) || up_nl_open(NETLINK_ROUTE, (struct up_nl **)state, &err);
}

static int done(void **state)
{
	up_nl_close((struct up_nl **)state);
	return 0;
}

/* Another namespace, as an fd; the caller stays where it is. */
static int another(void)
{
	int here = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), there;

	assert_int_equal(unshare(CLONE_NEWNET), 0);
	there = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	assert_true(here >= 0 && there >= 0);
	assert_int_equal(setns(here, CLONE_NEWNET), 0);
	close(here);
	return there;
}

static void a_veth_is_born_in_its_place(void **state)
{
	struct up_pair_spec spec = pair;
	struct up_nl *there = NULL;
	struct up_link link;

	spec.peer_netns = another();
	assert_int_equal(up_pair_create(*state, &spec, &err), 0);
	assert_int_equal(up_link_get(*state, "up7", 0, &link, &err), 0);
	assert_string_equal(link.alias, "underpass:web");
	assert_string_equal(link.kind, "veth");
	assert_memory_equal(link.mac, spec.host_mac, 6);
	assert_int_equal(link.mtu, 1400);
	assert_true(link.ethernet);
	assert_int_equal(up_link_get(*state, "eth0", 0, &link, &err), -ENODEV);
	assert_string_equal(err.msg, "interface eth0: No such device");

	assert_int_equal(up_nl_open_in(NETLINK_ROUTE, spec.peer_netns, &there, &err), 0);
	assert_int_equal(up_link_get(there, "eth0", 0, &link, &err), 0);
	assert_memory_equal(link.mac, spec.peer_mac, 6);
	assert_int_equal(link.mtu, 1400);
	up_nl_close(&there);

	assert_int_equal(up_pair_create(*state, &spec, &err), -EEXIST);
	assert_non_null(strstr(err.msg, "veth up7: create: File exists"));
	close(spec.peer_netns);
}

static void a_link_can_be_deleted_once(void **state)
{
	struct up_pair_spec spec = pair;
	struct up_link link;

	spec.peer_netns = another();
	assert_int_equal(up_pair_create(*state, &spec, &err), 0);
	assert_int_equal(up_link_get(*state, "up7", 0, &link, &err), 0);
	assert_int_equal(up_link_del(*state, link.ifindex, &err), 0);
	assert_int_equal(up_link_del(*state, link.ifindex, &err), -ENODEV);
	close(spec.peer_netns);
}

/* Gone from both ends' namespaces on return, whatever the kernel still has to tidy up: the names
 * are free for the next pair. */
static void a_link_is_deleted_quickly(void **state)
{
	struct up_pair_spec spec = pair;
	struct up_nl *there = NULL;
	struct up_link link;

	spec.peer_netns = another();
	assert_int_equal(up_nl_open_in(NETLINK_ROUTE, spec.peer_netns, &there, &err), 0);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(up_pair_create(*state, &spec, &err), 0);
		assert_int_equal(up_link_get(*state, "up7", 0, &link, &err), 0);
		assert_int_equal(up_link_set_up(*state, link.ifindex, &err), 0);
		assert_int_equal(up_link_del_quickly(*state, link.ifindex, &err), 0);
		assert_int_equal(up_link_get(there, "eth0", 0, &link, &err), -ENODEV);
	}
	assert_int_equal(up_link_del_quickly(*state, 4711, &err), -ENODEV);
	assert_string_equal(err.msg, "interface 4711: delete: No such device");
	up_nl_close(&there);
	close(spec.peer_netns);
}

static int count_link(const struct up_link *link, void *arg)
{
	*(int *)arg += !strcmp(link->name, "up7") || !strcmp(link->name, "lo");
	return 0;
}

static int stop_at_once(const struct up_link *link, void *arg)
{
	(void)link;
	++*(int *)arg;
	return -ECANCELED;
}

static void links_are_listed_until_told_to_stop(void **state)
{
	struct up_pair_spec spec = pair;
	int n = 0;

	spec.peer_netns = another();
	assert_int_equal(up_pair_create(*state, &spec, &err), 0);
	assert_int_equal(up_link_foreach(*state, count_link, &n, &err), 0);
	assert_int_equal(n, 2);
	n = 0;
	assert_int_equal(up_link_foreach(*state, stop_at_once, &n, &err), -ECANCELED);
	assert_int_equal(n, 1);
	/* The socket is in order for the next request. */
	assert_int_equal(up_link_foreach(*state, count_link, &n, &err), 0);
	close(spec.peer_netns);
}

/* What another tool says of it. */
static bool ip_says(const char *command, const char *what)
{
	char text[4096] = "";
	FILE *ip = popen(command, "r");

	assert_non_null(ip);
	assert_true(fread(text, 1, sizeof(text) - 1, ip) > 0);
	assert_int_equal(pclose(ip), 0);
	return strstr(text, what) != NULL;
}

static struct up_addr of(const char *text)
{
	struct up_addr addr;

	assert_int_equal(up_addr_parse(text, &addr), 0);
	return addr;
}

static void addresses_routes_neighbours(void **state)
{
	const struct up_addr addr = of("10.215.0.2"), gateway = of("10.215.0.1");
	const struct up_addr addr6 = of("fd00::2"), gateway6 = of("fd00::1");
	struct up_route route = {.dst = UP_ANY_V4, .gateway = gateway, .onlink = true};
	struct up_route route6 = {.gateway = gateway6, .onlink = true};
	struct up_pair_spec spec = pair;
	struct up_link link;

	spec.peer_netns = another();
	assert_int_equal(up_pair_create(*state, &spec, &err), 0);
	assert_int_equal(up_link_get(*state, "up7", 0, &link, &err), 0);
	route.ifindex = route6.ifindex = link.ifindex;
	assert_int_equal(up_link_set_up(*state, link.ifindex, &err), 0);
	assert_int_equal(up_addr_add(*state, link.ifindex, &addr, 32, &err), 0);
	assert_int_equal(up_addr_add(*state, link.ifindex, &addr, 32, &err), -EEXIST);
	assert_int_equal(up_neigh_add(*state, link.ifindex, &gateway, spec.peer_mac, &err), 0);
	assert_int_equal(up_neigh_add(*state, link.ifindex, &gateway, spec.peer_mac, &err), 0);
	assert_int_equal(up_route_add(*state, &route, &err), 0);
	assert_int_equal(up_route_add(*state, &route, &err), -EEXIST);
	assert_non_null(strstr(err.msg, "route 0.0.0.0/0: add"));
	assert_int_equal(up_link_set_forwarding(*state, link.ifindex, &err), 0);
	assert_int_equal(up_addr_add(*state, link.ifindex, &addr6, 64, &err), 0);
	assert_int_equal(up_neigh_add(*state, link.ifindex, &gateway6, spec.peer_mac, &err), 0);
	assert_int_equal(up_route_add(*state, &route6, &err), 0);
	assert_int_equal(up_link_set_forwarding6("up7", &err), 0);

	assert_true(ip_says("ip addr show dev up7", "inet 10.215.0.2/32"));
	assert_true(ip_says("ip route", "default via 10.215.0.1 dev up7 proto static onlink"));
	assert_true(ip_says("ip neigh", "10.215.0.1 dev up7 lladdr 02:00:00:00:00:02 PERMANENT"));
	assert_true(ip_says("cat /proc/sys/net/ipv4/conf/up7/forwarding", "1"));
	assert_true(ip_says("cat /proc/sys/net/ipv4/ip_forward", "0"));
	/* No route to the /64, no duplicate address detection. */
	assert_true(ip_says("ip addr show dev up7",
			    "inet6 fd00::2/64 scope global nodad noprefixroute"));
	assert_true(ip_says("ip -6 route",
			    "default via fd00::1 dev up7 proto static metric 1024 onlink"));
	assert_false(ip_says("ip -6 route", "fd00::/64"));
	assert_true(ip_says("ip neigh", "fd00::1 dev up7 lladdr 02:00:00:00:00:02 PERMANENT"));
	assert_true(ip_says("cat /proc/sys/net/ipv6/conf/up7/forwarding", "1"));
	assert_true(ip_says("cat /proc/sys/net/ipv6/conf/all/forwarding", "0"));
	close(spec.peer_netns);
}

static void the_default_uplink_is_the_nearest(void **state)
{
	int ifindex = 0;

	assert_int_equal(up_default_uplink(*state, &ifindex, &err), -ENETUNREACH);
	assert_non_null(strstr(err.msg, "--uplink"));
	assert_int_equal(system("ip link add n1 type veth peer name p1 && ip link set n1 up && "
				"ip link set p1 up && ip link add n2 type veth peer name p2 && "
				"ip link set n2 up && ip link set p2 up && "
				"ip route add default dev n1 metric 200 && "
				"ip route add default dev n2 metric 100"),
			 0);
	assert_int_equal(up_default_uplink(*state, &ifindex, &err), 0);
	assert_int_equal(ifindex, (int)if_nametoindex("n2"));
}

static void namespaces(void **state)
{
	uint64_t here, there;
	cleanup_fd int fd = another();

	(void)state;
	assert_int_equal(up_netns_open("/proc/self/stat", &err), -EINVAL);
	assert_string_equal(err.msg, "/proc/self/stat is not a network namespace");
	assert_int_equal(up_netns_open("/proc/self/ns/mnt", &err), -EINVAL);
	assert_int_equal(up_netns_open("/nowhere", &err), -ENOENT);
	assert_int_equal(up_netns_cookie(&here, &err), 0);
	{
		cleanup_netns int old = -1;

		assert_int_equal(up_netns_enter(fd, &old, &err), 0);
		assert_int_equal(up_netns_cookie(&there, &err), 0);
	}
	assert_int_not_equal(here, there);
	assert_int_equal(up_netns_cookie(&there, &err), 0);
	assert_int_equal(here, there);
}

/* ---- who holds a port -------------------------------------------------------------------------
 */

static int hold4(int type, uint32_t addr, uint16_t port)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(addr),
		.sin_port = htons(port),
	};
	int fd = socket(AF_INET, type, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static int hold6(const char *addr, uint16_t port, int v6only)
{
	struct sockaddr_in6 sin = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	assert_int_equal(inet_pton(AF_INET6, addr, &sin.sin6_addr), 1);
	assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static uint16_t holder_at(uint8_t proto, const struct up_addr *addr, uint16_t lo, uint16_t hi)
{
	uint16_t port = 9;

	assert_int_equal(up_sockdiag_holder(proto, addr, lo, hi, &port, &err), 0);
	return port;
}

/* An IPv4 address, or 0 for all of them. */
static uint16_t holder(uint8_t proto, uint32_t addr, uint16_t lo, uint16_t hi)
{
	const struct up_addr a = UP_MAPPED(htonl(addr));

	return holder_at(proto, &a, lo, hi);
}

static void holders_of_ports(void **state)
{
	const struct up_addr any = UP_ANY, any6 = UP_ANY_V6, other6 = of("2001:db8::7");
	int fds[8], n = 0;

	(void)state;
	assert_int_equal(system("ip link set lo up"), 0);
	assert_int_equal(holder(IPPROTO_TCP, 0, 1, 65535), 0);
	fds[n++] = hold4(SOCK_STREAM, INADDR_LOOPBACK, 1000);
	fds[n++] = hold4(SOCK_DGRAM, INADDR_ANY, 2000);
	fds[n++] = hold6("::", 3000, 0);
	fds[n++] = hold6("::", 4000, 1);
	fds[n++] = hold6("::1", 5000, 0);
	fds[n++] = hold6("::ffff:127.0.0.1", 6000, 0);

	assert_int_equal(holder(IPPROTO_TCP, 0, 1, 65535), 1000); /* the lowest */
	assert_int_equal(holder(IPPROTO_TCP, 0, 1000, 1000), 1000);
	assert_int_equal(holder(IPPROTO_TCP, 0, 1001, 2999), 0);
	assert_int_equal(holder(IPPROTO_TCP, INADDR_LOOPBACK, 1000, 1000), 1000);
	assert_int_equal(holder(IPPROTO_TCP, 0x7f000002, 1000, 1000), 0);
	assert_int_equal(holder(IPPROTO_UDP, 0x7f000002, 2000, 2000), 2000);
	assert_int_equal(holder(IPPROTO_TCP, 0, 2000, 2000), 0);
	assert_int_equal(holder(IPPROTO_TCP, 0x7f000002, 3000, 3000), 3000);
	assert_int_equal(holder(IPPROTO_TCP, 0, 4000, 4000), 0); /* IPv6 only */
	assert_int_equal(holder(IPPROTO_TCP, 0, 5000, 5000), 0);
	assert_int_equal(holder(IPPROTO_TCP, 0, 6000, 6000), 6000);
	assert_int_equal(holder(IPPROTO_TCP, 0x7f000002, 6000, 6000), 0);

	assert_int_equal(holder_at(IPPROTO_TCP, &any, 4000, 4000), 4000);
	assert_int_equal(holder_at(IPPROTO_TCP, &any6, 1000, 1000), 0);
	assert_int_equal(holder_at(IPPROTO_TCP, &any6, 3000, 3000), 3000);
	assert_int_equal(holder_at(IPPROTO_TCP, &other6, 4000, 4000), 4000);
	assert_int_equal(holder_at(IPPROTO_TCP, &other6, 5000, 5000), 0);
	assert_int_equal(holder_at(IPPROTO_TCP, &any6, 6000, 6000), 0);
	assert_int_equal(holder_at(IPPROTO_SCTP, &any, 1, 65535), 0);
	while (n)
		close(fds[--n]);
}

static void a_connected_udp_socket_holds_no_port(void **state)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(53),
	};
	int fd;

	(void)state;
	assert_int_equal(system("ip link set lo up"), 0);
	fd = hold4(SOCK_DGRAM, INADDR_LOOPBACK, 2000);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(holder(IPPROTO_UDP, 0, 2000, 2000), 0);
	close(fd);
}

#define IN_NETNS(f) cmocka_unit_test_setup_teardown(f, fresh, done)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		IN_NETNS(a_veth_is_born_in_its_place),
		IN_NETNS(a_link_can_be_deleted_once),
		IN_NETNS(a_link_is_deleted_quickly),
		IN_NETNS(links_are_listed_until_told_to_stop),
		IN_NETNS(addresses_routes_neighbours),
		IN_NETNS(the_default_uplink_is_the_nearest),
		IN_NETNS(namespaces),
		IN_NETNS(holders_of_ports),
		IN_NETNS(a_connected_udp_socket_holds_no_port),
	};

	return cmocka_run_group_tests_name("net", tests, NULL, NULL);
}
