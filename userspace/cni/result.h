/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Results, in every shape that the specification has given them. Inside, a result has the latest
 * one; what came with keys that we do not know goes out with them.
 */
#ifndef UP_CNI_RESULT_H
#define UP_CNI_RESULT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "net/addr.h"

struct up_err;

enum up_cni_version {
	UP_CNI_0_1_0,
	UP_CNI_0_2_0,
	UP_CNI_0_3_0,
	UP_CNI_0_3_1,
	UP_CNI_0_4_0,
	UP_CNI_1_0_0,
	UP_CNI_1_1_0,
	UP_CNI_VERSIONS,
};

#define UP_CNI_LATEST UP_CNI_1_1_0

const char *up_cni_version_name(enum up_cni_version version);

/** up_cni_version_parse() - "" is 0.1.0. Return: 0 or -UP_CNI_INCOMPATIBLE */
int up_cni_version_parse(const char *text, enum up_cni_version *ret, struct up_err *err);

/** up_cni_versions_json() - the answer to VERSION; the caller's */
json_t *up_cni_versions_json(void);

/**
 * up_cni_result_parse() - take a result of any version
 * @in:      the object
 * @assumed: its version where it does not say
 * @ret:     the same in the latest shape; the caller's
 * @err:     what is wrong with it
 *
 * Return: 0, -UP_CNI_DECODE or -UP_CNI_BAD_CONFIG
 */
int up_cni_result_parse(const json_t *in, enum up_cni_version assumed, json_t **ret,
			struct up_err *err);

/**
 * up_cni_result_format() - give a result the shape of a version
 * @result: in the latest shape
 * @ret:    the caller's
 *
 * Return: 0; -UP_CNI_INTERNAL where the version cannot say it: before 0.3.0 there is no result
 * without an address
 */
int up_cni_result_format(const json_t *result, enum up_cni_version version, json_t **ret,
			 struct up_err *err);

#define UP_CNI_IPS_MAX 32

/**
 * struct up_cni_ip - an address in a result
 * @addr:      the address
 * @plen:      of its network
 * @gateway:   all 0 for none
 * @interface: index into the result's interfaces, -1 for none
 */
struct up_cni_ip {
	struct up_addr addr;
	uint8_t plen;
	struct up_addr gateway;
	int interface;
};

struct up_cni_ips {
	size_t n;
	struct up_cni_ip at[UP_CNI_IPS_MAX];
};

int up_cni_result_ips(const json_t *result, struct up_cni_ips *ret, struct up_err *err);

/**
 * struct up_cni_route - a route in a result (1.1.0)
 * @dst:     destination
 * @gateway: all 0 for that of the address's network
 * @mtu, @advmss, @priority, @table: 0 for the kernel's default
 * @scope:   RT_SCOPE_*; -1 for the one that fits
 */
struct up_cni_route {
	struct up_cidr dst;
	struct up_addr gateway;
	uint32_t mtu, advmss, priority, table;
	int scope;
};

/** up_cni_route_parse() - one element of a result's, or of an IPAM configuration's, routes */
int up_cni_route_parse(const json_t *in, struct up_cni_route *ret, struct up_err *err);

/** up_cni_ip_json() - an element of "ips"; @interface -1 leaves it out */
json_t *up_cni_ip_json(const struct up_cni_ip *ip);

/** up_cni_addr_json() - the text of an address */
json_t *up_cni_addr_json(const struct up_addr *addr);

#endif
