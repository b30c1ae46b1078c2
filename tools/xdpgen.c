// SPDX-License-Identifier: GPL-2.0-only
/*
 * A packet generator: the kernel's own (BPF_F_TEST_XDP_LIVE_FRAMES, Linux 5.18), which makes frames
 * out of one packet and sends them by XDP, millions in a second on one CPU. Run in the sender's
 * network namespace.
 *
 * It says how many it sent, in which time, and what the programs named by their pins took for each
 * packet (run_time_ns over run_cnt, counted while it runs). Frames can be lost in silence on their
 * way: the caller has to look what arrived.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>

#include "cputime.h"

#define PINS_MAX 8
#define BATCH    64

__attribute__((noreturn)) static void die(const char *what)
{
	fprintf(stderr, "xdpgen: %s: %s\n", what, strerror(errno));
	exit(1);
}

__attribute__((noreturn)) static void usage(void)
{
	fputs("usage: xdpgen [-c CPU] [-n PACKETS] [-p PIN]... IF DMAC SADDR SPORT DADDR "
	      "DPORT\n"
	      "\n"
	      "  -c CPU      run on this CPU only\n"
	      "  -n PACKETS  how many (1000000)\n"
	      "  -p PIN      a program whose run time is to be told\n",
	      stderr);
	exit(2);
}

struct frame {
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
	char data[22];
} __attribute__((packed));

static uint16_t sum16(const void *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i += 2)
		sum += *(const uint16_t *)((const char *)p + i);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~(sum + (sum >> 16));
}

/* UDP's checksum is left out (RFC 768): every packet is the same, and the sink does not look. */
static void make_frame(struct frame *f, char **argv)
{
	memset(f, 0, sizeof(*f));
	if (sscanf(argv[1], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &f->eth.h_dest[0], &f->eth.h_dest[1],
		   &f->eth.h_dest[2], &f->eth.h_dest[3], &f->eth.h_dest[4], &f->eth.h_dest[5]) != 6)
		usage();
	f->eth.h_source[0] = 2;
	f->eth.h_proto = htons(ETH_P_IP);
	f->ip.version = 4;
	f->ip.ihl = 5;
	f->ip.ttl = 64;
	f->ip.protocol = IPPROTO_UDP;
	f->ip.tot_len = htons(sizeof(*f) - sizeof(f->eth));
	if (inet_pton(AF_INET, argv[2], &f->ip.saddr) != 1 ||
	    inet_pton(AF_INET, argv[4], &f->ip.daddr) != 1)
		usage();
	f->ip.check = sum16(&f->ip, sizeof(f->ip));
	f->udp.source = htons((uint16_t)atoi(argv[3]));
	f->udp.dest = htons((uint16_t)atoi(argv[5]));
	f->udp.len = htons(sizeof(*f) - sizeof(f->eth) - sizeof(f->ip));
}

#define WORDS (sizeof(struct frame) / 8)

_Static_assert(sizeof(struct frame) % 8 == 0, "written word by word");

/* Frames are used again and again: what the way has written into them has to be written over.
 *	if (ctx->data + sizeof(*f) <= ctx->data_end)
 *		*(struct frame *)ctx->data = *f;
 *	return bpf_redirect(ifindex, 0);
 */
static int load_sender(int ifindex, const struct frame *f)
{
	struct bpf_insn insns[9 + 3 * WORDS] = {
		{.code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = 2, .src_reg = 1, .off = 0},
		{.code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = 3, .src_reg = 1, .off = 4},
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 4, .src_reg = 2},
		{.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 4, .imm = sizeof(*f)},
		{.code = BPF_JMP | BPF_JGT | BPF_X, .dst_reg = 4, .src_reg = 3, .off = 3 * WORDS},
	};
	size_t n = 5;
	int fd;

	for (size_t i = 0; i < WORDS; i++) {
		uint32_t half[2];

		memcpy(half, (const char *)f + 8 * i, sizeof(half));
		insns[n++] = (struct bpf_insn){
			.code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = 5, .imm = (int)half[0]};
		insns[n++] = (struct bpf_insn){.imm = (int)half[1]};
		insns[n++] = (struct bpf_insn){.code = BPF_STX | BPF_MEM | BPF_DW,
					       .dst_reg = 2,
					       .src_reg = 5,
					       .off = (int16_t)(8 * i)};
	}
	insns[n++] = (struct bpf_insn){
		.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 1, .imm = ifindex};
	insns[n++] = (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2};
	insns[n++] = (struct bpf_insn){.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect};
	insns[n++] = (struct bpf_insn){.code = BPF_JMP | BPF_EXIT};
	fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "xdpgen", "GPL", insns, n, NULL);
	if (fd < 0)
		die("load");
	return fd;
}

struct pin {
	const char *path;
	struct bpf_prog_info info;
};

static struct bpf_prog_info read_pin(const char *path)
{
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);
	int fd = bpf_obj_get(path);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
		die(path);
	close(fd);
	return info;
}

static void send_frames(int prog, struct frame *f, unsigned int count)
{
	struct xdp_md ctx = {.data_end = sizeof(*f)};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = f, .data_size_in = sizeof(*f),
		    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .repeat = (int)count,
		    .batch_size = BATCH, .flags = BPF_F_TEST_XDP_LIVE_FRAMES);

	if (bpf_prog_test_run_opts(prog, &opts))
		die("send");
}

static void print_programs(const struct pin *pins, int n)
{
	for (int i = 0; i < n; i++) {
		struct bpf_prog_info now = read_pin(pins[i].path);
		uint64_t runs = now.run_cnt - pins[i].info.run_cnt;
		uint64_t ns = now.run_time_ns - pins[i].info.run_time_ns;

		printf("%s\"%s\":{\"runs\":%llu,\"ns\":%.1f}", i ? "," : "", now.name,
		       (unsigned long long)runs, runs ? (double)ns / (double)runs : 0);
	}
}

static void run(struct frame *f, int prog, unsigned int count, struct pin *pins, int n)
{
	int stats = n ? bpf_enable_stats(BPF_STATS_RUN_TIME) : -1;
	uint64_t start;
	double s;

	if (n && stats < 0)
		die("run-time statistics");
	for (int i = 0; i < n; i++)
		pins[i].info = read_pin(pins[i].path);
	start = cputime_ns(CLOCK_MONOTONIC);
	send_frames(prog, f, count);
	s = (double)(cputime_ns(CLOCK_MONOTONIC) - start) / 1e9;
	printf("{\"sent\":%u,\"seconds\":%.4f,\"programs\":{", count, s);
	print_programs(pins, n);
	puts("}}");
}

static void pin_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("CPU");
}

int main(int argc, char **argv)
{
	struct pin pins[PINS_MAX] = {};
	unsigned int count = 1000000;
	struct frame f;
	int opt, n = 0, ifindex;

	while ((opt = getopt(argc, argv, "+c:n:p:")) != -1) {
		if (opt == 'c')
			pin_cpu(atoi(optarg));
		else if (opt == 'n')
			count = (unsigned int)strtoul(optarg, NULL, 10);
		else if (opt == 'p' && n < PINS_MAX)
			pins[n++].path = optarg;
		else
			usage();
	}
	if (argc - optind != 6 || !count)
		usage();
	ifindex = (int)if_nametoindex(argv[optind]);
	if (!ifindex)
		die(argv[optind]);
	make_frame(&f, argv + optind);
	run(&f, load_sender(ifindex, &f), count, pins, n);
	return 0;
}
