/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cookies.c - Set-Cookie by name, attribute and class (RFC 6265 section 4.1)
 *
 * Cookies of one name are paired in the order in which they stand. A value is
 * what a server chose: rules may say that any two are alike, or any two of a
 * class. An attribute is what the server asks of the client, and is compared as
 * such.
 */
#include "deep/headers_internal.h"

#include <assert.h>
#include <string.h>

#include "rules/when.h"

#define ATTRIBUTES 16u /* more than that are compared as bytes */

struct cookie {
	struct piece name, value;
	struct piece attribute[ATTRIBUTES];
	uint32_t n;
	bool more; /* attributes than there is room for */
};

static void read_cookie(const struct head_field *f, struct cookie *c)
{
	struct piece rest = f->value, part;

	memset(c, 0, sizeof(*c));
	if (!piece_next(&rest, ';', &part))
		return;
	piece_pair(&part, &c->name, &c->value);
	while (piece_next(&rest, ';', &part)) {
		if (part.n == 0)
			continue;
		if (c->n == ATTRIBUTES) {
			c->more = true;
			return;
		}
		c->attribute[c->n++] = part;
	}
}

/* The rule for a cookie of this name, or -1. */
static int rule_of(const struct rules_view *v, const struct piece *name)
{
	int i = (int)v->cookies;

	while (--i >= 0) {
		const struct cookie_rule *r = v->cookie[i];

		assert(r->len > 0);
		if (r->len == name->n && memcmp(r->name, name->p, r->len) == 0)
			break;
	}
	return i;
}

static bool same_value(struct heads *x, const struct cookie *a,
		       const struct cookie *b, int rule)
{
	const struct cookie_rule *r;
	enum value_class c;

	if (piece_same(&a->value, &b->value))
		return true;
	if (rule < 0)
		return false;
	assert((uint32_t)rule < x->by->view->cookies);
	r = x->by->view->cookie[rule];
	c = (enum value_class)r->class;
	/* A cookie without a value is one that is taken away. */
	if (a->value.n == 0 || b->value.n == 0)
		return false;
	if (r->verb == COOKIE_CLASS &&
	    (!class_has(c, a->value.p, a->value.n) ||
	     !class_has(c, b->value.p, b->value.n) ||
	     (class_sized(c) && a->value.n != b->value.n)))
		return false;
	x->out->cookies |= UINT64_C(1) << rule;
	headers_made(x, MADE_COOKIE);
	return true;
}

/* A side's Date, in seconds. */
static bool own_date(const struct heads *x, unsigned side, int64_t *s)
{
	const struct head *h = &x->h[side];

	for (uint32_t i = 0; i < h->n; i++)
		if (piece_is(&h->f[i].name, "date"))
			return when_http(h->f[i].value.p, h->f[i].value.n, s) ==
			       0;
	return false;
}

/* Do both end as long after what their server calls now? */
static bool same_expires(struct heads *x, const struct piece *a,
			 const struct piece *b)
{
	int64_t end[2], now[2], apart;

	if (when_http(a->p, a->n, &end[0]) != 0 ||
	    when_http(b->p, b->n, &end[1]) != 0)
		return false;
	if (!own_date(x, 0, &now[0]) || !own_date(x, 1, &now[1]))
		now[0] = now[1] = 0;
	apart = (end[0] - now[0]) - (end[1] - now[1]);
	if (apart < 0)
		apart = -apart;
	if (apart > RULES_CLOCK / 1000000000)
		return false;
	headers_made(x, MADE_DATE);
	return true;
}

static bool same_attribute(struct heads *x, const struct piece *name,
			   const struct piece *a, const struct piece *b)
{
	if (piece_same(a, b))
		return true;
	if (piece_is(name, "expires"))
		return same_expires(x, a, b);
	if ((piece_is(name, "samesite") || piece_is(name, "domain")) &&
	    piece_same_case(a, b)) {
		headers_made(x, MADE_CASE);
		return true;
	}
	if (piece_is(name, "domain") && piece_same_host(x->by->rules, a, b)) {
		headers_made(x, MADE_ALIAS);
		return true;
	}
	return false;
}

/* The attribute of this name that counts, which is the last one; or c->n. */
static uint32_t find_attribute(const struct cookie *c, const struct piece *name)
{
	uint32_t i = c->n;

	while (i > 0) {
		struct piece its, value;

		piece_pair(&c->attribute[--i], &its, &value);
		if (piece_same_case(name, &its))
			return i;
	}
	return c->n;
}

/* Is each attribute of @a in @b, too, and with @values as it is there? False:
 * @name is not
 */
static bool has_all(struct heads *x, const struct cookie *a,
		    const struct cookie *b, bool values, struct piece *name)
{
	for (uint32_t i = 0; i < a->n; i++) {
		struct piece value, other, its;
		uint32_t k;

		piece_pair(&a->attribute[i], name, &value);
		if (find_attribute(a, name) != i)
			continue;
		k = find_attribute(b, name);
		assert(k <= b->n);
		if (k == b->n)
			return false;
		if (!values)
			continue;
		piece_pair(&b->attribute[k], &other, &its);
		if (!same_attribute(x, name, &value, &its))
			return false;
		if (k != i)
			headers_made(x, MADE_ORDER);
	}
	return true;
}

static bool same_cookie(struct heads *x, const struct head_field *f,
			const struct head_field *g, int rule)
{
	struct piece name = { NULL, 0 };
	struct cookie a, b;
	bool same;

	if (piece_same(&f->value, &g->value))
		return true;
	read_cookie(f, &a);
	read_cookie(g, &b);
	same = !a.more && !b.more && same_value(x, &a, &b, rule);
	/* both ways, since each may have one that the other has not */
	if (same && !(has_all(x, &a, &b, true, &name) &&
		      has_all(x, &b, &a, false, &name))) {
		piece_copy(x->out->attribute, &name);
		same = false;
	}
	if (same)
		return true;
	piece_copy(x->out->part, &a.name);
	return headers_differ(x, HEADERS_VALUE, f, g);
}

/* The SUT's next cookie of this name. */
static struct head_field *find_cookie(struct heads *x,
				      const struct head_field *f,
				      const struct piece *name)
{
	uint32_t i = 0;

	for (;; i++) {
		struct head_field *g =
			headers_find(&x->h[1], i, &f->name, f->hash);
		struct cookie c;

		if (!g)
			return NULL;
		read_cookie(g, &c);
		if (piece_same(name, &c.name))
			return g;
		i = (uint32_t)(g - x->h[1].f);
	}
}

static bool is_ignored(struct heads *x, int rule)
{
	if (rule < 0 || x->by->view->cookie[rule]->verb != COOKIE_IGNORE)
		return false;
	x->out->cookies |= UINT64_C(1) << rule;
	headers_made(x, MADE_COOKIE);
	return true;
}

bool cookies_compare(struct heads *x)
{
	static const char field[] = "set-cookie";

	for (uint32_t i = 0; i < x->h[0].n; i++) {
		struct head_field *f = &x->h[0].f[i], *g;
		struct cookie c;
		int rule;

		if (f->taken || !piece_is(&f->name, field))
			continue;
		f->taken = true;
		read_cookie(f, &c);
		rule = rule_of(x->by->view, &c.name);
		g = find_cookie(x, f, &c.name);
		if (g)
			g->taken = true;
		if (is_ignored(x, rule))
			continue;
		if (!g) {
			piece_copy(x->out->part, &c.name);
			return headers_differ(x, HEADERS_MISSING, f, NULL);
		}
		if (!same_cookie(x, f, g, rule))
			return false;
	}
	for (uint32_t i = 0; i < x->h[1].n; i++) {
		struct head_field *g = &x->h[1].f[i];
		struct cookie c;

		if (g->taken || !piece_is(&g->name, field))
			continue;
		g->taken = true;
		read_cookie(g, &c);
		if (is_ignored(x, rule_of(x->by->view, &c.name)))
			continue;
		piece_copy(x->out->part, &c.name);
		return headers_differ(x, HEADERS_EXTRA, NULL, g);
	}
	return true;
}
