/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * request.c - Bytes of a client become requests
 */
#include "ctl/request.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/** struct span - Characters of a line that are left */
struct span {
	const char *p;
	size_t n;
};

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static void skip_blanks(struct span *s)
{
	while (s->n > 0 && *s->p == ' ') {
		s->p++;
		s->n--;
	}
}

/* The next word; empty at the end. */
static struct span word(struct span *s)
{
	struct span w;

	skip_blanks(s);
	w = (struct span){ s->p, 0 };
	while (s->n > 0 && *s->p != ' ') {
		s->p++;
		s->n--;
		w.n++;
	}
	return w;
}

static bool is(struct span w, const char *s)
{
	return strlen(s) == w.n && memcmp(w.p, s, w.n) == 0;
}

static int take_name(struct span w, struct ctl_request *r, struct errbuf *e)
{
	if (w.n >= sizeof(r->name))
		return errbuf_set(e, -EINVAL, "that name is too long");
	for (size_t i = 0; i < w.n; i++)
		if (!is_name(w.p[i]))
			return errbuf_set(e, -EINVAL, "%.*s: is no name",
					  (int)w.n, w.p);
	memcpy(r->name, w.p, w.n);
	r->name[w.n] = '\0';
	return 0;
}

/* The rest of the line. Return: its bytes */
static size_t take_value(struct span *s, struct ctl_request *r)
{
	size_t n;

	skip_blanks(s);
	while (s->n > 0 && s->p[s->n - 1] == ' ')
		s->n--;
	n = s->n;
	memcpy(r->value, s->p, n);
	r->value[n] = '\0';
	s->n = 0;
	return n;
}

static int take_form(struct span w, struct ctl_request *r, struct errbuf *e)
{
	if (w.n == 0 || is(w, "text"))
		r->verb = CTL_SHOW_TEXT;
	else if (is(w, "json"))
		r->verb = CTL_SHOW_JSON;
	else if (is(w, "prometheus"))
		r->verb = CTL_SHOW_PROMETHEUS;
	else
		return errbuf_set(e, -EINVAL,
				  "show %.*s: write show, show json or show "
				  "prometheus",
				  (int)w.n, w.p);
	return 0;
}

static int parse(struct span s, struct ctl_request *r, struct errbuf *e)
{
	struct span verb;
	int rc = 0;

	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < ' ' || s.p[i] > '~')
			return errbuf_set(
				e, -EINVAL,
				"a request is printable ASCII; " CTL_USAGE);
	verb = word(&s);
	if (is(verb, "get")) {
		r->verb = CTL_GET;
		rc = take_name(word(&s), r, e);
	} else if (is(verb, "set")) {
		r->verb = CTL_SET;
		rc = take_name(word(&s), r, e);
		if (rc == 0 && (r->name[0] == '\0' || take_value(&s, r) == 0))
			return errbuf_set(e, -EINVAL,
					  "set what? write set NAME VALUE");
	} else if (is(verb, "show")) {
		rc = take_form(word(&s), r, e);
	} else if (is(verb, "watch")) {
		r->verb = CTL_WATCH;
	} else {
		r->verb = CTL_CALL;
		if (verb.n == 0)
			return errbuf_set(e, -EINVAL, "what? " CTL_USAGE);
		rc = take_name(verb, r, e);
		if (rc == 0)
			(void)take_value(&s, r);
	}
	skip_blanks(&s);
	if (rc == 0 && s.n > 0)
		return errbuf_set(e, -EINVAL, "%.*s: is one word too many",
				  (int)s.n, s.p);
	return rc;
}

int ctl_input_next(struct ctl_input *in, struct ctl_request *r,
		   struct errbuf *e)
{
	const char *end = memchr(in->b, '\n', in->n);
	struct ctl_request t = { .name = "", .value = "" };
	size_t n;
	int rc;

	if (!end)
		return in->n < CTL_LINE ? 0 : -E2BIG;
	n = (size_t)(end - in->b);
	rc = parse((struct span){ in->b, n }, &t, e);
	in->n -= n + 1;
	memmove(in->b, end + 1, in->n);
	if (rc != 0)
		return rc;
	*r = t;
	return 1;
}
