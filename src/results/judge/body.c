/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * body.c - Which judge two contents have, and what it says
 *
 * Theory of operation
 *
 * Codings are undone on both sides, whatever each has. Content that is broken
 * on production's side is judged by nobody; on the SUT's alone it is a
 * difference. What would become too large is a bomb on either side, since a
 * bound of ours says nothing of a server.
 *
 * Decoded bytes that are the same need no judge. Else production's Content-Type
 * names it; content without one, or that is called text, is JSON if both begin
 * so and production's is. Text that claims to be JSON and is none is text. What
 * a judge cannot tell is unknown, and never the same.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "deep/markup.h"
#include "deep/parts.h"
#include "deep/text.h"
#include "judge/judge_internal.h"

#define SHOWN_BEFORE 8u /* bytes in front of one that differs */

/* Does the type end in @end, as +json? */
static bool ends(const uint8_t *p, size_t n, const char *end)
{
	size_t k = strlen(end);

	return n >= k && head_same(p + n - k, (const uint8_t *)end, k);
}

static bool begins(const uint8_t *p, size_t n, const char *with)
{
	size_t k = strlen(with);

	return n >= k && head_same(p, (const uint8_t *)with, k);
}

enum case_judge judge_kind(const uint8_t *type, size_t n)
{
	static const struct {
		const char *name;
		enum case_judge judge;
	} kinds[] = {
		{ "application/json", CASE_JSON },
		{ "text/json", CASE_JSON },
		{ "text/html", CASE_HTML },
		{ "application/xhtml+xml", CASE_XML },
		{ "application/xml", CASE_XML },
		{ "text/xml", CASE_XML },
		{ "application/x-www-form-urlencoded", CASE_FORM },
		{ "application/javascript", CASE_TEXT },
		{ "application/x-javascript", CASE_TEXT },
		{ "application/x-ndjson", CASE_TEXT },
	};
	const uint8_t *end = n > 0 ? memchr(type, ';', n) : NULL;

	if (end)
		n = (size_t)(end - type);
	while (n > 0 && (type[n - 1] == ' ' || type[n - 1] == '\t'))
		n--;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strlen(kinds[i].name) == n &&
		    begins(type, n, kinds[i].name))
			return kinds[i].judge;
	if (begins(type, n, "multipart/"))
		return CASE_MULTIPART;
	if (ends(type, n, "+json"))
		return CASE_JSON;
	if (ends(type, n, "+xml"))
		return CASE_XML;
	return begins(type, n, "text/") ? CASE_TEXT : CASE_BYTES;
}

static enum body_says unknown(struct case_answer *out, enum compare_reason why)
{
	out->verdict = VERDICT_NOT_COMPARED;
	out->reason = (uint8_t)why;
	return BODY_UNKNOWN;
}

/* Both as a slice of their texts. */
static enum body_says other(struct case_answer *out, const struct bodies *b,
			    const size_t at[2], const size_t len[2])
{
	for (unsigned i = 0; i < 2; i++) {
		assert(at[i] <= b->n[i] && len[i] <= b->n[i] - at[i]);
		b->behind[i] = b->p[i] + at[i] + len[i];
		if (len[i] > 0)
			place_value(out, i, b->redact, b->p[i], at[i], len[i]);
	}
	return BODY_OTHER;
}

static enum body_says by_bytes(const struct bodies *b, struct case_answer *out)
{
	size_t first = binary_first(b->p[0], b->n[0], b->p[1], b->n[1]);
	size_t from = first < SHOWN_BEFORE ? 0 : first - SHOWN_BEFORE;
	enum case_change change = CASE_VALUE;

	if (first == b->n[0] || first == b->n[1])
		change = b->n[0] < b->n[1] ? CASE_EXTRA : CASE_MISSING;
	/* Names of one table: the same is the same pointer. */
	if (binary_type(b->p[0], b->n[0]) != binary_type(b->p[1], b->n[1]))
		change = CASE_TYPE;
	place_begin(out, CASE_BYTES, change, "byte ");
	place_number(out, first);
	return other(out, b, (size_t[]){ from, from },
		     (size_t[]){ b->n[0] - from, b->n[1] - from });
}

static enum body_says by_text(const struct rules_view *v,
			      const struct bodies *b, struct case_answer *out)
{
	static const enum case_change change[] = {
		[TEXT_NO_CHANGE] = CASE_NO_CHANGE,
		[TEXT_VALUE] = CASE_VALUE,
		[TEXT_MISSING] = CASE_MISSING,
		[TEXT_EXTRA] = CASE_EXTRA,
	};
	struct text_verdict t;

	text_compare(v, b->p[0], b->n[0], b->p[1], b->n[1], &t);
	if (t.outcome == TEXT_UNJUDGED)
		return unknown(out, REASON_UNJUDGED);
	if (t.outcome == TEXT_EQUAL) {
		judge_made(out, CASE_BY_MASK);
		judge_lines(out, v->mask_rule, t.masks);
		return BODY_ALIKE;
	}
	place_begin(out, CASE_TEXT, change[t.change], "line ");
	place_number(out, t.line);
	return other(out, b, t.at, t.len);
}

static enum body_says by_json(struct judge *j, const struct rules_view *v,
			      const struct bodies *b, bool sure,
			      struct case_answer *out)
{
	static const enum case_change change[] = {
		[JSON_NO_CHANGE] = CASE_NO_CHANGE,
		[JSON_VALUE] = CASE_VALUE,
		[JSON_TYPE] = CASE_TYPE,
		[JSON_MISSING] = CASE_MISSING,
		[JSON_EXTRA] = CASE_EXTRA,
		[JSON_ORDER] = CASE_ORDER,
		[JSON_FAULT] = CASE_BROKEN,
		[JSON_SOMEWHERE] = CASE_SOMEWHERE,
	};
	struct json_verdict t;

	if (json_rules(j->json, v->json, v->jsons) != 0)
		return unknown(out, REASON_UNJUDGED);
	json_compare(j->json, b->p[0], b->n[0], b->p[1], b->n[1], &t);
	if (t.fault[0] == JSON_BROKEN || (!sure && t.fault[1] == JSON_BROKEN))
		return by_text(v, b, out);
	if (t.outcome == JSON_UNJUDGED)
		return unknown(out, REASON_UNJUDGED);
	if (t.outcome == JSON_EQUAL) {
		judge_made(out, t.rules != 0 ? CASE_BY_PLACE : CASE_BY_JSON);
		judge_lines(out, v->json_rule, t.rules);
		return BODY_ALIKE;
	}
	place_begin(out, CASE_JSON, change[t.change],
		    t.path[0] != '\0' ? t.path : "$");
	return other(out, b, t.at, t.len);
}

static enum body_says by_markup(const struct rules_view *v, bool xml,
				const struct bodies *b, struct case_answer *out)
{
	static const enum case_change change[] = {
		[MARKUP_NO_CHANGE] = CASE_NO_CHANGE,
		[MARKUP_TEXT] = CASE_VALUE,
		[MARKUP_TAG] = CASE_TYPE,
		[MARKUP_ATTRIBUTE] = CASE_VALUE,
		[MARKUP_MISSING] = CASE_MISSING,
		[MARKUP_EXTRA] = CASE_EXTRA,
	};
	struct markup_verdict t;

	markup_compare(v, xml, b->p[0], b->n[0], b->p[1], b->n[1], &t);
	if (t.outcome == MARKUP_UNJUDGED)
		return unknown(out, REASON_UNJUDGED);
	if (t.outcome == MARKUP_DIFFERENT) {
		place_begin(out, xml ? CASE_XML : CASE_HTML, change[t.change],
			    t.path);
		return other(out, b, t.at, t.len);
	}
	if (t.masks != 0)
		judge_made(out, CASE_BY_MASK);
	if (t.tokens)
		judge_made(out, CASE_BY_TOKEN);
	if (t.folded || (t.masks == 0 && !t.tokens))
		judge_made(out, CASE_BY_MARKUP);
	judge_lines(out, v->mask_rule, t.masks);
	return BODY_ALIKE;
}

static enum body_says by_parts(struct judge *j, const struct rules_view *v,
			       bool form, const struct bodies *b,
			       struct case_answer *out)
{
	static const enum case_change change[] = {
		[PARTS_NO_CHANGE] = CASE_NO_CHANGE,
		[PARTS_BROKEN] = CASE_BROKEN,
		[PARTS_MISSING] = CASE_MISSING,
		[PARTS_EXTRA] = CASE_EXTRA,
		[PARTS_HEADER] = CASE_VALUE,
		[PARTS_CONTENT] = CASE_VALUE,
	};
	const struct headers_rules by = { .rules = j->rules, .view = v };
	const uint8_t *const type[2] = { b->type[0].p, b->type[1].p };
	const size_t tn[2] = { b->type[0].n, b->type[1].n };
	struct parts_verdict t;

	if (form)
		form_compare(b->p, b->n, &t);
	else
		multipart_compare(&by, type, tn, b->p, b->n, &t);
	if (t.outcome == PARTS_UNJUDGED)
		return unknown(out, REASON_UNJUDGED);
	if (t.outcome == PARTS_EQUAL) {
		judge_made(out, CASE_BY_PARTS);
		out->made |= t.made;
		return BODY_ALIKE;
	}
	place_begin(out, form ? CASE_FORM : CASE_MULTIPART, change[t.change],
		    form ? "field " : "part ");
	place_number(out, t.part);
	if (t.change == PARTS_HEADER) {
		place_add(out, " ");
		place_add(out, t.head.name);
		return BODY_OTHER;
	}
	return other(out, b, t.at, t.len);
}

/* The first byte that is no white space; 0: there is none */
static uint8_t first_of(const uint8_t *p, size_t n)
{
	while (n > 0 && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n')) {
		p++;
		n--;
	}
	return n > 0 ? *p : 0;
}

static bool looks_like_json(const struct bodies *b)
{
	for (unsigned i = 0; i < 2; i++) {
		uint8_t c = first_of(b->p[i], b->n[i]);

		if (c != '{' && c != '[')
			return false;
	}
	return true;
}

enum body_says judge_content(struct judge *j, const struct rules_view *v,
			     const struct bodies *b, struct case_answer *out)
{
	enum case_judge kind = judge_kind(b->type[0].p, b->type[0].n);

	if ((kind == CASE_TEXT || b->type[0].n == 0) && looks_like_json(b))
		return by_json(j, v, b, false, out);
	switch (kind) {
	case CASE_JSON:
		return by_json(j, v, b, true, out);
	case CASE_HTML:
	case CASE_XML:
		return by_markup(v, kind == CASE_XML, b, out);
	case CASE_TEXT:
		return by_text(v, b, out);
	case CASE_MULTIPART:
	case CASE_FORM:
		return by_parts(j, v, kind == CASE_FORM, b, out);
	default:
		return by_bytes(b, out);
	}
}

/* Undo the codings of one side. Return: 0, 1: there was none, or as decode() */
static int decode(struct judge *j, unsigned side, const struct case_view *c,
		  struct bodies *b)
{
	const uint8_t *in = c->part[CASE_BODY + side].p;
	size_t n = c->part[CASE_BODY + side].n;
	struct head_rest head = { c->part[CASE_HEAD + side].p,
				  c->part[CASE_HEAD + side].p +
					  c->part[CASE_HEAD + side].n };
	size_t len;
	int r;

	b->p[side] = in;
	b->n[side] = n;
	(void)head_find(head, "content-type", &b->type[side]);
	switch (head_find(head, "content-encoding", &b->coding[side])) {
	case 0:
		return 1;
	case 1:
		break;
	default:
		return -ENOTSUP;
	}
	if (n == 0)
		return 1;
	r = j->ops.decode(j->ops.ctx, b->coding[side].p, b->coding[side].n, in,
			  n, j->room[side], j->limits.decoded, &len);
	if (r == 0) {
		b->p[side] = j->room[side];
		b->n[side] = len;
	}
	return r;
}

static enum compare_reason why_not(int r)
{
	if (r == -E2BIG)
		return REASON_BOMB;
	return r == -ENOMEM ? REASON_UNJUDGED : REASON_CODING;
}

enum body_says judge_bodies(struct judge *j, const struct case_view *c,
			    struct bodies *b, struct case_answer *out)
{
	const struct rules_view *v = rules_view(j->rules, c->endpoint);
	int r[2];

	memset(b, 0, sizeof(*b));
	b->redact = j->redact;
	b->behind = j->behind;
	for (unsigned i = 0; i < 2; i++) {
		r[i] = decode(j, i, c, b);
		b->whole[i] = r[i] >= 0;
	}
	if (c->flags & CASE_SAME_BODY)
		return BODY_SAME;
	if (r[0] < 0)
		return unknown(out, why_not(r[0]));
	if (r[1] == -EBADMSG) {
		place_begin(out, CASE_CODING, CASE_BROKEN, "content-encoding");
		for (unsigned i = 0; i < 2; i++)
			if (b->coding[i].n > 0)
				place_value(out, i, b->redact, b->coding[i].p,
					    0, b->coding[i].n);
		return BODY_OTHER;
	}
	if (r[1] < 0)
		return unknown(out, why_not(r[1]));
	if (b->n[0] == b->n[1] &&
	    (b->n[0] == 0 || memcmp(b->p[0], b->p[1], b->n[0]) == 0)) {
		if (r[0] == 1 && r[1] == 1)
			return BODY_SAME;
		judge_made(out, CASE_BY_CODING);
		return BODY_ALIKE;
	}
	return judge_content(j, v, b, out);
}
