// SPDX-License-Identifier: GPL-2.0-only
#include "launch/etcfiles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "net/addr.h"

#define HOSTS_MAX (1 << 20)

int up_words_add(struct up_words *list, const char *word, struct up_err *err)
{
	char **at = reallocarray(list->at, list->n + 2, sizeof(*at));

	if (!at)
		return up_fail(err, ENOMEM, "%s", word);
	list->at = at;
	at[list->n] = strdup(word);
	if (!at[list->n])
		return up_fail(err, ENOMEM, "%s", word);
	at[++list->n] = NULL;
	return 0;
}

void up_words_free(struct up_words *list)
{
	while (list->n)
		free(list->at[--list->n]);
	free(list->at);
	list->at = NULL;
}

/* ---- /etc/hosts -------------------------------------------------------------------------------
 */

static const char loopback[] = "127.0.0.1\tlocalhost\n"
			       "::1\tlocalhost ip6-localhost ip6-loopback\n"
			       "fe00::\tip6-localnet\n"
			       "ff00::\tip6-mcastprefix\n"
			       "ff02::1\tip6-allnodes\n"
			       "ff02::2\tip6-allrouters\n";

/* The name ends at the first colon: an IPv6 address has more. */
static const char *address_of(const char *text)
{
	const char *colon = strchr(text, ':');

	return colon ? colon + 1 : "";
}

int up_etcfiles_check_host(const char *text, struct up_err *err)
{
	const char *address = address_of(text);
	struct up_addr addr;

	if (*text != ':' && !strpbrk(text, " \t\n") &&
	    (!strcmp(address, "host-gateway") || !up_addr_parse(address, &addr)))
		return 0;
	return up_fail_msg(err, EINVAL, "host '%s': want NAME:ADDRESS or NAME:host-gateway", text);
}

static void print_host(FILE *out, const char *text, const char *gateway)
{
	const char *address = address_of(text);
	int len = (int)(address - text) - 1;

	if (!strcmp(address, "host-gateway"))
		address = gateway;
	if (*address)
		fprintf(out, "%s\t%.*s\n", address, len, text);
}

static void copy_host_file(FILE *out)
{
	cleanup_free char *text = NULL;

	if (up_file_read("/etc/hosts", HOSTS_MAX, &text, NULL) > 0)
		fputs(text, out);
	else
		fputs(loopback, out);
}

char *up_etcfiles_hosts(const struct up_etcfiles *f)
{
	const char *const own[] = {f->address, f->address6};
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	if (f->host_net)
		copy_host_file(out);
	else
		fputs(loopback, out);
	for (size_t i = 0; i < f->add_hosts.n; i++)
		print_host(out, f->add_hosts.at[i], f->gateway);
	for (size_t i = 0; i < 2; i++)
		if (own[i] && *own[i])
			fprintf(out, "%s\t%s\n", own[i], f->hostname);
	return fclose(out) ? NULL : text;
}

int up_etcfiles_add_line(const char *path, const char *address, const char *hostname,
			 struct up_err *err)
{
	cleanup_fd int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 || dprintf(fd, "%s\t%s\n", address, hostname) < 0)
		return up_fail(err, errno, "write %s", path);
	return 0;
}

/* All but the lines that begin with the address and a tab, as ours do. */
static char *without(const char *text, const char *address)
{
	size_t len, n = strlen(address);
	char *rest = NULL;
	FILE *out = open_memstream(&rest, &len);

	if (!out)
		return NULL;
	for (const char *line = text, *end; *line; line = end) {
		end = line + strcspn(line, "\n");
		end += *end == '\n';
		if (strncmp(line, address, n) != 0 || line[n] != '\t')
			fwrite(line, 1, (size_t)(end - line), out);
	}
	return fclose(out) ? NULL : rest;
}

int up_etcfiles_remove_line(const char *path, const char *address, struct up_err *err)
{
	cleanup_free char *text = NULL, *rest = NULL;
	cleanup_fd int fd = -1;
	ssize_t len = up_file_read(path, HOSTS_MAX, &text, err);

	if (len < 0)
		return (int)len;
	rest = without(text, address);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW);
	if (!rest || fd < 0 || write(fd, rest, strlen(rest)) != (ssize_t)strlen(rest))
		return up_fail(err, rest ? errno : ENOMEM, "write %s", path);
	return 0;
}

/* ---- /etc/resolv.conf -------------------------------------------------------------------------
 */

static bool is_loopback(const char *address)
{
	return !strncmp(address, "127.", 4) || !strcmp(address, "::1");
}

/* Does a line of the host's file hold, as it is? */
static bool holds(const struct up_etcfiles *f, const char *key, const char *value)
{
	if (!strcmp(key, "nameserver"))
		return !f->dns.n && (f->host_net || !is_loopback(value));
	if (!strcmp(key, "search") || !strcmp(key, "domain"))
		return !f->search.n;
	return !strcmp(key, "options") && !f->options.n;
}

static void copy_lines(FILE *out, const struct up_etcfiles *f, const char *host)
{
	cleanup_free char *copy = strdup(host);
	char *rest = NULL;

	for (char *line = copy ? strtok_r(copy, "\n", &rest) : NULL; line;
	     line = strtok_r(NULL, "\n", &rest)) {
		char key[16] = "", value[64] = "";

		if (sscanf(line, "%15s %63s", key, value) == 2 && holds(f, key, value))
			fprintf(out, "%s\n", line);
	}
}

static void print_words(FILE *out, const char *key, const struct up_words *words)
{
	if (words->n)
		fputs(key, out);
	for (size_t i = 0; i < words->n; i++)
		fprintf(out, " %s%s", words->at[i], i + 1 == words->n ? "\n" : "");
}

char *up_etcfiles_resolv(const struct up_etcfiles *f, const char *host)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	print_words(out, "search", &f->search);
	for (size_t i = 0; i < f->dns.n; i++)
		fprintf(out, "nameserver %s\n", f->dns.at[i]);
	print_words(out, "options", &f->options);
	copy_lines(out, f, host);
	return fclose(out) ? NULL : text;
}
