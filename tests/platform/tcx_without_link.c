// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program can be attached to tcx without a link, be replaced there, and goes with the device: a
 * container that dies leaves nothing to detach.
 */
#include "lib.h"

static uint32_t prog_users(int fd)
{
	char path[64], line[128];
	uint32_t count = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "r");
	EXPECT(f);
	while (fgets(line, sizeof(line), f))
		sscanf(line, "prog_id: %u", &count);
	fclose(f);
	return count;
}

int main(void)
{
	int first = prog_returning(BPF_PROG_TYPE_SCHED_CLS, 0, UP_TCX_NEXT);
	int second = prog_returning(BPF_PROG_TYPE_SCHED_CLS, 0, UP_TCX_DROP);
	LIBBPF_OPTS(bpf_prog_attach_opts, replace, .flags = BPF_F_REPLACE,
		    .replace_prog_fd = first);
	int ifindex;

	new_netns();
	EXPECT(!system("ip link add host type veth peer name ctr"));
	ifindex = (int)if_nametoindex("host");
	if (bpf_prog_attach(first, ifindex, TCX, 0)) {
		puts("this kernel has no tcx");
		return SKIP;
	}
	EXPECT(prog_users(first) > 0);
	EXPECT(!bpf_prog_attach_opts(second, ifindex, TCX, &replace));
	/* The first one is not attached any more. */
	EXPECT(bpf_prog_attach_opts(second, ifindex, TCX, &replace));
	EXPECT(!system("ip link del ctr"));
	EXPECT(bpf_prog_attach(first, ifindex, TCX, 0));
	EXPECT(errno == ENODEV);
	return 0;
}
