/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rules.c - Which rules an answer has
 *
 * All lines lie in the order in which they were read, each sort in an array of
 * its own. When no more is added each endpoint gets a view: lists of what
 * counts for it, those of all endpoints first. So nothing is searched while
 * answers come, but for the endpoint itself.
 */
#include "rules/rules_internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

_Static_assert(RULES_NAME <= UINT8_MAX && RULES_TEMPLATE <= UINT8_MAX &&
		       RULES_REASON <= UINT8_MAX,
	       "lengths are bytes");
_Static_assert(RULES_LINES <= UINT16_MAX, "a line's number has 16 bits");

size_t rules_size(void)
{
	return arena_need(sizeof(struct rules));
}

int rules_init(struct rules **out, struct arena *a)
{
	struct rules *r = arena_take(a, sizeof(*r));

	if (!r)
		return -ENOMEM;
	memset(r, 0, sizeof(*r));
	memset(r->n.level, LEVEL_UNSET, sizeof(r->n.level));
	r->n.endpoints = 1;
	r->endpoint[RULES_ALL].name[0] = '*';
	r->endpoint[RULES_ALL].name_len = 1;
	*out = r;
	return 0;
}

static bool counts(const struct rules *r, uint16_t line, uint32_t endpoint,
		   int64_t now)
{
	const struct rule *l = &r->line[line];

	assert(line < r->n.lines);
	return l->endpoint == endpoint && l->until_ns > now;
}

/* Add the rules that stand at @from to the view. */
static bool add_rules(const struct rules *r, struct rules_view *v,
		      uint32_t from, int64_t now)
{
	for (uint32_t i = 0; i < r->n.jsons; i++) {
		if (!counts(r, r->json_line[i], from, now))
			continue;
		if (v->jsons == RULES_VIEW ||
		    r->json[i].at.steps > RULES_STEPS - v->steps)
			return false;
		v->steps += r->json[i].at.steps;
		v->json_rule[v->jsons] = r->json_line[i];
		v->json[v->jsons++] = &r->json[i];
	}
	for (uint32_t i = 0; i < r->n.headers; i++) {
		if (!counts(r, r->header_line[i], from, now))
			continue;
		if (v->headers == RULES_VIEW_HEADERS)
			return false;
		v->header_rule[v->headers] = r->header_line[i];
		v->header[v->headers++] = &r->header[i];
	}
	for (uint32_t i = 0; i < r->n.cookies; i++) {
		if (!counts(r, r->cookie_line[i], from, now))
			continue;
		if (v->cookies == RULES_VIEW)
			return false;
		v->cookie_rule[v->cookies] = r->cookie_line[i];
		v->cookie[v->cookies++] = &r->cookie[i];
	}
	for (uint32_t i = 0; i < r->n.masks; i++) {
		if (!counts(r, r->mask_line[i], from, now))
			continue;
		if (v->masks == RULES_VIEW)
			return false;
		v->mask_rule[v->masks] = r->mask_line[i];
		v->mask[v->masks++] = &r->mask[i];
	}
	if (r->n.level[from] != LEVEL_UNSET &&
	    counts(r, r->n.level_line[from], from, now))
		v->level = (enum rules_level)r->n.level[from];
	for (unsigned i = 0; i < VERSION_VERBS; i++) {
		if (!(r->n.versions[from] >> i & 1) ||
		    !counts(r, r->n.version_line[from][i], from, now))
			continue;
		v->versions |= (uint8_t)(1u << i);
		v->version_rule[i] = r->n.version_line[from][i];
		if (i == VERSION_OLDER)
			v->older_ns = r->n.older_ns[from];
	}
	return true;
}

int rules_end(struct rules *r, int64_t now_ns)
{
	assert(r->n.endpoints >= 1 && r->n.lines <= RULES_LINES);
	r->now_ns = now_ns;
	for (uint32_t i = 0; i < r->n.endpoints; i++) {
		struct rules_view *v = &r->view[i];

		memset(v, 0, sizeof(*v));
		v->level = LEVEL_WHOLE;
		if (!add_rules(r, v, RULES_ALL, now_ns) ||
		    (i != RULES_ALL && !add_rules(r, v, i, now_ns)))
			return -E2BIG;
	}
	return 0;
}

static bool is_digits(const uint8_t *p, size_t n)
{
	size_t i = 0;

	while (i < n && p[i] >= '0' && p[i] <= '9')
		i++;
	return n > 0 && i == n;
}

/* Does a segment of a path fit one of a template? */
static bool fits_segment(const char *t, size_t tn, const uint8_t *p, size_t n)
{
	if (tn < 2 || t[0] != '{' || t[tn - 1] != '}')
		return tn == n && memcmp(t, p, n) == 0;
	if (tn == 2)
		return n > 0;
	if (tn == 3 && t[1] == 'n')
		return is_digits(p, n);
	return class_has(class_find(t + 1, tn - 2), p, n);
}

static size_t segment_end(const void *p, size_t from, size_t n)
{
	const uint8_t *at = memchr((const uint8_t *)p + from, '/', n - from);

	return at ? (size_t)(at - (const uint8_t *)p) : n;
}

static bool fits_template(const char *t, size_t tn, const uint8_t *p, size_t n)
{
	size_t ti = 0, pi = 0;

	for (;;) {
		size_t te = segment_end(t, ti, tn), pe = segment_end(p, pi, n);

		assert(ti <= te && te <= tn && pi <= pe && pe <= n);
		if (te == tn && te - ti == 1 && t[ti] == '*')
			return true;
		if (!fits_segment(t + ti, te - ti, p + pi, pe - pi))
			return false;
		if (te == tn || pe == n)
			return te == tn && pe == n;
		ti = te + 1;
		pi = pe + 1;
	}
}

/* The path of a target: without scheme, authority, query. */
static void path_of(const uint8_t **p, size_t *n)
{
	const uint8_t *at = memchr(*p, '?', *n);

	if (at)
		*n = (size_t)(at - *p);
	at = memchr(*p, '#', *n);
	if (at)
		*n = (size_t)(at - *p);
	at = memchr(*p, ':', *n);
	if (*n == 0 || **p == '/' || !at || *n - (size_t)(at - *p) < 3 ||
	    at[1] != '/' || at[2] != '/')
		return;
	at += 3;
	*n -= (size_t)(at - *p);
	*p = at;
	at = memchr(*p, '/', *n);
	if (!at) {
		*p = (const uint8_t *)"/";
		*n = 1;
		return;
	}
	*n -= (size_t)(at - *p);
	*p = at;
}

uint32_t rules_endpoint(const struct rules *r, const uint8_t *method, size_t m,
			const uint8_t *target, size_t t)
{
	uint32_t i = r->n.endpoints - 1;

	path_of(&target, &t);
	for (; i > RULES_ALL; i--) {
		const struct endpoint *e = &r->endpoint[i];

		if ((e->method_len == 0 ||
		     (e->method_len == m &&
		      memcmp(e->method, method, m) == 0)) &&
		    fits_template(e->template, e->template_len, target, t))
			break;
	}
	return i;
}

const struct rules_view *rules_view(const struct rules *r, uint32_t endpoint)
{
	assert(endpoint < r->n.endpoints);
	return &r->view[endpoint];
}

uint32_t rules_endpoints(const struct rules *r)
{
	return r->n.endpoints;
}

const char *rules_name(const struct rules *r, uint32_t endpoint)
{
	assert(endpoint < r->n.endpoints);
	return r->endpoint[endpoint].name;
}

uint32_t rules_sources(const struct rules *r)
{
	return r->n.sources;
}

uint32_t rules_count(const struct rules *r)
{
	return r->n.lines;
}

const struct rule *rules_line(const struct rules *r, uint32_t i)
{
	assert(i < r->n.lines);
	return &r->line[i];
}

void rules_hit(struct rules *r, uint32_t i, bool alone)
{
	assert(i < r->n.lines);
	r->line[i].hits++;
	r->line[i].alone += alone;
}

int rules_known(const struct rules *r, uint32_t endpoint, const char *kind,
		size_t n)
{
	for (uint32_t i = 0; i < r->n.knowns; i++) {
		const struct known_kind *k = &r->known[i];
		uint32_t whose = r->line[k->rule].endpoint;

		if (k->len == n && memcmp(k->kind, kind, n) == 0 &&
		    r->line[k->rule].until_ns > r->now_ns &&
		    (whose == RULES_ALL || whose == endpoint))
			return k->rule;
	}
	return -ENOENT;
}

uint32_t rules_aliases(const struct rules *r)
{
	return r->n.aliases;
}

const struct host_alias *rules_alias(const struct rules *r, uint32_t i)
{
	assert(i < r->n.aliases);
	return &r->alias[i];
}

uint32_t rules_secrets(const struct rules *r)
{
	return r->n.secrets;
}

const struct secret_name *rules_secret(const struct rules *r, uint32_t i)
{
	assert(i < r->n.secrets);
	return &r->secret[i];
}

uint32_t rules_endpoint_of(const struct rules *r, const char *line, size_t n)
{
	const uint8_t *method = (const uint8_t *)line;
	const uint8_t *end = method + n;
	const uint8_t *space = n > 0 ? memchr(method, ' ', n) : NULL;
	const uint8_t *target = space ? space + 1 : end;
	const uint8_t *to = target;

	while (to < end && *to != ' ' && *to != '?' && *to != '#')
		to++;
	if (!space || to == end)
		return RULES_ALL;
	return rules_endpoint(r, method, (size_t)(space - method), target,
			      (size_t)(to - target));
}
