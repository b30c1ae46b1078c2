// SPDX-License-Identifier: GPL-2.0-only
/* -P: what an image exposes, and --expose says, is published by free ports of the host. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cmd/life.h"
#include "launch/bundle.h"

/* Where umoci puts an image's ExposedPorts (image specification, conversion.md): "80/tcp,53/udp" */
#define ANNOTATION "org.opencontainers.image.exposedPorts"

static int add_annotated(struct up_run *r, struct up_err *err)
{
	const json_t *annotations =
		r->bundle ? json_object_get(r->bundle->json, "annotations") : NULL;
	const char *value = json_string_value(json_object_get(annotations, ANNOTATION));
	cleanup_free char *copy = strdup(value ? value : "");
	char *rest = NULL;
	int ret = copy ? 0 : up_fail(err, ENOMEM, ANNOTATION);

	for (char *port = copy ? strtok_r(copy, ",", &rest) : NULL; port && !ret;
	     port = strtok_r(NULL, ",", &rest))
		ret = strchr(port, ':') ? up_fail_msg(err, EINVAL, "port '%.40s'", port)
					: up_portspec_parse(port, &r->exposed, err);
	return ret ? up_wrap(err, "annotation " ANNOTATION) : 0;
}

/* Where -p says how, or it was exposed twice, that holds. */
static bool is_published(const struct up_run *r, const struct up_publish *pub)
{
	for (size_t i = 0; i < r->ports.n; i++) {
		const struct up_publish *p = &r->ports.pubs[i];
		unsigned int more = p->to_one ? 0 : (unsigned int)(p->hi - p->lo);

		if (p->proto == pub->proto && pub->to >= p->to && pub->to <= p->to + more)
			return true;
	}
	return false;
}

int up_run_publish_all(struct up_run *r, struct up_err *err)
{
	int ret = r->publish_all ? add_annotated(r, err) : 0;
	struct up_publish *more;

	if (ret || !r->publish_all || !r->exposed.n)
		return ret;
	more = reallocarray(r->ports.pubs, r->ports.n + r->exposed.n, sizeof(*more));
	if (!more)
		return up_fail(err, ENOMEM, "publish ports");
	r->ports.pubs = more;
	for (size_t i = 0; i < r->exposed.n; i++)
		if (!is_published(r, &r->exposed.pubs[i]))
			r->ports.pubs[r->ports.n++] = r->exposed.pubs[i];
	return 0;
}
