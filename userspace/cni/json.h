/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading JSON as CNI's own implementation does: the case of a key does not matter, null is the
 * same as nothing, and a value of another type is an error that names the key.
 */
#ifndef UP_CNI_JSON_H
#define UP_CNI_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/addr.h"

struct up_err;

/** up_cni_get() - the value of a key; NULL where there is none, or null. Borrowed */
json_t *up_cni_get(const json_t *obj, const char *key);

/*
 * Each of these leaves *@ret as it is where there is no such key.
 * Return: 0; -UP_CNI_DECODE for a value of another type
 */
int up_cni_get_string(const json_t *obj, const char *key, const char **ret, struct up_err *err);
int up_cni_get_bool(const json_t *obj, const char *key, bool *ret, struct up_err *err);
int up_cni_get_object(const json_t *obj, const char *key, json_t **ret, struct up_err *err);
int up_cni_get_array(const json_t *obj, const char *key, json_t **ret, struct up_err *err);

/** up_cni_get_uint() - a number from 0 to @max; others are -UP_CNI_BAD_CONFIG */
int up_cni_get_uint(const json_t *obj, const char *key, uint64_t max, uint64_t *ret,
		    struct up_err *err);

/** up_cni_get_addr() - an address, "10.0.0.1"; an empty string is the same as nothing */
int up_cni_get_addr(const json_t *obj, const char *key, struct up_addr *ret, struct up_err *err);

/**
 * up_cni_parse_ip() - an address of an interface: "10.0.0.2/24", where bits beyond the prefix are
 * the host's; a prefix length may be missing and is then that of the whole address
 * Return: 0 or -EINVAL
 */
int up_cni_parse_ip(const char *text, struct up_addr *ret_addr, uint8_t *ret_plen);

#endif
