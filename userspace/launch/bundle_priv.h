/* SPDX-License-Identifier: GPL-2.0-only */
/* What the readers of a bundle's objects share. */
#ifndef UP_LAUNCH_BUNDLE_PRIV_H
#define UP_LAUNCH_BUNDLE_PRIV_H

#include <stddef.h>

#include "launch/bundle.h"

struct up_err;

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

typedef int up_bundle_taker(struct up_bundle *b, json_t *value, struct up_err *err);

/**
 * struct up_bundle_member - a row of the table of an object's members
 * @name: the member
 * @take: reads it; NULL where it says nothing about the container
 */
struct up_bundle_member {
	const char *name;
	up_bundle_taker *take;
};

/** up_bundle_object() - read an object by the table of its members. Return: 0; -EOPNOTSUPP for a
 * member that is not in it; or another -errno */
int up_bundle_object(struct up_bundle *b, json_t *object, const struct up_bundle_member *members,
		     size_t n, struct up_err *err);

/** up_bundle_each() - read an array: every item by @take. Return: 0 or -errno */
int up_bundle_each(struct up_bundle *b, json_t *array, up_bundle_taker *take, struct up_err *err);

/** up_bundle_empty() - nothing in it is fine; anything is -EOPNOTSUPP */
int up_bundle_empty(struct up_bundle *b, json_t *value, struct up_err *err);

/** up_json_unlike() - complain: "want WHAT". Return: -EINVAL */
int up_json_unlike(const char *what, struct up_err *err);

/* Values. Return: 0 or -EINVAL */
int up_json_text(const json_t *value, const char **ret, struct up_err *err);
int up_json_bool(const json_t *value, bool *ret, struct up_err *err);
int up_json_number(const json_t *value, json_int_t min, json_int_t max, json_int_t *ret,
		   struct up_err *err);
int up_json_words(const json_t *value, struct up_words *to, struct up_err *err);

/* The objects: a file each. */
up_bundle_taker up_bundle_process, up_bundle_root, up_bundle_mounts, up_bundle_linux;
up_bundle_taker up_bundle_resources, up_bundle_devices, up_bundle_seccomp;

#endif
