// SPDX-License-Identifier: GPL-2.0-only
#include "launch/rlimit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"

static const struct {
	const char *name;
	int resource;
} names[] = {
	{"core", RLIMIT_CORE},         {"cpu", RLIMIT_CPU},
	{"data", RLIMIT_DATA},         {"fsize", RLIMIT_FSIZE},
	{"locks", RLIMIT_LOCKS},       {"memlock", RLIMIT_MEMLOCK},
	{"msgqueue", RLIMIT_MSGQUEUE}, {"nice", RLIMIT_NICE},
	{"nofile", RLIMIT_NOFILE},     {"nproc", RLIMIT_NPROC},
	{"rss", RLIMIT_RSS},           {"rtprio", RLIMIT_RTPRIO},
	{"rttime", RLIMIT_RTTIME},     {"sigpending", RLIMIT_SIGPENDING},
	{"stack", RLIMIT_STACK},       {"as", RLIMIT_AS},
};
#define N_NAMES (sizeof(names) / sizeof(names[0]))

static const char *name_of(int resource)
{
	for (size_t i = 0; i < N_NAMES; i++)
		if (names[i].resource == resource)
			return names[i].name;
	return "limit";
}

int up_rlimit_add(const char *name, rlim_t soft, rlim_t hard, struct up_rlimits *to,
		  struct up_err *err)
{
	if (!strncmp(name, "RLIMIT_", 7))
		name += 7;
	if (soft > hard)
		return up_fail_msg(err, EINVAL, "ulimit %s: the soft limit is above the hard one",
				   name);
	for (size_t i = 0; i < N_NAMES; i++)
		if (!strcasecmp(names[i].name, name)) {
			if (to->n == UP_RLIMITS_MAX)
				return up_fail_msg(err, E2BIG, "more than %d ulimits",
						   UP_RLIMITS_MAX);
			to->at[to->n].resource = names[i].resource;
			to->at[to->n++].value = (struct rlimit){soft, hard};
			return 0;
		}
	return up_fail_msg(err, EINVAL, "ulimit '%s': there is none of that name", name);
}

/* "-1" or a number. Return: behind it, or NULL */
static const char *value(const char *text, rlim_t *ret)
{
	char *end;

	if (!strncmp(text, "-1", 2)) {
		*ret = RLIM_INFINITY;
		return text + 2;
	}
	if (*text < '0' || *text > '9')
		return NULL;
	*ret = strtoull(text, &end, 10);
	return end;
}

int up_rlimit_parse(const char *text, struct up_rlimits *to, struct up_err *err)
{
	size_t len = strcspn(text, "=");
	rlim_t soft = 0, hard = 0;
	const char *rest;
	char name[32];

	rest = text[len] && len < sizeof(name) ? value(text + len + 1, &soft) : NULL;
	hard = soft;
	if (rest && *rest == ':')
		rest = value(rest + 1, &hard);
	if (!rest || *rest)
		return up_fail_msg(err, EINVAL, "ulimit '%s': want NAME=SOFT[:HARD]", text);
	memcpy(name, text, len);
	name[len] = '\0';
	return up_rlimit_add(name, soft, hard, to, err);
}

int up_rlimits_set(const struct up_rlimits *limits, struct up_err *err)
{
	for (size_t i = 0; i < limits->n; i++)
		if (setrlimit(limits->at[i].resource, &limits->at[i].value))
			return up_fail(err, errno, "set ulimit %s",
				       name_of(limits->at[i].resource));
	return 0;
}
