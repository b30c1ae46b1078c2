// SPDX-License-Identifier: GPL-2.0-only
#include "cni/ipam.h"

#include <string.h>

#include "base/err.h"
#include "cni/delegate.h"
#include "cni/error.h"
#include "cni/hostlocal.h"
#include "cni/json.h"

/**
 * struct ipam - who manages the addresses
 * @conf: its section
 * @type: its name
 * @ours: it is served here
 */
struct ipam {
	json_t *conf;
	const char *type;
	bool ours;
};

/* Return: 1, 0 where there is no such section, or a CNI code */
static int read_section(const struct up_cni *c, struct ipam *ret, struct up_err *err)
{
	struct ipam ipam = {.type = ""};
	bool delegate = false;
	int retval;

	*ret = ipam;
	if (!up_cni_has_ipam(c))
		return 0;
	retval = up_cni_get_object(c->conf, "ipam", &ipam.conf, err);

	if (!retval)
		retval = up_cni_get_string(ipam.conf, "type", &ipam.type, err);
	if (!retval)
		retval = up_cni_get_bool(ipam.conf, "delegate", &delegate, err);
	if (retval)
		return retval;
	ipam.ours =
		!strcmp(ipam.type, "underpass") || (!strcmp(ipam.type, "host-local") && !delegate);
	*ret = ipam;
	return 1;
}

bool up_cni_ipam_is_dhcp(const struct up_cni *c)
{
	const char *type = json_string_value(up_cni_get(up_cni_get(c->conf, "ipam"), "type"));

	return type && !strcmp(type, "dhcp");
}

/* Who gives addresses, and takes them back: see the header. */
static const char *manager_of(const struct up_cni *c, const struct ipam *ipam)
{
	return up_cni_ipam_is_dhcp(c) ? "macvlan" : ipam->type;
}

bool up_cni_has_ipam(const struct up_cni *c)
{
	const json_t *ipam = up_cni_get(c->conf, "ipam");

	return json_is_object(ipam) && json_object_size(ipam);
}

static int delegate_add(struct up_cni *c, const struct ipam *ipam, json_t **ret, struct up_err *err)
{
	const struct up_cni_call call = {.type = manager_of(c, ipam), .verb = UP_CNI_ADD};
	json_auto_t *answer = NULL;
	struct up_cni_ips ips;
	int retval = up_cni_delegate(c, &call, &answer, err);

	if (!retval)
		retval = up_cni_result_parse(answer, c->version, ret, err);
	if (!retval)
		retval = up_cni_result_ips(*ret, &ips, err);
	if (!retval && !ips.n)
		retval = up_cni_fail(err, UP_CNI_BAD_CONFIG,
				     "IPAM plugin %.60s returned no address", ipam->type);
	return retval;
}

int up_cni_ipam_add(struct up_cni *c, json_t **ret, struct up_err *err)
{
	struct ipam ipam;
	struct up_err ignored;
	json_t *relayed;
	int retval = read_section(c, &ipam, err);

	if (retval <= 0)
		return retval ? retval : up_cni_fail(err, UP_CNI_BAD_CONFIG, "ipam: want a type");
	if (ipam.ours)
		return up_cni_hostlocal_add(c, ipam.conf, ret, err);
	retval = delegate_add(c, &ipam, ret, err);
	if (!retval)
		return 0;
	/* The specification's section 4: undo what a delegate that failed may have begun. */
	relayed = json_incref(c->relayed);
	up_cni_ipam_del(c, &ignored);
	json_decref(c->relayed);
	c->relayed = relayed;
	return retval;
}

int up_cni_ipam_release(struct up_cni *c, const char *id, const char *ifname, struct up_err *err)
{
	struct up_cni_call call = {.verb = UP_CNI_DEL, .id = id, .ifname = ifname};
	struct ipam ipam;
	int ret = read_section(c, &ipam, err);

	if (ret <= 0)
		return ret;
	call.type = manager_of(c, &ipam);
	return ipam.ours ? up_cni_hostlocal_release(c, ipam.conf, id, ifname, err)
			 : up_cni_delegate(c, &call, NULL, err);
}

int up_cni_ipam_del(struct up_cni *c, struct up_err *err)
{
	return up_cni_ipam_release(c, c->env.container_id, c->env.ifname, err);
}

int up_cni_ipam_check(struct up_cni *c, struct up_err *err)
{
	struct up_cni_call call = {.verb = UP_CNI_CHECK};
	struct ipam ipam;
	int ret = read_section(c, &ipam, err);

	if (ret <= 0)
		return ret;
	call.type = ipam.type;
	return ipam.ours ? up_cni_hostlocal_check(c, ipam.conf, err)
			 : up_cni_delegate(c, &call, NULL, err);
}

int up_cni_ipam_gc(struct up_cni *c, struct up_err *err)
{
	struct ipam ipam;
	int ret = read_section(c, &ipam, err);

	if (ret <= 0)
		return ret;
	return ipam.ours ? up_cni_hostlocal_gc(c, ipam.conf, err)
			 : up_cni_ask_newer(c, ipam.type, err);
}

int up_cni_ipam_status(struct up_cni *c, struct up_err *err)
{
	struct ipam ipam;
	int ret = read_section(c, &ipam, err);

	if (ret <= 0)
		return ret;
	return ipam.ours ? up_cni_hostlocal_status(c, ipam.conf, err)
			 : up_cni_ask_newer(c, ipam.type, err);
}

bool up_cni_is_valid(const struct up_cni *c, const char *id, const char *ifname)
{
	json_t *list = up_cni_get(c->conf, "cni.dev/valid-attachments"), *a;
	size_t i;

	if (!list)
		list = up_cni_get(c->conf, "cni.dev/attachments");
	json_array_foreach (list, i, a) {
		const char *a_id = json_string_value(up_cni_get(a, "containerID"));
		const char *a_if = json_string_value(up_cni_get(a, "ifname"));

		if (a_id && a_if && !strcmp(a_id, id) && (!ifname || !strcmp(a_if, ifname)))
			return true;
	}
	return false;
}
