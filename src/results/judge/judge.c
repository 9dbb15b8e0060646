/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * judge.c - Content and heads of a case, put together
 *
 * Theory of operation
 *
 * Content comes first: if it means the same in another coding or spelling,
 * fields that tell of its length and coding may differ, and if it could not be
 * judged, or differs, such fields say nothing more. A difference of a head or
 * of content makes the case different, whatever else could not be judged.
 * Without one, what could not be judged is the answer. Only when all was judged
 * is a case alike.
 */
#include "judge/judge.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "app/tokens.h"
#include "judge/judge_internal.h"

_Static_assert(MADE_COUNT == (int)CASE_BY_JSON &&
		       MADE_CODING == (int)CASE_BY_CODING &&
		       MADE_ORDER == (int)CASE_BY_ORDER,
	       "what made heads alike has one numbering");
_Static_assert(RULES_VIEW <= 64, "rules of a view are a word");

size_t judge_size(const struct judge_limits *l)
{
	return arena_need(sizeof(struct judge)) + json_size(l->members) +
	       2 * arena_need(l->decoded) + versions_size(&l->versions) +
	       arena_need(l->held * sizeof(struct held)) +
	       l->held * arena_need(l->longest);
}

static int init_held(struct judge *j, struct arena *a)
{
	const struct judge_limits *l = &j->limits;

	j->held = arena_take(a, l->held * sizeof(*j->held));
	if (!j->held)
		return -ENOMEM;
	memset(j->held, 0, l->held * sizeof(*j->held));
	for (uint32_t i = 0; i < l->held; i++) {
		j->held[i].bytes = arena_take(a, l->longest);
		if (!j->held[i].bytes)
			return -ENOMEM;
	}
	return 0;
}

int judge_init(struct judge **out, struct arena *a,
	       const struct judge_limits *l, const struct rules *rules,
	       const struct hash_key *key, const struct judge_ops *ops)
{
	struct judge *j = arena_take(a, sizeof(*j));
	int r;

	if (!j)
		return -ENOMEM;
	*j = (struct judge){ .limits = *l,
			     .ops = *ops,
			     .rules = rules,
			     .seed = tokens_seed(key) };
	r = json_init(&j->json, a, l->members, key);
	for (unsigned i = 0; r == 0 && i < 2; i++) {
		j->room[i] = arena_take(a, l->decoded);
		if (!j->room[i])
			r = -ENOMEM;
	}
	if (r == 0)
		r = versions_init(&j->versions, a, &l->versions, key);
	if (r == 0)
		r = init_held(j, a);
	if (r == 0)
		*out = j;
	return r;
}

void judge_all(struct judge *j)
{
	j->all = true;
}

void judge_redact(struct judge *j, const struct redact *r)
{
	j->redact = r;
}

const struct versions_stats *judge_versions(const struct judge *j)
{
	return versions_stats(j->versions);
}

static bool same_coding(const struct bodies *b)
{
	return b->coding[0].n == b->coding[1].n &&
	       (b->coding[0].n == 0 ||
		head_same(b->coding[0].p, b->coding[1].p, b->coding[0].n));
}

/* Are both made of parts, with boundaries that are not of one length? These
 * stand in front of each part, and so content that HEAD does not show has
 * another length (Apache's are as long as the numbers of its processes).
 */
static bool has_other_boundary(const struct bodies *b)
{
	for (unsigned i = 0; i < 2; i++)
		if (judge_kind(b->type[i].p, b->type[i].n) != CASE_MULTIPART)
			return false;
	return b->type[0].n != b->type[1].n;
}

/* Of a head that came without its content nobody can say how long that is in
 * another coding, by another compressor or between other boundaries.
 */
static unsigned flags_of(enum body_says body, bool head, const struct bodies *b)
{
	if (body == BODY_SAME &&
	    (!head || (b->coding[0].n == 0 && b->coding[1].n == 0 &&
		       !has_other_boundary(b))))
		return 0;
	return HEADERS_REWRITTEN | (same_coding(b) ? 0 : HEADERS_RECODED);
}

/* Behind the status line, if this is a head. */
static struct head_rest fields_of(const struct case_view *c, unsigned part)
{
	struct head_rest r = { c->part[part].p,
			       c->part[part].p + c->part[part].n };
	struct head_line line;

	if (part == CASE_HEAD || part == CASE_HEAD + 1)
		(void)head_next(&r, &line);
	return r;
}

/* Where two heads differ. */
static void tell_field(const struct judge *j, struct case_answer *out,
		       enum case_judge judge, const struct headers_verdict *h,
		       const struct head_rest r[2])
{
	static const enum case_change change[] = {
		[HEADERS_NO_CHANGE] = CASE_NO_CHANGE,
		[HEADERS_VALUE] = CASE_VALUE,
		[HEADERS_MISSING] = CASE_MISSING,
		[HEADERS_EXTRA] = CASE_EXTRA,
		[HEADERS_MANY] = CASE_EXTRA,
	};

	place_begin(out, judge, change[h->change],
		    h->change == HEADERS_MANY ? "fields" : h->name);
	if (h->part[0] != '\0') {
		place_add(out, " ");
		place_add(out, h->part);
	}
	if (h->attribute[0] != '\0') {
		place_add(out, " ");
		place_add(out, h->attribute);
	}
	if (h->change == HEADERS_VALUE || h->change == HEADERS_MISSING)
		place_value(out, 0, j->redact, r[0].p + h->at[0], 0, h->len[0]);
	if (h->change == HEADERS_VALUE || h->change == HEADERS_EXTRA)
		place_value(out, 1, j->redact, r[1].p + h->at[1], 0, h->len[1]);
}

enum headers_outcome judge_fields(struct judge *j, const struct rules_view *v,
				  const struct case_view *c,
				  enum case_part part, unsigned flags,
				  struct case_answer *out)
{
	const struct headers_rules by = {
		.rules = j->rules, .view = v, .flags = flags, .late = c->late
	};
	struct head_rest r[2] = { fields_of(c, part),
				  fields_of(c, (unsigned)part + 1) };
	struct headers_verdict h;

	headers_compare(&by, r[0].p, (size_t)(r[0].end - r[0].p), r[1].p,
			(size_t)(r[1].end - r[1].p), &h);
	if (h.outcome == HEADERS_DIFFERENT) {
		/* What content says tells more. */
		if (out->place.judge == CASE_NOBODY)
			tell_field(j, out,
				   part == CASE_HEAD ? CASE_HEADERS
						     : CASE_TRAILERS,
				   &h, r);
		out->reasons |= reason_bit(REASON_HEADER);
	}
	if (h.outcome != HEADERS_EQUAL)
		return h.outcome;
	out->made |= h.made;
	for (unsigned i = 0; i < RULES_VIEW_HEADERS / 64; i++)
		judge_lines(out, v->header_rule + 64 * (size_t)i, h.rules[i]);
	judge_lines(out, v->cookie_rule, h.cookies);
	return HEADERS_EQUAL;
}

void judge_whole(struct judge *j, const struct case_view *c, unsigned flags,
		 struct bodies *b, struct case_answer *out)
{
	const struct rules_view *v = rules_view(j->rules, c->endpoint);
	enum headers_outcome heads, trailers;
	enum body_says body;

	memset(out, 0, sizeof(*out));
	out->serial = c->serial;
	body = judge_bodies(j, c, b, out);
	if (body == BODY_OTHER)
		out->reasons |= reason_bit(REASON_BODY);
	flags |= flags_of(body, judge_is_head(c), b);
	heads = judge_fields(j, v, c, CASE_HEAD, flags, out);
	trailers = judge_fields(j, v, c, CASE_TRAILER, 0, out);
	if (out->reasons != 0) {
		out->verdict = VERDICT_DIFFERENT;
		out->reason = (out->reasons & reason_bit(REASON_HEADER))
				      ? REASON_HEADER
				      : REASON_BODY;
	} else if (body == BODY_UNKNOWN) {
		assert(out->verdict == VERDICT_NOT_COMPARED);
	} else if (heads == HEADERS_UNJUDGED || trailers == HEADERS_UNJUDGED) {
		out->verdict = VERDICT_NOT_COMPARED;
		out->reason = REASON_UNJUDGED;
	} else {
		out->verdict = VERDICT_EQUIVALENT;
		out->reason = REASON_NONE;
	}
	if (out->verdict == VERDICT_EQUIVALENT)
		return;
	out->made = 0;
	out->rules = 0;
	if (j->all && out->verdict == VERDICT_DIFFERENT)
		judge_places(j, c, b, body, flags, out);
}

/* The status of a head that a framer took for one; 0: there is none */
static uint16_t status_of(const struct case_view *c, unsigned side)
{
	const uint8_t *p = c->part[CASE_HEAD + side].p;
	uint16_t status = 0;

	if (c->part[CASE_HEAD + side].n < 12)
		return 0;
	for (unsigned i = 9; i < 12; i++) {
		if (p[i] < '0' || p[i] > '9')
			return 0;
		status = (uint16_t)(status * 10 + (p[i] - '0'));
	}
	return status;
}

static bool judge_it(struct judge *j, const struct case_view *c,
		     uint64_t given[CASE_GIVEN], unsigned *givens,
		     struct case_answer *out)
{
	const uint16_t status[2] = { status_of(c, 0), status_of(c, 1) };
	bool note = (c->flags & CASE_NOTE);
	uint64_t content = 0;
	struct bodies b;

	if (!note && status[0] != status[1] && c->object != 0) {
		judge_conditional(j, c, status, out);
		return true;
	}
	if (note)
		(void)judge_bodies(j, c, &b, out);
	else
		judge_whole(j, c, 0, &b, out);
	if (!note && b.whole[0] && b.whole[1] && !(c->flags & CASE_SAME_BODY))
		*givens = judge_given(j->seed, &b, given);
	if (c->object == 0 || status[0] != 200 || judge_is_head(c))
		return !note;
	/* Before the room for decoded content is used again. */
	if (!note && out->verdict == VERDICT_DIFFERENT && b.whole[1])
		content = versions_content(j->versions, b.p[1], b.n[1]);
	if (b.whole[0] && (b.n[0] > 0 || !(c->flags & CASE_SAME_BODY)))
		judge_saw(j, c, versions_content(j->versions, b.p[0], b.n[0]));
	if (content != 0)
		judge_version(j, c, content, out);
	return !note;
}

bool judge_case(struct judge *j, const struct case_view *c,
		struct case_answer *out)
{
	uint64_t given[CASE_GIVEN];
	unsigned givens = 0;

	if (!judge_it(j, c, given, &givens, out))
		return false;
	out->givens = (uint8_t)givens;
	memcpy(out->given, given, givens * sizeof(*given));
	return true;
}
