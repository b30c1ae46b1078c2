/* SPDX-License-Identifier: GPL-2.0-only */
/* A configuration with thousands of published ports, made small before it is parsed. */
#ifndef UP_CNI_COMPACT_H
#define UP_CNI_COMPACT_H

#include <stddef.h>

/**
 * up_cni_compact() - join neighbours in portMappings
 * @text:    a configuration, as JSON
 * @len:     its length, bytes
 * @ret_len: that of the result
 *
 * Where an entry's ports follow those of the one before, and all else is the same, both become one
 * with a "hostPortEnd" (see up_cni_ports_parse()). Whatever is not plainly such a list stays as it
 * is, also what is no JSON: that is for the parser to say.
 *
 * Return: to be freed; NULL where there is nothing to be joined
 */
char *up_cni_compact(const char *text, size_t len, size_t *ret_len);

#endif
