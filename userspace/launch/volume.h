/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the user has mounted into a container: -v, --mount, --tmpfs, --device, and the mounts of a
 * bundle. Sources are opened by the monitor, before anything is started; targets are found by init,
 * below the container's root.
 */
#ifndef UP_LAUNCH_VOLUME_H
#define UP_LAUNCH_VOLUME_H

#include <stddef.h>

#include "launch/mount.h"

/**
 * struct up_volume - one of them
 * @type:    "bind", or a file system: "tmpfs", "proc", ...
 * @source:  with "bind": absolute path on the host
 * @target:  absolute path in the container
 * @options: of a file system
 * @change:  attributes; @change.recursive is also "rbind"
 * @idmap:   owners are translated by the container's user namespace
 * @device:  access to this device is part of it
 * @fd:      the mount, once opened; -1
 */
struct up_volume {
	char *type, *source, *target, *options;
	struct up_mount_change change;
	bool idmap, device;
	int fd;
};

/** struct up_volumes - a list of them, in the order in which they are mounted */
struct up_volumes {
	size_t n;
	struct up_volume *at;
};

/**
 * up_volume_parse() - "SRC:DST[:OPTION,...]", docker's -v
 * @text: options are ro, rw, private, rprivate, slave, rslave, shared, rshared, idmap, exec,
 * noexec, suid, nosuid, dev, nodev; z and Z are accepted, and mean nothing without SELinux
 * @to:   the list it is added to
 *
 * Return: 0 or -EINVAL
 */
int up_volume_parse(const char *text, struct up_volumes *to, struct up_err *err);

/** up_volume_parse_mount() - "type=bind,source=...,target=...[,readonly]...", docker's --mount.
 * Return: 0 or -EINVAL
 */
int up_volume_parse_mount(const char *text, struct up_volumes *to, struct up_err *err);

/** up_volume_parse_tmpfs() - "DST[:OPTION,...]", docker's --tmpfs. Return: 0 or -EINVAL */
int up_volume_parse_tmpfs(const char *text, struct up_volumes *to, struct up_err *err);

/** up_volume_parse_device() - "SRC[:DST[:rwm]]", docker's --device. Return: 0 or -EINVAL */
int up_volume_parse_device(const char *text, struct up_volumes *to, struct up_err *err);

/**
 * up_volume_add() - a new row, all strings copied
 * @type, @source, @target: as in struct up_volume; @source may be NULL
 *
 * Return: the row, valid until the next is added; NULL where a path is not absolute
 */
struct up_volume *up_volume_add(struct up_volumes *to, const char *type, const char *source,
				const char *target, struct up_err *err);

/** up_volume_option() - apply an option that is a mount's attribute: "ro", "rslave", ...
 * Return: 0, or -EINVAL where it is none
 */
int up_volume_option(struct up_volume *v, const char *option);

/** up_volumes_open() - open every "bind", in the caller's mount namespace. Return: 0 or -errno */
int up_volumes_open(struct up_volumes *list, struct up_err *err);

/** up_volumes_idmap() - translate the owners where that was asked for. Return: 0 or -errno */
int up_volumes_idmap(const struct up_volumes *list, int userns, struct up_err *err);

/** up_volumes_mount() - put them in place below a root, in the container. Return: 0 or -errno */
int up_volumes_mount(const struct up_volumes *list, int root, struct up_err *err);

/** up_volumes_has() - is something mounted at this very path? */
bool up_volumes_has(const struct up_volumes *list, const char *target);

/** up_volumes_close() - close and free */
void up_volumes_close(struct up_volumes *list);

#endif
