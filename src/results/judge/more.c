/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * more.c - All places in which a case differs
 *
 * Theory of operation
 *
 * Judges tell the first difference. Noise must not hide what stands behind it,
 * so with a baseline the others are looked for: what was found is left out by a
 * rule, and the judge is asked again. Of JSON the rule names the very place,
 * which cannot leave out anything else; of the third place of a kind on it is
 * about all elements, and about values of the class that was found alone, where
 * there is a class. A field that was found is left out as a whole, a cookie
 * too. Lines, and tokens of a page, are compared from behind those that differ
 * on.
 *
 * It ends after ROUNDS comparisons, with CASE_FOUND places, or where no rule
 * can name what was found; then there may be more, which is a place by itself.
 * Bytes, forms and parts have one place.
 */
#include <string.h>

#include "compare/kind.h"
#include "judge/judge_internal.h"
#include "rules/place.h"

#define ROUNDS 24u
#define ALIKE  2u /* places of one kind that are named one by one */

/* What is left out so far. */
struct left_out {
	struct judge *j;
	struct case_answer *out;
	uint32_t jsons;
	uint32_t headers;
	uint32_t cookies;
	unsigned often[CASE_FOUND]; /* each of @out->found was met */
};

/* Lines have no name but what production's says. */
static void add_shape(struct case_found *f)
{
	size_t n = strlen(f->place);

	if (!(f->class[0].mask & CASE_SHAPE))
		return;
	if (n > KIND_PLACE - 7)
		n = KIND_PLACE - 7;
	f->place[n++] = ' ';
	f->place[n++] = '~';
	for (unsigned i = 0; i < 4; i++)
		f->place[n++] = (char)('a' + (f->class[0].len >> 4 * i & 15));
	f->place[n] = '\0';
}

/* Add what @x tells. Return: how often its kind was found so far, 0: there is
 * no room
 */
static unsigned add(struct left_out *l, const struct case_answer *x)
{
	struct case_answer *out = l->out;
	struct case_found f = { .judge = x->place.judge,
				.change = x->place.change,
				.class = { x->class[0], x -> class[1] } };
	struct diff_kind k;
	bool known = false;
	unsigned n = 1;

	diff_kind_of(&k, &x->place, "", 0, 0);
	memcpy(f.place, k.place, sizeof(f.place));
	add_shape(&f);
	for (unsigned i = 0; i < out->founds; i++) {
		const struct case_found *o = &out->found[i];

		if (o->judge != f.judge || o->change != f.change ||
		    memcmp(o->place, f.place, sizeof(f.place)) != 0)
			continue;
		n += l->often[i];
		if (memcmp(o->class, f.class, sizeof(f.class)) == 0) {
			l->often[i]++;
			known = true;
		}
	}
	if (known)
		return n;
	if (out->founds == CASE_FOUND) {
		out->more = true;
		return 0;
	}
	l->often[out->founds] = 1;
	out->found[out->founds++] = f;
	return n;
}

/* The first class that both values have, or CLASS_COUNT. */
static unsigned common(const struct case_answer *x)
{
	unsigned mask = x->class[0].mask & x->class[1].mask;
	unsigned c = 0;

	while (c < CLASS_COUNT && !(mask >> c & 1))
		c++;
	return c;
}

/* Leave a place of JSON out from now on. @all: with all elements beside it.
 * Return: false: no rule can
 */
static bool without_json(struct left_out *l, const struct case_answer *x,
			 bool all)
{
	struct rules_view *v = &l->j->view;
	size_t n = strlen(x->place.name), used;
	struct json_rule *r;
	uint32_t at;

	if (l->jsons == MORE_RULES || v->jsons == RULES_VIEW ||
	    x->place.change == CASE_BROKEN || x->place.change == CASE_SOMEWHERE)
		return false;
	r = &l->j->json_more[l->jsons];
	memset(r, 0, sizeof(*r));
	r->verb = JSON_IGNORE;
	if (place_read(&r->at, x->place.name, n, &used) != 0 || used != n)
		return false;
	for (unsigned i = 0; all && i < r->at.steps; i++)
		if (r->at.step[i].kind == PLACE_INDEX)
			r->at.step[i].kind = PLACE_ELEMENTS;
	if (all && x->place.change == CASE_VALUE && common(x) < CLASS_COUNT) {
		r->verb = JSON_CLASS;
		r->class = (uint8_t)common(x);
	}
	/* A later rule counts more, and that of one place most. */
	at = all ? v->jsons - l->jsons : v->jsons;
	memmove(&v->json[at + 1], &v->json[at],
		(v->jsons - at) * sizeof(v->json[0]));
	v->json[at] = r;
	v->json_rule[v->jsons++] = 0;
	l->jsons++;
	return true;
}

/* The same of a field, or of a cookie, whose name stands behind the field's. */
static bool without_field(struct left_out *l, const struct case_answer *x)
{
	struct rules_view *v = &l->j->view;
	const char *name = x->place.name, *cookie;
	size_t n = 0, m = 0;

	while (name[n] != '\0' && name[n] != ' ')
		n++;
	cookie = name + n + (name[n] == ' ');
	while (cookie[m] != '\0' && cookie[m] != ' ')
		m++;
	if (m > 0 && m <= RULES_NAME && l->cookies < MORE_RULES &&
	    v->cookies < RULES_VIEW) {
		struct cookie_rule *r = &l->j->cookie_more[l->cookies++];

		*r = (struct cookie_rule){ .verb = COOKIE_IGNORE,
					   .len = (uint8_t)m };
		memcpy(r->name, cookie, m);
		v->cookie_rule[v->cookies] = 0;
		v->cookie[v->cookies++] = r;
		return true;
	}
	if (n == 0 || n > RULES_NAME || l->headers == MORE_RULES ||
	    v->headers == RULES_VIEW_HEADERS)
		return false;
	l->j->header_more[l->headers] =
		(struct header_rule){ .verb = HEADER_IGNORE,
				      .len = (uint8_t)n };
	memcpy(l->j->header_more[l->headers].name, name, n);
	v->header_rule[v->headers] = 0;
	v->header[v->headers++] = &l->j->header_more[l->headers++];
	return true;
}

/* Go behind lines or tokens that differ. Return: false: what stands there does
 * not belong together
 */
static bool behind(const struct judge *j, struct bodies *b,
		   const struct case_answer *x)
{
	for (unsigned i = 0; i < 2; i++) {
		b->n[i] -= (size_t)(j->behind[i] - b->p[i]);
		b->p[i] = j->behind[i];
	}
	return x->place.change == CASE_VALUE;
}

static void in_content(struct left_out *l, const struct bodies *content)
{
	struct bodies b = *content;
	struct case_answer x;

	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned n;

		memset(&x, 0, sizeof(x));
		switch (judge_content(l->j, &l->j->view, &b, &x)) {
		case BODY_OTHER:
			break;
		case BODY_UNKNOWN:
			l->out->more = true;
			return;
		default:
			return;
		}
		n = add(l, &x);
		if (n == 0)
			return;
		if (x.place.judge == CASE_JSON ? without_json(l, &x, n > ALIKE)
					       : (x.place.judge == CASE_TEXT ||
						  x.place.judge == CASE_HTML ||
						  x.place.judge == CASE_XML) &&
							 behind(l->j, &b, &x))
			continue;
		l->out->more = x.place.judge <= CASE_TEXT;
		return;
	}
	l->out->more = true;
}

static void in_fields(struct left_out *l, const struct case_view *c,
		      enum case_part part, unsigned flags)
{
	struct case_answer x;

	for (unsigned i = 0; i < ROUNDS; i++) {
		memset(&x, 0, sizeof(x));
		if (judge_fields(l->j, &l->j->view, c, part, flags, &x) !=
		    HEADERS_DIFFERENT)
			return;
		if (add(l, &x) == 0 || !without_field(l, &x))
			break;
	}
	l->out->more = true;
}

void judge_places(struct judge *j, const struct case_view *c,
		  const struct bodies *b, enum body_says body, unsigned flags,
		  struct case_answer *out)
{
	struct left_out l = { .j = j, .out = out };

	j->view = *rules_view(j->rules, c->endpoint);
	if (body == BODY_OTHER && out->place.judge == CASE_CODING)
		(void)add(&l, out);
	else if (body == BODY_OTHER)
		in_content(&l, b);
	in_fields(&l, c, CASE_HEAD, flags);
	in_fields(&l, c, CASE_TRAILER, 0);
}
