/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rules_verbs.c - Read the lines that say what may differ
 *
 * One function a verb, each behind the verb itself, up to what rules_read.c
 * reads behind all of them. What is added is counted in struct rules, so a text
 * that is wrong further on takes nothing along.
 */
#include "rules/rules_internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "rules/when.h"

int verb_full(struct parser *p, const char *what)
{
	return word_fail(&p->s, 0, 0, -E2BIG, what,
			 "fewer rules, or rules for all endpoints");
}

int verb_contradicts(struct parser *p, const struct word *w, uint16_t line)
{
	assert(p->r->line[line].line <= p->line.line);
	p->s.e->other = p->r->line[line].line;
	return word_fail(&p->s, w->at, w->n, -EINVAL,
			 "two lines contradict each other",
			 "one of them must go");
}

bool verb_is_beside(const struct parser *p, uint16_t line)
{
	return line < p->r->n.lines &&
	       p->r->line[line].source == p->line.source &&
	       p->r->line[line].endpoint == p->line.endpoint;
}

static uint16_t own_line(const struct parser *p)
{
	return (uint16_t)p->r->n.lines;
}

bool verb_ends_list(const struct word *w)
{
	return word_is(w, "until") || w->p[0] == '"';
}

/* Put a word back. */
static void unread(struct parser *p, const struct word *w)
{
	assert(w->at <= p->s.at);
	p->s.at = w->at;
}

static int add_header(struct parser *p, const struct word *w,
		      struct header_rule *h)
{
	struct rules *r = p->r;
	int rc = word_name(&p->s, w, h->name, &h->len, true);

	assert(h->verb <= HEADER_CLASS);
	if (rc != 0)
		return rc;
	if (r->n.headers == RULES_HEADERS)
		return verb_full(p, "there are too many header rules");
	for (uint32_t i = 0; i < r->n.headers; i++)
		if (r->header[i].len == h->len &&
		    memcmp(r->header[i].name, h->name, h->len) == 0 &&
		    verb_is_beside(p, r->header_line[i]) &&
		    r->header[i].verb != h->verb)
			return verb_contradicts(p, w, r->header_line[i]);
	r->header_line[r->n.headers] = own_line(p);
	r->header[r->n.headers++] = *h;
	return 0;
}

static int add_cookie(struct parser *p, const struct word *w,
		      struct cookie_rule *c)
{
	struct rules *r = p->r;
	int rc = word_name(&p->s, w, c->name, &c->len, false);

	if (rc != 0)
		return rc;
	if (r->n.cookies == RULES_COOKIES)
		return verb_full(p, "there are too many cookie rules");
	for (uint32_t i = 0; i < r->n.cookies; i++)
		if (r->cookie[i].len == c->len &&
		    memcmp(r->cookie[i].name, c->name, c->len) == 0 &&
		    verb_is_beside(p, r->cookie_line[i]) &&
		    r->cookie[i].verb != c->verb)
			return verb_contradicts(p, w, r->cookie_line[i]);
	r->cookie_line[r->n.cookies] = own_line(p);
	r->cookie[r->n.cookies++] = *c;
	return 0;
}

/* Names until the list ends, at least one; exactly one of @header and @cookie.
 */
static int read_names(struct parser *p, struct header_rule *header,
		      struct cookie_rule *cookie)
{
	static const char how[] = "name at least one";
	struct word w;
	int rc = word_need(&p->s, &w, how);

	if (rc == 0 && verb_ends_list(&w))
		rc = word_fail(&p->s, w.at, w.n, -EINVAL, "a name is expected",
			       how);
	while (rc == 0) {
		rc = header ? add_header(p, &w, header)
			    : add_cookie(p, &w, cookie);
		if (rc != 0 || !word_next(&p->s, &w))
			break;
		if (verb_ends_list(&w)) {
			unread(p, &w);
			break;
		}
	}
	return rc;
}

int verb_header(struct parser *p)
{
	static const char how[] =
		"header ignore, set, case, date or class, and a name";
	struct header_rule h;
	struct word w, name;
	int rc = word_need(&p->s, &w, how);

	memset(&h, 0, sizeof(h));
	if (rc != 0)
		return rc;
	if (word_is(&w, "ignore") || word_is(&w, "set") ||
	    word_is(&w, "case")) {
		h.verb = w.p[0] == 'i'	 ? HEADER_IGNORE
			 : w.p[0] == 's' ? HEADER_SET
					 : HEADER_CASE;
		return read_names(p, &h, NULL);
	}
	if (!word_is(&w, "date") && !word_is(&w, "class"))
		return word_fail(&p->s, w.at, w.n, -EINVAL,
				 "no such rule for headers", how);
	h.verb = w.p[0] == 'd' ? HEADER_DATE : HEADER_CLASS;
	rc = word_need(&p->s, &name, how);
	if (rc == 0)
		rc = h.verb == HEADER_DATE ? word_duration(&p->s, &h.within_ns)
					   : word_class(&p->s, &h.class);
	return rc != 0 ? rc : add_header(p, &name, &h);
}

int verb_cookie(struct parser *p)
{
	static const char how[] = "cookie ignore, session or class, and a name";
	struct cookie_rule c;
	struct word w, name;
	int rc = word_need(&p->s, &w, how);

	memset(&c, 0, sizeof(c));
	if (rc != 0)
		return rc;
	if (word_is(&w, "ignore") || word_is(&w, "session")) {
		c.verb = w.p[0] == 'i' ? COOKIE_IGNORE : COOKIE_SESSION;
		return read_names(p, NULL, &c);
	}
	if (!word_is(&w, "class"))
		return word_fail(&p->s, w.at, w.n, -EINVAL,
				 "no such rule for cookies", how);
	c.verb = COOKIE_CLASS;
	rc = word_need(&p->s, &name, how);
	if (rc == 0)
		rc = word_class(&p->s, &c.class);
	return rc != 0 ? rc : add_cookie(p, &name, &c);
}

static int json_key(struct parser *p, struct json_rule *j)
{
	static const char how[] = "write \"json key $.items by $.sku\"";
	struct word w;
	size_t from;
	int rc = word_need(&p->s, &w, how);

	if (rc == 0 && !word_is(&w, "by"))
		rc = word_fail(&p->s, w.at, w.n, -EINVAL, "\"by\" is expected",
			       how);
	from = p->s.at;
	if (rc == 0)
		rc = word_place(&p->s, &j->by);
	for (uint32_t i = 0; rc == 0 && i < j->by.steps; i++)
		if (j->by.step[i].kind != PLACE_NAME || j->by.step[i].deep)
			rc = word_fail(&p->s, from, p->s.at - from, -EINVAL,
				       "a key is no plain member", how);
	return rc;
}

static int json_verb(struct parser *p, const struct word *w,
		     struct json_rule *j)
{
	static const char *const verb[] = { "ignore", "set",   "key", "number",
					    "text",   "class", "time" };
	static const char how[] =
		"json ignore, set, key, number, text, class or time";

	while (j->verb < sizeof(verb) / sizeof(verb[0]) &&
	       !word_is(w, verb[j->verb]))
		j->verb++;
	if (j->verb == sizeof(verb) / sizeof(verb[0]))
		return word_fail(&p->s, w->at, w->n, -EINVAL,
				 "no such rule for JSON", how);
	return 0;
}

static bool same_place(const struct place *a, const struct place *b)
{
	return a->steps == b->steps && a->names_used == b->names_used &&
	       memcmp(a->step, b->step, sizeof(a->step)) == 0 &&
	       memcmp(a->names, b->names, sizeof(a->names)) == 0;
}

int verb_json(struct parser *p)
{
	struct rules *r = p->r;
	struct json_rule j;
	struct word w;
	int rc = word_need(&p->s, &w, "json ignore $.member, for example");

	memset(&j, 0, sizeof(j));
	if (rc == 0)
		rc = json_verb(p, &w, &j);
	if (rc == 0)
		rc = word_place(&p->s, &j.at);
	if (rc == 0 && j.verb == JSON_KEY)
		rc = json_key(p, &j);
	else if (rc == 0 && j.verb == JSON_NUMBER)
		rc = word_tolerance(&p->s, &j.within_m, &j.within_e);
	else if (rc == 0 && j.verb == JSON_TIME)
		rc = word_duration(&p->s, &j.within_ns);
	else if (rc == 0 && j.verb == JSON_CLASS)
		rc = word_class(&p->s, &j.class);
	if (rc != 0)
		return rc;
	if (r->n.jsons == RULES_JSON)
		return verb_full(p, "there are too many JSON rules");
	assert(j.verb <= JSON_TIME);
	for (uint32_t i = 0; i < r->n.jsons; i++)
		if (same_place(&r->json[i].at, &j.at) &&
		    verb_is_beside(p, r->json_line[i]) &&
		    r->json[i].verb != j.verb)
			return verb_contradicts(p, &w, r->json_line[i]);
	r->json_line[r->n.jsons] = own_line(p);
	r->json[r->n.jsons++] = j;
	return 0;
}

int verb_text(struct parser *p)
{
	static const char how[] = "write \"text mask /build [0-9]+/\"";
	struct rules *r = p->r;
	size_t from, end, at;
	struct word w;
	int rc = word_need(&p->s, &w, how);

	if (rc == 0 && !word_is(&w, "mask"))
		rc = word_fail(&p->s, w.at, w.n, -EINVAL,
			       "no such rule for text", how);
	if (rc == 0)
		rc = word_need(&p->s, &w, how);
	if (rc == 0 && w.p[0] != '/')
		rc = word_fail(&p->s, w.at, w.n, -EINVAL,
			       "a pattern begins with a slash", how);
	if (rc != 0)
		return rc;
	from = w.at + 1;
	for (end = from; end < p->s.n && p->s.p[end] != '/'; end++)
		end += p->s.p[end] == '\\' && end + 1 < p->s.n;
	if (end >= p->s.n)
		return word_fail(&p->s, w.at, w.n, -EINVAL,
				 "a pattern has no end", how);
	if (r->n.masks == RULES_MASKS)
		return verb_full(p, "there are too many masks");
	p->s.at = end + 1;
	rc = mask_read(&r->mask[r->n.masks], p->s.p + from, end - from, &at);
	if (rc != 0)
		return word_fail(&p->s, from + at, end - from - at, rc,
				 rc == -E2BIG ? "a pattern is too long"
					      : "no pattern",
				 "patterns match at least one byte, and have "
				 "at most 64 bytes and sets");
	r->mask_line[r->n.masks++] = own_line(p);
	return 0;
}

int verb_compare(struct parser *p)
{
	static const char how[] = "compare whole, status or nothing";
	static const char *const level[] = { "whole", "status", "nothing" };
	uint16_t whose = p->line.endpoint;
	struct rules *r = p->r;
	struct word w;
	uint8_t i = 0;
	int rc = word_need(&p->s, &w, how);

	if (rc != 0)
		return rc;
	while (i < 3 && !word_is(&w, level[i]))
		i++;
	if (i == 3)
		return word_fail(&p->s, w.at, w.n, -EINVAL, "no such level",
				 how);
	assert(whose < r->n.endpoints);
	if (r->n.level[whose] != LEVEL_UNSET && r->n.level[whose] != i &&
	    verb_is_beside(p, r->n.level_line[whose]))
		return verb_contradicts(p, &w, r->n.level_line[whose]);
	r->n.level[whose] = i;
	r->n.level_line[whose] = own_line(p);
	return 0;
}

int verb_version(struct parser *p)
{
	static const char how[] =
		"write \"version older within 60s\" or \"version newer\"";
	static const char *const verb[] = { "older", "newer" };
	uint16_t whose = p->line.endpoint;
	struct rules_counts *n = &p->r->n;
	int64_t within = 0;
	struct word w;
	uint8_t i = 0;
	int rc = word_need(&p->s, &w, how);

	if (rc != 0)
		return rc;
	while (i < VERSION_VERBS && !word_is(&w, verb[i]))
		i++;
	if (i == VERSION_VERBS)
		return word_fail(&p->s, w.at, w.n, -EINVAL,
				 "no such rule for versions", how);
	if (i == VERSION_OLDER)
		rc = word_duration(&p->s, &within);
	if (rc != 0)
		return rc;
	assert(whose < n->endpoints);
	if (i == VERSION_OLDER && (n->versions[whose] >> i & 1) &&
	    n->older_ns[whose] != within &&
	    verb_is_beside(p, n->version_line[whose][i]))
		return verb_contradicts(p, &w, n->version_line[whose][i]);
	n->versions[whose] |= (uint8_t)(1u << i);
	n->version_line[whose][i] = own_line(p);
	if (i == VERSION_OLDER)
		n->older_ns[whose] = within;
	return 0;
}

int verb_known(struct parser *p)
{
	static const char how[] =
		"write known KIND until 2027-01-31 \"the reason\"";
	struct rules *r = p->r;
	struct known_kind k;
	struct word w;
	int rc = word_need(&p->s, &w, how);

	memset(&k, 0, sizeof(k));
	if (rc == 0)
		rc = word_name(&p->s, &w, k.kind, &k.len, false);
	if (rc != 0)
		return rc;
	if (r->n.knowns == RULES_KNOWN)
		return verb_full(p, "there are too many known kinds");
	k.rule = own_line(p);
	r->known[r->n.knowns++] = k;
	if (!word_next(&p->s, &w) || !word_is(&w, "until"))
		return word_fail(&p->s, w.at, w.n, -EINVAL,
				 "what is known has no end", how);
	unread(p, &w);
	return 0;
}

int verb_host(struct parser *p)
{
	static const char how[] =
		"write \"host alias shop.example = shop-next.example\"";
	struct rules *r = p->r;
	struct host_alias a;
	struct word w[4];
	int rc = 0;

	memset(&a, 0, sizeof(a));
	for (unsigned i = 0; rc == 0 && i < 4; i++)
		rc = word_need(&p->s, &w[i], how);
	if (rc == 0 && !word_is(&w[0], "alias"))
		rc = word_fail(&p->s, w[0].at, w[0].n, -EINVAL,
			       "\"alias\" is expected", how);
	if (rc == 0 && !word_is(&w[2], "="))
		rc = word_fail(&p->s, w[2].at, w[2].n, -EINVAL,
			       "\"=\" is expected", how);
	if (rc == 0)
		rc = word_name(&p->s, &w[1], a.host[0], &a.len[0], true);
	if (rc == 0)
		rc = word_name(&p->s, &w[3], a.host[1], &a.len[1], true);
	if (rc != 0)
		return rc;
	if (r->n.aliases == RULES_ALIASES)
		return verb_full(p, "there are too many aliases");
	r->alias[r->n.aliases++] = a;
	return 0;
}

static int add_secret(struct parser *p, const char *name, size_t n)
{
	struct rules *r = p->r;
	struct secret_name *s = &r->secret[r->n.secrets];

	if (r->n.secrets == RULES_SECRETS)
		return verb_full(p, "there are too many names to redact");
	if (n > RULES_NAME)
		return word_fail(&p->s, 0, 0, -EINVAL, "a name is too long",
				 "names have at most 64 bytes");
	s->len = (uint8_t)n;
	memcpy(s->name, name, n);
	r->n.secrets++;
	return 0;
}

/* The last member of a place. */
static int redact_json(struct parser *p)
{
	size_t from = p->s.at;
	struct place at;
	int rc = word_place(&p->s, &at);
	uint32_t i = at.steps;

	if (rc != 0)
		return rc;
	while (i > 0 && at.step[i - 1].kind != PLACE_NAME)
		i--;
	if (i == 0)
		return word_fail(&p->s, from + 1, p->s.at - from - 1, -EINVAL,
				 "a place without a member",
				 "write \"redact json $.user.phone\"");
	return add_secret(p, at.names + at.step[i - 1].name,
			  at.step[i - 1].len);
}

int verb_redact(struct parser *p)
{
	static const char how[] =
		"redact header, cookie, query or form and names, or json and "
		"a place";
	static const char *const what[] = { "header", "cookie", "query",
					    "form" };
	struct word w;
	unsigned i = 0;
	int rc = word_need(&p->s, &w, how);

	if (rc == 0 && p->line.endpoint != RULES_ALL)
		rc = word_fail(&p->s, w.at, w.n, -EINVAL,
			       "what is redacted is so for all endpoints",
			       "write it in front of the first \"on\", or "
			       "behind \"on *\"");
	if (rc != 0)
		return rc;
	if (word_is(&w, "json"))
		return redact_json(p);
	while (i < 4 && !word_is(&w, what[i]))
		i++;
	if (i == 4)
		return word_fail(&p->s, w.at, w.n, -EINVAL,
				 "no such place to redact", how);
	rc = word_need(&p->s, &w, how);
	while (rc == 0) {
		char name[RULES_NAME];
		uint8_t len;

		rc = word_name(&p->s, &w, name, &len, false);
		if (rc == 0)
			rc = add_secret(p, name, len);
		if (rc != 0 || !word_next(&p->s, &w))
			break;
	}
	return rc;
}
