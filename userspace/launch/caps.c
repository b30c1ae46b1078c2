// SPDX-License-Identifier: GPL-2.0-only
#include "launch/caps.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"

/* Docker's default set. Notably without NET_ADMIN, SYS_ADMIN, SYS_PTRACE, BPF. */
static const uint8_t kept[] = {
	CAP_AUDIT_WRITE, CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_FOWNER,           CAP_FSETID,
	CAP_KILL,        CAP_MKNOD,  CAP_NET_RAW,      CAP_SETFCAP,          CAP_SETGID,
	CAP_SETPCAP,     CAP_SETUID, CAP_SYS_CHROOT,   CAP_NET_BIND_SERVICE,
};

static uint64_t kept_mask(void)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < sizeof(kept); i++)
		mask |= 1ULL << kept[i];
	return mask;
}

/* EINVAL marks the end of what this kernel knows. */
static int drop_bounding(uint64_t keep, struct up_err *err)
{
	for (unsigned long cap = 0; cap < 64; cap++) {
		if (keep >> cap & 1)
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) && errno != EINVAL)
			return up_fail(err, errno, "drop capability %lu", cap);
	}
	return 0;
}

int up_caps_reduce(struct up_err *err)
{
	struct __user_cap_header_struct hdr = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {};
	uint64_t keep = kept_mask();
	int ret = drop_bounding(keep, err);

	if (ret)
		return ret;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	for (int i = 0; i < 2; i++)
		data[i].effective = data[i].permitted = (uint32_t)(keep >> (32 * i));
	if (syscall(SYS_capset, &hdr, data))
		return up_fail(err, errno, "reduce capabilities");
	return 0;
}
