// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames into an XDP program, as fast as one CPU makes them: BPF_PROG_TEST_RUN with live frames
 * (Linux 5.18), which does to each frame what the program says. "pass" is a program that hands
 * every frame to the host's stack, as a driver without XDP does; "drop" is an empty one, and shows
 * what the frames themselves cost.
 *
 * usage: frames INTERFACE PROGRAM|pass|drop SOURCE DESTINATION PORT COUNT
 *
 * Prints the nanoseconds that each took. Whether all arrived must be seen where they went.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <net/if.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LIVE_FRAMES (1U << 1) /* BPF_F_TEST_XDP_LIVE_FRAMES */
#define BATCH       64
#define PAYLOAD     18 /* the smallest frame that Ethernet has */

struct frame {
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
	char payload[PAYLOAD];
} __attribute__((packed));

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "frames: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int sys_bpf(int cmd, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static int open_program(const char *path)
{
	union bpf_attr attr = {.pathname = (uintptr_t)path};
	int fd = sys_bpf(BPF_OBJ_GET, &attr);

	if (fd < 0)
		die(path);
	return fd;
}

/* r0 = verdict; exit */
static int load_verdict(int verdict)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = verdict},
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_XDP,
		.insns = (uintptr_t)insns,
		.insn_cnt = sizeof(insns) / sizeof(insns[0]),
		.license = (uintptr_t) "GPL",
	};
	int fd = sys_bpf(BPF_PROG_LOAD, &attr);

	if (fd < 0)
		die("load a program");
	return fd;
}

static void mac_of(const char *name, uint8_t mac[ETH_ALEN])
{
	struct ifreq req = {};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &req))
		die(name);
	memcpy(mac, req.ifr_hwaddr.sa_data, ETH_ALEN);
	close(fd);
}

static uint16_t checksum(const void *data, size_t len)
{
	const uint16_t *word = data;
	uint32_t sum = 0;

	for (size_t i = 0; i < len / 2; i++)
		sum += word[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~(sum + (sum >> 16));
}

static struct frame make_frame(const char *ifname, const char *src, const char *dst, uint16_t port)
{
	struct frame f = {
		.eth = {.h_source = {2, 0, 0, 0, 0, 9}, .h_proto = htons(ETH_P_IP)},
		.ip = {.version = 4,
		       .ihl = 5,
		       .ttl = 64,
		       .protocol = IPPROTO_UDP,
		       .tot_len = htons(sizeof(f) - sizeof(f.eth))},
		.udp = {.source = htons(40000),
			.dest = htons(port),
			.len = htons(sizeof(f.udp) + sizeof(f.payload))},
	};

	mac_of(ifname, f.eth.h_dest);
	if (inet_pton(AF_INET, src, &f.ip.saddr) != 1 ||
	    inet_pton(AF_INET, dst, &f.ip.daddr) != 1) {
		errno = EINVAL;
		die("address");
	}
	f.ip.check = checksum(&f.ip, sizeof(f.ip));
	return f;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static double run(int prog, unsigned int ifindex, struct frame *f, uint32_t count)
{
	struct xdp_md ctx = {.data_end = sizeof(*f), .ingress_ifindex = ifindex};
	union bpf_attr attr = {};
	uint64_t start;

	attr.test.prog_fd = (uint32_t)prog;
	attr.test.data_in = (uintptr_t)f;
	attr.test.data_size_in = sizeof(*f);
	attr.test.ctx_in = (uintptr_t)&ctx;
	attr.test.ctx_size_in = sizeof(ctx);
	attr.test.repeat = count;
	attr.test.flags = LIVE_FRAMES;
	attr.test.batch_size = BATCH;
	start = now_ns();
	if (sys_bpf(BPF_PROG_TEST_RUN, &attr))
		die("run the program");
	return (double)(now_ns() - start) / count;
}

int main(int argc, char **argv)
{
	struct frame f;
	cpu_set_t cpu;
	int prog;

	if (argc != 7 || !if_nametoindex(argv[1]) || atoi(argv[6]) < 1) {
		fputs("usage: frames INTERFACE PROGRAM|pass|drop SOURCE DESTINATION PORT COUNT\n",
		      stderr);
		return 2;
	}
	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	if (sched_setaffinity(0, sizeof(cpu), &cpu))
		die("stay on one CPU");
	if (!strcmp(argv[2], "pass"))
		prog = load_verdict(XDP_PASS);
	else if (!strcmp(argv[2], "drop"))
		prog = load_verdict(XDP_DROP);
	else
		prog = open_program(argv[2]);
	f = make_frame(argv[1], argv[3], argv[4], (uint16_t)atoi(argv[5]));
	printf("%.1f\n", run(prog, if_nametoindex(argv[1]), &f, (uint32_t)atoi(argv[6])));
	return 0;
}
