/* SPDX-License-Identifier: GPL-2.0-only */
/* Which devices the processes of a cgroup may open or make, decided by a BPF program. */
#ifndef UP_CORE_DEVICES_H
#define UP_CORE_DEVICES_H

#include <stddef.h>
#include <stdint.h>

struct up_err;

enum up_device_access { UP_DEVICE_MAKE = 1, UP_DEVICE_READ = 2, UP_DEVICE_WRITE = 4 };

#define UP_DEVICE_ANY UINT32_MAX

/**
 * struct up_device_rule - a device that may be accessed
 * @type:         'c' or 'b'
 * @access:       enum up_device_access
 * @major, @minor: its numbers, or UP_DEVICE_ANY
 */
struct up_device_rule {
	char type;
	uint32_t access;
	uint32_t major, minor;
};

/**
 * up_devices_restrict() - allow what docker allows by default, and these; deny every other device
 * @cgroup: fd of a version 2 cgroup; the program lives as long as the group
 * @rules:  what is allowed besides
 * @n:      how many, at most UP_DEVICE_RULES
 * @err:    why it failed
 *
 * Return: 0 or -errno
 */
#define UP_DEVICE_RULES 64
int up_devices_restrict(int cgroup, const struct up_device_rule *rules, size_t n,
			struct up_err *err);

/** up_device_access() - letters out of "rwm" as enum up_device_access */
uint32_t up_device_access(const char *letters);

/**
 * up_device_rule_of() - the rule for a device of the host
 * @path:   its node
 * @access: letters out of "rwm"
 *
 * Return: 0, -ENODEV where it is no device, or -errno
 */
int up_device_rule_of(const char *path, const char *access, struct up_device_rule *ret,
		      struct up_err *err);

#endif
