// SPDX-License-Identifier: GPL-2.0-only
/* "linux.devices": nodes besides the default ones. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "launch/bundle_priv.h"

static int take_device(struct up_bundle *b, json_t *value, struct up_err *err)
{
	struct up_device_node node = {};
	json_int_t major = 0, minor = 0, mode = 0666, uid = 0, gid = 0;
	const char *type;
	json_error_t je;

	if (json_unpack_ex(value, &je, JSON_STRICT, "{s:s, s:s, s?I, s?I, s?I, s?I, s?I}", "type",
			   &type, "path", &node.path, "major", &major, "minor", &minor, "fileMode",
			   &mode, "uid", &uid, "gid", &gid))
		return up_fail_msg(err, EINVAL, "%s", je.text);
	if (strlen(type) != 1 || !strchr("cubp", *type))
		return up_json_unlike("type c, u, b or p", err);
	if (major < 0 || major > UP_DEVICE_MAJOR_MAX || minor < 0 || minor > UP_DEVICE_MINOR_MAX ||
	    mode < 0 || mode > 0177777 || uid < 0 || uid > INT32_MAX || gid < 0 || gid > INT32_MAX)
		return up_json_unlike("integers within bounds", err);
	node.type = *type == 'u' ? 'c' : *type; /* unbuffered: mknod(1)'s other name for it */
	node.major = (unsigned int)major;
	node.minor = (unsigned int)minor;
	node.mode = (unsigned int)mode & 07777; /* podman's has the type in it, too */
	node.uid = (unsigned int)uid;
	node.gid = (unsigned int)gid;
	return up_device_nodes_add(&b->nodes, &node, err);
}

int up_bundle_devices(struct up_bundle *b, json_t *value, struct up_err *err)
{
	return up_bundle_each(b, value, take_device, err);
}
