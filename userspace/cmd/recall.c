// SPDX-License-Identifier: GPL-2.0-only
/* What a container was started with, for commands that come later. */
#include <errno.h>

#include "base/err.h"
#include "cmd/life.h"
#include "cmd/options.h"

/* The options that the container was started with, read like a command line. */
static int recall_options(const char *name, struct up_run *was, struct up_err *err)
{
	const char *key;
	json_t *list;
	int ret = 0;

	json_decref(was->options);
	was->options = up_container_options(name); /* whose strings @was refers to */
	json_object_foreach (was->options, key, list) {
		const struct up_option *o = up_options_find(up_run_options, key);
		const json_t *text;
		size_t i;

		json_array_foreach (list, i, text)
			if (!ret)
				ret = !o || !json_is_string(text)
					      ? up_fail_msg(err, EINVAL, "option %s", key)
					      : up_option_set(o, was, json_string_value(text), err);
	}
	return ret ? up_wrap(err, "container %s: broken options", name) : 0;
}

int up_run_recall(const char *name, struct up_run *was, struct up_err *err)
{
	char path[PATH_MAX];
	int ret = recall_options(name, was, err);

	if (ret || !was->bundle_dir)
		return ret;
	up_container_path(name, "bundle.json", path);
	return up_run_adopt(was, path, err);
}
