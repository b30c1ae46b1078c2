// SPDX-License-Identifier: GPL-2.0-only
/*
 * The root of the cgroup v2 tree can be had without a mount point, and a bind hook there sees this
 * process, in a network namespace of its own, and can answer with an error of its choice.
 */
#include <arpa/inet.h>
#include <sys/socket.h>

#include "lib.h"

/* Port 4242: bpf_set_retval(-EADDRINUSE), and deny. Everything else passes. */
static int refusing_prog(void)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_LDX | BPF_MEM | BPF_W,
		 .dst_reg = BPF_REG_2,
		 .src_reg = BPF_REG_1,
		 .off = offsetof(struct bpf_sock_addr, user_port)},
		{.code = BPF_JMP | BPF_JNE | BPF_K,
		 .dst_reg = BPF_REG_2,
		 .off = 4,
		 .imm = htons(4242)},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1, .imm = -EADDRINUSE},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_set_retval},
		RETURN(0),
		RETURN(1),
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_CGROUP_INET4_BIND);
	int fd = bpf_prog_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, "platform", "GPL", insns, 8, &opts);

	EXPECT(fd >= 0);
	return fd;
}

static int bind_to(uint16_t port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int ret = bind(fd, (struct sockaddr *)&sin, sizeof(sin)) ? errno : 0;

	close(fd);
	return ret;
}

int main(void)
{
	int fs = fsopen("cgroup2", FSOPEN_CLOEXEC), root, link;

	EXPECT(fs >= 0 && !fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	root = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	EXPECT(root >= 0);
	new_netns();
	link = bpf_link_create(refusing_prog(), root, BPF_CGROUP_INET4_BIND, NULL);
	EXPECT(link >= 0);
	EXPECT(bind_to(4242) == EADDRINUSE);
	EXPECT(bind_to(4243) == 0);
	close(link);
	EXPECT(bind_to(4242) == 0);
	return 0;
}
