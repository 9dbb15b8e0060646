/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rules_read.c - Read a text of rules
 *
 * Theory of operation
 *
 * A line is a verb, what it is about, and then, if one likes, "until
 * YYYY-MM-DD" and a reason in quotes. The first one says "understudy rules 1".
 *
 *	include @PRESET
 *	host alias HOST = HOST			production's, the SUT's
 *	endpoint METHOD TEMPLATE as NAME	METHOD may be *
 *	on NAME | METHOD TEMPLATE | *		whose the next lines are
 *	compare whole | status | nothing
 *	header ignore | set | case NAME...
 *	header date NAME within 5s
 *	header class NAME CLASS
 *	cookie ignore | session NAME...
 *	cookie class NAME CLASS
 *	json ignore | set | text PLACE
 *	json key PLACE by $.MEMBER
 *	json number PLACE within 0.005
 *	json time PLACE within 2s
 *	json class PLACE CLASS
 *	text mask /PATTERN/			mask.h; "\/" is a slash
 *	reply type | set | map COMMAND...	of redis; CONFIG|GET
 *	reply number COMMAND within 1
 *	dns ttl within 5			seconds
 *	dns subset [within 60]			the same
 *	known KIND until YYYY-MM-DD "reason"
 *	gate max-different 5 | 0.1%		rules_gates.c; of an endpoint
 *	gate min-compared 100
 *	gate max-slower p99:10%
 *	redact header | cookie | query | form NAME...
 *	redact json PLACE			its last member, wherever
 *
 * A template is a path; a segment of it may be {n} (digits), {CLASS} or {}
 * (any), and the last one * (any rest). Lines before the first "on" count for
 * all endpoints.
 *
 * A text is taken as a whole or not at all: what is added is counted, and the
 * counts go back if a line is wrong. Two lines of one text that say different
 * things of one thing for one endpoint contradict; a later text, or a narrower
 * endpoint, may say otherwise.
 */
#include "rules/rules_internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "rules/when.h"

#define FIRST "write \"understudy rules 1\" as the first line"

/* Is a segment of a template one that can be? */
static bool is_segment(const char *p, size_t n, bool last)
{
	if (memchr(p, '*', n))
		return last && n == 1;
	if (n == 0 || p[0] != '{')
		return !memchr(p, '{', n) && !memchr(p, '}', n);
	return p[n - 1] == '}' && (n == 2 || (n == 3 && p[1] == 'n') ||
				   class_find(p + 1, n - 2) != CLASS_COUNT);
}

static int check_template(struct parser *p, const struct word *w)
{
	static const char how[] = "templates are like /user/{n}/orders, "
				  "/static/* or *; {n}, {uuid}, {} stand for "
				  "a segment";
	size_t from = 1, n;

	if (w->n > RULES_TEMPLATE)
		return word_fail(&p->s, w->at, w->n, -EINVAL,
				 "a template is too long",
				 "templates have at most 128 bytes");
	if (word_is(w, "*"))
		return 0;
	if (w->p[0] != '/')
		return word_fail(&p->s, w->at, w->n, -EINVAL, "no template",
				 how);
	for (; from <= w->n; from += n + 1) {
		const char *end = memchr(w->p + from, '/', w->n - from);

		n = end ? (size_t)(end - w->p) - from : w->n - from;
		if (!is_segment(w->p + from, n, !end))
			return word_fail(&p->s, w->at + from, n, -EINVAL,
					 "no segment of a template", how);
	}
	return 0;
}

/* Add an endpoint; its name is yet to be given. */
static int add_endpoint(struct parser *p, const struct word *method,
			const struct word *template)
{
	struct rules *r = p->r;
	struct endpoint *e = &r->endpoint[r->n.endpoints];
	char name[RULES_NAME];
	uint8_t len;
	int rc = check_template(p, template);

	if (rc == 0)
		rc = word_name(&p->s, method, name, &len, false);
	if (rc != 0)
		return rc;
	if (len > sizeof(e->method))
		return word_fail(&p->s, method->at, len, -EINVAL,
				 "a method is too long",
				 "methods have at most 16 bytes; * is any");
	if (r->n.endpoints == RULES_ENDPOINTS)
		return verb_full(p, "there are too many endpoints");
	memset(e, 0, sizeof(*e));
	e->method_len = word_is(method, "*") ? 0 : len;
	memcpy(e->method, name, e->method_len);
	e->template_len = (uint8_t) template->n;
	memcpy(e->template, template->p, template->n);
	return 0;
}

/* The endpoint of this name; or as many as there are. */
static uint32_t find_endpoint(const struct rules *r, const char *name, size_t n)
{
	uint32_t i = 0;

	while (i < r->n.endpoints &&
	       (r->endpoint[i].name_len != n ||
		memcmp(r->endpoint[i].name, name, n) != 0))
		i++;
	return i;
}

static int read_endpoint(struct parser *p)
{
	static const char how[] = "write \"endpoint GET /user/{n} as NAME\"";
	struct rules *r = p->r;
	struct endpoint *e = &r->endpoint[r->n.endpoints];
	struct word w[4];
	char name[RULES_NAME];
	uint8_t len;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < 4; i++)
		rc = word_need(&p->s, &w[i], how);
	if (rc == 0 && !word_is(&w[2], "as"))
		rc = word_fail(&p->s, w[2].at, w[2].n, -EINVAL,
			       "\"as\" is expected", how);
	if (rc == 0)
		rc = word_name(&p->s, &w[3], name, &len, false);
	if (rc == 0 && find_endpoint(r, name, len) < r->n.endpoints)
		rc = word_fail(&p->s, w[3].at, len, -EINVAL,
			       "an endpoint of this name is there already",
			       "give it another name");
	if (rc == 0)
		rc = add_endpoint(p, &w[0], &w[1]);
	if (rc != 0)
		return rc;
	memcpy(e->name, name, len);
	e->name_len = len;
	r->n.endpoints++;
	return 0;
}

/* "GET /user/{n}", cut, is the name of an endpoint that was given none. */
static uint32_t name_by_itself(struct rules *r, const struct word *method,
			       const struct word *template)
{
	struct endpoint *e = &r->endpoint[r->n.endpoints];
	size_t n = method->n, more = template->n;
	uint32_t same;

	if (more > RULES_NAME - n - 1)
		more = RULES_NAME - n - 1;
	memcpy(e->name, method->p, n);
	e->name[n] = ' ';
	memcpy(e->name + n + 1, template->p, more);
	e->name_len = (uint8_t)(n + 1 + more);
	for (same = 0; same < r->n.endpoints; same++)
		if (r->endpoint[same].method_len == e->method_len &&
		    r->endpoint[same].template_len == e->template_len &&
		    memcmp(r->endpoint[same].method, e->method,
			   e->method_len) == 0 &&
		    memcmp(r->endpoint[same].template, e->template,
			   e->template_len) == 0)
			return same;
	return r->n.endpoints++;
}

static int read_on(struct parser *p)
{
	static const char how[] = "write \"on *\", \"on NAME\" or \"on GET "
				  "/user/{n}\"; an endpoint gets its name in a "
				  "line above";
	struct rules *r = p->r;
	struct word name, template;
	int rc = word_need(&p->s, &name, how);
	uint32_t i;

	if (rc != 0)
		return rc;
	if (word_next(&p->s, &template)) {
		rc = add_endpoint(p, &name, &template);
		if (rc == 0)
			p->line.endpoint =
				(uint16_t)name_by_itself(r, &name, &template);
		return rc;
	}
	i = find_endpoint(r, name.p, name.n);
	if (i == r->n.endpoints)
		return word_fail(&p->s, name.at, name.n, -EINVAL,
				 "no such endpoint", how);
	p->line.endpoint = (uint16_t)i;
	return 0;
}

static int read_all(struct parser *p, const char *text, size_t n);

static int read_include(struct parser *p)
{
	static const char how[] = "presets are " RULES_PRESETS;
	struct parser inner = { .r = p->r, .s.e = p->s.e, .nested = true };
	const char *text;
	struct word w;
	int rc = word_need(&p->s, &w, how);

	if (rc != 0)
		return rc;
	text = preset_text(w.p, w.n);
	if (!text)
		return word_fail(&p->s, w.at, w.n, -EINVAL, "no such preset",
				 how);
	return read_all(&inner, text, strlen(text));
}

/* What begins a line. @rule: it is one, and may have an end and a reason */
static const struct verb {
	const char *name;
	int (*read)(struct parser *p);
	bool rule;
} verbs[] = {
	{ "include", read_include, false },   { "host", verb_host, false },
	{ "endpoint", read_endpoint, false }, { "on", read_on, false },
	{ "compare", verb_compare, true },    { "header", verb_header, true },
	{ "cookie", verb_cookie, true },      { "json", verb_json, true },
	{ "text", verb_text, true },	      { "known", verb_known, true },
	{ "redact", verb_redact, false },     { "version", verb_version, true },
	{ "reply", verb_reply, true },	      { "dns", verb_dns, true },
	{ "gate", verb_gate, false },
};

/* Behind a quote's word: up to the quote that ends the line. */
static int read_reason(struct parser *p, const struct word *w)
{
	static const char how[] = "write it in quotes, at most 96 bytes, at "
				  "the end of the line";
	size_t from = w->at + 1, end = from;

	while (end < p->s.n && p->s.p[end] != '"')
		end++;
	if (end == p->s.n || end - from > RULES_REASON)
		return word_fail(&p->s, w->at, w->n, -EINVAL,
				 "a reason has no end", how);
	assert(end >= from);
	p->line.reason_len = (uint8_t)(end - from);
	memcpy(p->line.reason, p->s.p + from, end - from);
	p->s.at = end + 1;
	return 0;
}

/* until DATE, and "reason" */
static int read_rest(struct parser *p, bool rule)
{
	static const char day[] = "write \"until 2027-01-31\"";
	struct word w;
	int rc = 0;

	if (!word_next(&p->s, &w))
		return 0;
	if (rule && word_is(&w, "until")) {
		rc = word_need(&p->s, &w, day);
		if (rc == 0 &&
		    when_day((const uint8_t *)w.p, w.n, &p->line.until_ns) != 0)
			rc = word_fail(&p->s, w.at, w.n, -EINVAL, "no day",
				       day);
		if (rc != 0 || !word_next(&p->s, &w))
			return rc;
	}
	if (rule && w.p[0] == '"') {
		rc = read_reason(p, &w);
		if (rc != 0 || !word_next(&p->s, &w))
			return rc;
	}
	return word_fail(&p->s, w.at, w.n, -EINVAL,
			 "there is more than the line can have",
			 "one rule a line; a reason stands in quotes");
}

static int read_line(struct parser *p)
{
	static const char how[] =
		"lines begin with include, host, endpoint, on, compare, "
		"header, cookie, json, text, reply, version, known, redact or "
		"gate";
	struct rules *r = p->r;
	struct word w;
	size_t i = 0;
	int rc;

	if (!word_next(&p->s, &w))
		return 0;
	while (i < sizeof(verbs) / sizeof(verbs[0]) &&
	       !word_is(&w, verbs[i].name))
		i++;
	if (i == sizeof(verbs) / sizeof(verbs[0]))
		return word_fail(&p->s, w.at, w.n, -EINVAL, "no such rule",
				 how);
	if (verbs[i].rule && r->n.lines == RULES_LINES)
		return verb_full(p, "there are too many rules");
	p->line.until_ns = INT64_MAX;
	p->line.reason_len = 0;
	rc = verbs[i].read(p);
	if (rc == 0)
		rc = read_rest(p, verbs[i].rule);
	if (rc == 0 && verbs[i].rule)
		r->line[r->n.lines++] = p->line;
	return rc;
}

static int read_first(struct parser *p)
{
	struct word w[3];
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < 3; i++)
		rc = word_need(&p->s, &w[i], FIRST);
	if (rc == 0 &&
	    (!word_is(&w[0], "understudy") || !word_is(&w[1], "rules")))
		rc = word_fail(&p->s, w[0].at, w[0].n, -EINVAL,
			       "this is no text of rules", FIRST);
	if (rc == 0 && !word_is(&w[2], "1"))
		rc = word_fail(&p->s, w[2].at, w[2].n, -EINVAL,
			       "rules of a version that is not known", FIRST);
	return rc != 0 ? rc : read_rest(p, false);
}

/* Is there anything in a line? */
static bool has_words(struct scan *s)
{
	struct word w;
	bool any = word_next(s, &w);

	s->at = 0;
	return any;
}

static int read_all(struct parser *p, const char *text, size_t n)
{
	struct rules_error *e = p->s.e;
	bool first = true;
	uint32_t line = 0;
	size_t from = 0;
	int rc = 0;

	p->line.source = p->r->n.sources++;
	while (rc == 0 && from < n) {
		const char *end = memchr(text + from, '\n', n - from);
		size_t len = end ? (size_t)(end - text) - from : n - from;

		p->s.p = text + from;
		p->s.n = len - (len > 0 && text[from + len - 1] == '\r');
		p->s.at = 0;
		p->line.line = ++line;
		from += len + 1;
		if (!has_words(&p->s))
			continue;
		rc = first ? read_first(p) : read_line(p);
		first = false;
	}
	if (rc == 0 && first) {
		p->s.at = p->s.n = 0;
		rc = word_fail(&p->s, 0, 0, -EINVAL, "there are no rules",
			       FIRST);
	}
	if (rc != 0 && !p->nested)
		e->line = line > 0 ? line : 1;
	return rc;
}

int rules_read(struct rules *r, const char *p, size_t n, struct rules_error *e)
{
	struct parser parser = { .r = r, .s = { .p = p, .e = e } };
	struct rules_counts before = r->n;
	int rc;

	*e = (struct rules_error){ .line = 0 };
	rc = read_all(&parser, p, n);
	assert(rc == 0 || e->what);
	if (rc != 0)
		r->n = before;
	return rc;
}

int rules_preset(struct rules *r, const char *name, size_t n,
		 struct rules_error *e)
{
	const char *text = preset_text(name, n);
	struct scan s = { .p = name, .n = n, .e = e };

	if (text)
		return rules_read(r, text, strlen(text), e);
	*e = (struct rules_error){ .line = 1 };
	return word_fail(&s, 0, n, -EINVAL, "no such preset",
			 "presets are " RULES_PRESETS);
}
