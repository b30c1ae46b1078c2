/* SPDX-License-Identifier: GPL-2.0-only */
/* The environment: what a runtime asks for, and of which container. */
#ifndef UP_CNI_ENV_H
#define UP_CNI_ENV_H

#include <stdbool.h>
#include <stddef.h>

struct up_err;

enum up_cni_verb {
	UP_CNI_ADD,
	UP_CNI_DEL,
	UP_CNI_CHECK,
	UP_CNI_GC,
	UP_CNI_STATUS,
	UP_CNI_VERSION,
	UP_CNI_VERBS,
};

/**
 * struct up_cni_env - the CNI_* variables
 * @verb:         CNI_COMMAND
 * @container_id: CNI_CONTAINERID; "" where the verb has none
 * @netns:        CNI_NETNS, verbatim; "" where it is missing
 * @ifname:       CNI_IFNAME; "" where the verb has none
 * @path:         CNI_PATH
 * @args:         CNI_ARGS
 * @same_netns_ok: CNI_NETNS_OVERRIDE: @netns may be the host's own
 */
struct up_cni_env {
	enum up_cni_verb verb;
	const char *container_id, *netns, *ifname, *path, *args;
	bool same_netns_ok;
};

const char *up_cni_verb_name(enum up_cni_verb verb);

/**
 * up_cni_env_read() - read and check them: all that are missing are named at once
 * Return: 0 or -UP_CNI_BAD_ENV
 */
int up_cni_env_read(struct up_cni_env *ret_env, struct up_err *err);

/** up_cni_id_check() - [a-zA-Z0-9][a-zA-Z0-9_.-]*: a container id or a network's name */
bool up_cni_id_check(const char *id);

/** up_cni_ifname_check() - a name that the kernel would accept for an interface */
bool up_cni_ifname_check(const char *ifname);

/**
 * up_cni_args_get() - the value of a key in CNI_ARGS ("K=V;K2=V2"), whose case does matter
 * @args: CNI_ARGS
 * @key:  for example "IP"
 * @buf:  the value
 * @size: of @buf
 *
 * Return: is there such a key?
 */
bool up_cni_args_get(const char *args, const char *key, char *buf, size_t size);

#endif
