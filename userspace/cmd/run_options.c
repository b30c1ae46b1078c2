// SPDX-License-Identifier: GPL-2.0-only
/* What "run" takes: a row each, and the functions that take the values. Docker's words. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "cmd/life.h"
#include "cmd/limit.h"
#include "cmd/options.h"

#define ENV_FILE_MAX (1 << 20)

/* ---- values -----------------------------------------------------------------------------------
 */

/* A decimal number within bounds, nothing behind it. */
static bool number(const char *text, unsigned long min, unsigned long max, unsigned long *ret)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*ret = strtoul(text, &end, 10);
	return !errno && !*end && *ret >= min && *ret <= max;
}

static int copy_name(const char *what, const char *text, char to[UP_NAME_MAX + 1],
		     struct up_err *err)
{
	int ret = up_name_check(what, text, err);

	if (!ret)
		snprintf(to, UP_NAME_MAX + 1, "%s", text);
	return ret;
}

/* ---- the container ----------------------------------------------------------------------------
 */

static int set_name(void *to, const char *text, struct up_err *err)
{
	return copy_name("container name", text, ((struct up_run *)to)->record.name, err);
}

static int set_hostname(void *to, const char *text, struct up_err *err)
{
	return copy_name("host name", text, ((struct up_run *)to)->record.hostname, err);
}

static int set_domainname(void *to, const char *text, struct up_err *err)
{
	((struct up_run *)to)->sandbox.domainname = text;
	return up_name_check("domain name", text, err);
}

static int add_env(void *to, const char *text, struct up_err *err)
{
	return up_env_set(&((struct up_run *)to)->env, text, err);
}

/* Lines as for -e; empty ones and those that start with '#' are skipped. */
static int add_env_file(void *to, const char *text, struct up_err *err)
{
	cleanup_free char *data = NULL;
	char *rest = NULL;

	if (up_file_read(text, ENV_FILE_MAX, &data, err) < 0)
		return up_wrap(err, "environment");
	for (char *line = strtok_r(data, "\r\n", &rest); line; line = strtok_r(NULL, "\r\n", &rest))
		if (*line != '#' && add_env(to, line, err))
			return up_wrap(err, "%s", text);
	return 0;
}

static int set_workdir(void *to, const char *text, struct up_err *err)
{
	if (*text != '/')
		return up_fail_msg(err, EINVAL, "working directory '%s': want an absolute path",
				   text);
	((struct up_run *)to)->sandbox.command.workdir = text;
	return 0;
}

static int set_user(void *to, const char *text, struct up_err *err)
{
	if (!*text || *text == ':')
		return up_fail_msg(err, EINVAL, "user '%s': want NAME or UID[:GROUP]", text);
	((struct up_run *)to)->sandbox.command.user = text;
	return 0;
}

static int add_group(void *to, const char *text, struct up_err *err)
{
	return up_words_add(&((struct up_run *)to)->groups, text, err);
}

/* ---- the network ------------------------------------------------------------------------------
 */

/* "container:NAME". Return: NAME, or NULL */
static const char *container_of_text(const char *text)
{
	return strncmp(text, "container:", 10) ? NULL : text + 10;
}

/* "host", "none", "container:NAME" and "ns:PATH" are the only network of a container. */
static bool is_lonely(const char *net)
{
	return !strcmp(net, "host") || !strcmp(net, "none") || container_of_text(net) ||
	       !strncmp(net, "ns:", 3);
}

/* Where the container's own namespace is to come from. */
static int set_net_mode(struct up_run *r, const char *text, struct up_err *err)
{
	const char *name = container_of_text(text);

	r->join[UP_NS_NET] = name;
	r->net_path = strncmp(text, "ns:", 3) ? NULL : text + 3;
	r->sandbox.ns[UP_NS_NET].mode = !strcmp(text, "host") ? UP_NS_HOST
					: name || r->net_path ? UP_NS_JOIN
							      : UP_NS_PRIVATE;
	if (name)
		return up_name_check("container name", name, err);
	if (is_lonely(text) || !up_name_check("network", text, NULL))
		return 0;
	return up_fail_msg(err, EINVAL,
			   "network '%s': want the name of one, host, none, container:NAME or "
			   "ns:PATH",
			   text);
}

/* One that is alone takes the place of another such one; a second named one comes besides. */
static int set_net(void *to, const char *text, struct up_err *err)
{
	struct up_run *r = to;
	bool first = !r->net_given, lonely = is_lonely(text), was_lonely = is_lonely(r->record.net);

	r->net_given = true;
	if (!first && lonely != was_lonely)
		return up_fail_msg(err, EINVAL, "network '%s': not together with '%s'", text,
				   r->record.net);
	if (!first && !lonely)
		return up_name_check("network", text, err) ? -EINVAL
							   : up_words_add(&r->networks, text, err);
	if (set_net_mode(r, text, err))
		return -EINVAL;
	if ((size_t)snprintf(r->record.net, sizeof(r->record.net), "%s", text) >=
	    sizeof(r->record.net))
		return up_fail(err, ENAMETOOLONG, "network");
	return 0;
}

/* "PORT[-END][/PROTOCOL]" */
static int add_exposed(void *to, const char *text, struct up_err *err)
{
	if (strpbrk(text, ":,"))
		return up_fail_msg(err, EINVAL, "port '%s': want PORT[-END][/PROTOCOL]", text);
	return up_portspec_parse(text, &((struct up_run *)to)->exposed, err);
}

static int add_port(void *to, const char *text, struct up_err *err)
{
	return up_portspec_parse(text, &((struct up_run *)to)->ports, err);
}

static int set_ip(void *to, const char *text, struct up_err *err)
{
	return up_option_address(text, UP_V4, &((struct up_run *)to)->addr[UP_V4], err);
}

static int set_ip6(void *to, const char *text, struct up_err *err)
{
	return up_option_address(text, UP_V6, &((struct up_run *)to)->addr[UP_V6], err);
}

static int set_mac(void *to, const char *text, struct up_err *err)
{
	uint8_t *mac = ((struct up_run *)to)->mac, any = 0;
	int used = 0;

	if (sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2],
		   &mac[3], &mac[4], &mac[5], &used) == 6 &&
	    used == 17 && !text[17] && !(mac[0] & 1))
		for (int i = 0; i < 6; i++)
			any |= mac[i];
	if (any)
		return 0;
	return up_fail_msg(err, EINVAL, "MAC address '%s': want a unicast XX:XX:XX:XX:XX:XX", text);
}

static int set_netdev(void *to, const char *text, struct up_err *err)
{
	static const char *const modes[] = {
		[UP_NETDEV_MODE_VETH] = "veth",
		[UP_NETDEV_MODE_MACVLAN] = "macvlan",
		[UP_NETDEV_MODE_NETKIT] = "netkit",
		[UP_NETDEV_MODE_AUTO] = "auto",
	};

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(modes[i], text)) {
			((struct up_run *)to)->netdev = (enum up_netdev_mode)i;
			return 0;
		}
	return up_fail_msg(err, EINVAL, "network device '%s': want auto, veth, macvlan or netkit",
			   text);
}

static int set_mtu(void *to, const char *text, struct up_err *err)
{
	unsigned long mtu;

	if (!number(text, 68, 65535, &mtu))
		return up_fail_msg(err, EINVAL, "MTU '%s': want 68 to 65535", text);
	((struct up_run *)to)->mtu = (uint32_t)mtu;
	return 0;
}

static int limit_in(void *to, const char *text, struct up_err *err)
{
	return up_cmd_limit(&((struct up_run *)to)->limits, UP_LIMIT_IN, text, err);
}

static int limit_out(void *to, const char *text, struct up_err *err)
{
	return up_cmd_limit(&((struct up_run *)to)->limits, UP_LIMIT_OUT, text, err);
}

static int limit_flows(void *to, const char *text, struct up_err *err)
{
	return up_cmd_limit(&((struct up_run *)to)->limits, UP_LIMIT_FLOWS, text, err);
}

static int limit_new(void *to, const char *text, struct up_err *err)
{
	return up_cmd_limit(&((struct up_run *)to)->limits, UP_LIMIT_NEW, text, err);
}

static int add_dns(void *to, const char *text, struct up_err *err)
{
	struct up_addr addr;

	if (up_addr_parse(text, &addr))
		return up_fail_msg(err, EINVAL, "name server '%s': not an address", text);
	return up_words_add(&((struct up_run *)to)->etc.dns, text, err);
}

static int add_word(struct up_words *list, const char *what, const char *text, struct up_err *err)
{
	if (!*text || strpbrk(text, " \t\r\n"))
		return up_fail_msg(err, EINVAL, "%s '%s': want one word", what, text);
	return up_words_add(list, text, err);
}

static int add_search(void *to, const char *text, struct up_err *err)
{
	return add_word(&((struct up_run *)to)->etc.search, "search domain", text, err);
}

static int add_dns_option(void *to, const char *text, struct up_err *err)
{
	return add_word(&((struct up_run *)to)->etc.options, "resolver option", text, err);
}

static int add_host(void *to, const char *text, struct up_err *err)
{
	int ret = up_etcfiles_check_host(text, err);

	return ret ? ret : up_words_add(&((struct up_run *)to)->etc.add_hosts, text, err);
}

/* ---- other namespaces -------------------------------------------------------------------------
 */

/* "private", "host" or, where @joinable, "container:NAME" */
static int set_ns(struct up_run *r, enum up_ns kind, bool joinable, const char *text,
		  struct up_err *err)
{
	struct up_ns_wish *wish = &r->sandbox.ns[kind];

	r->join[kind] = joinable ? container_of_text(text) : NULL;
	if (!strcmp(text, "private"))
		wish->mode = UP_NS_PRIVATE;
	else if (!strcmp(text, "host"))
		wish->mode = UP_NS_HOST;
	else if (r->join[kind] && !up_name_check("container name", r->join[kind], err))
		wish->mode = UP_NS_JOIN;
	else if (!r->join[kind])
		return up_fail_msg(err, EINVAL, "%s namespace '%s': want private%s or host",
				   up_ns_name(kind), text, joinable ? ", container:NAME" : "");
	else
		return -EINVAL;
	return 0;
}

static int set_ipc(void *to, const char *text, struct up_err *err)
{
	struct up_run *r = to;

	r->shareable = !strcmp(text, "shareable");
	return set_ns(r, UP_NS_IPC, true, r->shareable ? "private" : text, err);
}

static int set_pid(void *to, const char *text, struct up_err *err)
{
	return set_ns(to, UP_NS_PID, true, text, err);
}

static int set_uts(void *to, const char *text, struct up_err *err)
{
	return set_ns(to, UP_NS_UTS, false, text, err);
}

static int set_cgroupns(void *to, const char *text, struct up_err *err)
{
	return set_ns(to, UP_NS_CGROUP, false, text, err);
}

#define AUTO_IDS 65536

/* "UID:GID:COUNT" */
static int parse_idmap(const char *text, struct up_idmap *ret)
{
	unsigned int uid, gid, count;
	int used = 0;

	if (sscanf(text, "%10u:%10u:%10u%n", &uid, &gid, &count, &used) != 3 || text[used] ||
	    strpbrk(text, "-+ ") || !uid || !gid || !count || uid > INT32_MAX || gid > INT32_MAX ||
	    count > INT32_MAX)
		return -EINVAL;
	*ret = (struct up_idmap){uid, gid, count};
	return 0;
}

static int set_userns(void *to, const char *text, struct up_err *err)
{
	struct up_run *r = to;
	struct up_sandbox_spec *s = &r->sandbox;

	s->ns[UP_NS_USER].mode = UP_NS_PRIVATE;
	s->idmap = (struct up_idmap){};
	r->record.ids = AUTO_IDS;
	r->record.first_id = 0;
	if (!strcmp(text, "host")) {
		s->ns[UP_NS_USER].mode = UP_NS_HOST;
		r->record.ids = 0;
	} else if (strcmp(text, "auto")) {
		if (parse_idmap(text, &s->idmap))
			return up_fail_msg(err, EINVAL,
					   "user namespace '%s': want auto, host, or UID:GID:COUNT "
					   "of ids other than 0",
					   text);
		r->record.first_id = s->idmap.uid;
		r->record.ids = s->idmap.count;
	}
	return 0;
}

/* ---- files ------------------------------------------------------------------------------------
 */

static int add_volume(void *to, const char *text, struct up_err *err)
{
	return up_volume_parse(text, &((struct up_run *)to)->sandbox.fs.volumes, err);
}

static int add_mount(void *to, const char *text, struct up_err *err)
{
	return up_volume_parse_mount(text, &((struct up_run *)to)->sandbox.fs.volumes, err);
}

static int add_tmpfs(void *to, const char *text, struct up_err *err)
{
	return up_volume_parse_tmpfs(text, &((struct up_run *)to)->sandbox.fs.volumes, err);
}

static int add_device(void *to, const char *text, struct up_err *err)
{
	return up_volume_parse_device(text, &((struct up_run *)to)->sandbox.fs.volumes, err);
}

static int set_bundle(void *to, const char *text, struct up_err *err)
{
	(void)err;
	((struct up_run *)to)->bundle_dir = text;
	return 0;
}

/* A number of bytes, with docker's suffixes. */
static bool size_of(const char *text, uint64_t *ret)
{
	static const char units[] = "bkmg";
	char *end;
	unsigned long long n;
	const char *unit;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	n = strtoull(text, &end, 10);
	unit = *end ? strchr(units, tolower((unsigned char)*end)) : units;
	if (errno || !unit || (*end && end[1]) || n > UINT64_MAX >> (10 * (unit - units)))
		return false;
	*ret = n << (10 * (unit - units));
	return true;
}

static int set_shm_size(void *to, const char *text, struct up_err *err)
{
	uint64_t size;

	if (!size_of(text, &size) || !size)
		return up_fail_msg(err, EINVAL, "size '%s': want BYTES[b|k|m|g]", text);
	((struct up_run *)to)->shm_size = text;
	return 0;
}

/* ---- what it may ------------------------------------------------------------------------------
 */

static int add_cap(void *to, const char *text, struct up_err *err)
{
	uint64_t mask;
	int ret = up_caps_parse(text, &mask, err);

	if (!ret)
		((struct up_run *)to)->cap_add |= mask;
	return ret;
}

static int drop_cap(void *to, const char *text, struct up_err *err)
{
	uint64_t mask;
	int ret = up_caps_parse(text, &mask, err);

	if (!ret)
		((struct up_run *)to)->cap_drop |= mask;
	return ret;
}

static const struct {
	const char *text;
	size_t flag; /* 0: accepted, and nothing to do without SELinux and AppArmor */
	bool value;
} security[] = {
	{"no-new-privileges", offsetof(struct up_run, sandbox.command.no_new_privs), true},
	{"no-new-privileges:true", offsetof(struct up_run, sandbox.command.no_new_privs), true},
	{"no-new-privileges=true", offsetof(struct up_run, sandbox.command.no_new_privs), true},
	{"no-new-privileges:false", offsetof(struct up_run, sandbox.command.no_new_privs), false},
	{"no-new-privileges=false", offsetof(struct up_run, sandbox.command.no_new_privs), false},
	{"seccomp=unconfined", offsetof(struct up_run, no_seccomp), true},
	{"seccomp:unconfined", offsetof(struct up_run, no_seccomp), true},
	{"systempaths=unconfined", offsetof(struct up_run, no_masks), true},
	{"apparmor=unconfined", 0, false},
	{"label=disable", 0, false},
};

static int set_security(void *to, const char *text, struct up_err *err)
{
	for (size_t i = 0; i < sizeof(security) / sizeof(security[0]); i++)
		if (!strcmp(security[i].text, text)) {
			if (security[i].flag)
				*(bool *)((char *)to + security[i].flag) = security[i].value;
			return 0;
		}
	return up_fail_msg(err, EINVAL,
			   "security option '%s': want no-new-privileges, seccomp=unconfined or "
			   "systempaths=unconfined",
			   text);
}

static int add_ulimit(void *to, const char *text, struct up_err *err)
{
	return up_rlimit_parse(text, &((struct up_run *)to)->sandbox.command.limits, err);
}

static int add_sysctl(void *to, const char *text, struct up_err *err)
{
	int ret = up_sysctl_check(text, true, true, err);

	return ret ? ret : up_words_add(&((struct up_run *)to)->sysctls, text, err);
}

static int set_memory(void *to, const char *text, struct up_err *err)
{
	uint64_t bytes;

	if (!size_of(text, &bytes) || bytes < 6U << 20 || bytes > INT64_MAX)
		return up_fail_msg(err, EINVAL, "memory '%s': want at least 6m: BYTES[b|k|m|g]",
				   text);
	((struct up_run *)to)->cgroup_limits.memory = bytes;
	return 0;
}

/* To a hundredth, as the kernel's period of 100 ms and its least quota of 1 ms allow. */
static int set_cpus(void *to, const char *text, struct up_err *err)
{
	char *end = NULL;
	double cpus = isdigit((unsigned char)*text) ? strtod(text, &end) : 0;

	if (!end || *end || cpus < 0.01 || cpus > 100000)
		return up_fail_msg(err, EINVAL, "CPUs '%s': want a number from 0.01", text);
	((struct up_run *)to)->cgroup_limits.cpus = (uint64_t)(cpus * 1000 + 0.5);
	return 0;
}

static int set_pids(void *to, const char *text, struct up_err *err)
{
	unsigned long n = 0;

	if (strcmp(text, "-1") && !number(text, 0, 1UL << 22, &n))
		return up_fail_msg(err, EINVAL, "processes '%s': want a number, or -1 for no limit",
				   text);
	((struct up_run *)to)->cgroup_limits.pids = n;
	return 0;
}

/* ---- the table --------------------------------------------------------------------------------
 */

#define FLAG(member) .flag = offsetof(struct up_run, member)

const struct up_option up_run_options[] = {
	{"detach", 'd', NULL, "in the background; print the container's name", FLAG(detach)},
	{"interactive", 'i', NULL, "hand standard input on", FLAG(stdio.interactive)},
	{"tty", 't', NULL, "a terminal of its own", FLAG(stdio.terminal)},
	{"rm", 0, NULL, "remove the container when it has ended", FLAG(remove)},
	{"name", 0, "NAME", "name of the container (default: made up)", .set = set_name},
	{"env", 'e', "NAME=VALUE", "set a variable; NAME alone takes the caller's value",
	 .set = add_env},
	{"env-file", 0, "FILE", "set a variable for each line", .set = add_env_file},
	{"workdir", 'w', "DIR", "directory to start in (default: /)", .set = set_workdir},
	{"user", 'u', "USER[:GROUP]", "names or ids, as in the container (default: root)",
	 .set = set_user},
	{"group-add", 0, "GROUP", "one more group", .set = add_group},
	{"hostname", 'h', "NAME", "(default: the container's name)", .set = set_hostname},
	{"domainname", 0, "NAME", "NIS domain name", .set = set_domainname},

	{"net", 0, "NET",
	 "fast (default): the default network; NAME: see 'underpass network';\n"
	 "host: the host's own; none: nothing but a loopback; container:NAME; ns:PATH",
	 .set = set_net},
	{"network", 0, "NET", NULL, .set = set_net},
	{"publish", 'p', "SPEC",
	 "publish a port: [ADDRESS:][HOST[-END]:]CONTAINER[-END][/udp];\nwithout HOST, by a free "
	 "one",
	 .set = add_port},
	{"publish-all", 'P', NULL, "publish what is exposed, by free ports of the host",
	 FLAG(publish_all)},
	{"expose", 0, "PORT[-END][/udp]", "a port for -P, besides those that a bundle exposes",
	 .set = add_exposed},
	{"ip", 0, "ADDRESS", "IPv4 address (default: the lowest free one)", .set = set_ip},
	{"ip6", 0, "ADDRESS", "IPv6 address (default: the lowest free one)", .set = set_ip6},
	{"mac-address", 0, "MAC", "(default: made from the address)", .set = set_mac},
	{"net-device", 0, "KIND",
	 "veth (default); macvlan: a child of the uplink, faster, for\n"
	 "containers that cannot configure interfaces; netkit: as fast,\n"
	 "for all, from Linux 6.7; auto: the fastest that is possible",
	 .set = set_netdev},
	{"mtu", 0, "BYTES", "(default: the uplink's)", .set = set_mtu},
	{"limit-in", 0, "RATE", "bits in a second that it may receive: 100mbit[:BURST]",
	 .set = limit_in},
	{"limit-out", 0, "RATE", "the same for what it sends; see 'underpass limit --help'",
	 .set = limit_out},
	{"limit-flows", 0, "N", "live flows (default: half of the flow table)", .set = limit_flows},
	{"limit-new", 0, "N", "new flows in a second (default: no limit)", .set = limit_new},
	{"dns", 0, "ADDRESS", "name server (default: the host's)", .set = add_dns},
	{"dns-search", 0, "DOMAIN", "search domain", .set = add_search},
	{"dns-option", 0, "WORD", "option of the resolver", .set = add_dns_option},
	{"add-host", 0, "NAME:ADDRESS", "line of /etc/hosts; host-gateway stands for the host",
	 .set = add_host},

	{"ipc", 0, "NS", "private (default), shareable, container:NAME, host", .set = set_ipc},
	{"pid", 0, "NS", "private (default), container:NAME, host", .set = set_pid},
	{"uts", 0, "NS", "private (default), host", .set = set_uts},
	{"cgroupns", 0, "NS", "private (default), host", .set = set_cgroupns},
	{"userns", 0, "NS", "host (default); auto: 65536 ids of its own; UID:GID:COUNT: these",
	 .set = set_userns},

	{"volume", 'v', "SRC:DST[:OPT]", "mount a file or directory; OPT: ro, idmap, rslave, ...",
	 .set = add_volume},
	{"mount", 0, "KEY=VALUE,...", "type=bind|tmpfs,source=,target=,readonly,...",
	 .set = add_mount},
	{"tmpfs", 0, "DST[:OPT]", "mount an empty one; OPT: size=, mode=, exec, ...",
	 .set = add_tmpfs},
	{"device", 0, "SRC[:DST[:rwm]]", "a device of the host", .set = add_device},
	{"read-only", 0, NULL, "the root cannot be written", FLAG(sandbox.fs.readonly)},
	{"bundle", 0, "DIR",
	 "an OCI bundle instead of ROOTFS: what its config.json says holds\nwhere no option says "
	 "something else",
	 .set = set_bundle},
	{"rw", 0, NULL, "write to ROOTFS itself", FLAG(rw)},
	{"shm-size", 0, "BYTES", "of /dev/shm (default: 64m)", .set = set_shm_size},

	{"cap-add", 0, "CAP", "one more capability, or ALL", .set = add_cap},
	{"cap-drop", 0, "CAP", "one less, or ALL", .set = drop_cap},
	{"security-opt", 0, "OPT", "no-new-privileges, seccomp=unconfined, systempaths=unconfined",
	 .set = set_security},
	{"privileged", 0, NULL, "everything the host's root may", FLAG(sandbox.fs.privileged)},
	{"memory", 'm', "BYTES", "limit: a number with b, k, m or g", .set = set_memory},
	{"cpus", 0, "NUMBER", "limit: 1.5", .set = set_cpus},
	{"pids-limit", 0, "NUMBER", "limit of processes", .set = set_pids},
	{"ulimit", 0, "NAME=SOFT[:HARD]", "nofile=1024:2048, ...", .set = add_ulimit},
	{"sysctl", 0, "NAME=VALUE", "of the container's namespaces only", .set = add_sysctl},
	{},
};

const struct up_option up_exec_options[] = {
	{"interactive", 'i', NULL, "hand standard input on", FLAG(stdio.interactive)},
	{"tty", 't', NULL, "a terminal of its own", FLAG(stdio.terminal)},
	{"env", 'e', "NAME=VALUE", "set a variable; NAME alone takes the caller's value",
	 .set = add_env},
	{"env-file", 0, "FILE", "set a variable for each line", .set = add_env_file},
	{"workdir", 'w', "DIR", "directory to start in (default: the container's)",
	 .set = set_workdir},
	{"user", 'u', "USER[:GROUP]", "names or ids (default: the container's)", .set = set_user},
	{"privileged", 0, NULL, "with every capability, and no filter of system calls",
	 FLAG(sandbox.fs.privileged)},
	{},
};
