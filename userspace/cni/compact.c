// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runtimes send a published range port by port. A tree of 10,000 objects takes 16 MB and 20 ms to
 * build, five times what the rest of ADD costs, only to become one row again. So the list is read
 * here as text, in one pass and without memory of its own.
 */
#include "cni/compact.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define KEY       "\"portMappings\""
#define WORTH_IT  512 /* bytes */
#define ENTRY_MAX 256 /* of an entry that was joined */

/* A piece of the text. */
struct slice {
	const char *at;
	size_t len;
};

/**
 * struct entry - one mapping, or several that were joined
 * @text:      where it is in the text, from brace to brace
 * @host, @to: its ports
 * @n:         how many ports from there
 * @proto, @ip: the other members, without their quotes
 */
struct entry {
	struct slice text;
	long host, to, n;
	struct slice proto, ip;
};

/**
 * struct scan - a place in the text
 * @at:  next character
 * @end: behind the last
 * @ok:  nothing unexpected was met so far
 */
struct scan {
	const char *at, *end;
	bool ok;
};

static void skip_blanks(struct scan *s)
{
	while (s->at < s->end &&
	       (*s->at == ' ' || *s->at == '\n' || *s->at == '\t' || *s->at == '\r'))
		s->at++;
}

static bool take(struct scan *s, char c)
{
	skip_blanks(s);
	if (s->at >= s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

static void expect(struct scan *s, char c)
{
	s->ok = s->ok && take(s, c);
}

/* A string without escapes: printable ASCII, so that it can be written as it is. */
static struct slice string(struct scan *s)
{
	struct slice ret;

	expect(s, '"');
	ret.at = s->at;
	while (s->ok && s->at < s->end && *s->at != '"') {
		s->ok = *s->at >= ' ' && *s->at <= '~' && *s->at != '\\';
		s->at++;
	}
	ret.len = (size_t)(s->at - ret.at);
	s->ok = s->ok && ret.len < 64;
	expect(s, '"');
	return ret;
}

static long port(struct scan *s)
{
	long value = 0;
	int digits = 0;

	skip_blanks(s);
	for (; s->at < s->end && isdigit((unsigned char)*s->at) && digits < 6; digits++)
		value = value * 10 + *s->at++ - '0';
	s->ok = s->ok && digits && value >= 1 && value <= 65535;
	return value;
}

static bool is(const struct slice *s, const char *name)
{
	return s->len == strlen(name) && !strncasecmp(s->at, name, s->len);
}

/* A key that comes twice, or that is not known, is for the parser. */
static void member(struct scan *s, struct entry *e)
{
	struct slice key = string(s);

	expect(s, ':');
	if (is(&key, "hostPort") && !e->host)
		e->host = port(s);
	else if (is(&key, "containerPort") && !e->to)
		e->to = port(s);
	else if (is(&key, "protocol") && !e->proto.at)
		e->proto = string(s);
	else if (is(&key, "hostIP") && !e->ip.at)
		e->ip = string(s);
	else
		s->ok = false;
}

static struct entry entry(struct scan *s)
{
	struct entry e = {.n = 1};

	skip_blanks(s);
	e.text.at = s->at;
	expect(s, '{');
	do
		member(s, &e);
	while (s->ok && take(s, ','));
	expect(s, '}');
	e.text.len = (size_t)(s->at - e.text.at);
	s->ok = s->ok && e.host && e.to;
	return e;
}

static bool same(const struct slice *a, const struct slice *b)
{
	return !a->at == !b->at && a->len == b->len &&
	       !memcmp(a->at ? a->at : "", b->at ? b->at : "", a->len);
}

static bool follows(const struct entry *run, const struct entry *e)
{
	return e->host == run->host + run->n && e->to == run->to + run->n &&
	       same(&run->proto, &e->proto) && same(&run->ip, &e->ip);
}

static char *put(char *out, const char *bytes, size_t len)
{
	memcpy(out, bytes, len);
	return out + len;
}

static char *put_member(char *out, const char *key, const struct slice *value)
{
	if (!value->at)
		return out;
	return out + sprintf(out, ",\"%s\":\"%.*s\"", key, (int)value->len, value->at);
}

static char *put_entry(char *out, const struct entry *e)
{
	if (e->n == 1)
		return put(out, e->text.at, e->text.len);
	out += sprintf(out, "{\"hostPort\":%ld,\"hostPortEnd\":%ld,\"containerPort\":%ld", e->host,
		       e->host + e->n - 1, e->to);
	out = put_member(out, "protocol", &e->proto);
	out = put_member(out, "hostIP", &e->ip);
	return put(out, "}", 1);
}

/* From behind the opening bracket to behind the closing one. */
static char *join_list(struct scan *s, char *out)
{
	struct entry run = entry(s);

	while (s->ok && take(s, ',')) {
		struct entry e = entry(s);

		if (follows(&run, &e)) {
			run.n++;
			continue;
		}
		out = put_entry(out, &run);
		out = put(out, ",", 1);
		run = e;
	}
	expect(s, ']');
	out = put_entry(out, &run);
	return put(out, "]", 1);
}

/* Not within a string: there, its quotes would have backslashes before them. */
static const char *find_list(const char *text, const char *end)
{
	for (const char *at = text; (at = memmem(at, (size_t)(end - at), KEY, strlen(KEY)));
	     at += strlen(KEY)) {
		struct scan s = {at + strlen(KEY), end, true};

		if ((at == text || at[-1] != '\\') && take(&s, ':') && take(&s, '['))
			return s.at;
	}
	return NULL;
}

char *up_cni_compact(const char *text, size_t len, size_t *ret_len)
{
	const char *end = text + len, *list = len >= WORTH_IT ? find_list(text, end) : NULL;
	struct scan s = {list, end, true};
	char *out, *at;

	/* No entry grows by more than its "hostPortEnd", and none that grows is alone. */
	out = list ? malloc(2 * len + ENTRY_MAX) : NULL;
	if (!out)
		return NULL;
	at = put(out, text, (size_t)(list - text));
	at = join_list(&s, at);
	if (!s.ok) {
		free(out);
		return NULL;
	}
	at = put(at, s.at, (size_t)(end - s.at));
	*ret_len = (size_t)(at - out);
	return out;
}
