/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * headers.c - Compare fields by what rules say of them
 *
 * Theory of operation
 *
 * Production's fields are gone through in their order. All fields of one name
 * are judged at once: ignored, as one list, or one by one with the SUT's of the
 * same name. What is the same in bytes needs no rule, so a rule is told as
 * needed only where it was. What the SUT has and production has not is looked
 * for at the end.
 */
#include "deep/headers_internal.h"

#include <assert.h>
#include <string.h>

#define ELEMENTS 128u /* of a list; longer ones are compared as they stand */

static const char *const made_names[MADE_COUNT] = {
#define X(id, name) [id] = name,
	HEADERS_MADE(X)
#undef X
};

const char *headers_made_name(enum headers_made m)
{
	assert(m < MADE_COUNT);
	return made_names[m];
}

/* Fields of a list that is of names. */
static const char *const lists_of_names[] = {
	"vary",
	"cache-control",
	"connection",
	"accept-ranges",
	"content-encoding",
	"transfer-encoding",
	"access-control-allow-headers",
	"access-control-expose-headers",
};

static const char *const fields_of_urls[] = {
	"location",
	"content-location",
	"link",
	"access-control-allow-origin",
};

static bool is_one_of(const struct piece *name, const char *const *list,
		      size_t n)
{
	size_t i = 0;

	while (i < n && !piece_is(name, list[i]))
		i++;
	return i < n;
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static uint32_t hash_name(const struct piece *name)
{
	uint32_t h = 0;

	for (size_t i = 0; i < name->n; i++) {
		uint8_t c = name->p[i];

		h = h * 31 + (c >= 'A' && c <= 'Z' ? c | 0x20u : c);
	}
	return h;
}

/* Return: false: there are more than it has room for */
static bool read_head(struct head *h, const uint8_t *p, size_t n)
{
	const uint8_t *end = p + n;

	h->from = p;
	while (p < end) {
		const uint8_t *lf = memchr(p, '\n', (size_t)(end - p));
		const uint8_t *next = lf ? lf + 1 : end;
		const uint8_t *colon = memchr(p, ':', (size_t)(next - p));
		struct head_field *f = &h->f[h->n];
		struct piece line = { p, (size_t)(next - p) };

		p = next;
		if ((*line.p == ' ' || *line.p == '\t') && h->n > 0) {
			/* a fold goes on with the field in front of it */
			f--;
			f->value.n = (size_t)(next - f->value.p);
			f->value = piece_trim(f->value);
			continue;
		}
		if (piece_trim(line).n == 0)
			continue;
		if (h->n == h->most)
			return false;
		if (!colon)
			colon = next;
		f->name = piece_trim(
			(struct piece){ line.p, (size_t)(colon - line.p) });
		colon += colon < next;
		f->value = piece_trim(
			(struct piece){ colon, (size_t)(next - colon) });
		f->hash = hash_name(&f->name);
		f->taken = false;
		h->n++;
	}
	return true;
}

bool headers_differ(struct heads *x, enum headers_change change,
		    const struct head_field *a, const struct head_field *b)
{
	const struct head_field *f[2] = { a, b };

	assert((a || b) && change != HEADERS_NO_CHANGE);
	x->out->outcome = HEADERS_DIFFERENT;
	x->out->change = change;
	piece_copy(x->out->name, a ? &a->name : &b->name);
	for (unsigned i = 0; i < 2; i++) {
		if (!f[i])
			continue;
		x->out->at[i] = (size_t)(f[i]->value.p - x->h[i].from);
		x->out->len[i] = f[i]->value.n;
	}
	return false;
}

struct head_field *headers_find(struct head *h, uint32_t from,
				const struct piece *name, uint32_t hash)
{
	for (uint32_t i = from; i < h->n; i++)
		if (!h->f[i].taken && h->f[i].hash == hash &&
		    piece_same_case(&h->f[i].name, name))
			return &h->f[i];
	return NULL;
}

static void needed(struct heads *x, int rule, enum headers_made m)
{
	assert(rule < (int)x->by->view->headers);
	headers_made(x, m);
	if (rule >= 0)
		x->out->rules[rule / 64] |= UINT64_C(1) << rule % 64;
}

/* Elements of all fields of one name, as one list. */
struct elements {
	struct piece e[ELEMENTS];
	uint32_t n;
};

/* Return: false: they have too many elements */
static bool list_of(struct head *h, const struct piece *name, uint32_t hash,
		    struct elements *out)
{
	assert(h->n <= h->most);
	out->n = 0;
	for (uint32_t i = 0; i < h->n; i++) {
		struct head_field *f = headers_find(h, i, name, hash);
		struct piece rest, part;

		if (!f)
			break;
		i = (uint32_t)(f - h->f);
		rest = f->value;
		while (piece_next(&rest, ',', &part)) {
			if (part.n == 0)
				continue;
			if (out->n == ELEMENTS)
				return false;
			out->e[out->n++] = part;
		}
	}
	return true;
}

static bool has_element(const struct elements *l, const struct piece *e,
			bool names)
{
	uint32_t i = 0;

	while (i < l->n && !(names ? piece_same_case(&l->e[i], e)
				   : piece_same(&l->e[i], e)))
		i++;
	return i < l->n;
}

/* Is every element of @a in @b, but for @but? */
static bool is_within(const struct elements *a, const struct elements *b,
		      bool names, const char *but)
{
	uint32_t i = 0;

	while (i < a->n && ((but && piece_is(&a->e[i], but)) ||
			    has_element(b, &a->e[i], names)))
		i++;
	return i == a->n;
}

/* Are the fields of this name the same lists? */
static bool same_lists(struct heads *x, const struct piece *name, uint32_t hash,
		       const char *but)
{
	bool names = is_one_of(name, lists_of_names, COUNT(lists_of_names));
	struct elements a, b;

	return list_of(&x->h[0], name, hash, &a) &&
	       list_of(&x->h[1], name, hash, &b) &&
	       is_within(&a, &b, names, but) && is_within(&b, &a, names, but);
}

/* Does @a's Content-Type have no parameter that @b's has not? */
static bool type_within(struct piece a, struct piece b, bool multipart)
{
	struct piece part, name, value;

	while (piece_next(&a, ';', &part)) {
		struct piece rest = b, other, its, theirs;
		bool found = false;

		piece_pair(&part, &name, &value);
		if (part.n == 0 || (multipart && piece_is(&name, "boundary")))
			continue;
		while (!found && piece_next(&rest, ';', &other)) {
			piece_pair(&other, &its, &theirs);
			found = piece_same_case(&name, &its) &&
				(piece_is(&name, "charset")
					 ? piece_same_case(&value, &theirs)
					 : piece_same(&value, &theirs));
		}
		if (!found)
			return false;
	}
	return true;
}

static bool same_type(const struct piece *a, const struct piece *b)
{
	struct piece rest[2] = { *a, *b }, type[2], main;
	bool multipart;

	if (!piece_next(&rest[0], ';', &type[0]) ||
	    !piece_next(&rest[1], ';', &type[1]) ||
	    !piece_same_case(&type[0], &type[1]))
		return false;
	main = (struct piece){ type[0].p, type[0].n < 10 ? 0 : 10 };
	multipart = piece_is(&main, "multipart/");
	return type_within(rest[0], rest[1], multipart) &&
	       type_within(rest[1], rest[0], multipart);
}

/* An entity tag without its being weak. */
static struct piece strong(struct piece tag)
{
	if (tag.n > 2 && tag.p[0] == 'W' && tag.p[1] == '/') {
		tag.p += 2;
		tag.n -= 2;
	}
	return tag;
}

/* Two values that are not the same bytes, by what is known without rules. */
static bool same_by_name(struct heads *x, const struct head_field *f,
			 const struct head_field *g)
{
	struct piece a = strong(f->value), b = strong(g->value);

	if (piece_is(&f->name, "content-type") &&
	    same_type(&f->value, &g->value)) {
		headers_made(x, MADE_TYPE);
		return true;
	}
	if (is_one_of(&f->name, fields_of_urls, COUNT(fields_of_urls)) &&
	    piece_same_host(x->by->rules, &f->value, &g->value)) {
		headers_made(x, MADE_ALIAS);
		return true;
	}
	if ((x->by->flags & HEADERS_RECODED) && piece_is(&f->name, "etag") &&
	    piece_same(&a, &b)) {
		headers_made(x, MADE_CODING);
		return true;
	}
	return false;
}

static bool same_value(struct heads *x, const struct header_rule *r, int rule,
		       const struct head_field *f, const struct head_field *g)
{
	static const enum headers_made by[] = {
		[HEADER_IGNORE] = MADE_IGNORE, [HEADER_SET] = MADE_SET,
		[HEADER_CASE] = MADE_CASE,     [HEADER_DATE] = MADE_DATE,
		[HEADER_CLASS] = MADE_CLASS,
	};

	if (piece_same(&f->value, &g->value))
		return true;
	if (!r || !rules_header_alike(r, f->value.p, f->value.n, g->value.p,
				      g->value.n, x->by->late))
		return same_by_name(x, f, g);
	assert(r && r->verb < COUNT(by));
	needed(x, rule, by[r->verb]);
	return true;
}

/* Is a field of framing in one of both only? */
static bool is_lone(struct heads *x, const struct piece *name, uint32_t hash)
{
	return !headers_find(&x->h[0], 0, name, hash) !=
	       !headers_find(&x->h[1], 0, name, hash);
}

/* Fields that tell of the coding: whatever they are. */
static bool follows_body(struct heads *x, const struct piece *name,
			 uint32_t hash)
{
	unsigned flags = x->by->flags;

	if ((flags & HEADERS_OF_GET) &&
	    (piece_is(name, "content-length") ||
	     piece_is(name, "transfer-encoding")) &&
	    is_lone(x, name, hash))
		return true;
	if (piece_is(name, "content-length"))
		return (flags & (HEADERS_RECODED | HEADERS_REWRITTEN)) != 0;
	return (flags & HEADERS_RECODED) &&
	       (piece_is(name, "content-encoding") ||
		piece_is(name, "transfer-encoding") ||
		(piece_is(name, "accept-ranges") && is_lone(x, name, hash)));
}

static bool is_moment(const struct heads *x, const struct piece *name)
{
	return (x->by->flags & HEADERS_OF_THEN) &&
	       (piece_is(name, "date") || piece_is(name, "expires"));
}

/* Take all fields of a name in both; was anything not the same? */
static bool take_all(struct heads *x, const struct piece *name, uint32_t hash)
{
	bool other = false;

	for (;;) {
		struct head_field *f = headers_find(&x->h[0], 0, name, hash);
		struct head_field *g = headers_find(&x->h[1], 0, name, hash);

		if (!f && !g)
			return other;
		other = other || !f || !g || !piece_same(&f->value, &g->value);
		if (f)
			f->taken = true;
		if (g)
			g->taken = true;
	}
}

/* Whatever is in all fields of this name is alike: they are taken. */
static bool take_alike(struct heads *x, const struct piece *name, uint32_t hash)
{
	const struct header_rule *r;
	int rule;

	if (follows_body(x, name, hash)) {
		if (take_all(x, name, hash))
			headers_made(x, MADE_CODING);
		return true;
	}
	if (is_moment(x, name)) {
		if (take_all(x, name, hash))
			headers_made(x, MADE_DATE);
		return true;
	}
	r = rules_header(x->by->view, name->p, name->n, &rule);
	if (r && r->verb == HEADER_IGNORE) {
		if (take_all(x, name, hash))
			needed(x, rule, MADE_IGNORE);
		return true;
	}
	if ((x->by->flags & HEADERS_RECODED) && piece_is(name, "vary") &&
	    same_lists(x, name, hash, "accept-encoding")) {
		if (take_all(x, name, hash))
			headers_made(x, MADE_CODING);
		return true;
	}
	if (r && r->verb == HEADER_SET && same_lists(x, name, hash, NULL)) {
		if (take_all(x, name, hash))
			needed(x, rule, MADE_SET);
		return true;
	}
	return false;
}

/* All fields of one name, one by one. */
static bool compare_name(struct heads *x, uint32_t first)
{
	struct piece name = x->h[0].f[first].name;
	uint32_t hash = x->h[0].f[first].hash;
	int rule;
	const struct header_rule *r =
		rules_header(x->by->view, name.p, name.n, &rule);

	for (;;) {
		struct head_field *f =
			headers_find(&x->h[0], first, &name, hash);
		struct head_field *g = headers_find(&x->h[1], 0, &name, hash);

		if (!f)
			return true;
		if (!g)
			return headers_differ(x, HEADERS_MISSING, f, NULL);
		if (!same_value(x, r, rule, f, g))
			return headers_differ(x, HEADERS_VALUE, f, g);
		assert(!f->taken && !g->taken);
		f->taken = g->taken = true;
	}
}

/* Are both heads the same, line by line? Then no rule is needed. */
static bool same_fields(const struct heads *x)
{
	uint32_t i = 0;

	if (x->h[0].n != x->h[1].n)
		return false;
	while (i < x->h[0].n &&
	       piece_same(&x->h[0].f[i].name, &x->h[1].f[i].name) &&
	       piece_same(&x->h[0].f[i].value, &x->h[1].f[i].value))
		i++;
	return i == x->h[0].n;
}

static bool compare_all(struct heads *x)
{
	static const char field[] = "set-cookie";
	struct piece cookie = { (const uint8_t *)field, sizeof(field) - 1 };

	/* A rule may leave out all cookies, whatever their names. */
	(void)take_alike(x, &cookie, hash_name(&cookie));
	for (uint32_t i = 0; i < x->h[0].n; i++) {
		const struct head_field *f = &x->h[0].f[i];

		if (f->taken || piece_is(&f->name, field) ||
		    take_alike(x, &f->name, f->hash))
			continue;
		if (!compare_name(x, i))
			return false;
	}
	if (!cookies_compare(x))
		return false;
	for (uint32_t i = 0; i < x->h[1].n; i++) {
		const struct head_field *g = &x->h[1].f[i];

		if (!g->taken && !take_alike(x, &g->name, g->hash))
			return headers_differ(x, HEADERS_EXTRA, NULL, g);
	}
	return true;
}

void headers_compare(const struct headers_rules *by, const uint8_t *a,
		     size_t an, const uint8_t *b, size_t bn,
		     struct headers_verdict *out)
{
	struct head_field f[HEADERS_MOST], g[2 * HEADERS_MOST];
	struct heads x = {
		.by = by,
		.out = out,
		.h = { { .f = f, .most = HEADERS_MOST },
		       { .f = g, .most = 2 * HEADERS_MOST } },
	};

	memset(out, 0, sizeof(*out));
	if (!read_head(&x.h[0], a, an)) {
		out->outcome = HEADERS_UNJUDGED;
		return;
	}
	if (!read_head(&x.h[1], b, bn)) {
		out->outcome = HEADERS_DIFFERENT;
		out->change = HEADERS_MANY;
		return;
	}
	if (same_fields(&x))
		return;
	if (compare_all(&x) && out->made == 0)
		headers_made(&x, MADE_ORDER);
	if (out->outcome == HEADERS_DIFFERENT) {
		out->made = 0;
		memset(out->rules, 0, sizeof(out->rules));
		out->cookies = 0;
	}
}
