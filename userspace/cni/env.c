// SPDX-License-Identifier: GPL-2.0-only
#include "cni/env.h"

#include <ctype.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cni/error.h"

#define BIT(verb) (1U << (verb))
#define OF_ONE    (BIT(UP_CNI_ADD) | BIT(UP_CNI_DEL) | BIT(UP_CNI_CHECK))

static const char *const verb_names[UP_CNI_VERBS] = {
	[UP_CNI_ADD] = "ADD", [UP_CNI_DEL] = "DEL",       [UP_CNI_CHECK] = "CHECK",
	[UP_CNI_GC] = "GC",   [UP_CNI_STATUS] = "STATUS", [UP_CNI_VERSION] = "VERSION",
};

/* In the order in which they are reported missing. */
static const struct {
	const char *name;
	size_t offset;
	unsigned int required; /* verbs that cannot do without */
} variables[] = {
	{"CNI_CONTAINERID", offsetof(struct up_cni_env, container_id), OF_ONE},
	{"CNI_NETNS", offsetof(struct up_cni_env, netns), BIT(UP_CNI_ADD) | BIT(UP_CNI_CHECK)},
	{"CNI_IFNAME", offsetof(struct up_cni_env, ifname), OF_ONE},
	{"CNI_ARGS", offsetof(struct up_cni_env, args), 0},
	{"CNI_PATH", offsetof(struct up_cni_env, path),
	 OF_ONE | BIT(UP_CNI_GC) | BIT(UP_CNI_STATUS)},
};

const char *up_cni_verb_name(enum up_cni_verb verb)
{
	return verb_names[verb];
}

static int parse_verb(const char *text, enum up_cni_verb *ret, struct up_err *err)
{
	for (int i = 0; i < UP_CNI_VERBS; i++)
		if (!strcmp(verb_names[i], text)) {
			*ret = (enum up_cni_verb)i;
			return 0;
		}
	return up_cni_fail(err, UP_CNI_BAD_ENV, "unknown CNI_COMMAND: %.40s", text);
}

static int read_variables(struct up_cni_env *env, struct up_err *err)
{
	char missing[128] = "";
	size_t len = 0;

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		const char *value = getenv(variables[i].name);

		*(const char **)((char *)env + variables[i].offset) = value ? value : "";
		if ((value && *value) || !(variables[i].required & BIT(env->verb)))
			continue;
		len += (size_t)snprintf(missing + len, sizeof(missing) - len, "%s%s",
					len ? "," : "", variables[i].name);
	}
	if (len)
		return up_cni_fail(err, UP_CNI_BAD_ENV, "required env variables [%s] missing",
				   missing);
	return 0;
}

bool up_cni_id_check(const char *id)
{
	if (!isalnum((unsigned char)*id))
		return false;
	for (; *id; id++)
		if (!isalnum((unsigned char)*id) && !strchr("_.-", *id))
			return false;
	return true;
}

/* dev_valid_name() in net/core/dev.c. */
bool up_cni_ifname_check(const char *ifname)
{
	size_t len = strlen(ifname);

	if (!len || len >= IFNAMSIZ || !strcmp(ifname, ".") || !strcmp(ifname, ".."))
		return false;
	for (; *ifname; ifname++)
		if (strchr("/:", *ifname) || isspace((unsigned char)*ifname))
			return false;
	return true;
}

static int check_names(const struct up_cni_env *env, struct up_err *err)
{
	if (!(OF_ONE & BIT(env->verb)))
		return 0;
	if (!up_cni_id_check(env->container_id))
		return up_cni_fail(err, UP_CNI_BAD_ENV,
				   "CNI_CONTAINERID '%.80s': want [a-zA-Z0-9_.-], the first a "
				   "letter or digit",
				   env->container_id);
	if (!up_cni_ifname_check(env->ifname))
		return up_cni_fail(err, UP_CNI_BAD_ENV,
				   "CNI_IFNAME '%.80s' is not a name for an interface",
				   env->ifname);
	return 0;
}

int up_cni_env_read(struct up_cni_env *ret_env, struct up_err *err)
{
	const char *command = getenv("CNI_COMMAND"), *override = getenv("CNI_NETNS_OVERRIDE");
	struct up_cni_env env = {};
	int ret = parse_verb(command ? command : "", &env.verb, err);

	if (!ret)
		ret = read_variables(&env, err);
	if (!ret)
		ret = check_names(&env, err);
	if (ret)
		return ret;
	env.same_netns_ok = override && (!strcmp(override, "1") || !strcmp(override, "true"));
	*ret_env = env;
	return 0;
}

bool up_cni_args_get(const char *args, const char *key, char *buf, size_t size)
{
	size_t len = strlen(key);

	while (*args) {
		size_t pair = strcspn(args, ";");

		if (pair > len && args[len] == '=' && !strncmp(args, key, len) &&
		    pair - len - 1 < size) {
			snprintf(buf, size, "%.*s", (int)(pair - len - 1), args + len + 1);
			return true;
		}
		args += pair + (args[pair] == ';');
	}
	return false;
}
